/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_server.h"
#include "registry/download.h"
#include "sys/fd.h"

enum { FILE_BYTES = 2 << 20 };

static const struct sb_http_limits quick = {.connect_timeout_ms = 5000,
	.stall_bytes_per_s = 1000,
	.stall_s = 1,
	.n_tries = 4,
	.first_delay_ms = 1,
	.max_delay_ms = 10};

#define DATE "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

enum fault {
	NONE,
	NO_DATE,
	BREAKS_ONCE,
	BREAKS_ONCE_AND_CHANGES,
	BREAKS_ONCE_WITHOUT_VERSION,
	BREAKS_ONCE_AND_WRONG_RANGE,
	BREAKS_ONCE_AND_SHORT_RANGE,
	WEAK_VERSION,
	BUSY_ONCE,
	MISSING,
	FORBIDDEN,
	BROKEN,
	ENDLESS,
	ANNOUNCES_TOO_MUCH,
	IN_CIRCLES,
	IS_FILE,
	ELSEWHERE,
	STALLS,
};

struct web {
	enum fault fault;
	struct fake_server *server;
	struct fake_server *other;
	char *bytes;
	char *changed;
	unsigned n_requests, n_ranges, n_with_if_range, n_secrets, n_secrets_elsewhere;
};

static void send_range(const struct web *web, int fd, const char *bytes, size_t from)
{
	fake_sendf(fd,
		"HTTP/1.1 206 Partial Content\r\nConnection: close\r\n"
		"Content-Range: bytes %zu-%d/%d\r\nContent-Length: %zu\r\n\r\n",
		web->fault == BREAKS_ONCE_AND_WRONG_RANGE ? from + 1 : from, FILE_BYTES - 1,
		FILE_BYTES, (size_t)FILE_BYTES - from);
	fake_send(fd, bytes + from, (size_t)FILE_BYTES - from);
}

/* A part of what was asked for, which a server may answer with. */
static void send_short_range(const struct web *web, int fd, size_t from)
{
	fake_sendf(fd,
		"HTTP/1.1 206 Partial Content\r\nConnection: close\r\n"
		"Content-Range: bytes %zu-%zu/%d\r\nContent-Length: 10\r\n\r\n",
		from, from + 9, FILE_BYTES);
	fake_send(fd, web->bytes + from, 10);
}

static void break_off(const struct web *web, int fd)
{
	const char *version = web->fault == BREAKS_ONCE_WITHOUT_VERSION ? ""
			      : web->fault == WEAK_VERSION              ? "ETag: W/\"1\"\r\n"
									: "ETag: \"1\"\r\n";

	fake_sendf(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n%sContent-Length: %d\r\n\r\n",
		version, FILE_BYTES);
	fake_send(fd, web->bytes, FILE_BYTES / 2);
}

static void send_endless(int fd)
{
	static const char zeros[4096];

	fake_sendf(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	for (unsigned i = 0; i < 4096; i++)
		fake_send(fd, zeros, sizeof(zeros));
}

static void answer(struct web *web, const struct fake_request *request, int fd)
{
	char range[64];
	char if_range[64];
	const bool has_range = fake_request_header(request, "Range", range, sizeof(range));
	const bool is_first = web->n_requests++ == 0;
	size_t from = 0;

	if (fake_request_header(request, "Authorization", if_range, sizeof(if_range)))
		web->n_secrets++;
	if (has_range) {
		web->n_ranges++;
		assert_int_equal(sscanf(range, "bytes=%zu-", &from), 1);
		if (fake_request_header(request, "If-Range", if_range, sizeof(if_range)) &&
			strcmp(if_range, "\"1\"") == 0)
			web->n_with_if_range++;
	}
	switch (web->fault) {
	case BREAKS_ONCE:
	case BREAKS_ONCE_WITHOUT_VERSION:
	case BREAKS_ONCE_AND_WRONG_RANGE:
	case WEAK_VERSION:
		if (is_first)
			break_off(web, fd);
		else if (has_range)
			send_range(web, fd, web->bytes, from);
		else
			fake_answer(fd, "200 OK", DATE, web->bytes, FILE_BYTES);
		return;
	case BREAKS_ONCE_AND_SHORT_RANGE:
		if (is_first)
			break_off(web, fd);
		else
			send_short_range(web, fd, from);
		return;
	case BREAKS_ONCE_AND_CHANGES:
		if (is_first)
			break_off(web, fd);
		else
			fake_answer(fd, "200 OK", "ETag: \"2\"\r\n", web->changed, FILE_BYTES);
		return;
	case BUSY_ONCE:
		if (is_first) {
			fake_answer(fd, "503 Busy", "Retry-After: 0\r\n", "", 0);
			return;
		}
		break;
	case MISSING:
		fake_answer(fd, "404 Not Found", "", "no", 2);
		return;
	case FORBIDDEN:
		fake_answer(fd, "403 Forbidden", "", "no", 2);
		return;
	case BROKEN:
		fake_answer(fd, "500 Broken", "", "no", 2);
		return;
	case ENDLESS:
		send_endless(fd);
		return;
	case ANNOUNCES_TOO_MUCH:
		fake_sendf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx");
		return;
	case IN_CIRCLES:
		fake_answer(fd, "302 Found", "Location: /again\r\n", "", 0);
		return;
	case IS_FILE:
		fake_answer(fd, "302 Found", "Location: file:///etc/passwd\r\n", "", 0);
		return;
	case STALLS:
		fake_sendf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12");
		usleep(3000000);
		return;
	case ELSEWHERE: {
		sb_autofree char *header = sb_asprintf(
			"Location: http://127.0.0.2:%u/x\r\n", fake_server_port(web->other));

		fake_answer(fd, "307 Elsewhere", header, "", 0);
		return;
	}
	case NONE:
	case NO_DATE:
		break;
	}
	fake_answer(fd, "200 OK", web->fault == NO_DATE ? "" : DATE, web->bytes, FILE_BYTES);
}

static void handle(void *data, const struct fake_request *request, int fd)
{
	answer(data, request, fd);
}

static void handle_elsewhere(void *data, const struct fake_request *request, int fd)
{
	struct web *web = data;
	char value[64];

	if (fake_request_header(request, "Authorization", value, sizeof(value)))
		web->n_secrets_elsewhere++;
	fake_answer(fd, "200 OK", DATE, web->bytes, FILE_BYTES);
}

static void web_open(struct web *web, enum fault fault)
{
	*web = (struct web){
		.fault = fault, .bytes = sb_malloc(FILE_BYTES), .changed = sb_malloc(FILE_BYTES)};
	for (size_t i = 0; i < FILE_BYTES; i++) {
		web->bytes[i] = (char)(i * 7 + i / 251);
		web->changed[i] = (char)(i * 5 + i / 257);
	}
	web->server = fake_server_start("127.0.0.1", handle, web);
	web->other = fake_server_start("127.0.0.2", handle_elsewhere, web);
}

static void web_close(struct web *web)
{
	fake_server_stop(web->server);
	fake_server_stop(web->other);
	free(web->bytes);
	free(web->changed);
}

static int fetch(struct web *web, struct sb_download_options options, int fd,
	struct sb_downloaded *out, struct sb_error *err)
{
	sb_autofree char *url =
		sb_asprintf("http://127.0.0.1:%u/f?key=hidden", fake_server_port(web->server));

	options.url = url;
	options.shown = "http://127.0.0.1/f";
	options.limits = &quick;
	if (options.max_bytes == 0)
		options.max_bytes = SB_MAX_DOWNLOAD;
	return sb_download(&options, fd, out, err);
}

static void a_file_arrives_whole_in_spite_of(void **state)
{
	static const struct {
		enum fault fault;
		unsigned n_requests, n_ranges;
		bool has_date, is_changed;
	} cases[] = {
		{NONE, 1, 0, true, false},
		{NO_DATE, 1, 0, false, false},
		{BREAKS_ONCE, 2, 1, false, false},
		{BREAKS_ONCE_AND_CHANGES, 2, 1, false, true},
		{BREAKS_ONCE_WITHOUT_VERSION, 2, 0, true, false},
		{WEAK_VERSION, 2, 0, true, false},
		{BUSY_ONCE, 2, 0, true, false},
		{ELSEWHERE, 1, 0, true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct web web;
		struct sb_downloaded got = {0};
		struct sb_digest wanted;
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofd int fd = -1;
		sb_autofree char *bytes = sb_malloc(FILE_BYTES);
		uint64_t size = 0;

		web_open(&web, cases[i].fault);
		assert_int_equal(sb_fd_memory("download", &fd, &err), 0);
		if (fetch(&web, (struct sb_download_options){0}, fd, &got, &err) < 0)
			fail_msg("%zu: %s", i, err.message);
		sb_digest_of(cases[i].is_changed ? web.changed : web.bytes, FILE_BYTES, &wanted);
		assert_string_equal(got.digest.text, wanted.text);
		assert_int_equal(got.size_bytes, FILE_BYTES);
		assert_int_equal(got.mtime_s, cases[i].has_date ? 784111777 : 0);
		assert_int_equal(sb_fd_size(fd, &size, &err), 0);
		assert_int_equal(size, FILE_BYTES);
		assert_int_equal(sb_fd_pread_all(fd, bytes, FILE_BYTES, 0, &err), 0);
		assert_memory_equal(
			bytes, cases[i].is_changed ? web.changed : web.bytes, FILE_BYTES);
		assert_int_equal(web.n_requests, cases[i].n_requests);
		assert_int_equal(web.n_ranges, cases[i].n_ranges);
		assert_int_equal(web.n_with_if_range, cases[i].n_ranges);
		web_close(&web);
	}
}

static void what_cannot_be_had_is_said_without_the_query(void **state)
{
	static const struct {
		enum fault fault;
		enum sb_code code;
		const char *words;
	} cases[] = {
		{MISSING, SB_E_NOT_FOUND, "not found"},
		{FORBIDDEN, SB_E_AUTH, "does not let everyone"},
		{BROKEN, SB_E_NETWORK, "status 500"},
		{ENDLESS, SB_E_LIMIT, "larger than"},
		{ANNOUNCES_TOO_MUCH, SB_E_LIMIT, "larger than"},
		{IN_CIRCLES, SB_E_NETWORK, "redirects more than"},
		{IS_FILE, SB_E_NETWORK, "scheme 'file'"},
		{BREAKS_ONCE_AND_WRONG_RANGE, SB_E_NETWORK, "not the one from byte"},
		{BREAKS_ONCE_AND_SHORT_RANGE, SB_E_NETWORK, "bytes of a file of"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct web web;
		struct sb_downloaded got = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofd int fd = -1;

		web_open(&web, cases[i].fault);
		assert_int_equal(sb_fd_memory("download", &fd, &err), 0);
		assert_int_equal(fetch(&web, (struct sb_download_options){.max_bytes = 3 << 20}, fd,
					 &got, &err),
			-1);
		if (err.code != cases[i].code || strstr(err.message, cases[i].words) == NULL)
			fail_msg("%zu: %s", i, err.message);
		assert_non_null(strstr(err.message, "'http://127.0.0.1/f'"));
		assert_null(strstr(err.message, "hidden"));
		web_close(&web);
	}
}

static void credentials_go_to_their_own_server_alone(void **state)
{
	struct web web;
	struct sb_downloaded got = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = -1;

	(void)state;
	web_open(&web, ELSEWHERE);
	assert_int_equal(sb_fd_memory("download", &fd, &err), 0);
	assert_int_equal(fetch(&web, (struct sb_download_options){.authorization = "Basic eDp5"},
				 fd, &got, &err),
		0);
	assert_int_equal(web.n_secrets, 1);
	assert_int_equal(web.n_secrets_elsewhere, 0);
	web_close(&web);
}

static bool give_up(void *data, uint64_t done, uint64_t total)
{
	unsigned *n = data;

	(void)done, (void)total;
	(*n)++;
	return false;
}

static void a_download_ends_when_it_is_told_to(void **state)
{
	struct web web;
	struct sb_downloaded got = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = -1;
	unsigned n = 0;

	(void)state;
	web_open(&web, STALLS);
	assert_int_equal(sb_fd_memory("download", &fd, &err), 0);
	assert_int_equal(
		fetch(&web, (struct sb_download_options){.on_progress = give_up, .data = &n}, fd,
			&got, &err),
		-1);
	assert_int_equal(err.code, SB_E_CANCELLED);
	assert_true(n > 0);
	web_close(&web);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_arrives_whole_in_spite_of),
		cmocka_unit_test(what_cannot_be_had_is_said_without_the_query),
		cmocka_unit_test(credentials_go_to_their_own_server_alone),
		cmocka_unit_test(a_download_ends_when_it_is_told_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
