/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Fuzz the choice of a token: as text alone, and out of a header, if
 * libcryptsetup takes it.  The first byte of the input says which token is
 * asked for, the second which key slots the gate has let through; the rest is
 * the token's JSON.
 */
#include <errno.h>
#include <json-c/json.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypt/json_get.h"
#include "crypt/luks_gate.h"
#include "crypt/luks_token.h"
#include "lib/why.h"

#define ID 5 /* of the token */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const types[] = { NULL, LUKS_TOKEN_KEYRING, "systemd-tpm2",
				     "x" };

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void be_quiet(int level, const char *msg, void *arg)
{
}

/* A header with two key slots, in memory. */
static struct crypt_device *make_header(void)
{
	static const struct crypt_pbkdf_type pbkdf = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = "sha256",
		.iterations = 1000,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_params_luks2 params = { .pbkdf = &pbkdf,
					     .sector_size = 512 };
	int fd = memfd_create("header", MFD_CLOEXEC);
	struct crypt_device *cd;
	char path[32];
	int i;

	crypt_set_log_callback(NULL, be_quiet, NULL);
	crypt_metadata_locking(NULL, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(fd >= 0 && !ftruncate(fd, 2 << 20) && !crypt_init(&cd, path));
	must(!crypt_set_metadata_size(cd, 16384, (1 << 20) - 32768) &&
	     !crypt_set_data_offset(cd, 2048));
	must(!crypt_format(cd, CRYPT_LUKS2, "aes", "xts-plain64", NULL, NULL,
			   32, &params));
	for (i = 0; i < 2; i++)
		must(crypt_keyslot_add_by_volume_key(cd, i, NULL, 0, "x", 1) ==
		     i);
	return cd;
}

/* Two bits are of slots that the header has, the rest of others. */
static void let_through(uint8_t bits, struct luks_gate *gate)
{
	static const int ids[] = { 0, 1, 2, 3, 9, 10, 30, 31 };
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (bits & 1u << i)
			gate->slots[gate->nr_slots++].id = ids[i];
}

static void check_text(const struct luks_token *token, const char *text)
{
	struct json_object *root;

	must(text && *text);
	if (!strcmp(token->type, LUKS_TOKEN_KEYRING))
		return;
	root = json_get_root(text);
	must(root && json_get_string(root, "type") &&
	     !strcmp(json_get_string(root, "type"), token->type) &&
	     !json_object_array_length(json_get_array(root, "keyslots")));
	json_object_put(root);
}

static void check(const struct luks_token *token, const struct luks_gate *gate,
		  const struct luks_token_query *query, const char *text)
{
	uint32_t slots = 0;
	unsigned int i;

	for (i = 0; i < gate->nr_slots; i++)
		slots |= 1u << gate->slots[i].id;
	must(token->id == ID && token->slots && !(token->slots & ~slots));
	must(luks_token_type_sane(token->type));
	must(!query->type || !strcmp(query->type, token->type));
	check_text(token, text);
}

static void fail_well(int err, const struct why *why, const char *text)
{
	must(err == -ENOENT || err == -EINVAL);
	must(why->text[0] && !strchr(why->text, '\n') && !text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct crypt_device *cd;
	struct luks_gate gate = { .nr_slots = 0 };
	struct luks_token_query query;
	struct luks_token token;
	struct why why = { "" };
	char *json, *text = NULL;
	int r;

	if (!cd)
		cd = make_header();
	if (len < 2)
		return 0;
	query = (struct luks_token_query){
		.id = *data & 4 ? ID : LUKS_TOKEN_ANY,
		.type = types[*data % 4],
		.from = *data & 8 ? ID + (*data >> 7) : 0,
	};
	let_through(data[1], &gate);
	json = strndup((const char *)data + 2, len - 2);
	must(json);
	r = luks_token_judge(ID, json, &gate, &query, &token, &text, &why);
	if (r)
		fail_well(r, &why, text);
	else
		check(&token, &gate, &query, text);
	free(text);
	text = NULL;
	crypt_token_json_set(cd, ID, NULL);
	if (crypt_token_json_set(cd, ID, json) != ID)
		strcpy(json, "");
	r = luks_token_find(cd, &gate, &query, &token, &text, &why);
	if (r)
		fail_well(r, &why, text);
	else
		check(&token, &gate, &query, text);
	must(r || *json);
	free(text);
	free(json);
	return 0;
}
