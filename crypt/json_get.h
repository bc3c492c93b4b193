/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Strict access to JSON that comes from outside: a value has the type that is
 * asked for, or it is not there.  No conversion between types.
 */
#ifndef CRYPT_JSON_GET_H
#define CRYPT_JSON_GET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/*
 * Parse a whole text.  NULL: no JSON, something after it, an object that
 * names a member twice, or deeper than 16 levels.  Freed with json_object_put.
 */
struct json_object *json_get_root(const char *text);

/* Member @name of @obj; NULL when it is missing or of another type. */
struct json_object *json_get_object(struct json_object *obj, const char *name);
struct json_object *json_get_array(struct json_object *obj, const char *name);
const char *json_get_string(struct json_object *obj, const char *name);

/* A number without sign or fraction; false when it is anything else. */
bool json_get_u32(struct json_object *obj, const char *name, uint32_t *ret);

/* LUKS2 keeps 64-bit numbers as decimal strings: digits only, no overflow. */
bool json_get_u64(struct json_object *obj, const char *name, uint64_t *ret);
bool json_text_u64(const char *s, uint64_t *ret);

/* Is the member there at all, whatever its type (null included)? */
bool json_has(struct json_object *obj, const char *name);

/* Does the array of strings hold @s?  NULL holds nothing. */
bool json_array_holds(struct json_object *array, const char *s);

#endif
