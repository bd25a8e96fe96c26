/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include "leak/value_parts.h"

enum {
	MAX_DEPTH = 6,
	MAX_CHILDREN = 16,
	RSA_INTEGERS = 9, /* version, n, e and six more: RFC 8017, A.1.2 */
	DSA_INTEGERS = 6, /* version, p, q, g, y, x */
	OPENSSH_CHECK_BYTES = 8,
	PGP_HEAD_BYTES = 6, /* version 4, a time, the algorithm */
};

enum der_tag {
	DER_INTEGER = 0x02,
	DER_OCTETS = 0x04,
	DER_OBJECT_ID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_PARAMETERS = 0xa0, /* of RFC 5915 and RFC 5958: the curve, attributes, … */
	DER_PUBLIC = 0xa1,     /* … and the public key */
	DER_PUBLIC_BITS = 0x81,
};

struct key {
	const unsigned char *bytes;
	size_t len;
	unsigned char *is_public;
};

struct element {
	unsigned char tag;
	size_t start;
	size_t content;
	size_t end;
};

static void mark(const struct key *key, size_t from, size_t to)
{
	memset(key->is_public + from, 1, to - from);
}

/* The element at `at`, which ends by `end`. */
static bool read_element(const struct key *key, size_t at, size_t end, struct element *out)
{
	const unsigned char *p = key->bytes;
	size_t len = 0;

	*out = (struct element){.start = at};
	if (end - at < 2)
		return false;
	out->tag = p[at++];
	len = p[at++];
	if (len > 0x80) {
		size_t n = len & 0x7f;

		if (n > 4 || n > end - at)
			return false;
		for (len = 0; n > 0; n--)
			len = len << 8 | p[at++];
	}
	if (len > end - at)
		return false;
	out->content = at;
	out->end = at + len;
	return true;
}

static size_t read_elements(
	const struct key *key, size_t at, size_t end, struct element out[static MAX_CHILDREN])
{
	size_t n = 0;

	while (at < end && n < MAX_CHILDREN) {
		if (!read_element(key, at, end, &out[n]))
			return 0;
		at = out[n++].end;
	}
	return at == end ? n : 0;
}

static size_t count_integers(const struct element *elements, size_t n)
{
	size_t count = 0;

	while (count < n && elements[count].tag == DER_INTEGER)
		count++;
	return count;
}

/* The elements of PKCS#1, PKCS#8, RFC 5915 and of DSA's keys, by their looks. */
static void mark_der(const struct key *key, size_t at, size_t end, unsigned depth)
{
	struct element elements[MAX_CHILDREN];
	const size_t n = read_elements(key, at, end, elements);
	const size_t n_integers = count_integers(elements, n);

	if (n_integers >= RSA_INTEGERS)
		mark(key, at, elements[2].end);
	else if (n_integers == DSA_INTEGERS && n == DSA_INTEGERS)
		mark(key, at, elements[4].end);
	for (size_t i = 0; i < n && depth < MAX_DEPTH; i++) {
		const struct element *e = &elements[i];
		const unsigned char first = e->content < e->end ? key->bytes[e->content] : 0;

		if (e->tag == DER_PARAMETERS || e->tag == DER_PUBLIC || e->tag == DER_PUBLIC_BITS ||
			(e->tag == DER_SEQUENCE && first == DER_OBJECT_ID))
			mark(key, e->start, e->end);
		else if (e->tag == DER_SEQUENCE || (e->tag == DER_OCTETS && first == DER_SEQUENCE))
			mark_der(key, e->content, e->end, depth + 1);
	}
}

/* A number of `n` bytes, the high one first; false where there is none. */
static bool read_number(const struct key *key, size_t *at, size_t n, size_t *out)
{
	if (key->len - *at < n)
		return false;
	for (*out = 0; n > 0; n--)
		*out = *out << 8 | key->bytes[(*at)++];
	return true;
}

/* Passes a string of OpenSSH's; *out_at is where its bytes begin. */
static bool pass_string(const struct key *key, size_t *at, size_t *out_at)
{
	size_t len = 0;

	if (!read_number(key, at, 4, &len) || len > key->len - *at)
		return false;
	*out_at = *at;
	*at += len;
	return true;
}

static bool is_text(const struct key *key, size_t from, size_t to, const char *text)
{
	return to - from == strlen(text) && memcmp(key->bytes + from, text, to - from) == 0;
}

/* `at` is behind the check numbers: the kind, and the public numbers first, as in the public key.
 * ed25519 has the public key once more at the end of the private one. */
static void mark_openssh_numbers(const struct key *key, size_t at)
{
	static const struct {
		const char *kind;
		unsigned n_public;
	} kinds[] = {{"ssh-rsa", 2}, {"ssh-dss", 4}, {"ssh-ed25519", 1}, {"ecdsa-sha2-nistp256", 2},
		{"ecdsa-sha2-nistp384", 2}, {"ecdsa-sha2-nistp521", 2}};
	const size_t start = at;
	size_t kind_at = 0;
	size_t value_at = 0;

	if (!pass_string(key, &at, &kind_at))
		return;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!is_text(key, kind_at, at, kinds[i].kind))
			continue;
		for (unsigned n = 0; n < kinds[i].n_public; n++)
			if (!pass_string(key, &at, &value_at))
				return;
		mark(key, start, at);
		if (kinds[i].n_public == 1 && pass_string(key, &at, &value_at))
			mark(key, value_at + (at - value_at) / 2, at);
		return;
	}
}

/* PROTOCOL.key of OpenSSH. */
static bool mark_openssh(const struct key *key)
{
	static const char magic[] = "openssh-key-v1"; /* with its NUL */
	size_t at = sizeof(magic);
	size_t cipher_at = 0;
	size_t value_at = 0;
	size_t n_keys = 0;

	if (key->len < at || memcmp(key->bytes, magic, at) != 0)
		return false;
	if (!pass_string(key, &at, &cipher_at))
		return true;

	const bool is_plain = is_text(key, cipher_at, at, "none");

	/* Name and options of the key derivation. */
	for (int i = 0; i < 2; i++)
		if (!pass_string(key, &at, &value_at))
			return true;
	if (!read_number(key, &at, 4, &n_keys) || !pass_string(key, &at, &value_at))
		return true;
	mark(key, 0, at);
	if (is_plain && pass_string(key, &at, &value_at) && at - value_at > OPENSSH_CHECK_BYTES)
		mark_openssh_numbers(key, value_at + OPENSSH_CHECK_BYTES);
	return true;
}

/* A packet's header, RFC 4880, 4.2; *out_end is where its body ends. */
static bool read_packet(const struct key *key, size_t *at, unsigned *out_tag, size_t *out_end)
{
	const unsigned char first = key->bytes[(*at)++];
	size_t len = 0;

	if ((first & 0x80) == 0)
		return false;
	if ((first & 0x40) == 0) {
		*out_tag = first >> 2 & 15;
		if ((first & 3) == 3 || !read_number(key, at, (size_t)1 << (first & 3), &len))
			return false;
	} else {
		*out_tag = first & 63;
		if (!read_number(key, at, 1, &len) || (len >= 224 && len < 255))
			return false;
		if (len == 255 && !read_number(key, at, 4, &len))
			return false;
		if (len >= 192 && len < 224 && *at < key->len)
			len = ((len - 192) << 8) + key->bytes[(*at)++] + 192;
	}
	*out_end = *at + len;
	return len <= key->len - *at;
}

static bool pass_pgp_numbers(const struct key *key, size_t *at, unsigned n)
{
	size_t n_bits = 0;

	for (; n > 0; n--) {
		if (!read_number(key, at, 2, &n_bits) || (n_bits + 7) / 8 > key->len - *at)
			return false;
		*at += (n_bits + 7) / 8;
	}
	return true;
}

/* The public fields at the beginning of a secret key, RFC 4880, 5.5.2, RFC 6637, 9. */
static void mark_pgp_key(const struct key *key, size_t start, size_t at)
{
	size_t len = 0;

	if (key->len - at < PGP_HEAD_BYTES || key->bytes[at] != 4)
		return;

	const unsigned char algorithm = key->bytes[at + PGP_HEAD_BYTES - 1];
	const bool has_curve = algorithm == 18 || algorithm == 19 || algorithm == 22;
	const unsigned n = has_curve ? 1 : algorithm == 17 ? 4 : algorithm == 16 ? 3 : 2;

	at += PGP_HEAD_BYTES;
	if (has_curve) {
		if (!read_number(key, &at, 1, &len) || len > key->len - at)
			return;
		at += len;
	}
	if (!pass_pgp_numbers(key, &at, n))
		return;
	if (algorithm == 18) {
		if (!read_number(key, &at, 1, &len) || len > key->len - at)
			return;
		at += len;
	}
	mark(key, start, at);
}

static void mark_pgp(const struct key *key)
{
	size_t at = 0;

	while (at < key->len) {
		const size_t start = at;
		unsigned tag = 0;
		size_t end = 0;

		if (!read_packet(key, &at, &tag, &end))
			return;
		if (tag == 5 || tag == 7)
			mark_pgp_key(key, start, at);
		else if (tag == 2 || tag == 13 || tag == 17)
			mark(key, start, end);
		at = end;
	}
}

void sb_value_mark_public(const unsigned char *bytes, size_t len, unsigned char *out_is_public)
{
	const struct key key = {.bytes = bytes, .len = len, .is_public = out_is_public};

	memset(out_is_public, 0, len);
	if (len == 0 || mark_openssh(&key))
		return;
	if (bytes[0] == DER_SEQUENCE)
		mark_der(&key, 0, len, 0);
	else
		mark_pgp(&key);
}
