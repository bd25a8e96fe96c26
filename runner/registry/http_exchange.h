/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_HTTP_EXCHANGE_H
#define SB_REGISTRY_HTTP_EXCHANGE_H

#include "registry/curl_load.h"
#include "registry/http.h"

/* The inside of http.h: one request and its answer, without redirects. */

struct sb_http {
	struct sb_curl curl;
	CURL *easy;
	struct sb_http_limits limits;
	bool (*keep_going)(void *data);
	void *data;
};

struct sb_exchange_options {
	bool is_loopback;   /* no proxy is asked */
	bool is_own_origin; /* what is for the first URL's server alone is sent */
};

/* *out_redirect (caller frees) is where a 3xx answer leads, as libcurl resolves it, else NULL. */
int sb_http_exchange(struct sb_http *http, const struct sb_http_request *request, const char *url,
	const struct sb_exchange_options *options, struct sb_http_answer *answer,
	char **out_redirect, struct sb_error *err) SB_MUST_USE;

bool sb_http_is_cancelled(const struct sb_http *http);
void sb_http_answer_drop_headers(struct sb_http_answer *answer);

#endif
