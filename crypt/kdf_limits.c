/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Memory for key derivation: see kdf_limits.h.
 *
 * The files are read as the kernel's Documentation/admin-guide/cgroup-v2.rst
 * and cgroup-v1/memory.rst describe them.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/kdf_limits.h"

/* Names of one version of the control groups. */
struct cgroup_kind {
	const char *mount;
	const char *limit;
	const char *usage;
	const char *cache[2]; /* reclaimable, in memory.stat */
};

static const struct cgroup_kind cgroup_v2 = {
	"/sys/fs/cgroup",
	"memory.max",
	"memory.current",
	{ "inactive_file", "active_file" },
};

static const struct cgroup_kind cgroup_v1 = {
	"/sys/fs/cgroup/memory",
	"memory.limit_in_bytes",
	"memory.usage_in_bytes",
	{ "total_inactive_file", "total_active_file" },
};

/* A file that holds one number; "max" is no number. */
static bool read_number(const char *dir, const char *name, uint64_t *ret)
{
	char path[PATH_MAX];
	FILE *f;
	bool ok;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path))
		return false;
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fscanf(f, "%" SCNu64, ret) == 1;
	fclose(f);
	return ok;
}

/* The sum of the lines "KEY NUMBER" (also "KEY: NUMBER") with these keys. */
static int sum_lines(const char *path, const char *const keys[2], uint64_t *ret)
{
	char line[256], key[64];
	uint64_t value, sum = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63[^ :]%*[ :]%" SCNu64, key, &value) != 2)
			continue;
		if (!strcmp(key, keys[0]) || !strcmp(key, keys[1]))
			sum += value;
	}
	fclose(f);
	*ret = sum;
	return 0;
}

static void lower(struct kdf_memory *mem, uint64_t bytes, const char *limit)
{
	if (bytes >= mem->bytes)
		return;
	mem->bytes = bytes;
	mem->limit = limit;
}

static void apply_group(const struct cgroup_kind *kind, const char *dir,
			struct kdf_memory *mem)
{
	char path[PATH_MAX];
	uint64_t limit, usage, cache = 0;

	if (!read_number(dir, kind->limit, &limit) ||
	    !read_number(dir, kind->usage, &usage))
		return;
	if (snprintf(path, sizeof(path), "%s/memory.stat", dir) <
	    (int)sizeof(path))
		sum_lines(path, kind->cache, &cache);
	usage -= cache < usage ? cache : usage;
	lower(mem, usage < limit ? limit - usage : 0, "this control group");
}

/* The group and all above it: each one's limit holds. */
static void apply_groups(const struct cgroup_kind *kind, const char *root,
			 char *group, struct kdf_memory *mem)
{
	char dir[PATH_MAX];
	char *slash;

	for (;;) {
		if (snprintf(dir, sizeof(dir), "%s%s%s", root, kind->mount,
			     group) < (int)sizeof(dir))
			apply_group(kind, dir, mem);
		slash = strrchr(group, '/');
		if (!slash)
			return;
		*slash = '\0';
	}
}

/* Does the list "a,b,c" name the memory controller? */
static bool has_memory(char *list)
{
	char *save, *name;

	for (name = strtok_r(list, ",", &save); name;
	     name = strtok_r(NULL, ",", &save))
		if (!strcmp(name, "memory"))
			return true;
	return false;
}

/* Lines "ID:CONTROLLERS:GROUP"; CONTROLLERS is empty for version 2. */
static void apply_cgroups(const char *root, struct kdf_memory *mem)
{
	char line[PATH_MAX + 256];
	char *list, *group;
	FILE *f;

	snprintf(line, sizeof(line), "%s/proc/self/cgroup", root);
	f = fopen(line, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		list = strchr(line, ':');
		group = list ? strchr(list + 1, ':') : NULL;
		if (!group)
			continue;
		*group++ = '\0';
		list++;
		if (!*list)
			apply_groups(&cgroup_v2, root, group, mem);
		else if (has_memory(list))
			apply_groups(&cgroup_v1, root, group, mem);
	}
	fclose(f);
}

int kdf_memory_available(const char *root, struct kdf_memory *ret)
{
	static const char *const keys[2] = { "MemAvailable", "SwapFree" };
	struct kdf_memory mem = { .limit = "this machine" };
	char path[PATH_MAX];
	uint64_t kib;
	int r;

	snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	r = sum_lines(path, keys, &kib);
	if (r)
		return r;
	mem.bytes = kib * 1024;
	apply_cgroups(root, &mem);
	*ret = mem;
	return 0;
}
