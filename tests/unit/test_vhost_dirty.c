/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vhost-user: the log of dirty pages, which a front end needs to migrate its
 * guest.  Whatever page the device changes has to be in it.
 */
#include <check.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/blk.h"
#include "backend/mem.h"
#include "lib/loop.h"
#include "tests/unit/vhost_front.h"

#define SECTORS	 2048
#define PAGE	 4096U
#define PACKED	 (1ULL << VIRTIO_F_RING_PACKED)
#define NO_EVENT (1ULL << VIRTIO_RING_F_EVENT_IDX)
#define LOG_ALL	 (1ULL << VHOST_F_LOG_ALL)
/* Enough for all that the driver has. */
#define LOG_LEN ((DRIVER_DATA + DRIVER_DATA_LEN) / PAGE / 8)

static const uint64_t formats[] = {
	~(PACKED | LOG_ALL),
	~LOG_ALL,
	~(PACKED | NO_EVENT | LOG_ALL),
	~(NO_EVENT | LOG_ALL),
};

#define NR_FORMATS (sizeof(formats) / sizeof(formats[0]))

static struct front f;
static struct blk_dev *mem;
static int bits_fd;
static uint8_t *bits;

static void setup(void)
{
	ck_assert_int_eq(
		mem_blk_new(SECTORS, &(struct mem_blk_options){ 0 }, &mem), 0);
	front_init(&f, mem);
	bits_fd = memfd_create("dirty", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_int_eq(ftruncate(bits_fd, LOG_LEN + PAGE), 0);
	ck_assert_int_eq(fcntl(bits_fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	bits = mmap(NULL, LOG_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, bits_fd,
		    PAGE);
	ck_assert_ptr_ne(bits, MAP_FAILED);
}

static void teardown(void)
{
	front_free(&f);
	blk_close(mem);
	munmap(bits, LOG_LEN);
	close(bits_fd);
}

static void share_log(uint64_t len)
{
	const struct vhost_log log = { len, PAGE };
	uint64_t answer = 1;

	front_send(&f, VHOST_SET_LOG_BASE, VHOST_VERSION, &log, sizeof(log),
		   &bits_fd, 1);
	ck_assert_uint_eq(front_receive(&f, &answer, sizeof(answer), NULL), 8);
	ck_assert_uint_eq(answer, 0);
}

/* As front ends do it, while the ring runs. */
static void set_logging(bool on)
{
	const struct vhost_vring_addr addr = {
		.flags = on ? VHOST_VRING_F_LOG : 0,
		.desc = (uintptr_t)driver_at(&f.b.d, f.b.d.setup.desc_addr),
		.avail = (uintptr_t)driver_at(&f.b.d, f.b.d.setup.driver_addr),
		.used = (uintptr_t)driver_at(&f.b.d, f.b.d.setup.device_addr),
		.log = f.b.d.setup.device_addr,
	};

	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_FEATURES,
					on ? f.features | LOG_ALL
					   : f.features & ~LOG_ALL,
					-1),
			  0);
	ck_assert_uint_eq(front_ask(&f, VHOST_SET_VRING_ADDR, &addr,
				    sizeof(addr), -1),
			  0);
	ck_assert(vblk_queue_runs(f.queue[0]));
	memset(bits, 0, LOG_LEN);
}

static bool is_dirty(uint64_t iova)
{
	uint64_t page = iova / PAGE;

	return bits[page / 8] >> page % 8 & 1;
}

static unsigned count_dirty(void)
{
	unsigned nr = 0, i;

	for (i = 0; i < LOG_LEN * 8; i++)
		nr += is_dirty((uint64_t)i * PAGE);
	return nr;
}

/* Every page that differs from @before is in the log. */
static void check_pages(const char *before)
{
	unsigned i;
	uint64_t at;

	for (i = 0; i < f.b.d.mem.nr; i++) {
		const struct driver_map *m = &f.b.d.mem.map[i];
		const char *old = before + ((char *)m->host - f.mem);

		for (at = 0; at < m->len; at += PAGE) {
			uint64_t n = m->len - at < PAGE ? m->len - at : PAGE;

			if (memcmp(m->host + at, old + at, n))
				ck_assert_msg(is_dirty(m->iova + at),
					      "%#llx is not logged",
					      (unsigned long long)m->iova + at);
		}
	}
}

static struct driver_req run(uint32_t type, uint32_t len, bool in)
{
	char *before = malloc(FRONT_MEM);
	struct driver_req r;

	ck_assert_ptr_nonnull(before);
	/* Whatever is written differs from what was there. */
	r = driver_blk_add(&f.b, type, 8, len, in);
	*driver_blk_at(&f.b, r.status) = 0xee;
	driver_kick(&f.b.d);
	memcpy(before, f.mem, FRONT_MEM);
	front_turns(&f);
	check_pages(before);
	ck_assert_uint_eq(driver_blk_wait(&f.b, &r.used), r.head);
	free(before);
	return r;
}

START_TEST(test_all_that_is_written)
{
	struct driver_req r;
	uint64_t at;
	unsigned i;

	memset(mem_blk_data(mem), 0x5a, SECTORS * 512UL);
	front_start(&f, formats[_i]);
	share_log(LOG_LEN);
	set_logging(true);
	for (i = 0; i < 2 * FRONT_SIZE; i++) {
		f.b.shape = i % DRIVER_NR_SHAPES;
		memset(bits, 0, LOG_LEN);
		r = run(VIRTIO_BLK_T_IN, 5 * PAGE, true);
		for (at = r.data; at < r.data + r.len; at += PAGE)
			ck_assert(is_dirty(at));
		ck_assert(is_dirty(r.data + r.len - 1));
		ck_assert(is_dirty(r.status));
		ck_assert(is_dirty(f.b.d.setup.device_addr));
		/* And nothing else: data, their end, the status, the ring. */
		ck_assert_uint_le(count_dirty(), 9);
	}
	memset(bits, 0, LOG_LEN);
	r = run(VIRTIO_BLK_T_OUT, 5 * PAGE, false);
	ck_assert(is_dirty(r.status));
	ck_assert(!is_dirty(r.data + 2 * PAGE));
	run(VIRTIO_BLK_T_GET_ID, VBLK_SERIAL_LEN, true);
	run(99, PAGE, true);
}
END_TEST

/* What a request gets that cannot be served: zeroes, as far as there is room. */
START_TEST(test_unservable)
{
	char *before = malloc(FRONT_MEM);
	struct driver_seg seg[3];
	uint32_t len;

	front_start(&f, formats[_i]);
	share_log(LOG_LEN);
	set_logging(true);
	seg[0] = (struct driver_seg){ driver_alloc(&f.b.d, 8 * PAGE, PAGE),
				      8 * PAGE, true };
	seg[1] = (struct driver_seg){ driver_alloc(&f.b.d, 16, 16), 16, false };
	seg[2] = (struct driver_seg){ driver_alloc(&f.b.d, 1, PAGE), 1, true };
	memset(driver_at(&f.b.d, seg[0].iova), 0x77, seg[0].len);
	driver_add(&f.b.d, DRIVER_DIRECT, seg, 3);
	driver_kick(&f.b.d);
	memcpy(before, f.mem, FRONT_MEM);
	front_turns(&f);
	check_pages(before);
	ck_assert(is_dirty(seg[0].iova + 7 * PAGE));
	ck_assert(is_dirty(seg[2].iova));
	driver_blk_wait(&f.b, &len);
	free(before);
}
END_TEST

START_TEST(test_begin_and_end)
{
	front_start(&f, formats[_i]);
	/* Without a log to write to, there is nothing to be done. */
	set_logging(true);
	driver_blk_run(&f.b, VIRTIO_BLK_T_IN, 0, PAGE, true, NULL);
	share_log(LOG_LEN);
	ck_assert_uint_eq(count_dirty(), 0);
	run(VIRTIO_BLK_T_IN, PAGE, true);
	ck_assert_uint_gt(count_dirty(), 0);
	set_logging(false);
	driver_blk_run(&f.b, VIRTIO_BLK_T_IN, 0, PAGE, true, NULL);
	ck_assert_uint_eq(count_dirty(), 0);
}
END_TEST

/* The ring as it stands when it has stopped is what the other side gets. */
START_TEST(test_stop)
{
	front_start(&f, formats[_i]);
	share_log(LOG_LEN);
	set_logging(true);
	driver_blk_run(&f.b, VIRTIO_BLK_T_IN, 0, PAGE, true, NULL);
	memset(bits, 0, LOG_LEN);
	front_get_base(&f);
	ck_assert(is_dirty(f.b.d.setup.device_addr));
	if (f.features & PACKED)
		ck_assert(is_dirty(f.b.d.setup.desc_addr));
}
END_TEST

/* A log that ends before the memory does: what is behind it is not in it. */
START_TEST(test_short_log)
{
	static const uint64_t lens[] = { 1, DRIVER_DATA / PAGE / 8 };
	unsigned i;

	front_start(&f, formats[_i]);
	for (i = 0; i < 2; i++) {
		share_log(lens[i]);
		if (!i)
			set_logging(true);
		memset(bits, 0, LOG_LEN);
		driver_blk_run(&f.b, VIRTIO_BLK_T_IN, 0, PAGE, true, NULL);
		ck_assert(!is_dirty(DRIVER_DATA));
	}
	ck_assert_uint_gt(count_dirty(), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vhost_dirty");
	TCase *tc = tcase_create("dirty");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_all_that_is_written, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_unservable, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_begin_and_end, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_stop, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_short_log, 0, NR_FORMATS);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
