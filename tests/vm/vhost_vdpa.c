/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a driver in user space gets of an open volume, and what it cannot do to
 * it.  Run in the guest by test_vhost_vdpa.sh, as libcheck program:
 *
 *   NODE=/dev/vhost-vdpa-N   the volume's
 *   NAME, WORKER             of the volume, which VCRYPT knows; its process
 *   SIZE                     of its data area, bytes
 *   RING=split|packed        the rings to use
 *   FILE                     what the device begins with; for the test case
 *                            "content", which is the only one then
 */
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/vm/vhost_driver.h"

#define KIB	 1024U
#define MIB	 (1024U * KIB)
#define NR	 24	     /* requests at a time */
#define LEN	 (64 * KIB)  /* of most of them */
#define SECTORS	 (LEN / 512) /* the same */
#define NOWHERE	 0x7000000000ULL
#define IN	 VIRTIO_BLK_T_IN
#define OUT	 VIRTIO_BLK_T_OUT
#define UPPER(q) ((q)*0x10000000ULL + DRIVER_DATA + DRIVER_DATA_LEN / 2)

static struct vhost v;
static bool packed;

/* A number of the volume's status. */
static long long status_number(const char *key)
{
	char command[200];
	long long n = -1;
	FILE *f;

	snprintf(command, sizeof(command),
		 "\"$VCRYPT\" status --json \"$NAME\" | "
		 "sed -n 's/^ *\"%s\": *\\([0-9]*\\).*/\\1/p'",
		 key);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%lld", &n), 1);
	pclose(f);
	return n;
}

/* Nothing that a driver does may end the worker. */
static void teardown(void)
{
	ck_assert_int_eq(kill(atoi(getenv("WORKER")), 0), 0);
}

static uint8_t byte_at(unsigned seed, uint32_t i)
{
	return (uint8_t)(seed * 31 + i / 512 * 7 + i);
}

static void fill(unsigned q, uint64_t iova, uint32_t len, unsigned seed)
{
	uint8_t *p = vhost_at(&v, q, iova);
	uint32_t i;

	for (i = 0; i < len; i++)
		p[i] = byte_at(seed, i);
}

static void verify(unsigned q, uint64_t iova, uint32_t len, unsigned seed)
{
	const uint8_t *p = vhost_at(&v, q, iova);
	uint32_t i;

	for (i = 0; i < len; i++)
		if (p[i] != byte_at(seed, i))
			ck_abort_msg("seed %u: byte %u is %u", seed, i, p[i]);
}

static uint8_t status_of(unsigned q, const struct driver_req *r)
{
	return *(uint8_t *)vhost_at(&v, q, r->status);
}

/* Write NR pieces that begin at @sector with @seed; returns in flight. */
static void begin_writes(unsigned q, uint64_t sector, unsigned seed,
			 struct driver_req req[static NR])
{
	unsigned i;

	vhost_forget(&v, q);
	for (i = 0; i < NR; i++) {
		req[i] = vhost_add(&v, q, OUT, sector + i * SECTORS, LEN, false,
				   0);
		fill(q, req[i].data, LEN, seed + i);
	}
	vhost_kick(&v, q);
}

static void end_requests(unsigned q, struct driver_req req[static NR])
{
	unsigned i;

	vhost_wait(&v, q, NR);
	for (i = 0; i < NR; i++)
		ck_assert_uint_eq(status_of(q, &req[i]), VIRTIO_BLK_S_OK);
}

static void check_reads(unsigned q, uint64_t sector, unsigned seed)
{
	struct driver_req req[NR];
	unsigned i;

	vhost_forget(&v, q);
	for (i = 0; i < NR; i++)
		req[i] = vhost_add(&v, q, IN, sector + i * SECTORS, LEN, true,
				   0);
	vhost_kick(&v, q);
	end_requests(q, req);
	for (i = 0; i < NR; i++)
		verify(q, req[i].data, LEN, seed + i);
}

/* The device does what it shall, with as little as possible. */
static void check_works(unsigned q, unsigned seed)
{
	struct driver_req req[NR];

	begin_writes(q, 0, seed, req);
	end_requests(q, req);
	check_reads(q, 0, seed);
}

START_TEST(test_config)
{
	vhost_open(&v, 1, packed);
	ck_assert_uint_eq(v.config.capacity,
			  strtoull(getenv("SIZE"), NULL, 10) / 512);
	ck_assert_uint_eq(v.config.blk_size, 4096);
	ck_assert_uint_eq(v.config.num_queues, VHOST_QUEUES);
	ck_assert_uint_ge(v.config.size_max, 4096);
	ck_assert_uint_ge(v.config.seg_max, 32);
	ck_assert_uint_eq(status_number("device_status"), 0xf);
}
END_TEST

/* Each queue reads what the other one wrote. */
START_TEST(test_data)
{
	struct driver_req req[VHOST_QUEUES][NR];
	unsigned q, n = (unsigned)_i;

	vhost_open(&v, n, packed);
	for (q = 0; q < n; q++)
		begin_writes(q, q * NR * SECTORS, 100 * n + 50 * q, req[q]);
	for (q = 0; q < n; q++)
		end_requests(q, req[q]);
	for (q = 0; q < n; q++)
		ck_assert_uint_eq(vhost_run(&v, q, VIRTIO_BLK_T_FLUSH, 0, 0,
					    false, 0),
				  VIRTIO_BLK_S_OK);
	for (q = 0; q < n; q++)
		check_reads(n - 1 - q, q * NR * SECTORS, 100 * n + 50 * q);
}
END_TEST

/* Over the border of two mappings, not even on that of a sector. */
START_TEST(test_straddle)
{
	static const uint32_t before[] = { 1, 511, 512, 4095, 4096, 40000 };
	unsigned i;

	vhost_open(&v, 1, packed);
	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		uint64_t data = UPPER(0) - before[i];

		fill(0, data, LEN, i);
		ck_assert_uint_eq(vhost_run(&v, 0, OUT, 8, LEN, false, data),
				  VIRTIO_BLK_S_OK);
		fill(0, data, LEN, 77);
		ck_assert_uint_eq(vhost_run(&v, 0, IN, 8, LEN, true, data),
				  VIRTIO_BLK_S_OK);
		verify(0, data, LEN, i);
		vhost_forget(&v, 0);
	}
}
END_TEST

/* Memory comes and goes while requests to other memory are in flight. */
START_TEST(test_remap)
{
	struct driver_req req[NR];
	struct vhost_region *upper;
	unsigned i;

	vhost_open(&v, 2, packed);
	upper = vhost_region(&v, UPPER(1));
	for (i = 0; i < 5; i++) {
		fill(1, UPPER(1), LEN, i);
		ck_assert_uint_eq(vhost_run(&v, 1, OUT, 4 * MIB / 512, LEN,
					    false, UPPER(1)),
				  VIRTIO_BLK_S_OK);
		begin_writes(0, 0, 10 * i, req);
		/* In the old memory nothing may be seen any more. */
		vhost_renew(&v, upper);
		end_requests(0, req);
		ck_assert_uint_eq(vhost_run(&v, 1, IN, 4 * MIB / 512, LEN, true,
					    UPPER(1)),
				  VIRTIO_BLK_S_OK);
		verify(1, UPPER(1), LEN, i);
		check_reads(0, 0, 10 * i);
		vhost_forget(&v, 1);
	}
	ck_assert_int_eq(vhost_unmap(&v, upper->iova, upper->len), 0);
	ck_assert_uint_eq(vhost_run(&v, 1, IN, 0, LEN, true, UPPER(1)),
			  VIRTIO_BLK_S_IOERR);
	check_works(0, 3);
	ck_assert_int_eq(vhost_map(&v, upper->iova, upper->len, upper->host),
			 0);
	ck_assert_uint_eq(vhost_run(&v, 1, IN, 0, LEN, true, UPPER(1)),
			  VIRTIO_BLK_S_OK);
	verify(1, UPPER(1), LEN, 3);
}
END_TEST

#define MANY  600
#define BATCH 20

static void use_regions(uint32_t type)
{
	unsigned i, k;

	for (i = 0; i < MANY; i++) {
		k = i * 7 % MANY;
		vhost_add(&v, 0, type, k * 8, 4096, type == IN,
			  NOWHERE + (MANY - k) * 8192ULL);
		if ((i + 1) % BATCH)
			continue;
		vhost_kick(&v, 0);
		vhost_wait(&v, 0, BATCH);
		vhost_forget(&v, 0);
	}
}

START_TEST(test_many_regions)
{
	char *host = mmap(NULL, 2 * MANY * 4096, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned i;

	ck_assert_ptr_ne(host, MAP_FAILED);
	vhost_open(&v, 1, packed);
	vhost_batch(&v, true);
	/* In the opposite order, and with gaps. */
	for (i = 0; i < MANY; i++) {
		memset(host + 8192 * i, (int)(i * 7 % 251), 4096);
		ck_assert_int_eq(vhost_map(&v, NOWHERE + (MANY - i) * 8192ULL,
					   4096, host + 8192 * i),
				 0);
	}
	vhost_batch(&v, false);
	use_regions(OUT);
	memset(host, 0xff, 2 * MANY * 4096);
	use_regions(IN);
	for (i = 0; i < MANY; i++)
		ck_assert_int_eq((uint8_t)host[8192 * i + i], i * 7 % 251);
}
END_TEST

/* What a driver does to take its state elsewhere. */
START_TEST(test_restart_from_base)
{
	unsigned base[VHOST_QUEUES], i, q;

	vhost_open(&v, VHOST_QUEUES, packed);
	for (i = 0; i < 5; i++) {
		check_works(0, i);
		check_works(1, i + 1);
		vhost_run(&v, 1, VIRTIO_BLK_T_FLUSH, 0, 0, false, 0);
		for (q = 0; q < VHOST_QUEUES; q++) {
			base[q] = vhost_base(&v, q);
			if (!packed)
				ck_assert_uint_eq(base[q],
						  v.queue[q].d.avail_idx);
		}
		vhost_restart(&v, base);
	}
	check_works(0, i);
	vhost_restart(&v, NULL);
	check_works(1, i);
}
END_TEST

static const struct {
	uint32_t type;
	bool in;
} ways[] = { { IN, true }, { OUT, false } };

START_TEST(test_unmapped_buffer)
{
	struct driver_req r;

	vhost_open(&v, 1, packed);
	ck_assert_uint_eq(vhost_run(&v, 0, ways[_i].type, 0, LEN, ways[_i].in,
				    NOWHERE),
			  VIRTIO_BLK_S_IOERR);
	/* Its second half. */
	r = vhost_add(&v, 0, ways[_i].type, 0, LEN, ways[_i].in,
		      UPPER(0) + DRIVER_DATA_LEN / 2 - LEN / 2);
	vhost_kick(&v, 0);
	vhost_wait(&v, 0, 1);
	ck_assert_uint_eq(status_of(0, &r), VIRTIO_BLK_S_IOERR);
	check_works(0, 1);
}
END_TEST

/* The memory's file is cut while the device has it mapped. */
START_TEST(test_truncated_buffer)
{
	vhost_open(&v, 1, packed);
	fill(0, UPPER(0), LEN, 1);
	ck_assert_uint_eq(vhost_run(&v, 0, OUT, 0, LEN, false, UPPER(0)),
			  VIRTIO_BLK_S_OK);
	ck_assert_int_eq(ftruncate(vhost_region(&v, UPPER(0))->fd, 8192), 0);
	ck_assert_uint_eq(vhost_run(&v, 0, ways[_i].type, 0, LEN, ways[_i].in,
				    UPPER(0)),
			  VIRTIO_BLK_S_IOERR);
	check_works(0, 1);
}
END_TEST

/* Part of a ring is gone: no answer can come, but after a reset all is well. */
START_TEST(test_ring_goes)
{
	static const uint64_t parts[] = { DRIVER_DESC, DRIVER_AVAIL,
					  DRIVER_USED };
	bool cut = _i >= 3;
	struct vhost_region *r;

	vhost_open(&v, 2, packed);
	check_works(0, 1);
	r = vhost_region(&v, parts[_i % 3]);
	vhost_add(&v, 0, IN, 0, LEN, true, 0);
	driver_publish(&v.queue[0].d);
	if (cut)
		ck_assert_int_eq(ftruncate(r->fd, 0), 0);
	else
		ck_assert_int_eq(vhost_unmap(&v, r->iova, r->len), 0);
	eventfd_write(v.queue[0].d.setup.kick_fd, 1);
	check_works(1, 2);
	if (cut)
		vhost_renew(&v, r);
	else
		ck_assert_int_eq(vhost_map(&v, r->iova, r->len, r->host), 0);
	vhost_restart(&v, NULL);
	check_works(0, 3);
	check_works(1, 4);
}
END_TEST

_Noreturn static void driver_to_be_killed(int ready_fd)
{
	struct driver_req req[NR];
	unsigned i, q;

	vhost_open(&v, VHOST_QUEUES, packed);
	for (i = 0;; i++) {
		for (q = 0; q < VHOST_QUEUES; q++)
			begin_writes(q, q * NR * SECTORS, i, req);
		if (!i && write(ready_fd, "x", 1) != 1)
			_exit(1);
		for (q = 0; q < VHOST_QUEUES; q++)
			vhost_wait(&v, q, NR);
	}
}

START_TEST(test_driver_is_killed)
{
	int fds[2], i;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	for (i = 0; i < 5; i++) {
		pid = fork();
		if (!pid)
			driver_to_be_killed(fds[1]);
		ck_assert_int_eq(read(fds[0], &byte, 1), 1);
		usleep((unsigned)i * 3000);
		kill(pid, SIGKILL);
		/* Not waited for: the next one opens as soon as it can. */
		vhost_open(&v, VHOST_QUEUES, packed);
		waitpid(pid, NULL, 0);
		check_works(0, 10);
		check_works(1, 20);
		close(v.fd);
	}
}
END_TEST

START_TEST(test_resize)
{
	uint64_t old;
	struct pollfd pfd = { .events = POLLIN };
	char command[200];

	vhost_open(&v, 1, packed);
	old = v.config.capacity;
	pfd.fd = v.config_fd;
	ck_assert_int_eq(poll(&pfd, 1, 0), 0);
	ck_assert_uint_eq(vhost_run(&v, 0, IN, old, LEN, true, 0),
			  VIRTIO_BLK_S_IOERR);
	/* The header takes 2 MiB. */
	snprintf(command, sizeof(command),
		 "\"$VCRYPT\" resize --size %llu \"$NAME\"",
		 (unsigned long long)old * 512 + 3 * MIB);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(poll(&pfd, 1, 20000), 1);
	vhost_read_config(&v);
	ck_assert_uint_eq(v.config.capacity, old + MIB / 512);
	vhost_forget(&v, 0);
	ck_assert_uint_eq(vhost_run(&v, 0, IN, old, LEN, true, 0),
			  VIRTIO_BLK_S_OK);
	/* Not smaller while we are here, then as before. */
	snprintf(command, sizeof(command),
		 "\"$VCRYPT\" resize --size %llu \"$NAME\" 2>/dev/null",
		 (unsigned long long)old * 512 + 2 * MIB);
	ck_assert_int_eq(WEXITSTATUS(system(command)), 5);
	close(v.fd);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

/* Nobody notices but for the delay. */
START_TEST(test_worker_is_killed)
{
	struct driver_req req[VHOST_QUEUES][NR];
	unsigned i, q;

	vhost_open(&v, VHOST_QUEUES, packed);
	for (i = 0; i < 4; i++) {
		pid_t pid = (pid_t)status_number("worker_pid");

		for (q = 0; q < VHOST_QUEUES; q++)
			begin_writes(q, q * NR * SECTORS, 9 * i + q, req[q]);
		/* Some are answered, others in flight or not fetched. */
		vhost_wait(&v, 0, i);
		kill(pid, SIGKILL);
		vhost_wait(&v, 0, NR - i);
		end_requests(1, req[1]);
		for (q = 0; q < NR; q++)
			ck_assert_uint_eq(status_of(0, &req[0][q]),
					  VIRTIO_BLK_S_OK);
		check_reads(0, NR * SECTORS, 9 * i + 1);
		check_reads(1, 0, 9 * i);
	}
	ck_assert_int_eq(status_number("worker_restarts"), 4);
}
END_TEST

/* The device begins with what stands in $FILE. */
START_TEST(test_content)
{
	FILE *f = fopen(getenv("FILE"), "re");
	uint64_t at, data = UPPER(0);
	char expect[LEN];

	ck_assert_ptr_nonnull(f);
	vhost_open(&v, 1, packed);
	for (at = 0; fread(expect, 1, LEN, f) == LEN; at += LEN) {
		vhost_forget(&v, 0);
		ck_assert_uint_eq(vhost_run(&v, 0, IN, at / 512, LEN, true,
					    data),
				  VIRTIO_BLK_S_OK);
		ck_assert_mem_eq(vhost_at(&v, 0, data), expect, LEN);
	}
	ck_assert_uint_gt(at, 0);
	fclose(f);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("driver"), *last = tcase_create("worker");
	TCase *content = tcase_create("content");
	Suite *s = suite_create("vhost_vdpa");
	SRunner *sr = srunner_create(s);
	int failed;

	packed = !strcmp(getenv("RING"), "packed");
	tcase_set_timeout(tc, 120);
	tcase_set_timeout(last, 120);
	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, test_config);
	tcase_add_loop_test(tc, test_data, 1, VHOST_QUEUES + 1);
	tcase_add_test(tc, test_straddle);
	tcase_add_test(tc, test_remap);
	tcase_add_test(tc, test_many_regions);
	tcase_add_test(tc, test_restart_from_base);
	tcase_add_loop_test(tc, test_unmapped_buffer, 0, 2);
	tcase_add_loop_test(tc, test_truncated_buffer, 0, 2);
	tcase_add_loop_test(tc, test_ring_goes, 0, 6);
	tcase_add_test(tc, test_driver_is_killed);
	tcase_add_test(tc, test_resize);
	tcase_add_test(last, test_worker_is_killed);
	tcase_add_test(content, test_content);
	if (getenv("FILE")) {
		suite_add_tcase(s, content);
	} else {
		suite_add_tcase(s, tc);
		suite_add_tcase(s, last);
	}
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
