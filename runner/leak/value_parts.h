/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_VALUE_PARTS_H
#define SB_LEAK_VALUE_PARTS_H

#include "leak/values.h"

/*
 * How leak/values.c and the readers of the forms that a secret file can have hand parts to each
 * other. A reader never fails: what it does not understand has no parts.
 */
struct sb_value_finder {
	struct sb_values *out;
	struct sb_secret_memory *memory;
	size_t max_values;
	unsigned depth; /* of what is in what */
};

/* Adds it, once. It must be the secret's, or lie in the finder's memory. */
void sb_value_add(
	struct sb_value_finder *finder, const char *bytes, size_t len, enum sb_value_kind kind);
/* A value that stands after a name, which may be empty: judges it, and looks for parts in it. */
void sb_value_part(struct sb_value_finder *finder, const char *name, size_t name_len,
	const char *value, size_t len);

/* Every string that is no key is a part. */
void sb_value_read_json(struct sb_value_finder *finder, const char *text, size_t len);
/* Lines: PEM blocks, assignments, what else has a line to itself. */
void sb_value_read_lines(struct sb_value_finder *finder, const char *text, size_t len);
/* `text` is at a line with "-----BEGIN"; adds the block unless it is public, and gives how many
 * bytes it took. */
size_t sb_value_read_pem(struct sb_value_finder *finder, const char *text, size_t len);

/*
 * Which bytes of a private key are in its public half too, or in what is signed with it: a key of
 * PKCS#1, PKCS#8, RFC 5915, OpenSSH or OpenPGP. Nothing is marked in what is none. out_is_public
 * has `len` bytes, each becomes 0 or 1.
 */
void sb_value_mark_public(const unsigned char *bytes, size_t len, unsigned char *out_is_public);

/* The bytes of base64 without padding, in the given memory; NULL where it is none. */
const char *sb_value_decode_base64(
	struct sb_secret_memory *memory, const char *text, size_t len, size_t *out_len);

/* UTF-16 that begins with the mark of byte order, as UTF-8, in the given memory; NULL where it is
 * none, or has NULs. */
const char *sb_value_decode_utf16(
	struct sb_secret_memory *memory, const char *bytes, size_t len, size_t *out_len);

/* With the escapes of JSON undone; the text itself when it has none. */
const char *sb_value_unescape(
	struct sb_secret_memory *memory, const char *text, size_t len, size_t *out_len);

#endif
