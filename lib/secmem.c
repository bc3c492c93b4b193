/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Memory for secrets: see secmem.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/secmem.h"

static size_t round_to_pages(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (len + page - 1) / page * page;
}

/*
 * memfd_secret(2), since Linux 5.14; -1 where it is missing or off.  Its page
 * says FD_CLOEXEC, but mm/secretmem.c takes O_CLOEXEC only.
 */
static int open_secret(void)
{
	return (int)syscall(SYS_memfd_secret, O_CLOEXEC);
}

static void *map_secret(int fd, size_t len)
{
	void *p = MAP_FAILED;

	if (!ftruncate(fd, (off_t)len))
		p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static void *map_locked(size_t len)
{
	void *p;

	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		 -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (mlock(p, len) || madvise(p, len, MADV_DONTDUMP)) {
		munmap(p, len);
		return NULL;
	}
	return p;
}

int secmem_alloc(size_t len, void **ret)
{
	int fd = open_secret();
	void *p;

	len = round_to_pages(len);
	if (fd >= 0) {
		p = map_secret(fd, len);
		close(fd);
	} else {
		p = map_locked(len);
	}
	if (!p)
		return -ENOMEM;
	*ret = p;
	return 0;
}

int secmem_relock(void *p, size_t len)
{
	int fd = open_secret();

	/* Secret pages never leave memory, whoever maps them. */
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	return mlock(p, round_to_pages(len)) ? -ENOMEM : 0;
}

void secmem_free(void *p, size_t len)
{
	if (!p)
		return;
	explicit_bzero(p, len);
	munmap(p, round_to_pages(len));
}

void secmem_leave(void *p, size_t len)
{
	if (p)
		munmap(p, round_to_pages(len));
}

int secmem_protect_process(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0))
		return -errno;
	return 0;
}
