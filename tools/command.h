/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The subcommands of vcrypt, one file each, and what they have in common.
 */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/options.h"

struct why;

/* Exit codes, those of cryptsetup. */
enum {
	EXIT_OK = 0,
	EXIT_PARAMETERS = 1,
	EXIT_PERMISSION = 2, /* or a wrong passphrase */
	EXIT_MEMORY = 3,
	EXIT_DEVICE = 4, /* wrong device or file */
	EXIT_IN_USE = 5, /* exists or busy */
};

/* What stands on the command line without "--". */
struct argument {
	const char *name; /* "IMAGE"; NULL ends the list */
	size_t offset;	  /* of a const char * in the command's struct */
	enum value_kind kind;
	bool optional;	   /* then all that follow are */
	const char *words; /* the only ones that there are, or NULL */
};

#define ARGUMENTS_MAX 3

/*
 * All that is known of a command: dispatch, help text, completion and the test
 * of the manual pages go by it.
 */
struct command {
	const char *name; /* "format"; of a family: "key add" */
	/* argv[0] is the last word of the name; returns an exit code. */
	int (*run)(int argc, char **argv);
	const char *summary; /* for the list */
	const char *usage;   /* the arguments, in one line */
	const char *about;   /* whole lines, ready to print, or NULL */
	struct argument arguments[ARGUMENTS_MAX + 1];
	const struct option *options; /* NULL: none */
};

/* Ends with NULL.  A family stands together. */
extern const struct command *const commands[];

extern const struct command benchmark_command;
extern const struct command check_command;
extern const struct command close_command;
extern const struct command completion_command;
extern const struct command config_command;
extern const struct command convert_command;
extern const struct command dump_command;
extern const struct command encrypt_command;
extern const struct command erase_command;
extern const struct command format_command;
extern const struct command header_backup_command;
extern const struct command header_repair_command;
extern const struct command header_restore_command;
extern const struct command key_add_command;
extern const struct command key_change_command;
extern const struct command key_list_command;
extern const struct command key_test_command;
extern const struct command key_remove_command;
extern const struct command list_command;
extern const struct command open_command;
extern const struct command resize_command;
extern const struct command serve_command;
extern const struct command status_command;

/*
 * Read the command line of @cmd into @args, the struct that its options and
 * arguments belong to.  Names of volumes are checked.  -EINVAL with @why, for
 * command_misuse.
 */
int command_parse(const struct command *cmd, int argc, char **argv, void *args,
		  struct why *why);

/* Print "vcrypt: REASON" and return the exit code for @err (-errno). */
int command_fail(int err, const struct why *why);

/* The same for a wrong command line, with a hint at the help text. */
int command_misuse(const struct command *cmd, const struct why *why);

#endif
