/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Fuzz the split ring: whatever stands in its memory, nothing else is touched. */
#include <linux/virtio_config.h>

#include "tests/fuzz/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	arena_run_queue(data, len, 0);
	return 0;
}
