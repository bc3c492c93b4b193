/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Who uses a node: see inuse.h.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "daemon/inuse.h"
#include "lib/why.h"

#define BLOCK_PATH_MAX 160

/* A whole disk, one of its partitions, or a vhost-vdpa node. */
struct part {
	const char *name;
	dev_t dev;
};

static int read_dev(const char *name, dev_t *ret)
{
	unsigned major_nr, minor_nr;
	char path[128];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "/sys/class/block/%s/dev", name);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	n = fscanf(f, "%u:%u", &major_nr, &minor_nr);
	fclose(f);
	if (n != 2)
		return -EIO;
	*ret = makedev(major_nr, minor_nr);
	return 0;
}

static bool is_node_of(const char *path, dev_t dev)
{
	struct stat st;

	return !stat(path, &st) && S_ISBLK(st.st_mode) && st.st_rdev == dev;
}

/*
 * proc(5): field 3 of a mountinfo line is major:minor, field 5 the mount
 * point; after the " - " come the type and the source.  btrfs and others that
 * span disks have a number of their own, and only the source tells.
 */
static bool is_mount_of(const char *line, dev_t dev, char where[static 1024])
{
	const char *rest = strstr(line, " - ");
	unsigned major_nr, minor_nr;
	char source[1024];

	if (sscanf(line, "%*d %*d %u:%u %*s %1023s", &major_nr, &minor_nr,
		   where) != 3)
		return false;
	if (makedev(major_nr, minor_nr) == dev)
		return true;
	return rest && sscanf(rest, " - %*s %1023s", source) == 1 &&
	       source[0] == '/' && is_node_of(source, dev);
}

static int check_mounts(const struct part *part, struct why *why)
{
	char line[4096], where[1024];
	int err = 0;
	FILE *f;

	f = fopen("/proc/self/mountinfo", "re");
	if (!f)
		return 0;
	while (!err && fgets(line, sizeof(line), f))
		if (is_mount_of(line, part->dev, where))
			err = why_set(why, -EBUSY,
				      "/dev/%s: is mounted on %s (umount it)",
				      part->name, where);
	fclose(f);
	return err;
}

static int check_swap(const struct part *part, struct why *why)
{
	char line[4096], path[1024];
	int err = 0;
	FILE *f;

	f = fopen("/proc/swaps", "re");
	if (!f)
		return 0;
	while (!err && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%1023s", path) == 1 &&
		    is_node_of(path, part->dev))
			err = why_set(why, -EBUSY,
				      "/dev/%s: is used as swap (swapoff it)",
				      part->name);
	}
	fclose(f);
	return err;
}

static int check_holders(const struct part *part, struct why *why)
{
	char pattern[160];
	int err = 0;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "/sys/class/block/%s/holders/*",
		 part->name);
	if (glob(pattern, 0, NULL, &found))
		return 0;
	err = why_set(why, -EBUSY, "/dev/%s: is held by %s", part->name,
		      strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	return err;
}

/* A loop device opens what it stands on without being a process. */
static int check_loops(const struct part *part, struct why *why)
{
	char path[1024], want[BLOCK_PATH_MAX];
	glob_t found;
	size_t i;
	int err = 0;

	if (glob("/sys/block/loop*/loop/backing_file", 0, NULL, &found))
		return 0;
	snprintf(want, sizeof(want), "/dev/%s", part->name);
	for (i = 0; !err && i < found.gl_pathc; i++) {
		FILE *f = fopen(found.gl_pathv[i], "re");

		if (!f)
			continue;
		if (fgets(path, sizeof(path), f)) {
			path[strcspn(path, "\n")] = '\0';
			if (!strcmp(path, want))
				err = why_set(why, -EBUSY,
					      "%s: is used by a loop device "
					      "(losetup -j %s)",
					      want, want);
		}
		fclose(f);
	}
	globfree(&found);
	return err;
}

static void process_name(const char *pid, char *ret, size_t len)
{
	char path[280];
	FILE *f;

	snprintf(ret, len, "?");
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(ret, (int)len, f))
		ret[strcspn(ret, "\n")] = '\0';
	fclose(f);
}

static bool has_open(const char *pid, mode_t type, dev_t dev)
{
	struct dirent *entry;
	bool found = false;
	char path[280];
	struct stat st;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = !fstatat(dirfd(dir), entry->d_name, &st, 0) &&
			(st.st_mode & S_IFMT) == type && st.st_rdev == dev;
	closedir(dir);
	return found;
}

static int check_openers(const struct part *part, mode_t type, struct why *why)
{
	struct dirent *entry;
	char comm[32];
	int err = 0;
	DIR *dir;

	dir = opendir("/proc");
	if (!dir)
		return 0;
	while (!err && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    atoi(entry->d_name) == getpid())
			continue;
		if (!has_open(entry->d_name, type, part->dev))
			continue;
		process_name(entry->d_name, comm, sizeof(comm));
		err = why_set(why, -EBUSY,
			      "/dev/%s: is opened by %s (process %s)",
			      part->name, comm, entry->d_name);
	}
	closedir(dir);
	return err;
}

static int check_part(const char *name, struct why *why)
{
	struct part part = { .name = name };
	int err;

	if (read_dev(name, &part.dev))
		return 0;
	err = check_mounts(&part, why);
	if (!err)
		err = check_swap(&part, why);
	if (!err)
		err = check_holders(&part, why);
	if (!err)
		err = check_loops(&part, why);
	if (!err)
		err = check_openers(&part, S_IFBLK, why);
	return err;
}

int block_in_use(const char *block, struct why *why)
{
	char pattern[160];
	glob_t found;
	size_t i;
	int err;

	err = check_part(block, why);
	if (err)
		return err;
	/* Partitions are folders of the disk's, with a file "partition". */
	snprintf(pattern, sizeof(pattern), "/sys/class/block/%s/*/partition",
		 block);
	if (glob(pattern, 0, NULL, &found))
		return 0;
	for (i = 0; !err && i < found.gl_pathc; i++) {
		char *name = found.gl_pathv[i];

		*strrchr(name, '/') = '\0';
		err = check_part(strrchr(name, '/') + 1, why);
	}
	globfree(&found);
	return err;
}

int vhost_node_in_use(const char *node, struct why *why)
{
	struct part part = { .name = node };
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/dev/%s", node);
	if (stat(path, &st) || !S_ISCHR(st.st_mode))
		return 0;
	part.dev = st.st_rdev;
	return check_openers(&part, S_IFCHR, why);
}
