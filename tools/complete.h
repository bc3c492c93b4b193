/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Scripts with which shells complete the command line of vcrypt, made of the
 * table of commands.
 */
#ifndef TOOLS_COMPLETE_H
#define TOOLS_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

struct command;

/* Print the script for a shell. */
void complete_bash(void);
void complete_fish(void);
void complete_zsh(void);

/*
 * What the first word of a command's name is followed by: the rest of the
 * name ("add" of "key add"), or NULL.  *ret_len is the length of the first.
 */
const char *complete_second_word(const struct command *cmd, size_t *ret_len);

/* Is it the first of its family in the table, or in none? */
bool complete_is_first(const struct command *const *cmd);

/*
 * Print @text in single quotes, as all three shells read them; without a
 * backslash, which means something in those of fish.
 */
void complete_quote(const char *text);

#endif
