/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_HTTP_H
#define SB_REGISTRY_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "registry/challenge.h"

/*
 * Requests over one session, whose connections are kept for the next. A session belongs to one
 * thread.
 *
 * https with the certificate verified by the authorities of the system or, where it is set, of
 * $SSL_CERT_FILE, unless the request's `tls` says otherwise; http for loopback hosts only, unless
 * who asks has said that it may be (may_be_plain). No proxy is asked for a loopback host; elsewhere
 * those of the environment are used (https_proxy, http_proxy, no_proxy). At most five redirects are
 * followed, never from https to http nor from elsewhere to this machine, and `authorization` and
 * the client's certificate are sent to the first URL's own scheme, host and port only. Nothing here
 * raises a signal.
 */
struct sb_http;

enum sb_http_method {
	SB_HTTP_GET,
	SB_HTTP_HEAD,
	SB_HTTP_POST,
	SB_HTTP_PUT,
	SB_HTTP_PATCH,
};

/* All borrowed, each may be NULL. */
struct sb_http_tls {
	const char *ca_file;   /* PEM: the authorities to trust, instead of the system's */
	const char *cert_file; /* PEM: the client's certificate and its key */
	const char *key_file;
	bool is_unverified; /* any certificate will do */
};

/* What is sent: `len` bytes in memory, or, where bytes is NULL, of a file from an offset on. Read
 * anew for a redirect. */
struct sb_http_upload {
	const void *bytes;
	int fd;
	uint64_t offset;
	uint64_t len;
	/* Kept at sent_before and what has left of this; or NULL. */
	_Atomic uint64_t *sent_bytes;
	uint64_t sent_before;
};

struct sb_http_limits {
	unsigned connect_timeout_ms;
	unsigned stall_bytes_per_s; /* slower than this … */
	unsigned stall_s;           /* … for so long is an error */
	unsigned n_tries;           /* for sb_http_send_with_retries */
	unsigned first_delay_ms;    /* before the second try; doubled each time */
	unsigned max_delay_ms;      /* also for what a Retry-After asks for */
};
#define SB_HTTP_LIMITS_INIT \
	{ \
		.connect_timeout_ms = 30000, .stall_bytes_per_s = 1024, .stall_s = 60, \
		.n_tries = 6, .first_delay_ms = 250, .max_delay_ms = 30000 \
	}

struct sb_http_answer {
	long status;
	/* Headers, NULL where not sent; of those sent twice, the last. Redirects leave none. */
	char *content_type;
	char *content_digest; /* Docker-Content-Digest */
	char *content_range;
	char *content_length;
	char *location;  /* as sent: it may be relative to the request's URL */
	char *range;     /* of an upload's state: "0-LAST" */
	char *min_chunk; /* OCI-Chunk-Min-Length */
	char *etag;
	char *last_modified;
	char *retry_after;
	struct sb_strv authenticate; /* every WWW-Authenticate value */
	struct sb_buf body;          /* where no on_body took it */
	bool is_interrupted; /* set when the call fails: the connection was made, and then broke */
	bool is_stalled;     /* likewise: it was too slow for too long */
	uint64_t n_body_bytes; /* of a 2xx answer, also when the call fails */
};
#define SB_HTTP_ANSWER_INIT \
	{ \
		.body = SB_BUF_INIT(0) \
	}
void sb_http_answer_release(struct sb_http_answer *answer);

struct sb_http_request {
	enum sb_http_method method;
	const char *url;
	const char *accept;        /* or NULL */
	const char *authorization; /* the header's whole value, or NULL; never in a message */
	uint64_t range_start;      /* asks for "bytes=N-" where it is not 0 … */
	const char *if_range;      /* … if it is still this version (ETag or date); or NULL */
	bool may_be_plain;         /* http to any host */
	const struct sb_http_tls *tls;
	/* For POST, PUT and PATCH; NULL sends an empty body. */
	const struct sb_http_upload *upload;
	const char *content_type;  /* of the upload, or NULL */
	const char *content_range; /* of the upload, or NULL */
	unsigned patience_s;       /* how long the server may be silent; 0: the limits' stall_s */
	bool is_once;              /* not tried again: who asks must look first how far it came */
	size_t max_body_bytes;     /* of answer->body for a 2xx answer; SB_E_LIMIT over it */
	/*
	 * For a 2xx answer, if not NULL: on_start once with the headers, then on_body for each
	 * piece. Returning -1 with err set ends the request. Other answers' bodies go into
	 * answer->body, cut where they are long.
	 */
	int (*on_start)(void *data, const struct sb_http_answer *answer, struct sb_error *err);
	int (*on_body)(void *data, const void *bytes, size_t len, struct sb_error *err);
	void *data;
};

/* keep_going (may be NULL) is called several times a second while a request runs; false ends it
 * with SB_E_CANCELLED. Loads libcurl. */
int sb_http_open(const struct sb_http_limits *limits, bool (*keep_going)(void *data), void *data,
	struct sb_http **out, struct sb_error *err) SB_MUST_USE;
void sb_http_free(struct sb_http *http);
SB_DEFINE_FREEP(sb_http)

/*
 * An answer of any status is success. SB_E_NETWORK where there is none, or where a redirect may not
 * be followed; SB_E_LIMIT for headers over SB_MAX_HTTP_HEADER. `answer` is initialised here and is
 * the caller's to release, also on failure.
 */
int sb_http_send(struct sb_http *http, const struct sb_http_request *request,
	struct sb_http_answer *answer, struct sb_error *err) SB_MUST_USE;

/* Where an answer's Location leads, seen from the request's URL; caller frees. SB_E_NETWORK where
 * that is no address, or not one that a redirect may lead to. */
int sb_http_resolve(struct sb_http *http, const char *base, const char *location, bool may_be_plain,
	char **out, struct sb_error *err) SB_MUST_USE;

/* Borrowed. */
const struct sb_http_limits *sb_http_limits(const struct sb_http *http);

/* Sleeps, asking keep_going meanwhile. */
int sb_http_wait(struct sb_http *http, uint64_t ms, struct sb_error *err) SB_MUST_USE;

/* SB_E_NETWORK unless a URL may be asked at all, and, where from is not NULL, may be reached by a
 * redirect or token address that `from` sent. out_same_origin may be NULL. */
int sb_http_check_url(struct sb_http *http, const char *url, const char *from, bool may_be_plain,
	bool *out_same_origin, struct sb_error *err) SB_MUST_USE;

/*
 * sb_http_send, with further tries, after growing pauses or the one that Retry-After asks for,
 * where the answer is temporary or the connection broke. The request's range_start is read anew for
 * each try, so that on_body may raise it; where the server refuses the range (416), it is set to 0.
 * An answer of any status is success once it is not temporary or tries have run out. *out_tries is
 * set always.
 */
int sb_http_send_with_retries(struct sb_http *http, struct sb_http_request *request,
	struct sb_http_answer *answer, unsigned *out_tries, struct sb_error *err) SB_MUST_USE;

#endif
