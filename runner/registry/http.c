/* SPDX-License-Identifier: MIT */
#include "registry/http.h"

#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "registry/http_exchange.h"
#include "registry/http_url.h"
#include "registry/url.h"

enum { MAX_REDIRECTS = 5, WAIT_SLICE_MS = 50 };

void sb_http_answer_drop_headers(struct sb_http_answer *answer)
{
	free(answer->content_type);
	free(answer->content_digest);
	free(answer->content_range);
	free(answer->content_length);
	free(answer->location);
	free(answer->range);
	free(answer->min_chunk);
	free(answer->etag);
	free(answer->last_modified);
	free(answer->retry_after);
	answer->content_type = answer->content_digest = NULL;
	answer->content_range = answer->content_length = NULL;
	answer->location = answer->range = answer->min_chunk = NULL;
	answer->etag = answer->last_modified = answer->retry_after = NULL;
	sb_strv_release(&answer->authenticate);
}

void sb_http_answer_release(struct sb_http_answer *answer)
{
	sb_http_answer_drop_headers(answer);
	sb_buf_release(&answer->body);
	*answer = (struct sb_http_answer)SB_HTTP_ANSWER_INIT;
}

int sb_http_open(const struct sb_http_limits *limits, bool (*keep_going)(void *data), void *data,
	struct sb_http **out, struct sb_error *err)
{
	SB_AUTO(sb_http) http = SB_NEW(struct sb_http);

	http->limits = *limits;
	http->keep_going = keep_going;
	http->data = data;
	if (sb_curl_load(&http->curl, err) < 0)
		return -1;
	http->easy = http->curl.easy_init();
	if (http->easy == NULL)
		return sb_fail(err, SB_E_SYSTEM, "libcurl does not give a handle");
	*out = SB_STEAL(http);
	return 0;
}

void sb_http_free(struct sb_http *http)
{
	if (http == NULL)
		return;
	if (http->easy != NULL)
		http->curl.easy_cleanup(http->easy);
	free(http);
}

const struct sb_http_limits *sb_http_limits(const struct sb_http *http)
{
	return &http->limits;
}

bool sb_http_is_cancelled(const struct sb_http *http)
{
	return http->keep_going != NULL && !http->keep_going(http->data);
}

int sb_http_wait(struct sb_http *http, uint64_t ms, struct sb_error *err)
{
	for (uint64_t waited = 0;; waited += WAIT_SLICE_MS) {
		if (sb_http_is_cancelled(http))
			return sb_fail(err, SB_E_CANCELLED, "cancelled");
		if (waited >= ms)
			return 0;

		const uint64_t left = ms - waited;
		const uint64_t slice = left < WAIT_SLICE_MS ? left : WAIT_SLICE_MS;
		const struct timespec pause = {.tv_nsec = (long)slice * 1000000};

		(void)nanosleep(&pause, NULL);
	}
}

static int check_step(
	const struct sb_origin *from, const struct sb_origin *to, struct sb_error *err)
{
	if (from->is_https && !to->is_https)
		return sb_fail(err, SB_E_NETWORK, "an address on '%s' that leaves https for http",
			to->host);
	/* What listens on this machine alone is not for a server elsewhere to choose. */
	if (!sb_host_is_this_machine(from->host) && sb_host_is_this_machine(to->host))
		return sb_fail(err, SB_E_NETWORK, "an address of this machine, '%s'", to->host);
	return 0;
}

int sb_http_check_url(struct sb_http *http, const char *url, const char *from, bool may_be_plain,
	bool *out_same_origin, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_origin) to = {0};
	SB_AUTO_VALUE(sb_origin) before = {0};

	if (sb_origin_of(&http->curl, url, may_be_plain, &to, err) < 0)
		return -1;
	if (from == NULL)
		return 0;
	if (sb_origin_of(&http->curl, from, may_be_plain, &before, err) < 0 ||
		check_step(&before, &to, err) < 0)
		return -1;
	if (out_same_origin != NULL)
		*out_same_origin = sb_origin_equal(&before, &to);
	return 0;
}

int sb_http_resolve(struct sb_http *http, const char *base, const char *location, bool may_be_plain,
	char **out, struct sb_error *err)
{
	sb_autofree char *url = NULL;

	if (location == NULL)
		return sb_fail(err, SB_E_NETWORK, "the answer has no Location header");
	url = sb_url_resolve(&http->curl, base, location);
	if (url == NULL)
		return sb_fail(err, SB_E_NETWORK, "the answer's Location header is no address");
	if (sb_http_check_url(http, url, base, may_be_plain, NULL, err) < 0)
		return sb_error_context(err, "the answer's Location header is");
	*out = SB_STEAL(url);
	return 0;
}

/* Those that keep the method: the others would turn an upload into a question. */
static int check_redirect(
	const struct sb_http_request *request, long status, const char *host, struct sb_error *err)
{
	if (request->method <= SB_HTTP_HEAD || status == 307 || status == 308)
		return 0;
	return sb_fail(err, SB_E_NETWORK, "'%s' redirects an upload with status %ld", host, status);
}

int sb_http_send(struct sb_http *http, const struct sb_http_request *request,
	struct sb_http_answer *answer, struct sb_error *err)
{
	sb_autofree char *url = sb_strdup(request->url);
	bool is_own_origin = true;

	*answer = (struct sb_http_answer)SB_HTTP_ANSWER_INIT;
	for (unsigned n_redirects = 0;; n_redirects++) {
		SB_AUTO_VALUE(sb_origin) origin = {0};
		sb_autofree char *next = NULL;
		bool same_origin = false;

		if (sb_origin_of(&http->curl, url, request->may_be_plain, &origin, err) < 0)
			return -1;

		const struct sb_exchange_options options = {
			.is_loopback = origin.is_loopback,
			.is_own_origin = is_own_origin,
		};

		if (sb_http_exchange(http, request, url, &options, answer, &next, err) < 0)
			return -1;
		if (next == NULL)
			return 0;
		if (n_redirects == MAX_REDIRECTS)
			return sb_fail(err, SB_E_NETWORK, "'%s' redirects more than %d times",
				origin.host, MAX_REDIRECTS);
		if (check_redirect(request, answer->status, origin.host, err) < 0)
			return -1;
		if (sb_http_check_url(http, next, url, request->may_be_plain, &same_origin, err) <
			0)
			return sb_error_context(err, "'%s' redirects to", origin.host);
		/* Once gone it stays gone: a stranger could send us back with a path of its own. */
		is_own_origin = is_own_origin && same_origin;
		sb_http_answer_release(answer);
		free(url);
		url = SB_STEAL(next);
	}
}
