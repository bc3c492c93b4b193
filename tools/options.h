/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Command-line options, driven by a table: "--name", "--name VALUE" and
 * "--name=VALUE", in any order with the arguments, until "--".  An unknown or
 * repeated option, a missing or a senseless value is an error.  The help text
 * (tools/help.h) and the shells' completion come from the same table.
 */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct why;

enum option_type {
	OPTION_FLAG,   /* bool: set to true */
	OPTION_STRING, /* const char *: points into argv */
	OPTION_WORD,   /* the same: one of the table's words */
	OPTION_NUMBER, /* uint32_t: decimal, not 0 */
	OPTION_SIZE,   /* uint64_t: bytes, not 0, see option_size */
	OPTION_COUNT,  /* uint32_t: decimal, or 0 */
	OPTION_OFFSET, /* uint64_t: bytes, or 0 */
};

/* What a value is, for a shell that completes it. */
enum value_kind {
	VALUE_OTHER,
	VALUE_FILE,
	VALUE_FOLDER,
	VALUE_VOLUME, /* the name of an open one */
	VALUE_VOLUME_OR_FILE,
	VALUE_NEW_VOLUME, /* a name to be given to one */
	VALUE_USER,
	VALUE_USER_GROUP,
};

/*
 * One option, or all those of a group, another table, which commands share.
 * Values are stored in a struct of the command's: @offset is that of the field,
 * or of the struct that the group's own offsets start from.  It is untouched
 * when the option is not given.  An entry with neither ends a table.
 */
struct option {
	const char *name; /* without "--" */
	enum option_type type;
	size_t offset;
	const char *value; /* what the help calls the value: "SIZE" */
	const char *help;  /* in one line, however long */
	/* All that OPTION_WORD takes; for other types, what is likely. */
	const char *words; /* with a space between two */
	enum value_kind kind;
	const struct option *group;
};

#define OPTIONS_MAX 64 /* of a command, groups included */

/*
 * Call @fn for each option of @table and its groups, in their order; @base is
 * the struct that values are stored in, @field the option's field there (or
 * NULL, when @base is).  Ends with the first result that is not 0, and returns
 * it.
 */
int options_each(const struct option *table, void *base,
		 int (*fn)(const struct option *opt, void *field, void *arg),
		 void *arg);

/*
 * Parse argv[1] and on; values go to @args.  The arguments that are no options
 * are moved to argv[1] and on in their order, and *argc becomes their number
 * plus one.  @table may be NULL: no options.
 * Errors: -EINVAL with the reason in @why.
 */
int options_parse(const struct option *table, void *args, int *argc,
		  char **argv, struct why *why);

/*
 * A size in bytes: decimal digits and nothing, or one of K, M, G, T (powers of
 * 1024, also written KiB and so on, in either case).  Errors: -EINVAL (no
 * number), -ERANGE (more than 2^63 - 1).
 */
int option_size(const char *s, uint64_t *ret);

/* Decimal digits.  Errors: -EINVAL, -ERANGE (more than 2^32 - 1). */
int option_number(const char *s, uint32_t *ret);

/*
 * Is @value one of @words, which stand in a row with a space between two?
 * -EINVAL with a reason such as: --ring: "split" or "packed", not "triple",
 * where @thing is --ring.
 */
int option_check_word(const char *thing, const char *words, const char *value,
		      struct why *why);

/*
 * The words of a list with a space between two: returns the length of the
 * first one at *@at, 0 at the end, and moves *@at past it; *ret is its start.
 */
size_t option_next_word(const char **at, const char **ret);

#endif
