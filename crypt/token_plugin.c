/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A token that a plugin of libcryptsetup opens: see token_plugin.h.
 */
#include <dlfcn.h>
#include <errno.h>
#include <libcryptsetup.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/luks_log.h"
#include "crypt/token_plugin.h"
#include "crypt/unlock_devices.h"
#include "lib/why.h"

/* libcryptsetup.h: "LUKS2 token ABI" */
struct plugin {
	crypt_token_open_func open;
	crypt_token_open_pin_func open_pin;   /* may be NULL */
	crypt_token_buffer_free_func release; /* NULL: free() */
};

#define TPM_NODES "/dev/tpm*"
#define HID_NODES "/dev/hidraw*"

static const struct {
	const char *type;
	struct unlock_devices devices;
} needs[] = {
	{ "systemd-tpm2", { { TPM_NODES } } },
	{ "systemd-fido2", { { HID_NODES } } },
	{ "systemd-pkcs11", { .sockets = true } }, /* of pcscd */
};

/* What others need is not known. */
static const struct unlock_devices other = { { TPM_NODES, HID_NODES }, true };

const struct unlock_devices *token_plugin_devices(const char *type)
{
	size_t i;

	for (i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (!strcmp(type, needs[i].type))
			return &needs[i].devices;
	return &other;
}

static int load(const char *type, struct plugin *ret, struct why *why)
{
	const char *folder = crypt_token_external_path();
	const char *version = CRYPT_TOKEN_ABI_VERSION1;
	char path[PATH_MAX];
	void *lib;

	if (!folder)
		return why_set(why, -ENOENT,
			       "libcryptsetup was built without plugins");
	snprintf(path, sizeof(path), "%s/libcryptsetup-token-%s.so", folder,
		 type);
	lib = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (!lib)
		return why_set(why, -ENOENT,
			       "no plugin for tokens of type %s: %s", type,
			       dlerror());
	*ret = (struct plugin){
		.open = (crypt_token_open_func)dlvsym(lib, CRYPT_TOKEN_ABI_OPEN,
						      version),
		.open_pin = (crypt_token_open_pin_func)dlvsym(
			lib, CRYPT_TOKEN_ABI_OPEN_PIN, version),
		.release = (crypt_token_buffer_free_func)dlvsym(
			lib, CRYPT_TOKEN_ABI_BUFFER_FREE, version),
	};
	if (ret->open)
		return 0;
	return why_set(why, -ENOENT, "%s: is no plugin for tokens", path);
}

/* A header of nothing but the token, under its number. */
static int make_device(const struct token_plugin_job *job, struct luks_log *log,
		       struct crypt_device **ret)
{
	static const struct crypt_pbkdf_type cheapest = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = "sha256",
		.iterations = 1000,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_params_luks2 params = { .sector_size = 512 };
	struct crypt_device *cd;
	char path[32];
	int r;

	crypt_metadata_locking(NULL, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", job->scratch_fd);
	r = crypt_init(&cd, path);
	if (r)
		return r;
	luks_log_attach(log, cd);
	r = crypt_set_pbkdf_type(cd, &cheapest);
	if (!r)
		r = crypt_set_metadata_size(cd, 16384, 262144);
	if (!r)
		r = crypt_format(cd, CRYPT_LUKS2, "aes", "xts-plain64", NULL,
				 NULL, 64, &params);
	if (!r)
		r = crypt_token_json_set(cd, job->token->id, job->json);
	if (r < 0) {
		crypt_free(cd);
		return r;
	}
	*ret = cd;
	return 0;
}

static int call(const struct plugin *plugin, struct crypt_device *cd,
		const struct token_plugin_job *job, char **ret, size_t *ret_len)
{
	if (!job->pin)
		return plugin->open(cd, job->token->id, ret, ret_len, NULL);
	if (!plugin->open_pin)
		return -ENOANO;
	return plugin->open_pin(cd, job->token->id, job->pin, job->pin_len, ret,
				ret_len, NULL);
}

static int explain(int err, const struct luks_log *log, struct why *why)
{
	switch (err) {
	case -ENOANO:
		return why_set(why, err, "the PIN is missing or wrong");
	case -EAGAIN:
		return why_set(why, err, "its device is not there: %s",
			       luks_log_error(log, -ENODEV));
	default:
		return why_set(why, err < 0 ? err : -EIO,
			       "the plugin did not open it: %s",
			       luks_log_error(log, err));
	}
}

int token_plugin_open(const struct token_plugin_job *job,
		      uint8_t ret[static TOKEN_PASSPHRASE_MAX],
		      uint32_t *ret_len, struct why *why)
{
	struct luks_log log = { "" };
	struct crypt_device *cd;
	struct plugin plugin;
	char *buf = NULL;
	size_t len = 0;
	int r = load(job->token->type, &plugin, why);

	if (r)
		return r;
	r = make_device(job, &log, &cd);
	if (r)
		return why_set(why, r, "it cannot be read: %s",
			       luks_log_error(&log, r));
	r = call(&plugin, cd, job, &buf, &len);
	if (r < 0 || !buf)
		r = explain(r, &log, why);
	else if (len > TOKEN_PASSPHRASE_MAX)
		r = why_set(why, -E2BIG,
			    "the plugin gave a passphrase of %zu bytes", len);
	else
		memcpy(ret, buf, *ret_len = (uint32_t)len);
	if (buf) {
		explicit_bzero(buf, len);
		if (plugin.release)
			plugin.release(buf, len);
		else
			free(buf);
	}
	crypt_free(cd);
	return r < 0 ? r : 0;
}
