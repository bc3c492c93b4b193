/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the files of the header reader share: see luks_reader.h.
 */
#ifndef CRYPT_LUKS_READER_INT_H
#define CRYPT_LUKS_READER_INT_H

#include "crypt/luks_gate.h"
#include "crypt/luks_header.h"
#include "crypt/luks_log.h"
#include "crypt/luks_reader.h"

struct luks_reader {
	struct crypt_device *cd;
	struct luks_source source;
	struct luks_headers headers;
	struct luks_gate gate; /* valid after luks_reader_judge */
	struct luks_log log;
};

/* Fill @len bytes at @offset of the copy from the image. */
int luks_reader_copy(struct luks_reader *reader, uint64_t offset, size_t len,
		     struct why *why);

#endif
