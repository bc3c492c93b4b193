/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Command-line options: see options.h.
 */
#include <errno.h>
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

static struct option_spec *find(struct option_spec *table, const char *name,
				size_t len)
{
	for (; table->name; table++)
		if (strlen(table->name) == len &&
		    !memcmp(table->name, name, len))
			return table;
	return NULL;
}

static int store(struct option_spec *opt, const char *value, struct why *why)
{
	uint32_t number = 1;
	uint64_t size = 1;
	int r = 0;

	switch (opt->type) {
	case OPTION_FLAG:
		*(bool *)opt->value = true;
		break;
	case OPTION_STRING:
		*(const char **)opt->value = value;
		break;
	case OPTION_NUMBER:
		r = option_number(value, &number);
		if (!r && number)
			*(uint32_t *)opt->value = number;
		break;
	case OPTION_SIZE:
		r = option_size(value, &size);
		if (!r && size)
			*(uint64_t *)opt->value = size;
		break;
	}
	if (!r && (!number || !size))
		return why_set(why, -EINVAL, "--%s: 0 is not possible",
			       opt->name);
	if (r == -ERANGE)
		return why_set(why, -EINVAL, "--%s: %s is too large", opt->name,
			       value);
	if (r)
		return why_set(
			why, -EINVAL,
			opt->type == OPTION_SIZE
				? "--%s: %s is not a size (such as 512M or 10G)"
				: "--%s: %s is not a number",
			opt->name, value);
	return 0;
}

/* @arg is "--NAME" or "--NAME=VALUE"; *ret_used becomes true with @next. */
static int take(struct option_spec *table, const char *arg, const char *next,
		bool *ret_used, struct why *why)
{
	size_t len = strcspn(arg + 2, "=");
	const char *value = arg[2 + len] ? arg + 2 + len + 1 : NULL;
	struct option_spec *opt = find(table, arg + 2, len);

	if (!opt)
		return why_set(why, -EINVAL, "--%.*s: unknown option", (int)len,
			       arg + 2);
	if (opt->seen)
		return why_set(why, -EINVAL, "--%s: given more than once",
			       opt->name);
	opt->seen = true;
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
	return store(opt, value, why);
}

int options_parse(struct option_spec *table, int *argc, char **argv,
		  struct why *why)
{
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
			r = take(table, argv[i],
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
