/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a worker serves: the image, the cipher on top of it, the virtio disk
 * on top of that; or, when the image is lost, a store of errors.
 */
#ifndef DAEMON_STORE_H
#define DAEMON_STORE_H

struct blk_dev;
struct vblk;
struct volume;
struct why;

/*
 * The plaintext side of the volume; the key is taken from @volume.
 * @image_fd: -1 for a store that answers with errors.
 */
int store_open(const struct volume *volume, int image_fd, struct blk_dev **ret,
	       struct why *why);

/* Close, and wipe what the cipher knew of the key.  NULL is allowed. */
void store_close(struct blk_dev *store);

/* A store of errors that looks the same; it needs volume->backing. */
int store_open_dead(const struct volume *volume, struct blk_dev **ret,
		    struct why *why);

/* The virtio disk of the volume, on @store. */
int volume_vblk(const struct volume *volume, struct blk_dev *store,
		struct vblk **ret, struct why *why);

#endif
