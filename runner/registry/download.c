/* SPDX-License-Identifier: MIT */
#include "registry/download.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "registry/clock.h"
#include "registry/retry.h"
#include "sys/fd.h"

enum { REPORT_EVERY_MS = 100 };

struct transfer {
	const struct sb_download_options *options;
	struct sb_http_request request;
	int fd;
	struct sb_hasher *hasher;
	uint64_t done_bytes;
	uint64_t total_bytes; /* 0: unknown */
	char *validator;      /* names the version that the first bytes are of, or NULL; owned */
	uint64_t last_ms;
	bool is_cancelled;
};

static void transfer_release(struct transfer *t)
{
	sb_hasher_free(t->hasher);
	free(t->validator);
}

static bool keep_going(void *data)
{
	struct transfer *t = data;
	const struct sb_download_options *options = t->options;

	if (options->on_progress == NULL || sb_clock_ms() - t->last_ms < REPORT_EVERY_MS)
		return !t->is_cancelled;
	t->last_ms = sb_clock_ms();
	if (!options->on_progress(options->data, t->done_bytes, t->total_bytes))
		t->is_cancelled = true;
	return !t->is_cancelled;
}

static int fail_too_large(const struct transfer *t, struct sb_error *err)
{
	sb_autofree char *size = sb_size_format(t->options->max_bytes);

	return sb_fail(err, SB_E_LIMIT, "it is larger than %s, the most that is fetched", size);
}

static int start_over(struct transfer *t, struct sb_error *err)
{
	struct sb_digest dropped;

	if (ftruncate(t->fd, 0) < 0 || lseek(t->fd, 0, SEEK_SET) < 0)
		return sb_fail_errno(err, "empty a half-fetched file");
	sb_hasher_finish(t->hasher, &dropped);
	t->done_bytes = 0;
	t->request.range_start = 0;
	return 0;
}

/* What If-Range takes: a strong ETag, or a date (RFC 9110, 13.1.5). */
static char *validator_of(const struct sb_http_answer *answer)
{
	if (answer->etag != NULL && answer->etag[0] == '"')
		return sb_strdup(answer->etag);
	return sb_strdup_or_null(answer->last_modified);
}

static int start_whole(
	struct transfer *t, const struct sb_http_answer *answer, struct sb_error *err)
{
	uint64_t length = 0;

	if (t->done_bytes > 0 && start_over(t, err) < 0)
		return -1;
	free(t->validator);
	t->validator = validator_of(answer);
	t->request.if_range = t->validator;
	t->total_bytes = 0;
	if (answer->content_length != NULL &&
		sb_number_parse(answer->content_length, 10, UINT64_MAX, &length))
		t->total_bytes = length;
	return t->total_bytes > t->options->max_bytes ? fail_too_large(t, err) : 0;
}

static int on_start(void *data, const struct sb_http_answer *answer, struct sb_error *err)
{
	struct transfer *t = data;
	struct sb_content_range range;

	if (answer->status == 200)
		return start_whole(t, answer, err);
	if (answer->status != 206 || t->request.range_start == 0)
		return sb_fail(
			err, SB_E_NETWORK, "the server answers with status %ld", answer->status);
	if (!sb_content_range_parse(answer->content_range, &range) ||
		range.first != t->done_bytes ||
		(range.total != UINT64_MAX && t->total_bytes > 0 && range.total != t->total_bytes))
		return sb_fail(err, SB_E_NETWORK,
			"the server sends the range '%s', not the one from byte %" PRIu64,
			answer->content_range != NULL ? answer->content_range : "", t->done_bytes);
	return 0;
}

static int on_body(void *data, const void *bytes, size_t len, struct sb_error *err)
{
	struct transfer *t = data;

	if (len > t->options->max_bytes - t->done_bytes)
		return fail_too_large(t, err);
	if (sb_fd_write_all(t->fd, bytes, len, err) < 0)
		return -1;
	sb_hasher_add(t->hasher, bytes, len);
	t->done_bytes += len;
	/* Without a name for the version, what comes behind may be of another one. */
	t->request.range_start = t->validator != NULL ? t->done_bytes : 0;
	return 0;
}

static int fail_status(const struct sb_http_answer *answer, struct sb_error *err)
{
	switch (answer->status) {
	case 404:
	case 410:
		return sb_fail(err, SB_E_NOT_FOUND, "not found (status %ld)", answer->status);
	case 401:
	case 403:
		return sb_fail(err, SB_E_AUTH,
			"the server does not let everyone read it (status %ld)", answer->status);
	default:
		return sb_fail(
			err, SB_E_NETWORK, "the server answers with status %ld", answer->status);
	}
}

static int run(struct transfer *t, struct sb_http *http, struct sb_http_answer *answer,
	struct sb_error *err)
{
	unsigned n_tries = 0;

	if (sb_http_send_with_retries(http, &t->request, answer, &n_tries, err) < 0)
		return n_tries > 1 ? sb_error_context(err, "after %u tries", n_tries) : -1;
	if (answer->status != 200 && answer->status != 206)
		return fail_status(answer, err);
	/* A range need not be all of what was asked for, and may be more than it says. */
	if (t->total_bytes > 0 && t->done_bytes != t->total_bytes)
		return sb_fail(err, SB_E_NETWORK,
			"the server sent %" PRIu64 " bytes of a file of %" PRIu64, t->done_bytes,
			t->total_bytes);
	return 0;
}

int sb_download(const struct sb_download_options *options, int fd, struct sb_downloaded *out,
	struct sb_error *err)
{
	static const struct sb_http_limits usual = SB_HTTP_LIMITS_INIT;
	__attribute__((cleanup(transfer_release))) struct transfer t = {
		.options = options, .fd = fd, .hasher = sb_hasher_new()};
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;
	SB_AUTO(sb_http) http = NULL;
	time_t mtime = 0;

	t.request = (struct sb_http_request){
		.url = options->url,
		.authorization = options->authorization,
		.may_be_plain = true,
		.on_start = on_start,
		.on_body = on_body,
		.data = &t,
	};
	if (sb_http_open(options->limits != NULL ? options->limits : &usual, keep_going, &t, &http,
		    err) < 0 ||
		run(&t, http, &answer, err) < 0)
		return sb_error_context(err, "'%s'", options->shown);
	if (!sb_http_date_parse(answer.last_modified, &mtime))
		mtime = 0;
	*out = (struct sb_downloaded){.size_bytes = t.done_bytes, .mtime_s = mtime};
	sb_hasher_finish(t.hasher, &out->digest);
	return 0;
}
