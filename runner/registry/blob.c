/* SPDX-License-Identifier: MIT */
#include "registry/blob.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/mem.h"
#include "registry/retry.h"
#include "registry/url.h"
#include "sys/fd.h"

struct fetch {
	struct sb_http_request request;
	const struct sb_descriptor *blob;
	int fd;
	struct sb_hasher *hasher;
	_Atomic uint64_t *done_bytes;
};

static int start_over(struct fetch *fetch, struct sb_error *err)
{
	struct sb_digest dropped;

	if (ftruncate(fetch->fd, 0) < 0 || lseek(fetch->fd, 0, SEEK_SET) < 0)
		return sb_fail_errno(err, "empty a half-fetched blob");
	sb_hasher_finish(fetch->hasher, &dropped);
	*fetch->done_bytes = 0;
	fetch->request.range_start = 0;
	return 0;
}

static int on_start(void *data, const struct sb_http_answer *answer, struct sb_error *err)
{
	struct fetch *fetch = data;

	if (answer->status == 200)
		return *fetch->done_bytes > 0 ? start_over(fetch, err) : 0;
	if (answer->status != 206 || *fetch->done_bytes == 0)
		return sb_fail(
			err, SB_E_NETWORK, "the registry answers with status %ld", answer->status);
	if (!sb_content_range_continues(
		    answer->content_range, *fetch->done_bytes, fetch->blob->size_bytes))
		return sb_fail(err, SB_E_INTEGRITY,
			"the registry sends the range '%s', not the one from byte %" PRIu64,
			answer->content_range != NULL ? answer->content_range : "",
			(uint64_t)*fetch->done_bytes);
	return 0;
}

static int on_body(void *data, const void *bytes, size_t len, struct sb_error *err)
{
	struct fetch *fetch = data;

	if (len > fetch->blob->size_bytes - *fetch->done_bytes)
		return sb_fail(err, SB_E_INTEGRITY,
			"the registry sends more than the %" PRIu64 " bytes it should have",
			fetch->blob->size_bytes);
	if (sb_fd_write_all(fetch->fd, bytes, len, err) < 0)
		return -1;
	sb_hasher_add(fetch->hasher, bytes, len);
	*fetch->done_bytes += len;
	fetch->request.range_start = *fetch->done_bytes;
	return 0;
}

static int check_fetched(const struct fetch *fetch, struct sb_error *err)
{
	struct sb_digest digest;

	if (*fetch->done_bytes != fetch->blob->size_bytes)
		return sb_fail(err, SB_E_INTEGRITY,
			"it ends after %" PRIu64 " of %" PRIu64 " bytes",
			(uint64_t)*fetch->done_bytes, fetch->blob->size_bytes);
	sb_hasher_finish(fetch->hasher, &digest);
	if (!sb_digest_equal(&digest, &fetch->blob->digest))
		return sb_fail(err, SB_E_INTEGRITY,
			"the registry sent other content, with digest %s", digest.text);
	return 0;
}

static int transfer(struct sb_client *client, const char *url, const struct sb_descriptor *blob,
	struct sb_blob_writer *writer, _Atomic uint64_t *done_bytes, struct sb_error *err)
{
	SB_AUTO(sb_hasher) hasher = sb_hasher_new();
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;
	struct fetch fetch = {.blob = blob,
		.fd = sb_blob_writer_fd(writer),
		.hasher = hasher,
		.done_bytes = done_bytes};

	fetch.request = (struct sb_http_request){
		.url = url, .on_start = on_start, .on_body = on_body, .data = &fetch};
	if (sb_client_send(client, &fetch.request, &answer, err) < 0)
		return -1;
	if (answer.status == 404)
		return sb_fail(err, SB_E_INTEGRITY,
			"the image is incomplete in its registry, which does not have this blob");
	if (answer.status < 200 || answer.status > 299)
		return sb_client_fail(client, &answer, "content", err);
	return check_fetched(&fetch, err);
}

int sb_blob_fetch(struct sb_client *client, const struct sb_descriptor *blob, struct sb_layout *to,
	_Atomic uint64_t *done_bytes, struct sb_error *err)
{
	SB_AUTO(sb_blob_writer) writer = NULL;
	sb_autofree char *url =
		sb_blob_url(sb_client_base(client), sb_client_ref(client), &blob->digest);

	*done_bytes = 0;
	if (sb_layout_holds(to, blob)) {
		*done_bytes = blob->size_bytes;
		return 0;
	}
	if (sb_blob_writer_new(to, &writer, err) < 0)
		return -1;
	if (transfer(client, url, blob, writer, done_bytes, err) < 0)
		return sb_error_context(err, "blob %s", blob->digest.text);
	return sb_blob_writer_commit(writer, &blob->digest, err);
}
