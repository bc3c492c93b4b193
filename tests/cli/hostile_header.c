/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * hostile_header VERSION OUTCOME       list the cases, a name in each line
 * hostile_header NAME IMAGE            turn the container into that one
 *
 * The cases are those of the unit tests: tests/unit/luks_hostile_cases.c.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/luks_hostile.h"

static const char *const outcomes[] = {
	[HOSTILE_REFUSED] = "refused",
	[HOSTILE_REPAIRED] = "repaired",
	[HOSTILE_SERVED] = "served",
};

static int list(int version, const char *outcome)
{
	const struct hostile *h;

	for (h = hostile_cases; h < hostile_cases + hostile_nr; h++)
		if (h->version == version &&
		    !strcmp(outcomes[h->outcome], outcome))
			printf("%s\n", h->name);
	return 0;
}

static int apply(const char *name, const char *image)
{
	const struct hostile *h;
	int fd = open(image, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		perror(image);
		return 1;
	}
	for (h = hostile_cases; h < hostile_cases + hostile_nr; h++) {
		if (strcmp(h->name, name))
			continue;
		hostile_apply(h, fd);
		return close(fd) ? 1 : 0;
	}
	fprintf(stderr, "%s: no such case\n", name);
	close(fd);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	if (!strcmp(argv[1], "1") || !strcmp(argv[1], "2"))
		return list(atoi(argv[1]), argv[2]);
	return apply(argv[1], argv[2]);
}
