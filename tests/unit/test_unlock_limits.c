/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Memory for key derivation, read from made-up machines. */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt/kdf_limits.h"

#define MIB (1ULL << 20)

static char root[64];

static void setup(void)
{
	strcpy(root, "/tmp/vcrypt-limits-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
}

/* Write @text to @path below the root, with the folders it needs. */
static void put(const char *path, const char *text)
{
	char full[PATH_MAX], *p;
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0700);
		*p = '/';
	}
	f = fopen(full, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void machine(void)
{
	put("/proc/meminfo", "MemTotal:        4194304 kB\n"
			     "MemFree:           65536 kB\n"
			     "MemAvailable:    1048576 kB\n"
			     "SwapFree:         524288 kB\n");
}

static void expect(uint64_t bytes, const char *limit)
{
	struct kdf_memory mem;

	ck_assert_int_eq(kdf_memory_available(root, &mem), 0);
	ck_assert_uint_eq(mem.bytes, bytes);
	ck_assert_str_eq(mem.limit, limit);
}

START_TEST(test_machine)
{
	machine();
	expect(1536 * MIB, "this machine");
}
END_TEST

START_TEST(test_no_meminfo)
{
	struct kdf_memory mem = { .bytes = 7 };

	ck_assert_int_eq(kdf_memory_available(root, &mem), -ENOENT);
	ck_assert_uint_eq(mem.bytes, 7);
}
END_TEST

START_TEST(test_v2)
{
	machine();
	put("/proc/self/cgroup", "0::/user/job\n");
	put("/sys/fs/cgroup/user/job/memory.max", "max\n");
	put("/sys/fs/cgroup/user/job/memory.current", "1000\n");
	expect(1536 * MIB, "this machine");
	put("/sys/fs/cgroup/user/job/memory.max", "314572800\n");
	put("/sys/fs/cgroup/user/job/memory.current", "104857600\n");
	expect(200 * MIB, "this control group");
	/* Page cache can be had back. */
	put("/sys/fs/cgroup/user/job/memory.stat",
	    "anon 1\nfile 9\ninactive_file 52428800\nactive_file 1048576\n");
	expect(251 * MIB, "this control group");
	/* A group above may be tighter. */
	put("/sys/fs/cgroup/user/memory.max", "104857600\n");
	put("/sys/fs/cgroup/user/memory.current", "104857600\n");
	expect(0, "this control group");
}
END_TEST

/* Inside a namespace the group is the root of what is mounted. */
START_TEST(test_v2_root)
{
	machine();
	put("/proc/self/cgroup", "0::/\n");
	put("/sys/fs/cgroup/memory.max", "104857600\n");
	put("/sys/fs/cgroup/memory.current", "0\n");
	expect(100 * MIB, "this control group");
}
END_TEST

START_TEST(test_v1)
{
	machine();
	put("/proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/a:b/c\n"
				 "3:cpuset:/x\n0::/\n");
	put("/sys/fs/cgroup/memory/a:b/c/memory.limit_in_bytes",
	    "9223372036854771712\n");
	put("/sys/fs/cgroup/memory/a:b/c/memory.usage_in_bytes", "1\n");
	expect(1536 * MIB, "this machine");
	put("/sys/fs/cgroup/memory/a:b/memory.limit_in_bytes", "209715200\n");
	put("/sys/fs/cgroup/memory/a:b/memory.usage_in_bytes", "104857600\n");
	put("/sys/fs/cgroup/memory/a:b/memory.stat",
	    "total_inactive_file 1048576\ninactive_file 999999999\n");
	expect(101 * MIB, "this control group");
}
END_TEST

START_TEST(test_nonsense)
{
	machine();
	put("/proc/self/cgroup", "garbage\n::\n0::/../../x\n");
	put("/sys/fs/cgroup/memory.max", "-\n");
	put("/sys/fs/cgroup/memory.current", "");
	expect(1536 * MIB, "this machine");
}
END_TEST

/* This very machine. */
START_TEST(test_real)
{
	struct kdf_memory mem;

	ck_assert_int_eq(kdf_memory_available("", &mem), 0);
	ck_assert_uint_gt(mem.bytes, MIB);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("unlock_limits");
	TCase *tc = tcase_create("unlock_limits");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_machine);
	tcase_add_test(tc, test_no_meminfo);
	tcase_add_test(tc, test_v2);
	tcase_add_test(tc, test_v2_root);
	tcase_add_test(tc, test_v1);
	tcase_add_test(tc, test_nonsense);
	tcase_add_test(tc, test_real);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
