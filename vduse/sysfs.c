/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What sysfs tells of an attached device, and the one thing that is set
 * there: see vdpa.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vduse/cpumask.h"
#include "vduse/vdpa.h"

bool vdpa_has_driver(void)
{
	return !access("/sys/bus/vdpa/drivers/virtio_vdpa", F_OK);
}

bool vdpa_is_attached(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/vdpa/devices/%s", name);
	return !access(path, F_OK);
}

/* The node is usable once the driver has read the capacity. */
static bool has_size(const char *block)
{
	unsigned long long sectors = 0;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/block/%s/size", block);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fscanf(f, "%llu", &sectors) != 1)
		sectors = 0;
	fclose(f);
	return sectors > 0;
}

int vdpa_block_name(const char *name, char *ret, size_t len)
{
	const char *block;
	char pattern[160];
	int err = -ENOENT;
	glob_t found;

	/* Names have no characters that glob(3) treats specially. */
	snprintf(pattern, sizeof(pattern),
		 "/sys/bus/vdpa/devices/%s/virtio*/block/*", name);
	if (glob(pattern, 0, NULL, &found))
		return -ENOENT;
	block = strrchr(found.gl_pathv[0], '/') + 1;
	if (has_size(block) && strlen(block) < len) {
		strcpy(ret, block);
		err = 0;
	}
	globfree(&found);
	return err;
}

static int online_mask(char mask[static CPUMASK_TEXT_MAX])
{
	char list[4096] = "";
	FILE *f;

	f = fopen("/sys/devices/system/cpu/online", "re");
	if (!f)
		return -errno;
	if (!fgets(list, sizeof(list), f))
		list[0] = '\0';
	fclose(f);
	return cpumask_from_list(list, mask);
}

void vdpa_spread_interrupts(const char *name, unsigned nr_queues)
{
	char mask[CPUMASK_TEXT_MAX], path[160];
	unsigned i;
	int fd;

	if (online_mask(mask))
		return;
	for (i = 0; i < nr_queues; i++) {
		snprintf(path, sizeof(path),
			 "/sys/class/vduse/%s/vq%u/irq_cb_affinity", name, i);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		if (write(fd, mask, strlen(mask)) < 0) {
			close(fd);
			return;
		}
		close(fd);
	}
}
