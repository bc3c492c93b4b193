/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Looks for a passphrase, a volume key and its schedules in the memory of
 * processes and in files.
 *
 *   secrets scan PASSPHRASE-FILE KEY-FILE PID     memory of a process
 *   secrets file PASSPHRASE-FILE KEY-FILE FILE    a file, such as a core dump
 *   secrets hold PASSPHRASE-FILE KEY-FILE         hold all of it openly, print
 *                                                 a line, wait for a signal
 *   secrets dump PID FILE                         all that can be read of a
 *                                                 process
 *   secrets without-secretmem COMMAND...          run where memfd_secret(2)
 *                                                 does not exist
 *
 * Prints a line "KIND NUMBER REGION" for every kind of secret found in a
 * region of memory, then "seen BYTES", "hidden BYTES" (secret memory) and
 * "unread BYTES".  Exits with 0 if nothing was found, 1 if something was, 2
 * if it could not look.
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/secrets/memory.h"
#include "tests/secrets/patterns.h"

#define PLACES_MAX 256u

/* The hits of a region. */
struct place {
	char name[128];
	unsigned nr[NR_KINDS];
};

struct search {
	struct patterns patterns;
	const struct region *region;
	unsigned nr_places;
	struct place places[PLACES_MAX];
};

struct input {
	uint8_t passphrase[PATTERN_BYTES_MAX], key[64];
	size_t passphrase_len, key_len;
};

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "secrets: %s: %s\n", what,
		errno ? strerror(errno) : "not as it should be");
	exit(2);
}

static size_t read_file(const char *path, uint8_t *buf, size_t room)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		die(path);
	n = fread(buf, 1, room, f);
	if (ferror(f))
		die(path);
	fclose(f);
	return n;
}

static void read_input(struct input *in, char **argv)
{
	in->passphrase_len =
		read_file(argv[0], in->passphrase, sizeof(in->passphrase));
	in->key_len = read_file(argv[1], in->key, sizeof(in->key));
}

static struct place *place_of(struct search *s, const char *name)
{
	unsigned i;

	for (i = 0; i < s->nr_places; i++)
		if (!strcmp(s->places[i].name, name))
			return &s->places[i];
	if (s->nr_places == PLACES_MAX)
		die("too many regions");
	snprintf(s->places[i].name, sizeof(s->places[i].name), "%s", name);
	s->nr_places++;
	return &s->places[i];
}

static void on_found(void *arg, const struct pattern *what, size_t at)
{
	struct search *s = arg;
	const char *name = s->region->name[0] ? s->region->name : "private";

	place_of(s, name)->nr[what->kind]++;
}

static void on_memory(void *arg, const struct region *region, uint64_t address,
		      const uint8_t *buf, size_t len, size_t all)
{
	struct search *s = arg;

	s->region = region;
	patterns_search(&s->patterns, buf, len, all, on_found, s);
}

static int tell(const struct search *s, const struct seen *seen)
{
	unsigned i, k;
	int found = 0;

	for (i = 0; i < s->nr_places; i++) {
		for (k = 0; k < NR_KINDS; k++) {
			if (!s->places[i].nr[k])
				continue;
			printf("%s %u %s\n", kind_names[k], s->places[i].nr[k],
			       s->places[i].name);
			found = 1;
		}
	}
	printf("seen %" PRIu64 "\nhidden %" PRIu64 "\nunread %" PRIu64 "\n",
	       seen->bytes, seen->hidden, seen->unread);
	return found;
}

static int search(bool process, char **argv)
{
	static struct search s;
	struct input in;
	struct seen seen;
	int err;

	read_input(&in, argv);
	if (patterns_add_passphrase(&s.patterns, in.passphrase,
				    in.passphrase_len) ||
	    patterns_add_key(&s.patterns, in.key, in.key_len)) {
		errno = 0;
		die("passphrase or key");
	}
	err = process ? memory_of_process(atoi(argv[2]), on_memory, &s, &seen)
		      : memory_of_file(argv[2], on_memory, &s, &seen);
	if (err) {
		errno = -err;
		die(argv[2]);
	}
	return tell(&s, &seen);
}

/* As a careless program would have it. */
static int hold(char **argv)
{
	static struct input in;
	EVP_CIPHER_CTX *enc = EVP_CIPHER_CTX_new(), *dec = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *cipher;

	read_input(&in, argv);
	cipher = in.key_len == 64 ? EVP_aes_256_xts() : EVP_aes_128_xts();
	if (!enc || !dec || !EVP_EncryptInit(enc, cipher, in.key, NULL) ||
	    !EVP_DecryptInit(dec, cipher, in.key, NULL)) {
		errno = 0;
		die("OpenSSL");
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

static void on_dump(void *arg, const struct region *region, uint64_t address,
		    const uint8_t *buf, size_t len, size_t all)
{
	if (fwrite(buf, 1, len, arg) != len)
		die("the dump");
}

static int dump(char **argv)
{
	FILE *f = fopen(argv[1], "we");
	struct seen seen;
	int err;

	if (!f)
		die(argv[1]);
	err = memory_of_process(atoi(argv[0]), on_dump, f, &seen);
	if (fclose(f))
		die(argv[1]);
	if (err) {
		errno = -err;
		die(argv[0]);
	}
	return 0;
}

static int without_secretmem(char **argv)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	if (!ctx ||
	    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
			     SCMP_SYS(memfd_secret), 0) ||
	    seccomp_load(ctx))
		die("seccomp");
	execvp(argv[0], argv);
	die(argv[0]);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "scan") && argc == 5)
		return search(true, argv + 2);
	if (!strcmp(what, "file") && argc == 5)
		return search(false, argv + 2);
	if (!strcmp(what, "hold") && argc == 4)
		return hold(argv + 2);
	if (!strcmp(what, "dump") && argc == 4)
		return dump(argv + 2);
	if (!strcmp(what, "without-secretmem") && argc > 2)
		return without_secretmem(argv + 2);
	fputs("secrets: scan, file, hold, dump or without-secretmem\n", stderr);
	return 2;
}
