/* SPDX-License-Identifier: MIT */
#include "registry/http_exchange.h"

#include <signal.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"

enum {
	MAX_OTHER_BODY = 64 << 10, /* of an answer that is not 2xx: enough for any error text */
	RECEIVE_BYTES = 256 << 10,
	SEND_BYTES = 512 << 10,
};

/* One exchange, without redirects. */
struct exchange {
	struct sb_http *http;
	const struct sb_http_request *request;
	struct sb_http_answer *answer;
	struct sb_error *err;
	size_t n_header_bytes;
	uint64_t n_sent; /* of the upload */
	bool is_started; /* on_start was called */
	bool is_cut;     /* we hung up on a body that nobody wants to the end */
};

/* The value behind "name:", without the space around it; NULL for another header, and for a value
 * that holds a NUL. Caller frees. */
static char *header_value(const char *line, size_t len, const char *name)
{
	const size_t name_len = strlen(name);

	if (len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len) != 0 ||
		memchr(line, '\0', len) != NULL)
		return NULL;
	line += name_len + 1;
	len -= name_len + 1;
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n' || line[len - 1] == ' ' ||
				  line[len - 1] == '\t'))
		len--;
	while (len > 0 && (*line == ' ' || *line == '\t'))
		line++, len--;
	return sb_memdup0(line, len);
}

static void keep_header(struct sb_http_answer *answer, const char *line, size_t len)
{
	const struct {
		const char *name;
		char **to;
	} wanted[] = {
		{"Content-Type", &answer->content_type},
		{"Docker-Content-Digest", &answer->content_digest},
		{"Content-Range", &answer->content_range},
		{"Content-Length", &answer->content_length},
		{"Location", &answer->location},
		{"Range", &answer->range},
		{"OCI-Chunk-Min-Length", &answer->min_chunk},
		{"ETag", &answer->etag},
		{"Last-Modified", &answer->last_modified},
		{"Retry-After", &answer->retry_after},
	};
	char *challenge = header_value(line, len, "WWW-Authenticate");

	if (challenge != NULL)
		sb_strv_add_nodup(&answer->authenticate, challenge);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		char *value = header_value(line, len, wanted[i].name);

		if (value == NULL)
			continue;
		free(*wanted[i].to);
		*wanted[i].to = value;
	}
}

static size_t on_header(char *line, size_t size, size_t n, void *data)
{
	struct exchange *x = data;
	const size_t len = size * n;

	/* Over all answers to one request: 1xx ones may come without end. */
	x->n_header_bytes += len;
	if (x->n_header_bytes > SB_MAX_HTTP_HEADER) {
		sb_fail(x->err, SB_E_LIMIT, "the server's answer has over %d bytes of headers",
			SB_MAX_HTTP_HEADER);
		return 0;
	}
	if (len > 5 && strncasecmp(line, "HTTP/", 5) == 0)
		sb_http_answer_drop_headers(x->answer);
	else
		keep_header(x->answer, line, len);
	return len;
}

static int start_body(struct exchange *x)
{
	if (x->is_started)
		return 0;
	x->is_started = true;
	return x->request->on_start != NULL
		       ? x->request->on_start(x->request->data, x->answer, x->err)
		       : 0;
}

static bool is_good(long status)
{
	return status >= 200 && status < 300;
}

static int take_body(struct exchange *x, const char *bytes, size_t len)
{
	struct sb_buf *body = &x->answer->body;

	(void)x->http->curl.easy_getinfo(x->http->easy, CURLINFO_RESPONSE_CODE, &x->answer->status);
	if (!is_good(x->answer->status)) {
		const size_t room = MAX_OTHER_BODY - body->len;

		body->max_bytes = MAX_OTHER_BODY;
		x->is_cut = len > room;
		if (sb_buf_add(body, bytes, x->is_cut ? room : len, x->err) < 0)
			return -1;
		return x->is_cut ? -1 : 0;
	}
	x->answer->n_body_bytes += len;
	if (start_body(x) < 0)
		return -1;
	if (x->request->on_body != NULL)
		return x->request->on_body(x->request->data, bytes, len, x->err);
	body->max_bytes = x->request->max_body_bytes;
	if (sb_buf_add(body, bytes, len, x->err) < 0)
		return sb_error_context(x->err, "the server's answer is too long");
	return 0;
}

static size_t on_bytes(char *bytes, size_t size, size_t n, void *data)
{
	/* Any other number than what came makes libcurl give up; 0 would do for 0 as well. */
	return take_body(data, bytes, size * n) < 0 ? size * n + 1 : size * n;
}

static size_t on_read(char *to, size_t size, size_t n, void *data)
{
	struct exchange *x = data;
	const struct sb_http_upload *upload = x->request->upload;
	const uint64_t left = upload->len - x->n_sent;
	const size_t len = size * n < left ? size * n : (size_t)left;
	ssize_t got = (ssize_t)len;

	if (len == 0)
		return 0;
	if (upload->bytes != NULL)
		memcpy(to, (const char *)upload->bytes + x->n_sent, len);
	else
		got = pread(upload->fd, to, len, (off_t)(upload->offset + x->n_sent));
	if (got <= 0) {
		if (got < 0)
			sb_fail_errno(x->err, "read what is to be sent");
		else
			sb_fail(x->err, SB_E_INTEGRITY,
				"what is to be sent is shorter than it was");
		return CURL_READFUNC_ABORT;
	}
	x->n_sent += (uint64_t)got;
	if (upload->sent_bytes != NULL)
		*upload->sent_bytes = upload->sent_before + x->n_sent;
	return (size_t)got;
}

/* libcurl begins anew where a connection that it had kept turns out to be closed. */
static int on_seek(void *data, curl_off_t offset, int origin)
{
	struct exchange *x = data;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > x->request->upload->len)
		return CURL_SEEKFUNC_CANTSEEK;
	x->n_sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static int on_tick(
	void *data, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	struct exchange *x = data;

	(void)down_total, (void)down, (void)up_total, (void)up;
	if (sb_error_is_set(x->err) || !sb_http_is_cancelled(x->http))
		return 0;
	sb_fail(x->err, SB_E_CANCELLED, "cancelled");
	return 1;
}

/* Takes the line. */
static struct curl_slist *add_header(
	const struct sb_http *http, struct curl_slist *list, char *line)
{
	struct curl_slist *longer = http->curl.slist_append(list, line);

	SB_BUG_ON(longer == NULL);
	explicit_bzero(line, strlen(line));
	free(line);
	return longer;
}

static struct curl_slist *request_headers(
	const struct sb_http *http, const struct sb_http_request *request, bool is_own_origin)
{
	struct curl_slist *list = NULL;

	if (request->accept != NULL)
		list = add_header(http, list, sb_asprintf("Accept: %s", request->accept));
	if (is_own_origin && request->authorization != NULL)
		list = add_header(
			http, list, sb_asprintf("Authorization: %s", request->authorization));
	/* Not CURLOPT_RESUME_FROM, which turns an answer without a range into an error. */
	if (request->range_start > 0)
		list = add_header(http, list,
			sb_asprintf(
				"Range: bytes=%llu-", (unsigned long long)request->range_start));
	if (request->range_start > 0 && request->if_range != NULL)
		list = add_header(http, list, sb_asprintf("If-Range: %s", request->if_range));
	if (request->content_type != NULL)
		list = add_header(
			http, list, sb_asprintf("Content-Type: %s", request->content_type));
	if (request->content_range != NULL)
		list = add_header(
			http, list, sb_asprintf("Content-Range: %s", request->content_range));
	return list;
}

struct long_option {
	CURLoption option;
	long value;
};

static CURLcode set_method(struct exchange *x)
{
	static const char *const names[] = {
		[SB_HTTP_POST] = "POST", [SB_HTTP_PUT] = "PUT", [SB_HTTP_PATCH] = "PATCH"};
	const struct sb_curl *curl = &x->http->curl;
	CURL *easy = x->http->easy;
	const struct sb_http_upload *upload = x->request->upload;
	CURLcode code = CURLE_OK;

	if (x->request->method == SB_HTTP_GET)
		return CURLE_OK;
	if (x->request->method == SB_HTTP_HEAD)
		return curl->easy_setopt(easy, CURLOPT_NOBODY, 1L);
	/* As an upload, so that a body of any length is read piece by piece. */
	code = curl->easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	if (code == CURLE_OK)
		code = curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, names[x->request->method]);
	if (code == CURLE_OK)
		code = curl->easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
			upload != NULL ? (curl_off_t)upload->len : (curl_off_t)0);
	if (upload == NULL || code != CURLE_OK)
		return code;
	(void)curl->easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BYTES);
	(void)curl->easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	(void)curl->easy_setopt(easy, CURLOPT_READDATA, x);
	(void)curl->easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	(void)curl->easy_setopt(easy, CURLOPT_SEEKDATA, x);
	return CURLE_OK;
}

static CURLcode set_tls(struct exchange *x, bool is_own_origin)
{
	static const struct sb_http_tls usual = {0};
	const struct sb_curl *curl = &x->http->curl;
	CURL *easy = x->http->easy;
	const struct sb_http_tls *tls = x->request->tls != NULL ? x->request->tls : &usual;
	const char *ca_file = tls->ca_file != NULL ? tls->ca_file : getenv("SSL_CERT_FILE");
	const long verify = tls->is_unverified && is_own_origin ? 0 : 1;
	CURLcode code = curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify);

	if (code == CURLE_OK)
		code = curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify * 2);
	if (code == CURLE_OK && ca_file != NULL)
		code = curl->easy_setopt(easy, CURLOPT_CAINFO, ca_file);
	if (code == CURLE_OK && is_own_origin && tls->cert_file != NULL)
		code = curl->easy_setopt(easy, CURLOPT_SSLCERT, tls->cert_file);
	if (code == CURLE_OK && is_own_origin && tls->key_file != NULL)
		code = curl->easy_setopt(easy, CURLOPT_SSLKEY, tls->key_file);
	return code;
}

static int set_options(struct exchange *x, const char *url,
	const struct sb_exchange_options *options, struct curl_slist *headers, char *curl_words)
{
	const struct sb_curl *curl = &x->http->curl;
	CURL *easy = x->http->easy;
	const struct sb_http_limits *limits = &x->http->limits;
	const unsigned patience_s = x->request->patience_s;
	const struct long_option numbers[] = {
		{CURLOPT_NOSIGNAL, 1},
		{CURLOPT_NOPROGRESS, 0},
		{CURLOPT_FOLLOWLOCATION, 0},
		{CURLOPT_TCP_KEEPALIVE, 1},
		{CURLOPT_BUFFERSIZE, RECEIVE_BYTES},
		{CURLOPT_CONNECTTIMEOUT_MS, limits->connect_timeout_ms},
		{CURLOPT_LOW_SPEED_LIMIT, limits->stall_bytes_per_s},
		{CURLOPT_LOW_SPEED_TIME, patience_s != 0 ? patience_s : limits->stall_s},
	};
	CURLcode code = CURLE_OK;

	curl->easy_reset(easy);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && code == CURLE_OK; i++)
		code = curl->easy_setopt(easy, numbers[i].option, numbers[i].value);
	if (code == CURLE_OK)
		code = curl->easy_setopt(easy, CURLOPT_URL, url);
	if (code == CURLE_OK)
		code = curl->easy_setopt(easy, CURLOPT_USERAGENT, SB_USER_AGENT);
	if (code == CURLE_OK)
		code = set_method(x);
	if (code == CURLE_OK)
		code = set_tls(x, options->is_own_origin);
	if (code == CURLE_OK && options->is_loopback)
		code = curl->easy_setopt(easy, CURLOPT_PROXY, "");
	if (code == CURLE_OK)
		code = curl->easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	if (code != CURLE_OK)
		return sb_fail(x->err, SB_E_UNSUPPORTED, "libcurl does not take an option: %s",
			curl->easy_strerror(code));
	/* Before 7.85 this option is not there; sb_origin_of has looked at the scheme by then. */
	(void)curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, curl_words);
	(void)curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl->easy_setopt(easy, CURLOPT_HEADERDATA, x);
	(void)curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
	(void)curl->easy_setopt(easy, CURLOPT_WRITEDATA, x);
	(void)curl->easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_tick);
	(void)curl->easy_setopt(easy, CURLOPT_XFERINFODATA, x);
	return 0;
}

/* With CURLOPT_NOSIGNAL libcurl leaves SIGPIPE alone, and its TLS library may raise it. */
static CURLcode perform_without_sigpipe(const struct sb_http *http)
{
	const struct timespec now = {0};
	sigset_t sigpipe, pending, before;

	(void)sigemptyset(&sigpipe);
	(void)sigaddset(&sigpipe, SIGPIPE);
	(void)sigpending(&pending);
	(void)pthread_sigmask(SIG_BLOCK, &sigpipe, &before);

	const CURLcode code = http->curl.easy_perform(http->easy);

	if (sigismember(&pending, SIGPIPE) == 0)
		(void)sigtimedwait(&sigpipe, NULL, &now);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

/* True for a connection that broke, as against an answer that makes no sense. */
static bool is_break(CURLcode code, uint64_t n_bytes)
{
	static const CURLcode breaks[] = {CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE,
		CURLE_GOT_NOTHING, CURLE_HTTP2, CURLE_HTTP2_STREAM};

	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++)
		if (breaks[i] == code)
			return true;
	/* One that stalls before its first byte would do so for a minute each time. */
	return code == CURLE_OPERATION_TIMEDOUT && n_bytes > 0;
}

static int fail_transport(
	struct exchange *x, CURLcode code, const char *curl_words, struct sb_error *err)
{
	const struct sb_http *http = x->http;
	double connect_s = 0;

	(void)http->curl.easy_getinfo(http->easy, CURLINFO_PRETRANSFER_TIME, &connect_s);
	x->answer->is_stalled = connect_s > 0 && code == CURLE_OPERATION_TIMEDOUT;
	x->answer->is_interrupted =
		connect_s > 0 && is_break(code, x->answer->n_body_bytes + x->n_sent);
	sb_fail(err, SB_E_NETWORK, "%s",
		*curl_words != '\0' ? curl_words : http->curl.easy_strerror(code));
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
		sb_error_hint(err,
			"the server's certificate must be signed by an authority that "
			"this machine trusts (package ca-certificates); a registry's own "
			"authority goes into ~/.config/containers/certs.d/HOST[:PORT]/ca.crt");
	else if (code == CURLE_SSL_CONNECT_ERROR && !x->request->may_be_plain)
		sb_error_hint(err, "a registry without TLS is used only as localhost or 127.0.0.1, "
				   "or where registries.conf says insecure = true");
	return -1;
}

static int perform(struct exchange *x, const char *url, const struct sb_exchange_options *options)
{
	const struct sb_curl *curl = &x->http->curl;
	char curl_words[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = request_headers(x->http, x->request, options->is_own_origin);
	CURLcode code = CURLE_OK;

	if (set_options(x, url, options, headers, curl_words) == 0)
		code = perform_without_sigpipe(x->http);
	/* Both end before the handle does. */
	(void)curl->easy_setopt(x->http->easy, CURLOPT_HTTPHEADER, NULL);
	(void)curl->easy_setopt(x->http->easy, CURLOPT_ERRORBUFFER, NULL);
	curl->slist_free_all(headers);
	if (sb_error_is_set(x->err))
		return -1;
	return code != CURLE_OK && !x->is_cut ? fail_transport(x, code, curl_words, x->err) : 0;
}

int sb_http_exchange(struct sb_http *http, const struct sb_http_request *request, const char *url,
	const struct sb_exchange_options *options, struct sb_http_answer *answer,
	char **out_redirect, struct sb_error *err)
{
	struct exchange x = {.http = http, .request = request, .answer = answer, .err = err};
	const char *location = NULL;

	if (perform(&x, url, options) < 0)
		return -1;
	(void)http->curl.easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &answer->status);

	const long status = answer->status;

	if (is_good(status) && start_body(&x) < 0)
		return -1;
	if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308)
		(void)http->curl.easy_getinfo(http->easy, CURLINFO_REDIRECT_URL, &location);
	*out_redirect = sb_strdup_or_null(location);
	return 0;
}
