/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The store of errors offers and says what the real one does: the monitor
 * makes the device by the one, a worker serves it with the other.
 */
#include <check.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/blk.h"
#include "backend/file.h"
#include "daemon/store.h"
#include "daemon/volume.h"
#include "lib/why.h"
#include "virtio/blk_dev.h"

#define IMAGE_SIZE (4 << 20)

static struct volume volume;
static uint8_t key[VOLUME_KEY_MAX] = { 1, 2, 3 };

struct disk {
	struct blk_dev *store;
	struct vblk *vblk;
	uint64_t features;
	struct virtio_blk_config config;
};

static void open_disk(struct disk *d, int image_fd)
{
	struct why why = { "" };
	int err = store_open(&volume, image_fd, &d->store, &why);

	ck_assert_msg(!err, "%s", why.text);
	ck_assert_int_eq(volume_vblk(&volume, d->store, &d->vblk, &why), 0);
	d->features = vblk_features(d->vblk);
	vblk_config(d->vblk, &d->config, sizeof(d->config));
	vblk_free(d->vblk);
	store_close(d->store);
}

/* Bits of _i: readonly, discards. */
START_TEST(test_same_disk)
{
	const struct file_blk_options options = { .readonly = _i & 1 };
	char path[] = "/var/tmp/vcrypt-test-XXXXXX";
	int fd = mkstemp(path);
	struct disk real, dead;
	struct why why = { "" };

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, IMAGE_SIZE), 0);
	volume = (struct volume){
		.name = "a",
		.info = {
			.cipher = "aes-xts-plain64",
			.key_bytes = 64,
			.sector_size = 4096,
			.data_offset = 65536,
			.data_size = IMAGE_SIZE - 65536,
		},
		.key = key,
		.readonly = _i & 1,
		.allow_discards = _i & 2,
		.nr_queues = 2,
		.queue_size = 64,
	};
	ck_assert_int_eq(file_blk_probe(fd, &options, &volume.backing, &why),
			 0);
	open_disk(&dead, -1);
	open_disk(&real, fd);
	ck_assert_uint_eq(real.features, dead.features);
	ck_assert(!memcmp(&real.config, &dead.config, sizeof(real.config)));
	ck_assert_int_eq(!(real.features & (1ULL << VIRTIO_BLK_F_DISCARD)),
			 _i != 2);
	unlink(path);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("store");
	TCase *tc = tcase_create("store");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, test_same_disk, 0, 4);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
