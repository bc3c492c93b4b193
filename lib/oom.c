/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A word with the out-of-memory killer: see oom.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/oom.h"

#define FILE_OF_THIS "/proc/self/oom_score_adj"
#define FIRST	     "1000"

/* A process has one, and it cannot be opened again. */
static struct {
	int fd;
	char before[16];
} oom = { .fd = -1 };

void oom_prepare(void)
{
	oom.fd = open(FILE_OF_THIS, O_RDWR | O_CLOEXEC);
}

static void put(const char *value)
{
	if (oom.fd >= 0 &&
	    pwrite(oom.fd, value, strlen(value), 0) != (ssize_t)strlen(value))
		errno = 0;
}

void oom_offer_begin(void)
{
	ssize_t n = -1;

	if (oom.fd >= 0)
		n = pread(oom.fd, oom.before, sizeof(oom.before) - 1, 0);
	oom.before[n > 0 ? n : 0] = '\0';
	if (n > 0)
		put(FIRST);
}

void oom_offer_end(void)
{
	if (oom.before[0])
		put(oom.before);
}
