/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * How a container is made hostile: see luks_hostile.h.  The cases themselves
 * are in luks_hostile_cases.c.
 */
#include <json-c/json.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/luks_hostile.h"

/* "LUKS2 On-Disk Format Specification" 1.1.1, figure 2. */
#define COPY_SIZE   16384u
#define JSON_OFFSET 4096u
#define JSON_SIZE   (COPY_SIZE - JSON_OFFSET)
#define SUM_OFFSET  448u
#define SUM_SIZE    64u

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void read_copy(int fd, int i, uint8_t copy[COPY_SIZE])
{
	must(pread(fd, copy, COPY_SIZE, (off_t)i * COPY_SIZE) == COPY_SIZE);
}

static void write_copy(int fd, int i, uint8_t copy[COPY_SIZE], bool stale)
{
	if (!stale) {
		memset(copy + SUM_OFFSET, 0, SUM_SIZE);
		must(EVP_Digest(copy, COPY_SIZE, copy + SUM_OFFSET, NULL,
				EVP_sha256(), NULL));
	}
	must(pwrite(fd, copy, COPY_SIZE, (off_t)i * COPY_SIZE) == COPY_SIZE);
}

struct json_object *hostile_metadata(int fd)
{
	uint8_t copy[COPY_SIZE];
	struct json_object *obj;

	read_copy(fd, 0, copy);
	copy[COPY_SIZE - 1] = '\0';
	obj = json_tokener_parse((char *)copy + JSON_OFFSET);
	must(obj);
	return obj;
}

static void write_text(int fd, int copies, const char *text, bool stale)
{
	uint8_t copy[COPY_SIZE];
	size_t len = strlen(text);
	int i;

	must(len <= JSON_SIZE);
	for (i = 0; i < 2; i++) {
		if (!(copies & 1 << i))
			continue;
		read_copy(fd, i, copy);
		memset(copy + JSON_OFFSET, 0, JSON_SIZE);
		memcpy(copy + JSON_OFFSET, text, len);
		write_copy(fd, i, copy, stale);
	}
}

void hostile_write(int fd, int copies, const char *text)
{
	write_text(fd, copies, text, false);
}

void hostile_poke(int fd, int copies, unsigned int offset, const void *bytes,
		  size_t len, bool stale)
{
	uint8_t copy[COPY_SIZE];
	int i;

	must(offset + len <= COPY_SIZE);
	for (i = 0; i < 2; i++) {
		if (!(copies & 1 << i))
			continue;
		read_copy(fd, i, copy);
		if (bytes)
			memcpy(copy + offset, bytes, len);
		else
			memset(copy + offset, 0xff, len);
		write_copy(fd, i, copy, stale);
	}
}

struct json_object *hostile_parse(const char *text)
{
	struct json_tokener *tok = json_tokener_new_ex(4096);
	struct json_object *obj;

	must(tok);
	obj = json_tokener_parse_ex(tok, text, (int)strlen(text) + 1);
	must(json_tokener_get_error(tok) == json_tokener_success);
	json_tokener_free(tok);
	return obj;
}

/* The member is there before, unless it is a new one of an object. */
static void set_member(struct json_object *root, const char *member,
		       const char *value)
{
	const char *name = strrchr(member, '/');
	char *parent_name = strndup(member, (size_t)(name - member));
	struct json_object *parent = root;

	must(parent_name);
	if (*parent_name)
		must(!json_pointer_get(root, parent_name, &parent));
	if (value) {
		must(!json_object_object_add(parent, name + 1,
					     hostile_parse(value)));
	} else {
		must(json_object_object_get_ex(parent, name + 1, NULL));
		json_object_object_del(parent, name + 1);
	}
	free(parent_name);
}

static void apply_member(const struct hostile *h, int fd)
{
	struct json_object *root = hostile_metadata(fd);

	set_member(root, h->member, h->value);
	write_text(fd, h->copies,
		   json_object_to_json_string_ext(
			   root, JSON_C_TO_STRING_PLAIN |
					 JSON_C_TO_STRING_NOSLASHESCAPE),
		   h->stale);
	json_object_put(root);
}

void hostile_apply(const struct hostile *h, int fd)
{
	uint8_t ff[256];

	memset(ff, 0xff, sizeof(ff));
	if (h->version == 1)
		must(h->len <= sizeof(ff) &&
		     pwrite(fd, h->bytes ? h->bytes : (char *)ff, h->len,
			    h->offset) == h->len);
	else if (h->member)
		apply_member(h, fd);
	else if (h->text)
		write_text(fd, h->copies, h->text, h->stale);
	else
		hostile_poke(fd, h->copies, h->offset, h->bytes, h->len,
			     h->stale);
}
