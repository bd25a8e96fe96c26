/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "registry/http.h"
#include "registry/http_url.h"
#include "registry/url.h"

static void only_this_machine_is_loopback(void **state)
{
	static const struct {
		const char *host;
		bool is_loopback;
	} cases[] = {
		{"localhost", true},
		{"LocalHost", true},
		{"127.0.0.1", true},
		{"127.255.255.254", true},
		{"::1", true},
		{"[::1]", true},
		{"0:0:0:0:0:0:0:1", true},
		{"", false},
		{"[]", false},
		{"[", false},
		{"localhost.example.com", false},
		{"foo.localhost", false},
		{"127.0.0.1.example.com", false},
		{"127.1", false},
		{"0127.0.0.1", false},
		{"128.0.0.1", false},
		{"0.0.0.0", false},
		{"10.0.0.1", false},
		{"::2", false},
		{"::", false},
		{"[::ffff:127.0.0.1]", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (sb_host_is_loopback(cases[i].host) != cases[i].is_loopback)
			fail_msg("'%s'", cases[i].host);
}

static void whatever_leads_to_this_machine_is_known(void **state)
{
	static const struct {
		const char *host;
		bool is_here;
	} cases[] = {
		{"localhost", true},
		{"localhost.", true},
		{"foo.localhost", true},
		{"foo.LocalHost.", true},
		{"127.0.0.1", true},
		{"0.0.0.0", true},
		{"::", true},
		{"[::]", true},
		{"[::1]", true},
		{"[::ffff:127.0.0.1]", true},
		{"[::ffff:7f00:1]", true},
		{"::ffff:0.0.0.0", true},
		{"", false},
		{".", false},
		{"notlocalhost", false},
		{"localhost.example.com", false},
		{"10.0.0.1", false},
		{"[::ffff:10.0.0.1]", false},
		{"[2001:db8::7f00:1]", false},
		{"::2", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (sb_host_is_this_machine(cases[i].host) != cases[i].is_here)
			fail_msg("'%s'", cases[i].host);
}

static void addresses_follow_the_reference(void **state)
{
	static const struct {
		const char *registry, *repository, *what, *url;
	} cases[] = {
		{"docker.io", "library/alpine", "3.20",
			"https://registry-1.docker.io/v2/library/alpine/manifests/3.20"},
		{"index.docker.io", "a/b", "latest",
			"https://registry-1.docker.io/v2/a/b/manifests/latest"},
		{"ghcr.io", "a/b/c", "x", "https://ghcr.io/v2/a/b/c/manifests/x"},
		{"example.com:80", "a", "x", "https://example.com:80/v2/a/manifests/x"},
		{"10.0.0.1:5000", "a", "x", "https://10.0.0.1:5000/v2/a/manifests/x"},
		{"127.0.0.1:5000", "a", "x", "http://127.0.0.1:5000/v2/a/manifests/x"},
		{"localhost", "a", "x", "http://localhost/v2/a/manifests/x"},
		{"[::1]:5000", "a", "x", "http://[::1]:5000/v2/a/manifests/x"},
		{"[::2]:5000", "a", "x", "https://[::2]:5000/v2/a/manifests/x"},
		{"[::1]", "a", "x", "http://[::1]/v2/a/manifests/x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sb_autofree char *registry = sb_strdup(cases[i].registry);
		sb_autofree char *repository = sb_strdup(cases[i].repository);
		const struct sb_reference ref = {.registry = registry, .repository = repository};
		sb_autofree char *base =
			sb_registry_base(registry, sb_registry_is_loopback(registry));
		sb_autofree char *url = sb_manifest_url(base, &ref, cases[i].what);

		assert_string_equal(url, cases[i].url);
	}
}

static void a_blob_is_asked_for_by_digest(void **state)
{
	char registry[] = "ghcr.io", repository[] = "a";
	const struct sb_reference ref = {.registry = registry, .repository = repository};
	struct sb_digest digest;

	(void)state;
	sb_digest_of("", 0, &digest);

	sb_autofree char *url = sb_blob_url("https://ghcr.io", &ref, &digest);

	assert_string_equal(url,
		"https://ghcr.io/v2/a/blobs/"
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void token_addresses_are_encoded(void **state)
{
	static const struct {
		const char *realm, *service, *url;
	} cases[] = {
		{"https://a/token", "registry.docker.io",
			"https://a/"
			"token?service=registry.docker.io&scope=repository%3Al%2Fx%3Apull"},
		{"https://a/token", NULL, "https://a/token?scope=repository%3Al%2Fx%3Apull"},
		{"https://a/token?x=1", "s",
			"https://a/token?x=1&service=s&scope=repository%3Al%2Fx%3Apull"},
		{"https://a/token#f?", "s",
			"https://a/token?service=s&scope=repository%3Al%2Fx%3Apull"},
		{"https://a/t", "a&scope=evil \r\n\xc3\xa9",
			"https://a/"
			"t?service=a%26scope%3Devil%20%0D%0A%C3%A9&scope=repository%3Al%2Fx%3A"
			"pull"},
	};

	SB_AUTO_STRV scopes = SB_STRV_INIT;

	(void)state;
	sb_strv_add_nodup(&scopes, sb_token_scope("l/x", false));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sb_autofree char *url = sb_token_url(cases[i].realm, cases[i].service, &scopes);

		assert_string_equal(url, cases[i].url);
	}
}

static void tokens_may_be_for_several_scopes(void **state)
{
	SB_AUTO_STRV scopes = SB_STRV_INIT;

	(void)state;
	sb_strv_add_nodup(&scopes, sb_token_scope("a", true));
	sb_strv_add_nodup(&scopes, sb_token_scope("b", false));

	sb_autofree char *url = sb_token_url("https://t/", NULL, &scopes);
	sb_autofree char *form = sb_token_form("s&cret", "the service", &scopes);

	assert_string_equal(url, "https://t/?scope=repository%3Aa%3Apull%2Cpush"
				 "&scope=repository%3Ab%3Apull");
	assert_string_equal(form,
		"grant_type=refresh_token&client_id=safebuild&service=the%20service"
		"&scope=repository%3Aa%3Apull%2Cpush%20repository%3Ab%3Apull"
		"&refresh_token=s%26cret");
}

static void uploads_have_addresses_of_their_own(void **state)
{
	char registry[] = "ghcr.io", repository[] = "a";
	const struct sb_reference ref = {.registry = registry, .repository = repository};
	struct sb_digest digest;

	(void)state;
	sb_digest_of("", 0, &digest);

	sb_autofree char *begin = sb_upload_url("https://h", &ref, NULL, NULL);
	sb_autofree char *mount = sb_upload_url("https://h", &ref, &digest, "b/c");
	sb_autofree char *end = sb_upload_end_url("https://h/u", &digest);
	sb_autofree char *end_with_state = sb_upload_end_url("https://h/u?_state=x", &digest);

#define ENCODED "sha256%3Ae3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	assert_string_equal(begin, "https://h/v2/a/blobs/uploads/");
	assert_string_equal(mount, "https://h/v2/a/blobs/uploads/?mount=" ENCODED "&from=b%2Fc");
	assert_string_equal(end, "https://h/u?digest=" ENCODED);
	assert_string_equal(end_with_state, "https://h/u?_state=x&digest=" ENCODED);
}

static void steps_between_addresses_never_lose_protection(void **state)
{
	static const struct {
		const char *from, *to;
		bool is_allowed, is_same, may_be_plain;
	} cases[] = {
		{"https://a/x", "https://a/y", true, true},
		{"https://a/x", "https://A:443/y", true, true},
		{"https://a/x", "https://a:444/y", true, false},
		{"https://a/x", "https://b/y", true, false},
		{"https://a/x", "https://a.b/y", true, false},
		{"http://127.0.0.1:1/x", "http://127.0.0.1:1/y", true, true},
		{"http://127.0.0.1:1/x", "http://127.0.0.1:2/y", true, false},
		{"http://127.0.0.1:1/x", "http://localhost:1/y", true, false},
		{"http://127.0.0.1:1/x", "https://127.0.0.1:1/y", true, false},
		{"http://127.0.0.1:1/x", "https://b/y", true, false},
		{"http://127.0.0.1:1/x", "http://b/y", false, false},
		{"https://a/x", "http://a/y", false, false},
		{"https://a/x", "http://127.0.0.1/y", false, false},
		{"https://a/x", "https://user@a/y", false, false},
		{"https://a/x", "https://a:pw@b/y", false, false},
		{"https://a/x", "ftp://a/y", false, false},
		{"https://a/x", "file:///etc/passwd", false, false},
		{"https://a/x", "gopher://127.0.0.1:1/", false, false},
		{"https://a/x", "https://", false, false},
		{"https://a/x", "/relative", false, false},
		{"https://a/x", "", false, false},
		{"https://a/x", "https://a\r\nX: y/", false, false},
		{"https://a/x", "https://127.0.0.1/y", false, false},
		{"https://a/x", "https://localhost/y", false, false},
		{"http://a/x", "http://a/y", true, true, .may_be_plain = true},
		{"http://a/x", "http://b/y", true, false, .may_be_plain = true},
		{"http://a/x", "https://a/y", true, false, .may_be_plain = true},
		{"http://127.0.0.1/x", "http://b/y", true, false, .may_be_plain = true},
		{"https://a/x", "http://a/y", false, false, .may_be_plain = true},
		{"http://a/x", "http://127.0.0.1/y", false, false, .may_be_plain = true},
		{"http://a/x", "http://u:p@a/y", false, false, .may_be_plain = true},
		{"http://a/x", "file:///etc/passwd", false, false, .may_be_plain = true},
	};
	const struct sb_http_limits limits = SB_HTTP_LIMITS_INIT;
	SB_AUTO(sb_http) http = NULL;
	SB_AUTO_ERROR opened = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_http_open(&limits, NULL, NULL, &http, &opened), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		bool is_same = false;
		const int result = sb_http_check_url(
			http, cases[i].to, cases[i].from, cases[i].may_be_plain, &is_same, &err);

		if ((result == 0) != cases[i].is_allowed || is_same != cases[i].is_same)
			fail_msg("'%s' from '%s'", cases[i].to, cases[i].from);
		if (result < 0)
			assert_int_equal(err.code, SB_E_NETWORK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_this_machine_is_loopback),
		cmocka_unit_test(whatever_leads_to_this_machine_is_known),
		cmocka_unit_test(addresses_follow_the_reference),
		cmocka_unit_test(a_blob_is_asked_for_by_digest),
		cmocka_unit_test(token_addresses_are_encoded),
		cmocka_unit_test(tokens_may_be_for_several_scopes),
		cmocka_unit_test(uploads_have_addresses_of_their_own),
		cmocka_unit_test(steps_between_addresses_never_lose_protection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
