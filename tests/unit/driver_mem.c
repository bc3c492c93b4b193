/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The memory of a test driver: see driver_mem.h. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/driver_mem.h"

struct driver_map *driver_mem_map(struct driver_mem *mem, uint64_t iova,
				  uint64_t len, void *host)
{
	struct driver_map *m = &mem->map[mem->nr++];

	ck_assert_uint_le(mem->nr, DRIVER_MAPS);
	*m = (struct driver_map){ .iova = iova, .len = len };
	if (!host && mem->place.alloc)
		host = mem->place.alloc(mem->place.arg, iova, len);
	m->borrowed = host;
	m->host = host;
	if (!host) {
		ck_assert(!posix_memalign((void **)&m->host, 4096, len));
		memset(m->host, 0, len);
	}
	return m;
}

static struct driver_map *find(const struct driver_mem *mem, uint64_t iova)
{
	unsigned i;

	for (i = 0; i < mem->nr; i++)
		if (iova - mem->map[i].iova < mem->map[i].len)
			return (struct driver_map *)&mem->map[i];
	return NULL;
}

void driver_mem_unmap(struct driver_mem *mem, uint64_t iova)
{
	struct driver_map *m = find(mem, iova);

	ck_assert_ptr_nonnull(m);
	if (!m->borrowed)
		free(m->host);
	*m = mem->map[--mem->nr];
}

void driver_mem_free(struct driver_mem *mem)
{
	while (mem->nr)
		driver_mem_unmap(mem, mem->map[0].iova);
}

void *driver_mem_at(const struct driver_mem *mem, uint64_t iova)
{
	const struct driver_map *m = find(mem, iova);

	ck_assert_ptr_nonnull(m);
	return m->host + (iova - m->iova);
}

static void *translate(void *host, uint64_t iova, uint64_t *len, bool write)
{
	const struct driver_map *m = find(host, iova);
	uint64_t at;

	ck_assert_uint_gt(*len, 0);
	if (!m || (write && m->readonly))
		return NULL;
	at = iova - m->iova;
	if (*len > m->len - at)
		*len = m->len - at;
	return m->host + at;
}

static void interrupt(void *host)
{
	struct driver_mem *mem = host;

	mem->interrupts++;
}

const struct virtq_host_ops driver_mem_ops = {
	.translate = translate,
	.interrupt = interrupt,
};
