/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The table of subcommands, in the order of the help text.
 */
#include "tools/command.h"

/* One to a line, for whoever adds one. */
/* clang-format off */
const struct command *const commands[] = {
	&format_command,
	&open_command,
	&close_command,
	&serve_command,
	&resize_command,
	&status_command,
	&list_command,
	&key_add_command,
	&key_change_command,
	&key_remove_command,
	&key_test_command,
	&key_list_command,
	&config_command,
	&dump_command,
	&check_command,
	&convert_command,
	&erase_command,
	&header_backup_command,
	&header_restore_command,
	&header_repair_command,
	&encrypt_command,
	&completion_command,
	&benchmark_command,
	NULL,
};
/* clang-format on */
