/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What "vcrypt help" prints, out of the table of commands.
 */
#ifndef TOOLS_HELP_H
#define TOOLS_HELP_H

#include <stdio.h>

struct command;

/* The list of commands. */
void help_list(FILE *f);

/* Those of one family, "key" for instance. */
void help_family(FILE *f, const char *family);

/* All about one. */
void help_command(FILE *f, const struct command *cmd);

#endif
