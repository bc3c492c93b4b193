/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Whether a plain image is in use by somebody else: see idle.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>

#include "backend/idle.h"
#include "backend/lock.h"
#include "lib/why.h"

/*
 * QEMU locks a byte for each permission that it has, and one for each that it
 * does not share (block/file-posix.c: RAW_LOCK_PERM_BASE and
 * RAW_LOCK_SHARED_BASE; include/block/block-common.h: BLK_PERM_*).
 */
#define QEMU_READS	100 /* consistently */
#define QEMU_WRITES	101
#define QEMU_RESIZES	103
#define QEMU_NO_READERS 200
#define QEMU_NO_WRITERS 201
#define QEMU_NO_RESIZE	203

static struct flock one_byte(short type, off_t byte)
{
	return (struct flock){
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};
}

static bool others_lock(int fd, off_t byte)
{
	struct flock lock = one_byte(F_WRLCK, byte);

	return !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

static bool can_lock(int fd, off_t byte)
{
	struct flock lock = one_byte(F_RDLCK, byte);

	return !fcntl(fd, F_OFD_SETLK, &lock);
}

static int claim_from_qemu(int fd, struct why *why)
{
	bool free = can_lock(fd, QEMU_READS) && can_lock(fd, QEMU_NO_WRITERS) &&
		    can_lock(fd, QEMU_NO_RESIZE);

	if (free && !others_lock(fd, QEMU_WRITES) &&
	    !others_lock(fd, QEMU_RESIZES) && !others_lock(fd, QEMU_NO_READERS))
		return 0;
	return why_set(why, -EBUSY, "is in use by a virtual machine");
}

/*
 * A lease for reading is given only when nobody can write; it is given back at
 * once, since whoever opens the file later would have to wait for us.
 */
static int find_writers(int fd, struct why *why)
{
	/* If that is in this very moment: not SIGIO, which would end us. */
	fcntl(fd, F_SETSIG, SIGURG);
	if (fcntl(fd, F_SETLEASE, F_RDLCK))
		return errno == EAGAIN
			       ? why_set(why, -EBUSY,
					 "is open for writing in another "
					 "program (a virtual machine, a loop "
					 "device?)")
			       : 0;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return 0;
}

int file_claim_idle(int fd, struct why *why)
{
	int err = image_lock(fd, true);

	if (err == -EBUSY)
		return why_set(why, err, "is in use by another vcrypt");
	if (err)
		return why_set(why, err, "cannot be locked: %s",
			       strerror(-err));
	if (flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK)
		return why_set(why, -EBUSY,
			       "is locked by another program (flock)");
	err = claim_from_qemu(fd, why);
	return err ? err : find_writers(fd, why);
}
