/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Writing a new LUKS2 header: see luks_format.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypt/kdf_limits.h"
#include "crypt/luks_format.h"
#include "crypt/luks_image.h"
#include "crypt/luks_log.h"
#include "crypt/luks_memory.h"
#include "crypt/luks_pbkdf.h"
#include "crypt/xts.h"
#include "lib/why.h"

#define LABEL_MAX 47u

#define bad(why, ...) why_set(why, -EDOM, __VA_ARGS__)

static void fill_defaults(struct luks_format *what)
{
	if (!what->cipher)
		what->cipher = "aes-xts-plain64";
	if (!what->key_bytes)
		what->key_bytes = 64;
}

/* XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX in hexadecimal digits. */
static bool uuid_valid(const char *s)
{
	size_t i;

	for (i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (s[i] != '-')
				return false;
		} else if (!s[i] || !strchr("0123456789abcdefABCDEF", s[i])) {
			return false;
		}
	}
	return !s[36];
}

static int check_names(const struct luks_format *what, struct why *why)
{
	if (strcmp(what->cipher, "aes-xts-plain64") &&
	    strcmp(what->cipher, "aes-xts-plain"))
		return bad(why,
			   "cipher %s is unknown (aes-xts-plain64,"
			   " aes-xts-plain)",
			   what->cipher);
	if (what->key_bytes != 32 && what->key_bytes != 64)
		return bad(why,
			   "a key of %" PRIu64 " bits is not possible"
			   " (256, 512)",
			   (uint64_t)what->key_bytes * 8);
	if (what->label && strlen(what->label) > LABEL_MAX)
		return bad(why, "the label is longer than %u bytes", LABEL_MAX);
	if (what->uuid && !uuid_valid(what->uuid))
		return bad(why, "%s is not a UUID (uuidgen makes one)",
			   what->uuid);
	return 0;
}

/* The largest sector that the data area is a multiple of. */
static uint32_t choose_sector(uint64_t data_size)
{
	uint32_t sector = 4096;

	while (sector > 512 && data_size % sector)
		sector /= 2;
	return sector;
}

static int check_sizes(struct luks_format *what, uint64_t size, struct why *why)
{
	uint32_t sector = what->sector_size;
	uint64_t data_size;
	int r;

	if (sector && sector != 512 && sector != 1024 && sector != 2048 &&
	    sector != 4096)
		return bad(why,
			   "a sector size of %u is not possible (512,"
			   " 1024, 2048, 4096)",
			   sector);
	r = luks_place_choose(&what->place, size, what->key_bytes, why);
	if (r)
		return r;
	data_size = size - what->place.data_offset;
	if (!sector)
		sector = choose_sector(data_size);
	if (data_size % sector)
		return bad(why,
			   "the size of %" PRIu64 " bytes is not a"
			   " multiple of the sector size %u",
			   size, sector);
	if (!strcmp(what->cipher, "aes-xts-plain") && data_size > XTS_PLAIN_MAX)
		return bad(why, "aes-xts-plain repeats its IV after 2 TiB (use"
				" aes-xts-plain64)");
	what->sector_size = sector;
	return 0;
}

static int check_kdf(struct luks_format *what, struct why *why)
{
	struct kdf_memory memory;
	int r = kdf_memory_available("", &memory);

	if (r)
		return why_set(why, r, "/proc/meminfo cannot be read: %s",
			       strerror(-r));
	return luks_pbkdf_check(&what->kdf, &memory, why);
}

int luks_format_check(struct luks_format *what, uint64_t size, struct why *why)
{
	int r;

	fill_defaults(what);
	r = check_names(what, why);
	if (!r)
		r = check_sizes(what, size, why);
	if (!r)
		r = check_kdf(what, why);
	return r;
}

/* "aes-xts-plain64" is cipher "aes" in mode "xts-plain64" to the library. */
static int format(struct crypt_device *cd, const struct luks_format *what)
{
	struct crypt_pbkdf_type pbkdf;
	struct crypt_params_luks2 params = {
		.pbkdf = &pbkdf,
		.sector_size = what->sector_size,
		.label = what->label,
	};

	luks_pbkdf_fill(&what->kdf, &pbkdf);
	return crypt_format(cd, CRYPT_LUKS2, "aes",
			    what->cipher + strlen("aes-"), what->uuid, NULL,
			    what->key_bytes, &params);
}

static int write_all(struct crypt_device *cd, const struct luks_format *what,
		     const void *passphrase, size_t len)
{
	const struct luks_place *place = &what->place;
	int r;

	r = crypt_set_metadata_size(cd, place->metadata_size,
				    place->keyslots_size);
	if (!r)
		r = crypt_set_data_offset(cd, place->data_offset / 512);
	if (!r)
		r = format(cd, what);
	if (!r)
		r = crypt_keyslot_add_by_volume_key(cd, 0, NULL, 0, passphrase,
						    len);
	return r;
}

static int write_header(int fd, int data_fd, const struct luks_format *what,
			const void *passphrase, size_t len, struct why *why)
{
	char path[32], data_path[32];
	struct crypt_device *cd = NULL;
	struct luks_log log = { "" };
	int r;

	r = luks_memory_prepare(why);
	if (!r)
		r = luks_memory_lock(why);
	if (r)
		return r;
	luks_image_set_locking(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(data_path, sizeof(data_path), "/proc/self/fd/%d", data_fd);
	r = fd == data_fd ? crypt_init(&cd, path)
			  : crypt_init_data_device(&cd, path, data_path);
	if (r)
		return why_set(why, r, "libcryptsetup cannot start: %s",
			       strerror(-r));
	luks_log_attach(&log, cd);
	r = write_all(cd, what, passphrase, len);
	crypt_free(cd);
	if (r < 0)
		return why_set(why, r, "the header cannot be written: %s",
			       luks_log_error(&log, r));
	if (fsync(fd))
		return why_set(why, -errno, "the header cannot be written: %s",
			       strerror(errno));
	return 0;
}

int luks_format_write(int fd, const struct luks_format *what,
		      const void *passphrase, size_t len, struct why *why)
{
	return write_header(fd, fd, what, passphrase, len, why);
}

int luks_format_write_detached(int fd, int data_fd,
			       const struct luks_format *what,
			       const void *passphrase, size_t len,
			       struct why *why)
{
	return write_header(fd, data_fd, what, passphrase, len, why);
}
