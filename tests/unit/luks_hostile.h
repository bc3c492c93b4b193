/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A generator of damaged and hostile LUKS headers: a table of named cases,
 * each of which turns a sound container into one variant, and the pieces it
 * is made of.  Needs nothing of the tests' framework: what cannot be done
 * aborts.
 */
#ifndef TESTS_LUKS_HOSTILE_H
#define TESTS_LUKS_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* Which copies of a LUKS2 header a case is about. */
enum {
	COPY_FIRST = 1,
	COPY_SECOND = 2,
	COPY_BOTH = COPY_FIRST | COPY_SECOND,
};

enum hostile_outcome {
	HOSTILE_REFUSED,  /* says why, exit code 4 */
	HOSTILE_REPAIRED, /* served from the other copy, and says so */
	HOSTILE_SERVED,	  /* odd, but harmless */
};

struct hostile {
	const char *name;
	int version; /* of LUKS: 1 or 2 */
	enum hostile_outcome outcome;
	const char *says; /* part of the reason, or of the note */
	int copies;
	/* LUKS2: a member of the metadata (RFC 6901), or NULL. */
	const char *member;
	const char *value; /* JSON; NULL: the member is removed */
	/* LUKS2: the whole text of the metadata, or NULL. */
	const char *text;
	/* Else bytes of the binary header. */
	uint16_t offset, len;
	const char *bytes; /* @len of them; NULL: all 0xff */
	bool stale;	   /* leave the checksum as it was */
};

extern const struct hostile hostile_cases[];
extern const size_t hostile_nr;

/*
 * Change the container open at @fd, of the case's version, one data segment,
 * key slot 0, headers of 16 KiB.
 */
void hostile_apply(const struct hostile *h, int fd);

/* The metadata of the first copy; freed with json_object_put. */
struct json_object *hostile_metadata(int fd);

/* JSON of any depth; freed with json_object_put. */
struct json_object *hostile_parse(const char *text);

/* Write metadata into @copies, with right checksums. */
void hostile_write(int fd, int copies, const char *text);

/* Overwrite a place in the binary header of @copies, and seal them or not. */
void hostile_poke(int fd, int copies, unsigned int offset, const void *bytes,
		  size_t len, bool stale);

#endif
