/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Fuzz what looks at an image: signatures, binary headers, libcryptsetup and
 * the gates behind it, the description, and the journal of an encryption.  It
 * runs in a jail elsewhere, here it does not, so that nothing hides what goes
 * wrong.
 *
 * The first byte of the input says what the rest is: the start of the image
 * (an even number), or the metadata of a LUKS2 header, which then gets right
 * checksums, as nothing behind them would be reached otherwise.  Another bit
 * has a LUKS1 header repaired first.
 */
#include <fcntl.h>
#include <libcryptsetup.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypt/encrypt_journal.h"
#include "crypt/luks1_repair.h"
#include "crypt/luks_reader.h"
#include "crypt/luks_signature.h"
#include "lib/why.h"

#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define LEAKS_EXPECTED __lsan_disable
#define LEAKS_TOLD     __lsan_enable
#else
#define LEAKS_EXPECTED()
#define LEAKS_TOLD()
#endif

/* Bytes.  Of a LUKS2 header copy: figure 2 of the specification. */
#define IMAGE_SIZE  (1280u << 10) /* the least for LUKS1 */
#define LUKS2_SIZE  (320u << 10)
#define COPY_SIZE   16384u
#define JSON_OFFSET 4096u
#define SUM_OFFSET  448u
#define SUM_SIZE    64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t *image, *copy;
static int image_fd, copy_fd;

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void be_quiet(int level, const char *msg, void *arg)
{
}

/*
 * Neither grows: libcryptsetup would make room for all data that a LUKS1 header
 * claims to have when it repairs it, which the jail does not let it do.
 */
static uint8_t *map(const char *name, int *ret_fd)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *p;

	must(fd >= 0 && !ftruncate(fd, IMAGE_SIZE));
	must(!fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	p = mmap(NULL, IMAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(p != MAP_FAILED);
	*ret_fd = fd;
	return p;
}

static void seal(uint8_t *header, const char *magic, uint32_t offset)
{
	memcpy(header, magic, 6);
	header[7] = 2;
	header[14] = COPY_SIZE >> 8; /* big endian */
	header[23] = 1;
	strcpy((char *)header + 72, "sha256");
	strcpy((char *)header + 168, "12345678-1234-1234-1234-123456789abc");
	header[262] = (uint8_t)(offset >> 8);
	must(EVP_Digest(header, COPY_SIZE, header + SUM_OFFSET, NULL,
			EVP_sha256(), NULL));
}

static void make_luks2(const uint8_t *text, size_t len)
{
	static const char *const magic[] = { "LUKS\xba\xbe", "SKUL\xba\xbe" };
	uint32_t i;

	if (len > COPY_SIZE - JSON_OFFSET)
		len = COPY_SIZE - JSON_OFFSET;
	for (i = 0; i < 2; i++) {
		memcpy(image + i * COPY_SIZE + JSON_OFFSET, text, len);
		seal(image + i * COPY_SIZE, magic[i], i * COPY_SIZE);
	}
}

static void check(const struct volume_info *info, uint64_t size)
{
	must(info->data_offset % info->sector_size == 0);
	must(info->data_size % info->sector_size == 0);
	must(info->data_offset && info->data_offset < size);
	must(info->data_size <= size - info->data_offset);
	must(info->key_bytes == 32 || info->key_bytes == 64);
}

/* No more of a LUKS1 header was repaired than may be. */
static void check_repair(const struct volume_info *info)
{
	struct luks1_repairs repairs;

	if (!strcmp(info->type, "LUKS1"))
		must(!luks1_repair_compare(image, copy, &repairs));
}

static void describe(struct luks_reader *reader, enum volume_dump_format format)
{
	char *text = NULL;

	if (!luks_reader_dump(reader, format, &text, NULL))
		must(text && text[strlen(text) - 1] == '\n');
	free(text);
}

/* libcryptsetup forgets a string when a repair fails, and its process ends. */
static int open_reader(const struct luks_source *source,
		       struct luks_reader **ret, struct why *why)
{
	int r;

	if (source->repair)
		LEAKS_EXPECTED();
	r = luks_reader_open(source, ret, why);
	if (source->repair)
		LEAKS_TOLD();
	return r;
}

/* The input as a block of an encryption's journal, and as what is in one. */
static void read_journal(const uint8_t *data, size_t len)
{
	uint8_t block[ENCRYPT_JOURNAL_BLOCK] = { 0 }, again[sizeof(block)];
	struct encrypt_journal said = { 0 }, read;

	memcpy(block, data, len < sizeof(block) ? len : sizeof(block));
	encrypt_journal_decode(block, &read);
	memcpy(&said, data, len < sizeof(said) ? len : sizeof(said));
	encrypt_journal_encode(&said, block);
	if (encrypt_journal_decode(block, &read))
		return;
	must(read.at <= read.container && read.source.size <= read.container);
	must(encrypt_journal_offset(read.container) >= read.container);
	encrypt_journal_encode(&read, again);
	must(!memcmp(block, again, sizeof(block)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct luks_source source = {
		.layout = LUKS_ATTACHED,
		.header_size = IMAGE_SIZE,
		.data_size = IMAGE_SIZE,
	};
	struct luks_reader *reader;
	struct volume_info info;
	struct why why = { "" };

	if (!image) {
		image = map("image", &image_fd);
		copy = map("copy", &copy_fd);
		crypt_set_log_callback(NULL, be_quiet, NULL);
	}
	if (!len || len > COPY_SIZE)
		return 0;
	memset(image, 0, 2 * COPY_SIZE);
	memset(copy, 0, 2 * COPY_SIZE);
	if (*data % 2) {
		make_luks2(data + 1, len - 1);
		source.header_size = source.data_size = LUKS2_SIZE;
	} else {
		memcpy(image, data + 1, len - 1);
	}
	signature_name(data + 1, len - 1);
	signature_wrapping(data + 1, len - 1);
	read_journal(data + 1, len - 1);
	source.header_fd = image_fd;
	source.copy_fd = copy_fd;
	source.repair = *data & 2;
	if (open_reader(&source, &reader, &why)) {
		must(why.text[0] && !strchr(why.text, '\n'));
		return 0;
	}
	if (!luks_reader_judge(reader, &info, &why)) {
		check(&info, source.data_size);
		if (source.repair)
			check_repair(&info);
	}
	describe(reader, VOLUME_DUMP_TEXT);
	describe(reader, VOLUME_DUMP_JSON);
	luks_reader_close(reader);
	return 0;
}
