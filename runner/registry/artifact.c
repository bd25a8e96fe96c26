/* SPDX-License-Identifier: MIT */
#include "registry/artifact.h"

#include <inttypes.h>

#include "base/limits.h"
#include "base/mem.h"
#include "registry/blob.h"
#include "registry/client.h"
#include "registry/clock.h"
#include "registry/registries.h"
#include "registry/upload.h"
#include "registry/url.h"

#define ACCEPT \
	SB_MEDIA_OCI_INDEX ", " SB_MEDIA_OCI_MANIFEST ", " SB_MEDIA_DOCKER_LIST \
			   ", " SB_MEDIA_DOCKER_MANIFEST

enum { SMALL_MS = 30000, REPORT_EVERY_MS = 100, SHORT_DIGEST_BYTES = 7 + 12 };

/* A build can do without what is asked for here: it does not wait for it as it would for a base. */
static const struct sb_http_limits small_limits = {
	.connect_timeout_ms = 8000,
	.stall_bytes_per_s = 1024,
	.stall_s = 15,
	.n_tries = 2,
	.first_delay_ms = 250,
	.max_delay_ms = 2000,
};
static const struct sb_http_limits blob_limits = {
	.connect_timeout_ms = 8000,
	.stall_bytes_per_s = 1024,
	.stall_s = 30,
	.n_tries = 3,
	.first_delay_ms = 250,
	.max_delay_ms = 10000,
};

struct sb_artifact {
	struct sb_artifact_options options;
	struct sb_endpoints endpoints; /* `access` borrows from them */
	struct sb_access *access;
	struct sb_buf manifest;
};

/* One request or transfer of a thread. */
struct asking {
	const struct sb_artifact_options *options;
	uint64_t last_ms; /* when progress was told */
	uint64_t end_ms;  /* 0: no end is set */
	bool is_late;
	const char *what;
	_Atomic uint64_t done;
	uint64_t total;
};

static bool keep_going(void *data)
{
	struct asking *asking = data;
	const struct sb_artifact_options *options = asking->options;
	const uint64_t now = sb_clock_ms();

	if (asking->end_ms != 0 && now > asking->end_ms) {
		asking->is_late = true;
		return false;
	}
	if (options->on_progress != NULL && asking->what != NULL &&
		now - asking->last_ms >= REPORT_EVERY_MS) {
		asking->last_ms = now;
		options->on_progress(options->data, asking->what, asking->done, asking->total);
	}
	return !sb_interrupt_is_pending(options->interrupt);
}

/* What ended because of the time that it took is no wish of the user's. */
static int failed(struct asking *asking, struct sb_access *access, struct sb_error *err)
{
	if (!asking->is_late)
		return sb_access_redact(access, err);
	sb_error_release(err);
	return sb_fail(err, SB_E_NETWORK, "the registry has not answered in full within %d seconds",
		SMALL_MS / 1000);
}

void sb_artifact_free(struct sb_artifact *artifact)
{
	if (artifact == NULL)
		return;
	sb_access_free(artifact->access);
	sb_endpoints_release(&artifact->endpoints);
	sb_buf_release(&artifact->manifest);
	free(artifact);
}

const struct sb_buf *sb_artifact_manifest(const struct sb_artifact *artifact)
{
	return &artifact->manifest;
}

static int get(struct sb_client *client, const char *url, const char *accept,
	struct sb_http_answer *answer, const char *what, struct sb_error *err)
{
	struct sb_http_request request = {
		.url = url, .accept = accept, .max_body_bytes = SB_MAX_JSON};

	if (sb_client_send(client, &request, answer, err) < 0)
		return -1;
	return answer->status == 200 ? 0 : sb_client_fail(client, answer, what, err);
}

static int get_manifest(struct sb_client *client, struct sb_buf *out, struct sb_error *err)
{
	const struct sb_reference *ref = sb_client_ref(client);
	const bool has_digest = sb_digest_is_set(&ref->digest);
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;
	sb_autofree char *url = sb_manifest_url(
		sb_client_base(client), ref, has_digest ? ref->digest.text : ref->tag);
	struct sb_digest got;

	if (get(client, url, ACCEPT, &answer, "manifest", err) < 0)
		return -1;
	sb_digest_of(answer.body.data, answer.body.len, &got);
	if (sb_digest_header_check(answer.content_digest, &got, "manifest", err) < 0)
		return -1;
	if (has_digest && !sb_digest_equal(&ref->digest, &got))
		return sb_fail(err, SB_E_INTEGRITY, "asked for %s, the registry sends %s",
			ref->digest.text, got.text);
	*out = answer.body;
	answer.body = (struct sb_buf)SB_BUF_INIT(0);
	return 0;
}

static int open_at(
	struct sb_artifact *artifact, const struct sb_endpoint *endpoint, struct sb_error *err)
{
	const struct sb_access_options way = {
		.ref = &endpoint->ref,
		.is_insecure = endpoint->is_insecure,
		.is_secure = endpoint->is_secure,
		.auth_file = artifact->options.auth_file,
		.interrupt = artifact->options.interrupt,
	};
	struct asking asking = {.options = &artifact->options, .end_ms = sb_clock_ms() + SMALL_MS};
	SB_AUTO(sb_access) access = NULL;
	SB_AUTO(sb_client) client = NULL;

	if (sb_access_new(&way, &access, err) < 0)
		return -1;
	if (sb_client_new(access, &small_limits, keep_going, &asking, &client, err) < 0 ||
		get_manifest(client, &artifact->manifest, err) < 0)
		return failed(&asking, access, err);
	artifact->access = SB_STEAL(access);
	return 0;
}

/* The registry itself is the last, and its error is the whole's. */
static int open_any(struct sb_artifact *artifact, struct sb_error *err)
{
	for (size_t i = 0;; i++) {
		SB_AUTO_ERROR failure = SB_ERROR_INIT;

		if (open_at(artifact, &artifact->endpoints.items[i], &failure) == 0)
			return 0;
		if (i + 1 < artifact->endpoints.len && failure.code != SB_E_CANCELLED) {
			sb_error_ignore(&failure, "another place may have it");
			continue;
		}
		sb_error_move(err, &failure);
		return -1;
	}
}

int sb_artifact_open(const struct sb_reference *ref, const struct sb_artifact_options *options,
	struct sb_artifact **out, struct sb_error *err)
{
	SB_AUTO(sb_artifact) artifact = SB_NEW(struct sb_artifact);
	SB_AUTO_VALUE(sb_registries) registries = {0};

	artifact->options = *options;
	if (sb_registries_load(&registries, err) < 0 ||
		sb_registries_endpoints(&registries, ref, false, &artifact->endpoints, err) < 0 ||
		open_any(artifact, err) < 0)
		return -1;
	*out = SB_STEAL(artifact);
	return 0;
}

static int read_blob(struct sb_client *client, const struct sb_descriptor *blob, struct sb_buf *out,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;
	sb_autofree char *url =
		sb_blob_url(sb_client_base(client), sb_client_ref(client), &blob->digest);
	struct sb_digest got;

	if (get(client, url, NULL, &answer, "content", err) < 0)
		return -1;
	sb_digest_of(answer.body.data, answer.body.len, &got);
	if (answer.body.len != blob->size_bytes || !sb_digest_equal(&got, &blob->digest))
		return sb_fail(err, SB_E_INTEGRITY,
			"the registry sent other content, %zu bytes with digest %s",
			answer.body.len, got.text);
	*out = answer.body;
	answer.body = (struct sb_buf)SB_BUF_INIT(0);
	return 0;
}

int sb_artifact_read(struct sb_artifact *artifact, const struct sb_descriptor *blob,
	struct sb_buf *out, struct sb_error *err)
{
	struct asking asking = {.options = &artifact->options, .end_ms = sb_clock_ms() + SMALL_MS};
	SB_AUTO(sb_client) client = NULL;

	if (blob->size_bytes > SB_MAX_JSON)
		return sb_fail(err, SB_E_LIMIT, "blob %s has %" PRIu64 " bytes, more than %d",
			blob->digest.text, blob->size_bytes, SB_MAX_JSON);
	if (sb_client_new(artifact->access, &small_limits, keep_going, &asking, &client, err) < 0 ||
		read_blob(client, blob, out, err) < 0) {
		(void)failed(&asking, artifact->access, err);
		return sb_error_context(err, "blob %s", blob->digest.text);
	}
	return 0;
}

int sb_artifact_fetch(struct sb_artifact *artifact, const struct sb_descriptor *blob,
	struct sb_layout *to, struct sb_error *err)
{
	sb_autofree char *name = sb_memdup0(blob->digest.text, SHORT_DIGEST_BYTES);
	struct asking asking = {
		.options = &artifact->options, .what = name, .total = blob->size_bytes};
	SB_AUTO(sb_client) client = NULL;

	if (sb_client_new(artifact->access, &blob_limits, keep_going, &asking, &client, err) < 0 ||
		sb_blob_fetch(client, blob, to, &asking.done, err) < 0)
		return failed(&asking, artifact->access, err);
	return 0;
}
