/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Wakeups of the split ring on a processor that keeps every store back as long
 * as it may: see fences.h and store_buffer.h.
 */
#include "tests/unit/store_buffer.h"

/* The code itself, so that its accesses are those of the store buffer. */
#include "virtio/virtq_split.c"

#include "tests/unit/fences.h"

int main(void)
{
	return fences_main("virtq_fences_split", false);
}
