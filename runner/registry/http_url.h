/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_HTTP_URL_H
#define SB_REGISTRY_HTTP_URL_H

#include "registry/curl_load.h"

/*
 * Where a URL leads, as libcurl itself reads it: deciding by another parser than the one that
 * connects is how such checks are passed by.
 */
struct sb_origin {
	char *host; /* lower case */
	char *port;
	bool is_https;
	bool is_loopback;
};

void sb_origin_release(struct sb_origin *origin);
/* SB_E_NETWORK for another scheme than http and https, for a user name or password in it, for
 * http to a host that is not loopback unless it may be, and for what does not parse. */
int sb_origin_of(const struct sb_curl *curl, const char *url, bool may_be_plain,
	struct sb_origin *out, struct sb_error *err) SB_MUST_USE;
/* An address as a server sent it, seen from the one that was asked; NULL where it is none. Caller
 * frees. */
char *sb_url_resolve(const struct sb_curl *curl, const char *base, const char *address);
bool sb_origin_equal(const struct sb_origin *a, const struct sb_origin *b);

#endif
