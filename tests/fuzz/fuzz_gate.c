/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Fuzz the allow-list: the input is the metadata of a LUKS2 header, as text.
 * What is let through is within bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "crypt/kdf_limits.h"
#include "crypt/luks_gate.h"
#include "lib/why.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_slot(const struct luks_slot *slot)
{
	must(slot->id >= 0 && slot->id < LUKS_SLOTS_MAX);
	must(slot->priority >= 0 && slot->priority <= 2);
	must(slot->threads >= 1 && slot->threads <= KDF_THREADS_MAX);
	must(slot->memory <= KDF_MEMORY_MAX);
}

static void check(const struct luks_gate *gate)
{
	unsigned int i;

	must(!strcmp(gate->cipher, "aes-xts-plain64") ||
	     !strcmp(gate->cipher, "aes-xts-plain"));
	must(gate->sector_size == 512 || gate->sector_size == 1024 ||
	     gate->sector_size == 2048 || gate->sector_size == 4096);
	must(gate->data_offset % gate->sector_size == 0);
	must(gate->nr_slots <= LUKS_SLOTS_MAX);
	if (gate->nr_slots)
		must(gate->key_bytes == 32 || gate->key_bytes == 64);
	for (i = 0; i < gate->nr_slots; i++)
		check_slot(&gate->slots[i]);
	if (!luks_gate_check_open(gate, false, NULL))
		must(gate->nr_slots &&
		     gate->data_offset >=
			     gate->slots_offset + gate->slots_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = strndup((const char *)data, len);
	struct luks_gate gate;
	struct why why = { "" };

	if (!text)
		return 0;
	if (!luks_gate_check(text, &gate, &why))
		check(&gate);
	else
		must(why.text[0] && !strchr(why.text, '\n'));
	free(text);
	return 0;
}
