/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "leak/judge.h"
#include "leak/scan.h"
#include "leak/values.h"

enum { MAX_PARTS = 6 };

struct value_case {
	const char *text;
	const char *secret[MAX_PARTS]; /* each alone is a find */
	const char *harmless;          /* a text that holds only what is public of it */
};

/* No real key: the body is counted. */
#define PEM_FIRST "MIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEAx0aBcDeFgHiJkLmN"
#define PEM_SECOND "qP1rS2tU3vW4xY5zA6bC7dE8fG9hI0jK1lM2nO3pQ4rS5tU6vW7xY8zA9bC0dE1f"
#define PEM_THIRD "G2hI3jK4lM5nO6pQ7rS8tU9vW0xY1zA2bC3dE4fG5hI6jK7lM8nO9pQ0rS1tU2=="
#define CERT_BODY "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ"

static const struct value_case cases[] = {
	{"{\n \"type\": \"service_account\",\n \"project_id\": \"my-project-12\",\n"
	 " \"private_key_id\": \"7c1fd9a05e3b82f46a90c7d1e8b35f2a04d69c1e\",\n"
	 " \"private_key\": \"-----BEGIN PRIVATE KEY-----\\n" PEM_FIRST "\\n" PEM_SECOND
	 "\\n" PEM_THIRD "\\n-----END PRIVATE KEY-----\\n\",\n"
	 " \"client_email\": \"robot@my-project-12.iam.gserviceaccount.com\",\n"
	 " \"client_id\": \"123456789012345678901\",\n"
	 " \"auth_uri\": \"https://accounts.google.com/o/oauth2/auth\",\n"
	 " \"token_uri\": \"https://oauth2.googleapis.com/token\",\n"
	 " \"auth_provider_x509_cert_url\": \"https://www.googleapis.com/oauth2/v1/certs\",\n"
	 " \"client_x509_cert_url\": "
	 "\"https://www.googleapis.com/robot/v1/metadata/x509/robot%40my-project-12\",\n"
	 " \"universe_domain\": \"googleapis.com\"\n}\n",
		{PEM_SECOND, PEM_FIRST PEM_SECOND PEM_THIRD,
			"-----BEGIN PRIVATE KEY-----\n" PEM_FIRST "\n" PEM_SECOND "\n",
			"7c1fd9a05e3b82f46a90c7d1e8b35f2a04d69c1e"},
		"service_account my-project-12 -----BEGIN PRIVATE KEY-----\n-----END PRIVATE "
		"KEY-----\n" PEM_FIRST " robot@my-project-12.iam.gserviceaccount.com "
		"123456789012345678901 https://accounts.google.com/o/oauth2/auth "
		"https://oauth2.googleapis.com/token https://www.googleapis.com/oauth2/v1/certs "
		"https://www.googleapis.com/robot/v1/metadata/x509/robot%40my-project-12 "
		"googleapis.com private_key_id universe_domain"},
	{"{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":"
	 "\"YnVpbGRlcjpjb3JyZWN0LWhvcnNlLTk=\"}},\"credsStore\":\"secretservice\","
	 "\"credHelpers\":{\"public.ecr.aws\":\"ecr-login\"}}",
		{"YnVpbGRlcjpjb3JyZWN0LWhvcnNlLTk=", "correct-horse-9"},
		"https://index.docker.io/v1/ secretservice public.ecr.aws ecr-login builder"},
	{"//registry.example.org/:_authToken=npm_a1B2c3D4e5F6g7H8\nregistry=https://"
	 "registry.example.org/"
	 "\nalways-auth=true\n# a comment that is long\n",
		{"npm_a1B2c3D4e5F6g7H8"},
		"registry=https://registry.example.org/\nalways-auth=true\n# a comment that is "
		"long\n"},
	{"machine api.example.com login deploy password s3cr3t-of-deploy\n"
	 "machine other.example.com\n  login deploy\n  password another-one!\n",
		{"s3cr3t-of-deploy", "another-one!"},
		"machine api.example.com login deploy password\nmachine other.example.com\n"},
	{"apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    certificate-authority-data: "
	 "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURkekNDQWwrZ0F3SUJBZ0lFQWdBQQotLS0tLUVORCBDRVJUS"
	 "UZJ"
	 "Q0FURS0tLS0tCg==\n    server: https://kubernetes.default.svc:6443\n  name: "
	 "default\nusers:\n"
	 "- name: default\n  user:\n    token: abcdefgh-ijklmnop-token\n    password: "
	 "\"quoted \\\"pass\"\n",
		{"abcdefgh-ijklmnop-token", "quoted \"pass"},
		"apiVersion: v1\nkind: Config\n"
		"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURkekNDQWwrZ0F3SUJBZ0lFQWdBQQotLS0tLUVORC"
		"BDRVJUSU"
		"ZJQ0FURS0tLS0tCg== -----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAA\n "
		"https://kubernetes.default.svc:6443 server: name: default"},
	{"[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = "
	 "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\nregion = eu-central-1\n",
		{"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"},
		"[default] aws_access_key_id aws_secret_access_key region = eu-central-1"},
	{"db.example.com:5432:app:deploy:correct-horse-9\n# x\n*:*:*:other:staple-battery-7\n",
		{"correct-horse-9", "staple-battery-7"}, "db.example.com:5432:app:deploy"},
	{"# settings\nexport DB_PASSWORD='correct horse 9'\nDB_HOST=db.internal.example.com\n"
	 "DATABASE_URL=postgres://app:hunter2-hunter3@db/app\nDEBUG=true\nLOG_LEVEL=information\n"
	 "SESSION_SECRET=\"with "
	 "\\\"quotes\\\"\"\nKEY_FILE=/etc/ssl/private/app.key\nX_TOKEN=${OTHER}\n",
		{"correct horse 9", "hunter2-hunter3", "with \"quotes\""},
		"DB_PASSWORD DB_HOST=db.internal.example.com postgres://app db/app DEBUG=true "
		"LOG_LEVEL=information /etc/ssl/private/app.key ${OTHER}"},
	/* a bundle: what is in every image */
	{"-----BEGIN CERTIFICATE-----\n" CERT_BODY "\n" CERT_BODY "\n-----END CERTIFICATE-----\n"
	 "-----BEGIN CERTIFICATE-----\n" PEM_SECOND "\n-----END CERTIFICATE-----\n",
		{NULL},
		"-----BEGIN CERTIFICATE-----\n" PEM_SECOND "\n-----END CERTIFICATE-----\n"
		"-----BEGIN CERTIFICATE-----\n" CERT_BODY "\n" CERT_BODY
		"\n-----END CERTIFICATE-----\n"},
	/* a certificate with its key */
	{"-----BEGIN CERTIFICATE-----\n" CERT_BODY "\n-----END CERTIFICATE-----\n"
	 "-----BEGIN RSA PRIVATE KEY-----\n" PEM_FIRST "\n" PEM_SECOND "\n" PEM_THIRD
	 "\n-----END RSA PRIVATE KEY-----\n",
		{PEM_SECOND, PEM_THIRD}, "-----BEGIN CERTIFICATE-----\n" CERT_BODY "\n" PEM_FIRST},
	{"github.com ssh-ed25519 "
	 "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n"
	 "gitlab.com ssh-ed25519 "
	 "AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf\n",
		{NULL},
		"github.com ssh-ed25519 "
		"AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n"},
	/* lines alone: a word is none, what is mixed or has marks is one */
	{"production\nx9Kq2mPz8LwT4\nthis is a sentence of words\nstaple!battery\n",
		{"x9Kq2mPz8LwT4", "staple!battery"}, "production\nthis is a sentence of words\n"},
	/* one line: the whole of it, and what is in it */
	{"TOKEN=staple-battery-7\n", {"TOKEN=staple-battery-7", "staple-battery-7"}, "TOKEN="},
	{"https://deploy:staple-battery-7@git.example.com/\n", {"staple-battery-7"},
		"https://git.example.com/ deploy"},
	/* what an editor or a program of Windows leaves around it */
	{"\xef\xbb\xbfstaple-battery-7\r\n", {"staple-battery-7"}, "\xef\xbb\xbf\r\n"},
	{"  staple-battery-7\t \n", {"staple-battery-7"}, "staple-battery"},
	/* elements of XML */
	{"<settings>\n<server><id>central-mirror</id>\n<password>staple&amp;battery-7</password>\n"
	 "<url>https://repository.example.com/</url></server>\n</settings>\n",
		{"staple&battery-7", "staple&amp;battery-7"},
		"<settings><server><id>central-mirror</id><password>none</password>"
		"https://repository.example.com/"},
	{"<password>staple-battery-7", {NULL}, "<password>"},
	{"just a phrase of words", {"just a phrase of words"}, "just a phrase"},
	/* nothing that breaks off does harm */
	{"{\"password\":\"staple-battery-7", {"staple-battery-7"}, "{\"password\":"},
	{"{\"password\":\"staple-battery-7\\", {NULL}, "{\"password\":"},
	{"{\"a\\u12\":\"\\ud800staple-battery-7\\u00\"", {NULL}, "{"},
	{"A=\"staple-battery-7\nB='", {NULL}, "A="},
	{"-----BEGIN PRIVATE KEY-----", {NULL}, "-----BEGIN "},
	{"x\n-----BEGIN PRIVATE KEY-----\n" PEM_FIRST "\n" PEM_SECOND, {PEM_SECOND}, PEM_FIRST},
	{"[[[[[[[[{{{{{{{{\"\"\"\"::::::", {NULL}, "[[["},
};
enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };

static struct sb_secrets *secrets_of(const char *value)
{
	struct sb_secrets *secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_secrets_add_bytes(secrets, "s", value, strlen(value), &err), 0);
	return secrets;
}

static void secret_parts_are_found_and_public_ones_are_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CASES; i++) {
		SB_AUTO(sb_secrets) secrets = secrets_of(cases[i].text);
		SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);
		struct sb_leak leak;

		for (size_t k = 0; k < MAX_PARTS && cases[i].secret[k] != NULL; k++)
			if (!sb_scanner_check(
				    scanner, cases[i].secret[k], strlen(cases[i].secret[k]), &leak))
				fail_msg("case %zu: '%s' is not found", i, cases[i].secret[k]);
		if (sb_scanner_check(scanner, cases[i].harmless, strlen(cases[i].harmless), &leak))
			fail_msg("case %zu: '%.20s' is found", i, cases[i].harmless + leak.offset);
		assert_true(sb_scanner_check(scanner, cases[i].text, strlen(cases[i].text), &leak));
	}
}

/* Every beginning and end of a file is read without harm, whatever it breaks off in. */
static void files_that_break_off_anywhere_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CASES; i++) {
		const size_t len = strlen(cases[i].text);

		for (size_t n = 1; n < len; n += 1 + len / 200) {
			const struct sb_secret parts[] = {
				{.bytes = cases[i].text, .len = n},
				{.bytes = cases[i].text + len - n, .len = n},
			};

			for (size_t k = 0; k < 2; k++) {
				SB_AUTO(sb_secret_memory) memory = sb_secret_memory_new();
				struct sb_values values = {0};

				sb_values_find(&parts[k], memory, n % 2 == 0, &values);
				SB_ARRAY_FOREACH (&values, value)
					assert_true(value->len > 0);
				sb_values_release(&values);
			}
		}
	}
}

/* As UTF-16 with the mark of byte order. */
static size_t widen(const char *text, bool is_big, char *out)
{
	size_t n = 0;

	out[n++] = is_big ? '\xfe' : '\xff';
	out[n++] = is_big ? '\xff' : '\xfe';
	for (; *text != '\0'; text++) {
		out[n++] = is_big ? '\0' : *text;
		out[n++] = is_big ? *text : '\0';
	}
	return n;
}

static void a_file_of_utf16_is_read_as_text(void **state)
{
	static const char text[] = "HOST=db.example.com\r\nDB_PASSWORD=staple-battery-7\r\n";
	static const char euro[] = "\xff\xfes\0t\0a\0p\0\xac\x20\x3d\xd8\x00\xde-\0x\0\n";
	struct sb_leak leak;
	char wide[200];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		SB_AUTO(sb_secrets) secrets = sb_secrets_new();
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		const size_t len = widen(i < 2 ? text : "staple-battery-7\n", i % 2 == 0, wide);

		assert_int_equal(sb_secrets_add_bytes(secrets, "s", wide, len, &err), 0);

		SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

		assert_true(sb_scanner_check(scanner, "staple-battery-7", 16, &leak));
		assert_true(sb_scanner_check(scanner, wide, len, &leak));
		assert_false(sb_scanner_check(scanner, "HOST=db.example.com", 19, &leak));
	}

	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_secrets_add_bytes(secrets, "s", euro, sizeof(euro), &err), 0);

	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

	assert_true(sb_scanner_check(scanner, "stap\xe2\x82\xac\xf0\x9f\x98\x80-x", 13, &leak));
}

static size_t public_parts(const char *text)
{
	const struct sb_secret secret = {.bytes = text, .len = strlen(text)};

	return sb_secret_public_parts(&secret);
}

static void what_is_left_out_is_counted(void **state)
{
	(void)state;
	assert_int_equal(public_parts(""), 0);
	assert_int_equal(public_parts("super-secure\n"), 0);
	assert_int_equal(public_parts("HOST=db.example.com\nDB_PASSWORD=staple-battery-7\n"), 1);
	assert_int_equal(public_parts("production\nstaging-area\n"), 2);
	assert_int_equal(public_parts("A_PASSWORD=short\nB_PASSWORD=changeme\n"), 2);
	assert_int_equal(
		public_parts(
			"-----BEGIN CERTIFICATE-----\n" CERT_BODY "\n-----END CERTIFICATE-----\n"
			"-----BEGIN CERTIFICATE-----\n" CERT_BODY "\n-----END CERTIFICATE-----"),
		2);
}

static void random_text_is_told_from_words(void **state)
{
	static const char *const random[] = {"x9Kq2mPz8LwT4",
		"7c1fd9a05e3b82f46a90c7d1e8b35f2a04d69c1e",
		"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "npm_a1B2c3D4e5F6g7H8",
		"7f3c1b9e04d8a265", "k3j5h2g9f8d7s6a1", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"};
	static const char *const words[] = {"service_account", "MyServiceAccountName",
		"my-project-12", "information", "db.internal.example.com", "eu-central-1",
		"/usr/lib/x86_64-linux-gnu/libc.so.6", "robot@my-project.iam.gserviceaccount.com",
		"123456789012345678901", "aaaaaaaaaaaaaaaaaaaa", "application/octet-stream",
		"short1A", "two words that are random x9Kq2mPz8LwT4"};

	(void)state;
	for (size_t i = 0; i < sizeof(random) / sizeof(random[0]); i++)
		if (!sb_judge_is_random(random[i], strlen(random[i])))
			fail_msg("'%s' is random", random[i]);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (sb_judge_is_random(words[i], strlen(words[i])))
			fail_msg("'%s' is not random", words[i]);
}

/* Of what a generator of passwords makes, hardly anything may be taken for a word. */
static void random_tokens_pass_the_floor(void **state)
{
	static const char *const alphabets[] = {
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
		"abcdefghijklmnopqrstuvwxyz0123456789", "0123456789abcdef",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"};
	static const size_t lengths[] = {16, 20, 24, 32, 40, 64};
	uint64_t seed = 88172645463325252u;

	(void)state;
	for (size_t a = 0; a < 4; a++) {
		for (size_t k = 0; k < 6; k++) {
			size_t n_missed = 0;

			for (size_t trial = 0; trial < 1000; trial++) {
				char token[64];

				for (size_t i = 0; i < lengths[k]; i++) {
					seed ^= seed << 13;
					seed ^= seed >> 7;
					seed ^= seed << 17;
					token[i] =
						alphabets[a][(seed >> 20) % strlen(alphabets[a])];
				}
				n_missed += !sb_judge_is_random(token, lengths[k]);
			}
			if (n_missed > 60)
				fail_msg("%zu of 1000 (alphabet %zu, %zu bytes)", n_missed, a,
					lengths[k]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secret_parts_are_found_and_public_ones_are_not),
		cmocka_unit_test(files_that_break_off_anywhere_are_read),
		cmocka_unit_test(a_file_of_utf16_is_read_as_text),
		cmocka_unit_test(what_is_left_out_is_counted),
		cmocka_unit_test(random_text_is_told_from_words),
		cmocka_unit_test(random_tokens_pass_the_floor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
