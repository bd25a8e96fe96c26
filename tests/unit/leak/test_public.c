/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base64_of.h"
#include "leak/scan.h"
#include "leak/value_parts.h"

enum { MAX_KEY = 2048 };

/* A key put together: 'p' in `kinds` for each byte that is public, 's' for each that is secret, '?'
 * where both will do. */
struct key {
	unsigned char bytes[MAX_KEY];
	char kinds[MAX_KEY];
	size_t len;
};

static void put(struct key *key, const void *bytes, size_t len, char kind)
{
	assert_true(key->len + len <= MAX_KEY);
	memcpy(key->bytes + key->len, bytes, len);
	memset(key->kinds + key->len, kind, len);
	key->len += len;
}

static void put_byte(struct key *key, unsigned char byte, char kind)
{
	put(key, &byte, 1, kind);
}

/* Counted bytes, so that no two numbers are alike. */
static void put_number(struct key *key, size_t len, char kind)
{
	for (size_t i = 0; i < len; i++)
		put_byte(key, (unsigned char)(1 + (i * 7 + key->len) % 250), kind);
}

static void put_der(struct key *key, unsigned char tag, size_t len, char kind)
{
	put_byte(key, tag, kind);
	if (len >= 256) {
		put(key, "\x82", 1, kind);
		put_byte(key, (unsigned char)(len >> 8), kind);
	} else if (len >= 128) {
		put(key, "\x81", 1, kind);
	}
	put_byte(key, (unsigned char)len, kind);
}

/* Around all that the key has so far. */
static void wrap_der(struct key *key, unsigned char tag, const char *before, size_t before_len)
{
	struct key wrapped = {.len = 0};

	put_der(&wrapped, tag, key->len + before_len, '?');
	put(&wrapped, before, before_len, '?');
	for (size_t i = 0; i < key->len; i++)
		put(&wrapped, key->bytes + i, 1, key->kinds[i]);
	*key = wrapped;
}

static void make_rsa(struct key *key)
{
	static const size_t lens[] = {1, 128, 3, 128, 64, 64, 64, 64, 64};

	key->len = 0;
	for (size_t i = 0; i < 9; i++) {
		const char kind = i < 3 ? 'p' : 's';

		put_der(key, 0x02, lens[i], i < 3 ? 'p' : '?');
		put_number(key, lens[i], kind);
	}
	wrap_der(key, 0x30, "", 0);
}

static void make_rsa_of_pkcs8(struct key *key)
{
	make_rsa(key);
	wrap_der(key, 0x04, "", 0);
	wrap_der(key, 0x30,
		"\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", 18);
}

static void make_dsa(struct key *key)
{
	key->len = 0;
	for (size_t i = 0; i < 6; i++) {
		put_der(key, 0x02, 60, i < 5 ? 'p' : '?');
		put_number(key, 60, i < 5 ? 'p' : 's');
	}
	wrap_der(key, 0x30, "", 0);
}

static void make_ec(struct key *key)
{
	key->len = 0;
	put(key, "\x02\x01\x01\x04\x20", 5, '?');
	put_number(key, 32, 's');
	put(key, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 12, 'p');
	put(key, "\xa1\x44\x03\x42\x00", 5, 'p');
	put_number(key, 65, 'p');
	wrap_der(key, 0x30, "", 0);
}

static void put_string(struct key *key, const char *text, size_t len, char kind)
{
	const unsigned char head[4] = {0, 0, (unsigned char)(len >> 8), (unsigned char)len};

	put(key, head, 4, kind == 's' ? '?' : kind);
	if (text != NULL)
		put(key, text, len, kind);
	else
		put_number(key, len, kind);
}

static void begin_openssh(struct key *key, const char *cipher, const char *kind, size_t public_len)
{
	key->len = 0;
	put(key, "openssh-key-v1", 15, '?');
	put_string(key, cipher, strlen(cipher), '?');
	put_string(key, "none", 4, '?');
	put_string(key, "", 0, '?');
	put(key, "\0\0\0\1", 4, '?');
	put(key, "\0\0\0", 3, '?');
	put_byte(key, (unsigned char)(8 + strlen(kind) + public_len), '?');
	put_string(key, kind, strlen(kind), 'p');
	put_string(key, NULL, public_len, 'p');
}

static void make_ed25519(struct key *key)
{
	begin_openssh(key, "none", "ssh-ed25519", 32);
	put(key, "\0\0\0\x8c", 4, '?');
	put(key, "checkchk", 8, '?');
	put_string(key, "ssh-ed25519", 11, 'p');
	put_string(key, NULL, 32, 'p');
	put(key, "\0\0\0\x40", 4, '?');
	put_number(key, 32, 's');
	put_number(key, 32, 'p');
	put_string(key, "a@b", 3, '?');
	put_number(key, 30, '?');
}

static void make_ecdsa(struct key *key)
{
	begin_openssh(key, "none", "ecdsa-sha2-nistp256", 65);
	put(key, "\0\0\0\xa8", 4, '?');
	put(key, "checkchk", 8, '?');
	put_string(key, "ecdsa-sha2-nistp256", 19, 'p');
	put_string(key, "nistp256", 8, 'p');
	put_string(key, NULL, 65, 'p');
	put_string(key, NULL, 32, 's');
	put_number(key, 32, '?');
}

static void make_encrypted_openssh(struct key *key)
{
	begin_openssh(key, "aes256-ctr", "ssh-ed25519", 32);
	put_string(key, NULL, 200, 's');
}

/* A secret key of two numbers, a name, a signature. */
static void make_pgp(struct key *key)
{
	key->len = 0;
	put(key, "\x95\x01\x13\x04time\x01", 9, 'p');
	put(key, "\x04\x00", 2, 'p');
	put_number(key, 128, 'p');
	put(key, "\x00\x11", 2, 'p');
	put_number(key, 3, 'p');
	put_number(key, 134, 's');
	put(key,
		"\xb4\x05"
		"a <b>",
		7, 'p');
	put(key, "\x89\x00\x40", 3, 'p');
	put_number(key, 64, 'p');
	put(key, "\xc7\x6a\x04time\x16\x0a", 9, 'p');
	put_number(key, 10, 'p');
	put(key, "\x00\xf0", 2, 'p');
	put_number(key, 30, 'p');
	put_number(key, 57, 's');
}

static void make_nothing(struct key *key)
{
	key->len = 0;
	put_number(key, 400, 's');
}

static const struct {
	const char *name;
	void (*make)(struct key *key);
} makers[] = {
	{"rsa", make_rsa},
	{"rsa of PKCS#8", make_rsa_of_pkcs8},
	{"dsa", make_dsa},
	{"ec", make_ec},
	{"ed25519", make_ed25519},
	{"ecdsa", make_ecdsa},
	{"encrypted", make_encrypted_openssh},
	{"pgp", make_pgp},
	{"nothing", make_nothing},
};
enum { N_MAKERS = sizeof(makers) / sizeof(makers[0]) };

static void public_bytes_are_told_from_secret_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_MAKERS; i++) {
		struct key key;
		unsigned char is_public[MAX_KEY];

		makers[i].make(&key);
		sb_value_mark_public(key.bytes, key.len, is_public);
		for (size_t at = 0; at < key.len; at++)
			if ((key.kinds[at] == 'p' && is_public[at] != 1) ||
				(key.kinds[at] == 's' && is_public[at] != 0))
				fail_msg("%s: byte %zu of %zu", makers[i].name, at, key.len);
	}
}

/* On the heap, so that the sanitizer sees what reads or writes past the end. */
static void keys_that_break_off_or_are_damaged_do_no_harm(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_MAKERS; i++) {
		struct key key;

		makers[i].make(&key);
		for (size_t n = 0; n <= key.len; n++) {
			sb_autofree unsigned char *bytes = sb_malloc(n + 1);
			sb_autofree unsigned char *is_public = sb_malloc(n + 1);

			memcpy(bytes, key.bytes, n);
			is_public[n] = 7;
			sb_value_mark_public(bytes, n, is_public);
			if (n > 0) {
				bytes[n / 2] ^= 0xff;
				sb_value_mark_public(bytes, n, is_public);
				bytes[n / 3] = 0x84;
				sb_value_mark_public(bytes, n, is_public);
			}
			assert_int_equal(is_public[n], 7);
		}
	}
}

static struct sb_secrets *pem_of(const struct key *key)
{
	struct sb_secrets *secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char body[MAX_KEY * 2];
	char pem[MAX_KEY * 3];
	const size_t len = base64_of((const char *)key->bytes, key->len, body);
	size_t n = (size_t)snprintf(pem, sizeof(pem), "-----BEGIN PRIVATE KEY-----\n");

	for (size_t at = 0; at < len; at += 64)
		n += (size_t)snprintf(pem + n, sizeof(pem) - n, "%.*s\n",
			(int)(len - at < 64 ? len - at : 64), body + at);
	n += (size_t)snprintf(pem + n, sizeof(pem) - n, "-----END PRIVATE KEY-----\n");
	assert_int_equal(sb_secrets_add_bytes(secrets, "key", pem, n, &err), 0);
	return secrets;
}

static void a_key_is_found_in_binary_and_its_public_half_is_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_MAKERS; i++) {
		struct key key;
		struct key half;

		makers[i].make(&key);
		half = key;
		for (size_t at = 0; at < half.len; at++)
			half.bytes[at] = half.kinds[at] == 's' ? 0 : half.bytes[at];

		SB_AUTO(sb_secrets) secrets = pem_of(&key);
		SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);
		struct sb_leak leak;

		if (!sb_scanner_check(scanner, key.bytes, key.len, &leak))
			fail_msg("%s is not found", makers[i].name);
		assert_string_equal(leak.form, "raw");
		if (sb_scanner_check(scanner, half.bytes, half.len, &leak))
			fail_msg("%s: its public half is found", makers[i].name);
	}
}

/* Whichever of the two the secret is. */
static void an_rsa_key_is_found_in_the_other_binary_form(void **state)
{
	struct key keys[2];

	(void)state;
	make_rsa(&keys[0]);
	make_rsa_of_pkcs8(&keys[1]);
	for (size_t i = 0; i < 2; i++) {
		SB_AUTO(sb_secrets) secrets = pem_of(&keys[i]);
		SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);
		char text[MAX_KEY * 2];
		struct sb_leak leak;

		assert_true(sb_scanner_check(scanner, keys[1 - i].bytes, keys[1 - i].len, &leak));
		assert_true(sb_scanner_check(scanner, text,
			base64_of((const char *)keys[1 - i].bytes, keys[1 - i].len, text), &leak));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(public_bytes_are_told_from_secret_ones),
		cmocka_unit_test(keys_that_break_off_or_are_damaged_do_no_harm),
		cmocka_unit_test(a_key_is_found_in_binary_and_its_public_half_is_not),
		cmocka_unit_test(an_rsa_key_is_found_in_the_other_binary_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
