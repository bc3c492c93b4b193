/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Command-line options: see options.h.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/why.h"
#include "tools/options.h"

/* The digits at the start of @s; *ret_end is what follows them. */
static int digits(const char *s, uint64_t *ret, const char **ret_end)
{
	size_t len = strspn(s, "0123456789");
	unsigned long long v;

	if (!len)
		return -EINVAL;
	errno = 0;
	v = strtoull(s, NULL, 10);
	if (errno)
		return -ERANGE;
	*ret = v;
	*ret_end = s + len;
	return 0;
}

int option_number(const char *s, uint32_t *ret)
{
	const char *end;
	uint64_t v;
	int r = digits(s, &v, &end);

	if (r == -EINVAL || (!r && *end))
		return -EINVAL;
	if (r || v > UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t)v;
	return 0;
}

int option_size(const char *s, uint64_t *ret)
{
	static const char units[] = "KMGT";
	unsigned int shift = 0;
	const char *end, *unit;
	uint64_t v;
	int r = digits(s, &v, &end);

	if (r)
		return r;
	if (*end) {
		unit = strchr(units, *end & ~0x20);
		if (!unit || (end[1] && strcasecmp(end + 1, "iB")))
			return -EINVAL;
		shift = 10 * (unsigned int)(unit - units + 1);
	}
	if (v > (uint64_t)INT64_MAX >> shift)
		return -ERANGE;
	*ret = v << shift;
	return 0;
}

int options_each(const struct option *table, void *base,
		 int (*fn)(const struct option *opt, void *field, void *arg),
		 void *arg)
{
	int r = 0;

	for (; !r && table && (table->name || table->group); table++) {
		void *field = base ? (char *)base + table->offset : NULL;

		r = table->group ? options_each(table->group, field, fn, arg)
				 : fn(table, field, arg);
	}
	return r;
}

/* One "--NAME" or "--NAME=VALUE", and what is looked for in the table. */
struct given {
	const char *name;
	size_t len;
	const struct option *opt;
	void *field;
	unsigned int index;
};

static int match(const struct option *opt, void *field, void *arg)
{
	struct given *given = arg;

	if (strlen(opt->name) != given->len ||
	    memcmp(opt->name, given->name, given->len)) {
		given->index++;
		return 0;
	}
	given->opt = opt;
	given->field = field;
	return 1;
}

size_t option_next_word(const char **at, const char **ret)
{
	size_t len;

	*ret = *at + strspn(*at, " ");
	len = strcspn(*ret, " ");
	*at = *ret + len;
	return len;
}

int option_check_word(const char *thing, const char *words, const char *value,
		      struct why *why)
{
	const char *at = words, *word, *after;
	char list[256] = "";
	size_t len, used = 0;

	while ((len = option_next_word(&at, &word))) {
		if (strlen(value) == len && !memcmp(word, value, len))
			return 0;
		after = at + strspn(at, " ");
		used += (size_t)snprintf(list + used, sizeof(list) - used,
					 "%s\"%.*s\"",
					 !used	  ? ""
					 : *after ? ", "
						  : " or ",
					 (int)len, word);
		if (used >= sizeof(list))
			used = sizeof(list) - 1;
	}
	return why_set(why, -EINVAL, "%s: %s, not \"%s\"", thing, list, value);
}

static int store_number(const struct option *opt, const char *value,
			void *field, struct why *why)
{
	bool is_size = opt->type == OPTION_SIZE || opt->type == OPTION_OFFSET;
	uint32_t number = 0;
	uint64_t size = 0;
	int r = is_size ? option_size(value, &size)
			: option_number(value, &number);

	if (r == -ERANGE)
		return why_set(why, -EINVAL, "--%s: %s is too large", opt->name,
			       value);
	if (r)
		return why_set(why, -EINVAL,
			       is_size ? "--%s: %s is not a size (such as 512M "
					 "or 10G)"
				       : "--%s: %s is not a number",
			       opt->name, value);
	if (!number && !size &&
	    (opt->type == OPTION_NUMBER || opt->type == OPTION_SIZE))
		return why_set(why, -EINVAL, "--%s: 0 is not possible",
			       opt->name);
	if (is_size)
		*(uint64_t *)field = size;
	else
		*(uint32_t *)field = number;
	return 0;
}

static int store(const struct option *opt, const char *value, void *field,
		 struct why *why)
{
	char thing[64];
	int r = 0;

	switch (opt->type) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_WORD:
		snprintf(thing, sizeof(thing), "--%s", opt->name);
		r = option_check_word(thing, opt->words, value, why);
		break;
	case OPTION_STRING:
		break;
	case OPTION_NUMBER:
	case OPTION_COUNT:
	case OPTION_SIZE:
	case OPTION_OFFSET:
		return store_number(opt, value, field, why);
	}
	if (!r)
		*(const char **)field = value;
	return r;
}

/* What has been parsed so far. */
struct parser {
	const struct option *table;
	void *args;
	bool seen[OPTIONS_MAX];
};

/* @arg is "--NAME" or "--NAME=VALUE"; *ret_used becomes true with @next. */
static int take(struct parser *parser, const char *arg, const char *next,
		bool *ret_used, struct why *why)
{
	struct given given = { arg + 2, strcspn(arg + 2, "=") };
	const char *value = given.name + given.len;
	const struct option *opt;

	value = *value ? value + 1 : NULL;
	if (!options_each(parser->table, parser->args, match, &given))
		return why_set(why, -EINVAL, "--%.*s: unknown option",
			       (int)given.len, given.name);
	opt = given.opt;
	assert(given.index < OPTIONS_MAX);
	if (parser->seen[given.index])
		return why_set(why, -EINVAL, "--%s: given more than once",
			       opt->name);
	parser->seen[given.index] = true;
	*ret_used = false;
	if (opt->type == OPTION_FLAG) {
		if (value)
			return why_set(why, -EINVAL, "--%s: takes no value",
				       opt->name);
	} else if (!value) {
		if (!next)
			return why_set(why, -EINVAL, "--%s: needs a value",
				       opt->name);
		value = next;
		*ret_used = true;
	}
	return store(opt, value, given.field, why);
}

int options_parse(const struct option *table, void *args, int *argc,
		  char **argv, struct why *why)
{
	struct parser parser = { .table = table, .args = args };
	bool only_arguments = false, used = false;
	int i, r, n = 1;

	for (i = 1; i < *argc; i++) {
		if (only_arguments || argv[i][0] != '-' || !argv[i][1]) {
			argv[n++] = argv[i];
		} else if (!strcmp(argv[i], "--")) {
			only_arguments = true;
		} else if (argv[i][1] != '-') {
			return why_set(why, -EINVAL, "%s: unknown option",
				       argv[i]);
		} else {
			r = take(&parser, argv[i],
				 i + 1 < *argc ? argv[i + 1] : NULL, &used,
				 why);
			if (r)
				return r;
			i += used;
		}
	}
	*argc = n;
	return 0;
}
