/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Command-line options, driven by a table: "--name", "--name VALUE" and
 * "--name=VALUE", in any order with the arguments, until "--".  An unknown or
 * repeated option, a missing or a senseless value is an error.
 */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct why;

enum option_type {
	OPTION_FLAG,   /* bool *: set to true */
	OPTION_STRING, /* const char **: points into argv */
	OPTION_NUMBER, /* uint32_t *: decimal, not 0 */
	OPTION_SIZE,   /* uint64_t *: bytes, not 0, see option_size */
};

struct option_spec {
	const char *name; /* without "--"; NULL ends the table */
	enum option_type type;
	void *value; /* untouched when the option is not given */
	bool seen;
};

/*
 * Parse argv[1] and on.  The arguments that are no options are moved to
 * argv[1] and on in their order, and *argc becomes their number plus one.
 * Errors: -EINVAL with the reason in @why.
 */
int options_parse(struct option_spec *table, int *argc, char **argv,
		  struct why *why);

/*
 * A size in bytes: decimal digits and nothing, or one of K, M, G, T (powers of
 * 1024, also written KiB and so on, in either case).  Errors: -EINVAL (no
 * number), -ERANGE (more than 2^63 - 1).
 */
int option_size(const char *s, uint64_t *ret);

/* Decimal digits.  Errors: -EINVAL, -ERANGE (more than 2^32 - 1). */
int option_number(const char *s, uint32_t *ret);

#endif
