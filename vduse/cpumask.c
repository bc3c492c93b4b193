/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Sets of CPUs in sysfs: see cpumask.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vduse/cpumask.h"

#define MAX_CPUS   8192
#define GROUP_BITS 32
#define NR_GROUPS  (MAX_CPUS / GROUP_BITS)

static int read_number(const char **at, unsigned long *ret)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return -EINVAL;
	*ret = strtoul(*at, &end, 10);
	*at = end;
	return *ret < MAX_CPUS ? 0 : -E2BIG;
}

/* One number, or two with a '-' between them. */
static int read_range(const char **at, uint32_t groups[static NR_GROUPS])
{
	unsigned long i, first, last;
	int err;

	err = read_number(at, &first);
	last = first;
	if (!err && **at == '-') {
		++*at;
		err = read_number(at, &last);
	}
	if (err)
		return err;
	if (last < first)
		return -EINVAL;
	for (i = first; i <= last; i++)
		groups[i / GROUP_BITS] |= 1U << (i % GROUP_BITS);
	return 0;
}

static int write_groups(const uint32_t groups[static NR_GROUPS],
			char ret[static CPUMASK_TEXT_MAX])
{
	int i = NR_GROUPS - 1;
	size_t len;

	while (i >= 0 && !groups[i])
		i--;
	if (i < 0)
		return -EINVAL;
	len = (size_t)sprintf(ret, "%x", groups[i]);
	while (i--)
		len += (size_t)sprintf(ret + len, ",%08x", groups[i]);
	return 0;
}

int cpumask_from_list(const char *list, char ret[static CPUMASK_TEXT_MAX])
{
	uint32_t groups[NR_GROUPS] = { 0 };
	const char *at = list;
	int err;

	for (;;) {
		err = read_range(&at, groups);
		if (err)
			return err;
		if (*at != ',')
			break;
		at++;
	}
	if (*at && strcmp(at, "\n"))
		return -EINVAL;
	return write_groups(groups, ret);
}
