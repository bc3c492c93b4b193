/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Memory of others: see memory.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/secrets/memory.h"
#include "tests/secrets/patterns.h"

#define PAGE	4096u
#define AT_ONCE (256u * PAGE)

/* What may be cut off at the end of a piece is searched with the next one. */
#define OVERLAP PATTERN_BYTES_MAX

/* Whole pages at @at into @buf; a page that cannot be read is told as 0. */
static size_t read_some(int fd, uint64_t at, uint64_t end, uint8_t *buf)
{
	size_t want = end - at < AT_ONCE ? end - at : AT_ONCE;
	ssize_t n = pread(fd, buf, want, (off_t)at);

	/* One page among them cannot be: find the others. */
	if (n <= 0 && want > PAGE)
		n = pread(fd, buf, PAGE, (off_t)at);
	return n > 0 ? (size_t)n : 0;
}

static void read_region(int fd, const struct region *r, memory_fn *fn,
			void *arg, struct seen *seen)
{
	static uint8_t buf[OVERLAP + AT_ONCE];
	bool secret = strstr(r->name, "secretmem");
	uint64_t at = r->start;
	size_t kept = 0, n;

	while (at < r->end) {
		n = read_some(fd, at, r->end, buf + kept);
		seen->bytes += n;
		if (n) {
			size_t all = kept + n;
			size_t len = all > OVERLAP && at + n < r->end
					     ? all - OVERLAP
					     : all;

			fn(arg, r, at - kept, buf, len, all);
			memmove(buf, buf + len, all - len);
			kept = all - len;
			at += n;
			continue;
		}
		*(secret ? &seen->hidden : &seen->unread) += PAGE;
		/* The kept bytes had no chance to match beyond this gap. */
		if (kept)
			fn(arg, r, at - kept, buf, kept, kept);
		kept = 0;
		at += PAGE;
	}
}

static bool parse_region(const char *line, struct region *ret)
{
	*ret = (struct region){ 0 };
	return sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %127[^\n]",
		      &ret->start, &ret->end, ret->name) >= 2;
}

int memory_of_process(pid_t pid, memory_fn *fn, void *arg, struct seen *ret)
{
	char path[64], line[512];
	struct seen seen = { 0 };
	struct region region;
	FILE *maps;
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	if (!maps) {
		err = -errno;
		close(fd);
		return err;
	}
	while (fgets(line, sizeof(line), maps))
		if (parse_region(line, &region))
			read_region(fd, &region, fn, arg, &seen);
	fclose(maps);
	close(fd);
	*ret = seen;
	return seen.bytes ? 0 : -ESRCH;
}

int memory_of_file(const char *path, memory_fn *fn, void *arg, struct seen *ret)
{
	struct seen seen = { 0 };
	struct region region = { 0 };
	off_t size;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	size = lseek(fd, 0, SEEK_END);
	region.end = size > 0 ? (uint64_t)size : 0;
	snprintf(region.name, sizeof(region.name), "%s", path);
	read_region(fd, &region, fn, arg, &seen);
	close(fd);
	*ret = seen;
	return 0;
}
