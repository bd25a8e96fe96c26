/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_DOWNLOAD_H
#define SB_REGISTRY_DOWNLOAD_H

#include "base/digest.h"
#include "registry/http.h"

/* One file of a web server. */
struct sb_download_options {
	const char *url;           /* http or https, without user name and password */
	const char *shown;         /* what messages call it: no query either */
	const char *authorization; /* a whole header value for the URL's own server, or NULL */
	uint64_t max_bytes;
	const struct sb_http_limits *limits; /* NULL: the usual ones */
	/* Some ten times a second; total is 0 where the server does not say. Returning false ends
	 * it with SB_E_CANCELLED. May be NULL. */
	bool (*on_progress)(void *data, uint64_t done, uint64_t total);
	void *data;
};

struct sb_downloaded {
	struct sb_digest digest;
	uint64_t size_bytes;
	int64_t mtime_s; /* the server's Last-Modified, or 0 */
};

/* Also for what a server that never ends its answer would send. */
#define SB_MAX_DOWNLOAD ((uint64_t)32 << 30)

/*
 * Fetches it into an empty file, from its start. A transfer that breaks is taken up where it broke
 * if the server says that the file is still the same, else begun anew.
 *
 * SB_E_NOT_FOUND for 404 and 410, SB_E_AUTH for 401 and 403, SB_E_NETWORK, SB_E_LIMIT over
 * max_bytes. Messages name options->shown.
 */
int sb_download(const struct sb_download_options *options, int fd, struct sb_downloaded *out,
	struct sb_error *err) SB_MUST_USE;

#endif
