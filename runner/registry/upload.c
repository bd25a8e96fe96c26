/* SPDX-License-Identifier: MIT */
#include "registry/upload.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "registry/retry.h"
#include "registry/url.h"
#include "sys/fd.h"

enum {
	/* Up to this, one request with all of it costs less than it would to begin anew. */
	SMALL_BYTES = 1 << 20,
	/* What proxies let through that do not let everything through. */
	CHUNK_BYTES = 8 << 20,
	MIN_CHUNK_BYTES = 1 << 20,
	/* Registries move what has arrived to where it stays before they answer. */
	PATIENCE_S = 300,
	END_PATIENCE_S = 600,
	MAX_STALLS = 2,
};

static const char octets[] = "application/octet-stream";

struct sending {
	struct sb_client *client;
	const struct sb_upload *upload;
	int fd;
	char *address; /* of the upload, or NULL while there is none */
	uint64_t offset;
	uint64_t chunk_bytes;
	uint64_t furthest;
	unsigned n_failed;
	unsigned n_stalled;
	bool is_there; /* the registry has the blob */
};

static void sending_release(struct sending *s)
{
	free(s->address);
	sb_fd_closep(&s->fd);
}

int sb_digest_header_check(const char *header, const struct sb_digest *expected, const char *what,
	struct sb_error *err)
{
	SB_AUTO_ERROR failure = SB_ERROR_INIT;
	struct sb_digest said;

	if (header == NULL)
		return 0;
	if (sb_digest_parse(header, &said, &failure) < 0) {
		/* Another algorithm's digest says nothing about ours. */
		if (failure.code == SB_E_UNSUPPORTED)
			return 0;
		sb_error_move(err, &failure);
		return sb_error_context(err, "the registry's Docker-Content-Digest header");
	}
	if (!sb_digest_equal(&said, expected))
		return sb_fail(err, SB_E_INTEGRITY,
			"the registry names the %s %s, but what it should be is %s", what,
			said.text, expected->text);
	return 0;
}

static void set_offset(struct sending *s, uint64_t offset)
{
	s->offset = offset;
	*s->upload->done_bytes = offset;
}

static int go_to(struct sending *s, const char *asked, const struct sb_http_answer *answer,
	struct sb_error *err)
{
	char *address = NULL;

	if (sb_client_location(s->client, asked, answer, &address, err) < 0)
		return -1;
	free(s->address);
	s->address = address;
	return 0;
}

static int look(struct sending *s, struct sb_error *err)
{
	const struct sb_descriptor *blob = s->upload->blob;
	sb_autofree char *url =
		sb_blob_url(sb_client_base(s->client), sb_client_ref(s->client), &blob->digest);
	struct sb_http_request request = {
		.method = SB_HTTP_HEAD, .url = url, .max_body_bytes = SB_MAX_JSON};
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;
	uint64_t length = 0;

	if (sb_client_send(s->client, &request, &answer, err) < 0)
		return -1;
	if (answer.status == 401 || answer.status == 403 || answer.status >= 500)
		return sb_client_fail(s->client, &answer, "blob", err);
	if (answer.status != 200)
		return 0;
	if (answer.content_length != NULL &&
		sb_number_parse(answer.content_length, 10, UINT64_MAX, &length) &&
		length != blob->size_bytes)
		return sb_fail(err, SB_E_INTEGRITY,
			"the registry has it with %" PRIu64 " bytes, but it has %" PRIu64, length,
			blob->size_bytes);
	s->is_there = true;
	return sb_digest_header_check(answer.content_digest, &blob->digest, "blob", err);
}

static void heed_min_chunk(struct sending *s, const struct sb_http_answer *answer)
{
	uint64_t min = 0;

	if (s->chunk_bytes != 0 && answer->min_chunk != NULL &&
		sb_number_parse(answer->min_chunk, 10, UINT64_MAX, &min) && min > s->chunk_bytes)
		s->chunk_bytes = min;
}

/* A new upload, from its start; or a mount, if there is somewhere to mount from. */
static int begin(struct sending *s, const char *mount_from, struct sb_error *err)
{
	const struct sb_digest *digest = &s->upload->blob->digest;
	sb_autofree char *url = sb_upload_url(sb_client_base(s->client), sb_client_ref(s->client),
		mount_from != NULL ? digest : NULL, mount_from);
	struct sb_http_request request = {
		.method = SB_HTTP_POST, .url = url, .max_body_bytes = SB_MAX_JSON};
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;

	set_offset(s, 0);
	if (sb_client_send(s->client, &request, &answer, err) < 0)
		return -1;
	if (answer.status == 201 && mount_from != NULL) {
		s->is_there = true;
		return sb_digest_header_check(answer.content_digest, digest, "blob", err);
	}
	if (answer.status == 202) {
		heed_min_chunk(s, &answer);
		return go_to(s, url, &answer, err);
	}
	/* Some registries refuse what others answer with an upload. */
	if (mount_from != NULL && answer.status >= 400 && answer.status < 500 &&
		answer.status != 429)
		return begin(s, NULL, err);
	return sb_client_fail(s->client, &answer, "upload", err);
}

/* How far the registry has come with the upload; what it does not know any more begins anew. */
static int ask_state(struct sending *s, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;
	sb_autofree char *url = sb_strdup(s->address);
	struct sb_http_request request = {.url = url, .max_body_bytes = SB_MAX_JSON};
	uint64_t n = 0;

	if (sb_client_send(s->client, &request, &answer, err) < 0)
		return -1;
	if (answer.status != 204 || !sb_upload_range_parse(answer.range, &n) ||
		n > s->upload->blob->size_bytes)
		return begin(s, NULL, err);
	set_offset(s, n);
	return answer.location != NULL ? go_to(s, url, &answer, err) : 0;
}

/* *failure is what went wrong; it is taken over where that was once too often. */
static int recover(struct sending *s, const struct sb_http_answer *answer, struct sb_error *failure,
	struct sb_error *err)
{
	struct sb_http *http = sb_client_http(s->client);
	const struct sb_http_limits *limits = sb_http_limits(http);
	uint64_t wish_ms = 0;
	const bool has_wish = sb_retry_after_parse(answer->retry_after, time(NULL), &wish_ms);

	if (s->offset >= s->furthest + MIN_CHUNK_BYTES) {
		s->furthest = s->offset;
		s->n_failed = s->n_stalled = 0;
	}
	s->n_failed++;
	s->n_stalled += answer->is_stalled;
	if (s->n_failed >= limits->n_tries || s->n_stalled >= MAX_STALLS) {
		sb_error_move(err, failure);
		return sb_error_context(err, "after %u tries", s->n_failed);
	}
	sb_error_ignore(failure, "the upload goes on");
	if (sb_http_wait(http,
		    sb_retry_delay_ms(s->n_failed, has_wish, wish_ms, limits->first_delay_ms,
			    limits->max_delay_ms),
		    err) < 0)
		return -1;
	return ask_state(s, err);
}

static int take_less_at_once(
	struct sending *s, const struct sb_http_answer *answer, struct sb_error *err)
{
	if (s->chunk_bytes == 0 || s->chunk_bytes > CHUNK_BYTES)
		s->chunk_bytes = CHUNK_BYTES;
	else if (s->chunk_bytes > MIN_CHUNK_BYTES)
		s->chunk_bytes = MIN_CHUNK_BYTES;
	else
		return sb_client_fail(s->client, answer, "upload", err);
	return begin(s, NULL, err);
}

static uint64_t piece_len(const struct sending *s)
{
	const uint64_t left = s->upload->blob->size_bytes - s->offset;

	return s->chunk_bytes != 0 && left > s->chunk_bytes ? s->chunk_bytes : left;
}

static int take_answer(struct sending *s, const char *url, uint64_t len,
	const struct sb_http_answer *answer, struct sb_error *err)
{
	SB_AUTO_ERROR failure = SB_ERROR_INIT;
	uint64_t n = s->offset + len;

	if (answer->status == 413)
		return take_less_at_once(s, answer, err);
	if (answer->status == 202 || answer->status == 201 || answer->status == 204) {
		(void)sb_upload_range_parse(answer->range, &n);
		if (n <= s->offset || n > s->offset + len) {
			(void)sb_fail(&failure, SB_E_NETWORK,
				"the registry takes %" PRIu64
				" bytes and says that it has %" PRIu64,
				s->offset + len, n);
			return recover(s, answer, &failure, err);
		}
		set_offset(s, n);
		return answer->location != NULL ? go_to(s, url, answer, err) : 0;
	}
	(void)sb_client_fail(s->client, answer, "upload", &failure);
	if (answer->status == 416 || answer->status == 404 ||
		sb_status_is_temporary(answer->status))
		return recover(s, answer, &failure, err);
	sb_error_move(err, &failure);
	return -1;
}

/* One PATCH with the next piece. */
static int send_piece(struct sending *s, struct sb_error *err)
{
	const uint64_t len = piece_len(s);
	/* A whole blob needs none, and is taken so by registries that know nothing of pieces. */
	const bool is_whole = s->offset == 0 && len == s->upload->blob->size_bytes;
	sb_autofree char *range =
		is_whole ? NULL
			 : sb_asprintf("%" PRIu64 "-%" PRIu64, s->offset, s->offset + len - 1);
	sb_autofree char *url = sb_strdup(s->address);
	const struct sb_http_upload body = {.fd = s->fd,
		.offset = s->offset,
		.len = len,
		.sent_bytes = s->upload->done_bytes,
		.sent_before = s->offset};
	struct sb_http_request request = {.method = SB_HTTP_PATCH,
		.url = url,
		.upload = &body,
		.content_type = octets,
		.content_range = range,
		.max_body_bytes = SB_MAX_JSON,
		.patience_s = PATIENCE_S,
		.is_once = true};
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;
	SB_AUTO_ERROR failure = SB_ERROR_INIT;

	if (sb_client_send(s->client, &request, &answer, &failure) == 0)
		return take_answer(s, url, len, &answer, err);
	if (failure.code == SB_E_NETWORK && answer.is_interrupted)
		return recover(s, &answer, &failure, err);
	sb_error_move(err, &failure);
	return -1;
}

/* The PUT that ends it, with all of it where it is small and nothing was sent. */
static int finish(struct sending *s, bool with_content, struct sb_error *err)
{
	const struct sb_descriptor *blob = s->upload->blob;
	sb_autofree char *url = sb_upload_end_url(s->address, &blob->digest);
	const struct sb_http_upload body = {
		.fd = s->fd, .len = blob->size_bytes, .sent_bytes = s->upload->done_bytes};
	struct sb_http_request request = {.method = SB_HTTP_PUT,
		.url = url,
		.upload = with_content ? &body : NULL,
		.content_type = octets,
		.max_body_bytes = SB_MAX_JSON,
		.patience_s = END_PATIENCE_S};
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;

	if (sb_client_send(s->client, &request, &answer, err) < 0)
		return -1;
	if (answer.status == 201 || answer.status == 204) {
		s->is_there = true;
		return sb_digest_header_check(answer.content_digest, &blob->digest, "blob", err);
	}
	/* An answer that was lost is asked for again, when the upload is over and unknown. */
	if (answer.status == 404 && look(s, err) < 0)
		return -1;
	return s->is_there ? 0 : sb_client_fail(s->client, &answer, "end of the upload", err);
}

static int send_all(struct sending *s, struct sb_error *err)
{
	const uint64_t size = s->upload->blob->size_bytes;
	const bool is_small =
		size <= SMALL_BYTES && (s->chunk_bytes == 0 || size <= s->chunk_bytes);

	while (!is_small && s->offset < size)
		if (send_piece(s, err) < 0)
			return -1;
	return finish(s, is_small, err);
}

static int run(struct sending *s, struct sb_error *err)
{
	const struct sb_descriptor *blob = s->upload->blob;
	uint64_t size = 0;

	if (look(s, err) < 0)
		return -1;
	if (!s->is_there && s->upload->mount_from != NULL &&
		begin(s, s->upload->mount_from, err) < 0)
		return -1;
	if (s->is_there)
		return 0;
	if (sb_layout_open_blob(s->upload->from, &blob->digest, &s->fd, err) < 0 ||
		sb_fd_size(s->fd, &size, err) < 0)
		return -1;
	if (size != blob->size_bytes)
		return sb_fail(err, SB_E_INTEGRITY,
			"it has %" PRIu64 " bytes in the store, the manifest says %" PRIu64, size,
			blob->size_bytes);
	if (s->address == NULL && begin(s, NULL, err) < 0)
		return -1;
	return send_all(s, err);
}

int sb_blob_upload(struct sb_client *client, const struct sb_upload *upload, struct sb_error *err)
{
	__attribute__((cleanup(sending_release))) struct sending s = {
		.client = client, .upload = upload, .fd = -1, .chunk_bytes = upload->chunk_bytes};

	if (run(&s, err) < 0)
		return sb_error_context(err, "blob %s", upload->blob->digest.text);
	*upload->done_bytes = upload->blob->size_bytes;
	return 0;
}
