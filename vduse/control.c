/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * /dev/vduse/control: see control.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_ids.h>

#include "lib/why.h"
#include "vduse/control.h"
#include "vduse/ioctl.h"

#define CONTROL_PATH "/dev/vduse/control"

#define NAME_CHARS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

int vduse_check_name(const char *name, struct why *why)
{
	size_t len = strlen(name);

	if (!len)
		return why_set(why, -EINVAL, "the name is empty");
	if (len > VDUSE_VOLUME_NAME_MAX)
		return why_set(why, -EINVAL,
			       "%.20s...: the name is longer than %d bytes",
			       name, VDUSE_VOLUME_NAME_MAX);
	if (strspn(name, NAME_CHARS) != len || name[0] == '-')
		return why_set(why, -EINVAL,
			       "%s: a name has only letters, digits and _ . - "
			       "and does not start with -",
			       name);
	if (!strcmp(name, ".") || !strcmp(name, "..") ||
	    !strcmp(name, "control"))
		return why_set(why, -EINVAL, "%s: this name is reserved", name);
	return 0;
}

int vduse_control_open(int *ret_fd, struct why *why)
{
	uint64_t version = 0;
	int fd, err;

	fd = open(CONTROL_PATH, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		if (err == -ENOENT)
			return why_set(why, err,
				       CONTROL_PATH
				       ": not found (modprobe vduse "
				       "virtio_vdpa virtio_blk)");
		return why_set(why, err, CONTROL_PATH ": %s%s", strerror(-err),
			       err == -EACCES ? " (be root)" : "");
	}
	if (ioctl(fd, VDUSE_SET_API_VERSION, &version)) {
		err = -errno;
		close(fd);
		return why_set(why, err,
			       CONTROL_PATH ": API version 0 is refused: %s",
			       strerror(-err));
	}
	*ret_fd = fd;
	return 0;
}

int vduse_api_version(int control_fd, uint64_t *ret)
{
	uint64_t version;

	if (ioctl(control_fd, VDUSE_GET_API_VERSION, &version))
		return -errno;
	*ret = version;
	return 0;
}

int vduse_open(const char *name, int *ret_fd)
{
	char path[sizeof("/dev/vduse/") + VDUSE_VOLUME_NAME_MAX];
	int fd;

	snprintf(path, sizeof(path), "/dev/vduse/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

bool vduse_exists(const char *name)
{
	char path[sizeof("/dev/vduse/") + VDUSE_VOLUME_NAME_MAX];

	snprintf(path, sizeof(path), "/dev/vduse/%s", name);
	return !access(path, F_OK);
}

/* Attaching needs a maximum size for every queue. */
static int setup_queues(const struct vduse_params *params)
{
	int fd = -1, err;
	unsigned i;

	err = vduse_open(params->name, &fd);
	if (err)
		return err;
	for (i = 0; !err && i < params->nr_queues; i++) {
		struct vduse_vq_config vq = {
			.index = i,
			.max_size = (uint16_t)params->queue_size,
		};

		if (ioctl(fd, VDUSE_VQ_SETUP, &vq))
			err = -errno;
	}
	close(fd);
	return err;
}

static int create(int control_fd, const struct vduse_params *params)
{
	struct vduse_dev_config *config;
	int err = 0;

	config = calloc(1, sizeof(*config) + params->config_len);
	if (!config)
		return -ENOMEM;
	snprintf(config->name, sizeof(config->name), "%s", params->name);
	config->device_id = VIRTIO_ID_BLOCK;
	config->features = params->features;
	config->vq_num = params->nr_queues;
	config->vq_align = (uint32_t)sysconf(_SC_PAGESIZE);
	config->config_size = (uint32_t)params->config_len;
	memcpy(config->config, params->config, params->config_len);
	if (ioctl(control_fd, VDUSE_CREATE_DEV, config))
		err = -errno;
	free(config);
	return err;
}

int vduse_create(int control_fd, const struct vduse_params *params,
		 struct why *why)
{
	int err;

	err = create(control_fd, params);
	if (err == -EEXIST)
		return why_set(why, err,
			       "%s: a VDUSE device of this name exists",
			       params->name);
	if (err)
		return why_set(why, err, "%s: VDUSE_CREATE_DEV: %s",
			       params->name, strerror(-err));
	err = setup_queues(params);
	if (err) {
		vduse_destroy(control_fd, params->name);
		return why_set(why, err, "%s: VDUSE_VQ_SETUP: %s", params->name,
			       strerror(-err));
	}
	return 0;
}

#define SYSFS_PATH_MAX (64 + VDUSE_VOLUME_NAME_MAX)

static void sysfs_path(char ret[static SYSFS_PATH_MAX], const char *name,
		       const char *file)
{
	snprintf(ret, SYSFS_PATH_MAX, "/sys/class/vduse/%s/%s", name, file);
}

/* The size that every kernel has at first, and older ones always. */
#define BOUNCE_DEFAULT (64ULL << 20)

int vduse_raise_bounce(const char *name, uint64_t bytes, struct why *why)
{
	char path[SYSFS_PATH_MAX], text[32];
	int fd, len, err = 0;

	if (bytes <= BOUNCE_DEFAULT)
		return 0;
	sysfs_path(path, name, "bounce_size");
	len = snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)len) != len)
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (err == -ENOENT)
		return why_set(why, err,
			       "%s: packed rings need %llu MiB of bounce "
			       "memory, and this kernel has %llu (use fewer or "
			       "smaller queues, or --ring split)",
			       name, (unsigned long long)bytes >> 20,
			       BOUNCE_DEFAULT >> 20);
	return err ? why_set(why, err,
			     "%s: %s (packed rings need %llu MiB: use fewer or "
			     "smaller queues, or --ring split)",
			     path, strerror(-err),
			     (unsigned long long)bytes >> 20)
		   : 0;
}

static bool has_file(const char *name, const char *file)
{
	char path[SYSFS_PATH_MAX];

	sysfs_path(path, name, file);
	return !access(path, F_OK);
}

void vduse_find_extras(const char *name, struct vduse_extras *ret)
{
	ret->bounce_size = has_file(name, "bounce_size");
	ret->irq_affinity = has_file(name, "vq0/irq_cb_affinity");
}

int vduse_destroy(int control_fd, const char *name)
{
	char arg[VDUSE_NAME_MAX] = { 0 };

	snprintf(arg, sizeof(arg), "%s", name);
	return ioctl(control_fd, VDUSE_DESTROY_DEV, arg) ? -errno : 0;
}
