/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Reading a LUKS header with libcryptsetup: see luks_reader.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <libcryptsetup.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypt/luks1_repair.h"
#include "crypt/luks_describe.h"
#include "crypt/luks_keys_list.h"
#include "crypt/luks_log.h"
#include "crypt/luks_memory.h"
#include "crypt/luks_reader_int.h"
#include "crypt/luks_signature.h"
#include "crypt/unlock_jail.h"
#include "lib/why.h"

#define PAGE 4096u

static bool is_zero(const uint8_t *p, size_t len)
{
	return !p[0] && !memcmp(p, p + 1, len - 1);
}

/* Where there are zeroes the copy keeps its holes, which take no memory. */
static void copy_pages(uint8_t *to, const uint8_t *from, size_t len)
{
	size_t at, n;

	for (at = 0; at < len; at += n) {
		n = len - at < PAGE ? len - at : PAGE;
		if (!is_zero(from + at, n))
			memcpy(to + at, from + at, n);
	}
}

int luks_reader_copy(struct luks_reader *reader, uint64_t offset, size_t len,
		     struct why *why)
{
	uint64_t start = offset / PAGE * PAGE;
	uint8_t chunk[4 * PAGE], *p;
	size_t done = 0, left;
	ssize_t n;

	len += offset - start;
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED,
		 reader->source.copy_fd, (off_t)start);
	if (p == MAP_FAILED)
		return why_set(why, -ENOMEM, "no memory for the header");
	while (done < len) {
		left = len - done < sizeof(chunk) ? len - done : sizeof(chunk);
		n = pread(reader->source.header_fd, chunk, left,
			  (off_t)(start + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		copy_pages(p + done, chunk, (size_t)n);
		done += (size_t)n;
	}
	munmap(p, len);
	if (done == len)
		return 0;
	return why_set(why, -EIO,
		       "reading the header at byte %" PRIu64 " failed",
		       start + done);
}

/* Has a sector nearly as many different bytes as chance would give it? */
static bool looks_random(const uint8_t *start, size_t len)
{
	bool seen[256] = { false };
	unsigned int i, nr = 0;

	if (len < 512)
		return false;
	for (i = 0; i < 512; i++) {
		nr += !seen[start[i]];
		seen[start[i]] = true;
	}
	/* 221 are to be expected, less 8 for the deviation. */
	return nr > 190;
}

static int refuse_foreign(const uint8_t *start, size_t len, struct why *why)
{
	const char *name = signature_name(start, len);

	if (len >= 6 && !memcmp(start, "LUKS\xba\xbe", 6))
		return why_set(why, -EINVAL,
			       "the LUKS header is truncated, or"
			       " of a version after 2");
	/* VeraCrypt's header cannot be told from noise without its key. */
	if (!name && looks_random(start, len))
		return why_set(why, -EINVAL,
			       "not a LUKS container: it looks random, as"
			       " VeraCrypt and TrueCrypt volumes do (cryptsetup"
			       " open --type tcrypt) and plain ones (--type"
			       " plain)");
	return why_set(why, -EINVAL, "not a LUKS container%s%s",
		       name ? ": this is " : "", name ? name : "");
}

/* Look at the binary headers in the copy, @len bytes of it. */
static int find_headers(struct luks_reader *reader, size_t len, struct why *why)
{
	struct luks_headers *h = &reader->headers;
	void *p = mmap(NULL, len, PROT_READ, MAP_SHARED, reader->source.copy_fd,
		       0);
	int r = 0;

	if (p == MAP_FAILED)
		return why_set(why, -ENOMEM, "no memory for the header");
	luks_headers_find(p, len, h);
	if (!h->version)
		r = refuse_foreign(p, len, why);
	else if (h->version == 2 && !h->first_sound && !h->second_sound)
		r = why_set(why, -EINVAL, "both LUKS2 headers are damaged%s",
			    len < LUKS_HEADERS_MAX ? ", or the image is"
						     " truncated"
						   : " (cryptsetup repair)");
	munmap(p, len);
	return r;
}

static int load(struct luks_reader *reader, struct why *why)
{
	const char *type = reader->headers.version == 1 ? CRYPT_LUKS1
							: CRYPT_LUKS2;
	int r;

	r = luks_log_start(reader->source.copy_fd, &reader->log, &reader->cd,
			   why);
	if (r)
		return r;
	r = crypt_load(reader->cd, type, NULL);
	if (r)
		return why_set(why, r == -ENOMEM ? r : -EINVAL,
			       "the %s header cannot be read: %s (%s repair"
			       " may help)",
			       type, luks_log_error(&reader->log, r),
			       reader->headers.version == 1 ? "vcrypt header"
							    : "cryptsetup");
	return 0;
}

int luks_reader_open(const struct luks_source *source, struct luks_reader **ret,
		     struct why *why)
{
	struct luks_reader *reader;
	size_t len = LUKS_HEADERS_MAX;
	int r;

	if (!source->header_size)
		return why_set(why, -EINVAL, "not a LUKS container: empty");
	if (len > source->header_size)
		len = source->header_size;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return why_set(why, -ENOMEM, "out of memory");
	reader->source = *source;
	/* The copy is this process's own: nothing to lock. */
	crypt_metadata_locking(NULL, 0);
	r = luks_reader_copy(reader, 0, len, why);
	if (!r)
		r = find_headers(reader, len, why);
	if (source->ret_headers)
		*source->ret_headers = reader->headers;
	if (!r && reader->headers.payload > len &&
	    reader->headers.payload <= source->header_size)
		r = luks_reader_copy(reader, len, reader->headers.payload - len,
				     why);
	if (!r && source->repair && reader->headers.version == 1)
		r = luks1_repair(source->copy_fd, why);
	if (!r)
		r = load(reader, why);
	if (r) {
		luks_reader_close(reader);
		return r;
	}
	*ret = reader;
	return 0;
}

/* Try one slot.  Errors: -EPERM (not this one), others end the search. */
static int try_slot(struct luks_reader *reader, const struct luks_slot *slot,
		    const struct volume_request *request,
		    uint8_t key[static VOLUME_KEY_MAX], struct why *why)
{
	size_t key_len = VOLUME_KEY_MAX;
	int r;

	r = jail_allow_memory(slot->memory, slot->threads);
	if (!r)
		r = crypt_volume_key_get(reader->cd, slot->id, (char *)key,
					 &key_len, request->passphrase,
					 request->passphrase_len);
	if (r == slot->id)
		return key_len == reader->gate.key_bytes
			       ? 0
			       : why_set(why, -EINVAL,
					 "key slot %d holds a key of an"
					 " odd size",
					 slot->id);
	if (r == -EPERM || r == -ENOENT)
		return -EPERM;
	if (r == -ENOMEM)
		return why_set(why, r,
			       "key slot %d needs %" PRIu64 " MiB of"
			       " memory for key derivation, which cannot be had"
			       " (ulimit -v?)",
			       slot->id, slot->memory >> 20);
	return why_set(why, r < 0 ? r : -EIO,
		       "key slot %d cannot be opened:"
		       " %s",
		       slot->id, luks_log_error(&reader->log, r));
}

static int no_memory(const struct luks_slot *slot,
		     const struct kdf_memory *memory, struct why *why)
{
	return why_set(why, -ENOMEM,
		       "key slot %d needs %" PRIu64 " MiB of"
		       " memory for key derivation, %s has %" PRIu64
		       " MiB left",
		       slot->id, slot->memory >> 20, memory->limit,
		       memory->bytes >> 20);
}

static bool slot_wanted(const struct volume_request *request,
			const struct luks_slot *slot)
{
	return !request->slots || request->slots & 1u << slot->id;
}

static bool any_ignored(const struct luks_gate *gate)
{
	unsigned int i;

	for (i = 0; i < gate->nr_slots; i++)
		if (gate->slots[i].priority == CRYPT_SLOT_PRIORITY_IGNORE)
			return true;
	return false;
}

static int unlock_any(struct luks_reader *reader,
		      const struct kdf_memory *memory,
		      const struct volume_request *request,
		      uint8_t key[static VOLUME_KEY_MAX], int *ret_slot,
		      struct why *why)
{
	const struct luks_slot *slot, *skipped = NULL;
	int priority, r;
	unsigned int i;

	/* Slots that are asked for are tried, whatever their priority. */
	for (priority = 2; priority >= !request->slots; priority--) {
		for (i = 0; i < reader->gate.nr_slots; i++) {
			slot = &reader->gate.slots[i];
			if (slot->priority != priority ||
			    !slot_wanted(request, slot))
				continue;
			if (slot->memory > memory->bytes) {
				skipped = slot;
				continue;
			}
			r = try_slot(reader, slot, request, key, why);
			if (!r)
				*ret_slot = slot->id;
			if (r != -EPERM)
				return r;
		}
	}
	if (skipped)
		return no_memory(skipped, memory, why);
	return why_set(why, -EPERM, "no key slot opens with this passphrase%s",
		       request->slots || !any_ignored(&reader->gate)
			       ? ""
			       : " (those with priority ignore are tried only"
				 " with --key-slot)");
}

/* A slot that is asked for is tried, whatever its priority. */
static int unlock_one(struct luks_reader *reader,
		      const struct kdf_memory *memory,
		      const struct volume_request *request,
		      uint8_t key[static VOLUME_KEY_MAX], int *ret_slot,
		      struct why *why)
{
	const struct luks_slot *slot = NULL;
	unsigned int i;
	int r;

	for (i = 0; i < reader->gate.nr_slots; i++)
		if (reader->gate.slots[i].id == request->key_slot)
			slot = &reader->gate.slots[i];
	if (!slot)
		return why_set(why, -ENOENT,
			       "key slot %d holds no key for the data",
			       request->key_slot);
	if (slot->memory > memory->bytes)
		return no_memory(slot, memory, why);
	r = try_slot(reader, slot, request, key, why);
	if (!r)
		*ret_slot = slot->id;
	return r == -EPERM ? why_set(why, r,
				     "key slot %d does not open with this"
				     " passphrase",
				     slot->id)
			   : r;
}

int luks_reader_unlock(struct luks_reader *reader,
		       const struct kdf_memory *memory,
		       const struct volume_request *request,
		       uint8_t key[static VOLUME_KEY_MAX], int *ret_slot,
		       struct why *why)
{
	int r = luks_memory_lock(why);

	if (r)
		return r;
	if (!reader->gate.nr_slots)
		return why_set(why, -EINVAL,
			       "no key slot is left (was it erased?)");
	return request->key_slot == VOLUME_ANY_SLOT
		       ? unlock_any(reader, memory, request, key, ret_slot, why)
		       : unlock_one(reader, memory, request, key, ret_slot,
				    why);
}

int luks_reader_token(struct luks_reader *reader,
		      const struct luks_token_query *query,
		      struct luks_token *ret, char **ret_text, struct why *why)
{
	if (reader->headers.version == 1)
		return why_set(why, -ENOENT,
			       "LUKS1 has no tokens (cryptsetup convert)");
	return luks_token_find(reader->cd, &reader->gate, query, ret, ret_text,
			       why);
}

int luks_reader_dump(struct luks_reader *reader, enum volume_dump_format format,
		     char **ret_text, struct why *why)
{
	struct volume_info info;
	struct why verdict = { "" };
	struct luks_description what = {
		.cd = reader->cd,
		.log = &reader->log,
		.image_size = reader->source.data_size,
		.note = luks_headers_note(&reader->headers),
	};

	if (format == VOLUME_KEYS_TEXT)
		return luks_keys_text(reader->cd, ret_text, why);
	if (format == VOLUME_KEYS_JSON)
		return luks_keys_json(reader->cd, ret_text, why);
	if (luks_reader_judge(reader, &info, &verdict))
		what.refusal = verdict.text;
	if (format == VOLUME_DUMP_JSON)
		return luks_describe_json(&what, ret_text, why);
	return luks_describe_text(&what, ret_text, why);
}

void luks_reader_close(struct luks_reader *reader)
{
	if (!reader)
		return;
	crypt_free(reader->cd);
	free(reader);
}
