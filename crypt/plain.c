/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Plain dm-crypt volumes: see plain.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypt/luks_image.h"
#include "crypt/luks_log.h"
#include "crypt/luks_signature.h"
#include "crypt/plain.h"
#include "crypt/unlock_child.h"
#include "crypt/xts.h"
#include "lib/secmem.h"
#include "lib/why.h"

#define SECTOR	     512u /* bytes, of all counts */
#define HASH_SECONDS 60

static int check_cipher(const struct plain_params *p, struct why *why)
{
	if (strcmp(p->cipher, "aes-xts-plain64") &&
	    strcmp(p->cipher, "aes-xts-plain"))
		return why_set(why, -EDOM,
			       "--cipher %s: only aes-xts-plain64 and"
			       " aes-xts-plain can be served (use cryptsetup)",
			       p->cipher);
	if (p->key_bytes != 32 && p->key_bytes != 64)
		return why_set(why, -EDOM,
			       "--key-size: 256 or 512 bits are possible");
	if (p->sector_size != 512 && p->sector_size != 1024 &&
	    p->sector_size != 2048 && p->sector_size != 4096)
		return why_set(why, -EDOM,
			       "--sector-size: 512, 1024, 2048 or 4096");
	return 0;
}

/* dm-crypt wants both to be whole sectors, too. */
static int check_sectors(const struct plain_params *p, struct why *why)
{
	const uint64_t unit = p->sector_size / SECTOR;
	const uint64_t most = INT64_MAX / SECTOR;

	if (p->offset > most || p->skip > most || p->size > most)
		return why_set(why, -EDOM,
			       "--offset, --skip and --size are too large");
	if (p->offset % unit || p->skip % unit || p->size % unit)
		return why_set(why, -EDOM,
			       "--offset, --skip and --size must be multiples"
			       " of %" PRIu64 " for this sector size",
			       unit);
	return 0;
}

static int choose_size(const struct plain_params *p, uint64_t image_size,
		       uint64_t *ret, struct why *why)
{
	uint64_t offset = p->offset * SECTOR, size = p->size * SECTOR;

	if (offset >= image_size || size > image_size - offset)
		return why_set(why, -EINVAL,
			       "the image ends at byte %" PRIu64
			       ", before the end of the volume (--offset,"
			       " --size)",
			       image_size);
	if (!size)
		size = (image_size - offset) / SECTOR * SECTOR;
	if (!size || size % p->sector_size)
		return why_set(why, -EINVAL,
			       "the data area of %" PRIu64
			       " bytes is not a multiple of the sector size %u"
			       " (--size)",
			       size, p->sector_size);
	if (!strcmp(p->cipher, "aes-xts-plain") && size > XTS_PLAIN_MAX)
		return why_set(why, -EINVAL,
			       "aes-xts-plain repeats its IV after 2 TiB, the"
			       " volume is larger (use cryptsetup)");
	*ret = size;
	return 0;
}

/* A short read is no error: then there is less to be recognised. */
static ssize_t read_at(int fd, void *buf, size_t len, uint64_t offset)
{
	ssize_t n;

	do
		n = pread(fd, buf, len, (off_t)offset);
	while (n < 0 && errno == EINTR);
	return n;
}

/* The second header of a LUKS2 container whose first one is lost. */
static bool has_second_header(int fd)
{
	uint64_t offset;
	char magic[6];

	for (offset = 16384; offset <= 4 << 20; offset *= 2)
		if (read_at(fd, magic, sizeof(magic), offset) ==
			    sizeof(magic) &&
		    !memcmp(magic, "SKUL\xba\xbe", sizeof(magic)))
			return true;
	return false;
}

/* Opening a container as a plain volume is how its header gets lost. */
static int refuse_known(int fd, uint64_t offset, struct why *why)
{
	uint8_t *start = malloc(SIGNATURE_SPAN);
	const char *name = NULL;
	ssize_t n;

	if (!start)
		return why_set(why, -ENOMEM, "out of memory");
	n = read_at(fd, start, SIGNATURE_SPAN, offset);
	if (n > 0)
		name = signature_name(start, (size_t)n);
	free(start);
	if (n < 0)
		return why_set(why, -EIO, "cannot be read");
	if (!name && has_second_header(fd))
		name = "a LUKS2 container with a damaged header";
	if (name)
		return why_set(why, -EINVAL,
			       "no plain volume: this is %s, which would be"
			       " overwritten (--force-plain, if it is none)",
			       name);
	return 0;
}

int plain_probe(int image_fd, const struct plain_params *p, bool force,
		struct volume_info *ret, struct why *why)
{
	struct volume_info info = { .type = CRYPT_PLAIN, .key_slot = -1 };
	uint64_t image_size;
	int r;

	r = check_cipher(p, why);
	if (!r)
		r = check_sectors(p, why);
	if (!r)
		r = luks_image_size(image_fd, &image_size, why);
	if (!r)
		r = choose_size(p, image_size, &info.data_size, why);
	if (!r && !force)
		r = refuse_known(image_fd, 0, why);
	if (!r && !force && p->offset)
		r = refuse_known(image_fd, p->offset * SECTOR, why);
	if (r)
		return r;
	snprintf(info.cipher, sizeof(info.cipher), "%s", p->cipher);
	info.key_bytes = p->key_bytes;
	info.sector_size = p->sector_size;
	info.data_offset = p->offset * SECTOR;
	info.iv_offset = p->skip;
	*ret = info;
	return 0;
}

/* Without a hash the passphrase is the key: cut, or filled with zeroes. */
static void copy_key(const struct plain_params *p, const void *passphrase,
		     size_t len, uint8_t key[static VOLUME_KEY_MAX])
{
	memset(key, 0, VOLUME_KEY_MAX);
	memcpy(key, passphrase, len < p->key_bytes ? len : p->key_bytes);
}

int plain_hash_jailed(int copy_fd, const struct plain_params *p,
		      const void *passphrase, size_t len,
		      uint8_t key[static VOLUME_KEY_MAX], struct why *why)
{
	struct crypt_params_plain params = { .hash = p->hash };
	size_t key_len = p->key_bytes;
	struct luks_log log = { "" };
	struct crypt_device *cd;
	int r;

	if (!strcmp(p->hash, "plain")) {
		copy_key(p, passphrase, len, key);
		return 0;
	}
	r = luks_log_start(copy_fd, &log, &cd, why);
	if (r)
		return r;
	r = crypt_format(cd, CRYPT_PLAIN, "aes", "xts-plain64", NULL, NULL,
			 p->key_bytes, &params);
	if (!r)
		r = crypt_volume_key_get(cd, CRYPT_ANY_SLOT, (char *)key,
					 &key_len, passphrase, len);
	crypt_free(cd);
	if (r < 0)
		return why_set(why, r == -ENOMEM ? r : -EDOM,
			       "--hash %s: the passphrase cannot be hashed"
			       " with it: %s",
			       p->hash, luks_log_error(&log, r));
	return 0;
}

int plain_hash(int image_fd, const struct plain_params *p,
	       const void *passphrase, size_t len,
	       uint8_t key[static VOLUME_KEY_MAX], struct why *why)
{
	struct header_job job = {
		.op = HEADER_PLAIN,
		.request = VOLUME_REQUEST(image_fd),
		.plain = p,
		.timeout = HASH_SECONDS,
	};
	struct header_answer *answer;
	void *mem;
	int r;

	job.request.passphrase = passphrase;
	job.request.passphrase_len = len;
	if (secmem_alloc(sizeof(*answer), &mem))
		return why_set(why, -ENOMEM,
			       "no locked memory for the key (ulimit -l)");
	answer = mem;
	r = header_job_run(&job, answer, NULL, why);
	if (!r)
		memcpy(key, answer->key, VOLUME_KEY_MAX);
	secmem_free(mem, sizeof(*answer));
	return r;
}
