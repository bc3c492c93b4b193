/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Devices are made on every kernel that has VDUSE.  This program has ioctl,
 * open and access of its own, behind which stand the control devices and
 * sysfs files of several kernels (drivers/vdpa/vdpa_user/vduse_dev.c).
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#include "lib/why.h"
#include "vduse/control.h"
#include "vduse/ioctl.h"
#include "vduse/vdpa.h"

#define NR_QUEUES 2
#define NOT_ASKED 99

static const struct release {
	const char *name;
	uint64_t oldest, newest; /* API versions */
	bool strict_align;	 /* at least 4, a power of two */
	bool sysfs;		 /* bounce_size and irq_cb_affinity */
} releases[] = {
	{ "5.15", 0, 0, false, false },
	{ "6.1", 0, 0, false, false },
	{ "6.12", 0, 0, true, true },
	{ "7.3", 0, 1, true, true },
};

static struct {
	const struct release *release;
	char folder[64];
	int control_fd, dev_fd;
	uint64_t version;
	unsigned setups, unknown; /* calls */
	bool created;
	int fail_setup; /* errno of VDUSE_VQ_SETUP */
} k;

static int do_create(const struct vduse_dev_config *c)
{
	static const struct vduse_dev_config zero;
	const uint64_t wce = 1ULL << VIRTIO_BLK_F_CONFIG_WCE;
	const uint64_t platform = 1ULL << VIRTIO_F_ACCESS_PLATFORM;
	uint32_t align = c->vq_align;

	if (k.version == NOT_ASKED)
		k.version = 0;
	if (k.created)
		return EEXIST;
	if (!c->name[0] || strnlen(c->name, VDUSE_NAME_MAX) == VDUSE_NAME_MAX ||
	    c->device_id != VIRTIO_ID_BLOCK || !(c->features & platform) ||
	    c->features & wce || c->vq_num > 0xffff || c->config_size > 4096 ||
	    memcmp(c->reserved, zero.reserved, sizeof(c->reserved)) ||
	    align > 4096 ||
	    (k.release->strict_align && (align < 4 || align & (align - 1))) ||
	    k.version)
		return EINVAL;
	k.created = true;
	return 0;
}

static int do_setup(const struct vduse_vq_config *c)
{
	static const struct vduse_vq_config zero;

	ck_assert_uint_lt(c->index, NR_QUEUES);
	ck_assert_uint_eq(c->max_size, 64);
	/* The names of what follows differ between versions of the header. */
	ck_assert_mem_eq(&c->max_size + 1, &zero.max_size + 1,
			 sizeof(*c) -
				 offsetof(struct vduse_vq_config, max_size) -
				 sizeof(c->max_size));
	k.setups++;
	return k.fail_setup;
}

static int do_destroy(const char *name)
{
	if (!k.created || strcmp(name, "vol"))
		return EINVAL;
	k.created = false;
	return 0;
}

static int do_get(uint64_t *ret)
{
	if (k.version == NOT_ASKED)
		k.version = k.release->newest;
	*ret = k.version;
	return 0;
}

static int do_set(uint64_t version)
{
	if (version < k.release->oldest || version > k.release->newest)
		return EINVAL;
	k.version = version;
	return 0;
}

static int do_ioctl(int fd, unsigned long request, void *arg)
{
	if (fd == k.control_fd)
		switch (request) {
		case VDUSE_GET_API_VERSION:
			return do_get(arg);
		case VDUSE_SET_API_VERSION:
			return do_set(*(uint64_t *)arg);
		case VDUSE_CREATE_DEV:
			return do_create(arg);
		case VDUSE_DESTROY_DEV:
			return do_destroy(arg);
		}
	else if (fd == k.dev_fd && request == VDUSE_VQ_SETUP)
		return do_setup(arg);
	k.unknown++;
	return fd == k.control_fd ? EINVAL : ENOTTY;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;
	int err;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	err = do_ioctl(fd, request, arg);
	if (!err)
		return 0;
	errno = err;
	return -1;
}

/* Where the kernel's folders are in this test; anything else as it is. */
static const char *redirect(const char *path, char ret[static 256])
{
	static const char *const prefixes[] = { "/dev/vduse/",
						"/sys/class/vduse/" };
	unsigned i;

	for (i = 0; i < 2; i++) {
		size_t len = strlen(prefixes[i]);

		if (strncmp(path, prefixes[i], len))
			continue;
		snprintf(ret, 256, "%s/%s%s", k.folder, i ? "sys-" : "",
			 path + len);
		return ret;
	}
	return path;
}

int access(const char *path, int mode)
{
	char other[256];

	return (int)syscall(SYS_faccessat, AT_FDCWD, redirect(path, other),
			    mode);
}

int open(const char *path, int flags, ...)
{
	char other[256];
	int fd;

	fd = (int)syscall(SYS_openat, AT_FDCWD, redirect(path, other), flags,
			  0600);
	if (!strcmp(path, "/dev/vduse/control"))
		k.control_fd = fd;
	else if (!strcmp(path, "/dev/vduse/vol"))
		k.dev_fd = fd;
	return fd;
}

/* Make a file or a folder below the test's own; read it. */
static void make(const char *name, bool folder)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", k.folder, name);
	if (folder)
		ck_assert_int_eq(mkdir(path, 0700), 0);
	else
		close((int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT, 0600));
}

static const char *content(const char *name)
{
	static char text[64];
	char path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", k.folder, name);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return text;
}

static void boot(const struct release *release)
{
	memset(&k, 0, sizeof(k));
	k.release = release;
	k.control_fd = k.dev_fd = -1;
	k.version = NOT_ASKED;
	strcpy(k.folder, "/tmp/vduse-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(k.folder));
	make("control", false);
	make("vol", false);
	make("sys-vol", true);
	make("sys-vol/msg_timeout", false);
	make("sys-vol/vq0", true);
	make("sys-vol/vq1", true);
	if (release->sysfs) {
		make("sys-vol/bounce_size", false);
		make("sys-vol/vq0/irq_cb_affinity", false);
		make("sys-vol/vq1/irq_cb_affinity", false);
	}
}

static void shut_down(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", k.folder);
	ck_assert_int_eq(system(command), 0);
}

static int create(struct why *why)
{
	const struct vduse_params params = {
		.name = "vol",
		.features = 1ULL << VIRTIO_F_ACCESS_PLATFORM |
			    1ULL << VIRTIO_F_VERSION_1,
		.nr_queues = NR_QUEUES,
		.queue_size = 64,
		.config = "abcdefgh",
		.config_len = 8,
	};

	return vduse_create(k.control_fd, &params, why);
}

/* @_i: the release. */
START_TEST(test_device)
{
	uint64_t version = 7;
	int fd;

	boot(&releases[_i]);
	ck_assert_int_eq(vduse_control_open(&fd, NULL), 0);
	ck_assert_int_eq(vduse_api_version(fd, &version), 0);
	ck_assert_uint_eq(version, 0);
	ck_assert_int_eq(create(NULL), 0);
	ck_assert(k.created);
	ck_assert_uint_eq(k.setups, NR_QUEUES);
	ck_assert_int_eq(create(NULL), -EEXIST);
	ck_assert_int_eq(vduse_destroy(fd, "vol"), 0);
	ck_assert(!k.created);
	ck_assert_uint_eq(k.unknown, 0);
	shut_down();
}
END_TEST

START_TEST(test_setup_fails)
{
	struct why why = { "" };
	int fd;

	boot(&releases[_i]);
	ck_assert_int_eq(vduse_control_open(&fd, NULL), 0);
	k.fail_setup = EPERM;
	ck_assert_int_eq(create(&why), -EPERM);
	ck_assert_ptr_nonnull(strstr(why.text, "VDUSE_VQ_SETUP"));
	ck_assert_uint_eq(k.setups, 1);
	/* Nothing is left. */
	ck_assert(!k.created);
	shut_down();
}
END_TEST

START_TEST(test_extras)
{
	bool has = releases[_i].sysfs;
	struct vduse_extras extras;
	struct why why = { "" };

	boot(&releases[_i]);
	vduse_find_extras("vol", &extras);
	ck_assert_int_eq(extras.bounce_size, has);
	ck_assert_int_eq(extras.irq_affinity, has);
	/* Interrupts are spread where that is possible. */
	vdpa_spread_interrupts("vol", NR_QUEUES);
	if (has) {
		ck_assert_str_ne(content("sys-vol/vq0/irq_cb_affinity"), "");
		ck_assert_str_ne(content("sys-vol/vq1/irq_cb_affinity"), "");
	}
	/* What every kernel has is not asked for. */
	ck_assert_int_eq(vduse_raise_bounce("vol", 64 << 20, &why), 0);
	if (has)
		ck_assert_str_eq(content("sys-vol/bounce_size"), "");
	ck_assert_int_eq(vduse_raise_bounce("vol", 65 << 20, &why),
			 has ? 0 : -ENOENT);
	if (has)
		ck_assert_str_eq(content("sys-vol/bounce_size"), "68157440");
	else
		ck_assert_str_eq(why.text,
				 "vol: packed rings need 65 MiB of bounce "
				 "memory, and this kernel has 64 (use fewer or "
				 "smaller queues, or --ring split)");
	shut_down();
}
END_TEST

/* The kernel refuses: here by a folder, which cannot be written. */
START_TEST(test_bounce_is_refused)
{
	struct why why = { "" };

	boot(&releases[0]);
	make("sys-vol/bounce_size", true);
	ck_assert_int_eq(vduse_raise_bounce("vol", 65 << 20, &why), -EISDIR);
	ck_assert_ptr_nonnull(strstr(why.text, "/vol/bounce_size"));
	ck_assert_ptr_nonnull(strstr(why.text, "--ring split"));
	shut_down();
}
END_TEST

/* A kernel to come, which no longer speaks version 0. */
START_TEST(test_version_refused)
{
	static const struct release future = { "99", 2, 3, true, true };
	struct why why = { "" };
	int fd = -7;

	boot(&future);
	ck_assert_int_eq(vduse_control_open(&fd, &why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "API version 0"));
	ck_assert_int_eq(fd, -7);
	shut_down();
}
END_TEST

START_TEST(test_no_version)
{
	uint64_t version = 7;

	boot(&releases[0]);
	ck_assert_int_eq(vduse_api_version(0, &version), -ENOTTY);
	ck_assert_uint_eq(version, 7);
	shut_down();
}
END_TEST

int main(void)
{
	const int nr = sizeof(releases) / sizeof(releases[0]);
	Suite *s = suite_create("vduse_api");
	TCase *tc = tcase_create("vduse_api");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, test_device, 0, nr);
	tcase_add_loop_test(tc, test_setup_fails, 0, nr);
	tcase_add_loop_test(tc, test_extras, 0, nr);
	tcase_add_test(tc, test_bounce_is_refused);
	tcase_add_test(tc, test_version_refused);
	tcase_add_test(tc, test_no_version);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
