/* SPDX-License-Identifier: MIT */
#include "registry/push.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "registry/clock.h"
#include "registry/parallel.h"
#include "registry/push_content.h"
#include "registry/push_within.h"
#include "registry/registries.h"
#include "registry/retry.h"
#include "registry/upload.h"
#include "registry/url.h"

enum { REPORT_EVERY_MS = 100, SHORT_DIGEST_BYTES = 7 + 12 };

struct pushing {
	struct sb_layout *from;
	const struct sb_push_options *options;
	const struct sb_http_limits *limits;
	const struct sb_push_content *content;
	const char *what;
	const char **mounts; /* for each blob, or NULL */
	uint64_t done, total;
	uint64_t last_ms;
	bool is_cancelled;
};

static void report(struct pushing *p)
{
	const struct sb_push_options *options = p->options;

	p->last_ms = sb_clock_ms();
	if (options->on_progress != NULL &&
		!options->on_progress(options->data, p->what, p->done, p->total))
		p->is_cancelled = true;
}

static bool keep_going(void *data)
{
	struct pushing *p = data;

	if (sb_clock_ms() - p->last_ms >= REPORT_EVERY_MS)
		report(p);
	return !p->is_cancelled;
}

static int send_blob(void *data, size_t i, struct sb_client *client, _Atomic uint64_t *done,
	struct sb_error *err)
{
	const struct pushing *p = data;
	const struct sb_upload upload = {.blob = &p->content->blobs.items[i],
		.from = p->from,
		.mount_from = p->mounts[i],
		.chunk_bytes = p->options->chunk_bytes,
		.done_bytes = done};

	return sb_blob_upload(client, &upload, err);
}

static bool on_sent(void *data, size_t i, uint64_t done)
{
	struct pushing *p = data;
	const char *before = p->what;
	sb_autofree char *name =
		sb_memdup0(p->content->blobs.items[i].digest.text, SHORT_DIGEST_BYTES);

	p->what = name;
	p->done = done;
	report(p);
	p->what = before;
	return !p->is_cancelled;
}

static int try_manifest(struct sb_client *client, const struct sb_push_manifest *manifest,
	const char *name, struct sb_http_answer *answer, struct sb_error *err)
{
	sb_autofree char *url =
		sb_manifest_url(sb_client_base(client), sb_client_ref(client), name);
	const struct sb_http_upload body = {
		.bytes = manifest->json.data, .len = manifest->json.len};
	struct sb_http_request request = {.method = SB_HTTP_PUT,
		.url = url,
		.upload = &body,
		.content_type = manifest->descriptor.media_type,
		.max_body_bytes = SB_MAX_JSON};

	return sb_client_send(client, &request, answer, err);
}

/* What we sent does fit its digest. A registry over a file system (distribution 2.8) reads a tag
 * back while another push is writing the same one, and takes what it sees for ours. */
static bool is_disturbed(const struct sb_http_answer *answer)
{
	return answer->status == 400 && answer->body.data != NULL &&
	       strstr(answer->body.data, "DIGEST_INVALID") != NULL;
}

static int send_manifest(struct sb_client *client, const struct sb_push_manifest *manifest,
	const char *name, struct sb_error *err)
{
	enum { MAX_TRIES = 5 };
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;

	for (unsigned n = 1; n <= MAX_TRIES; n++) {
		sb_http_answer_release(&answer);
		if (try_manifest(client, manifest, name, &answer, err) < 0)
			return -1;
		if (!is_disturbed(&answer) || n == MAX_TRIES)
			break;
		if (sb_http_wait(sb_client_http(client), sb_retry_delay_ms(n, false, 0, 50, 400),
			    err) < 0)
			return -1;
	}
	if (answer.status < 200 || answer.status > 299)
		return sb_client_fail(client, &answer, "manifest", err);
	return sb_digest_header_check(
		answer.content_digest, &manifest->descriptor.digest, "manifest", err);
}

static const char *name_for_manifest(
	const struct sb_reference *name, const struct sb_push_manifest *manifest)
{
	return name->tag != NULL ? name->tag : manifest->descriptor.digest.text;
}

/* All names of one repository: its blobs, then manifests, then the named one. */
static int send_content(struct pushing *p, struct sb_access *access,
	const struct sb_reference *const *names, size_t n, struct sb_error *err)
{
	const struct sb_parallel parallel = {.access = access,
		.limits = p->limits,
		.n_jobs = p->content->blobs.len,
		.run = send_blob,
		.on_progress = on_sent,
		.data = p};
	const size_t n_manifests = p->content->manifests.len;
	SB_AUTO(sb_client) client = NULL;

	if (sb_client_new(access, p->limits, keep_going, p, &client, err) < 0 ||
		sb_parallel_run(&parallel, err) < 0)
		return -1;
	for (size_t i = 0; i + 1 < n_manifests; i++) {
		const struct sb_push_manifest *manifest = &p->content->manifests.items[i];

		if (send_manifest(client, manifest, manifest->descriptor.digest.text, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < n; i++) {
		const struct sb_push_manifest *last = &p->content->manifests.items[n_manifests - 1];

		if (send_manifest(client, last, name_for_manifest(names[i], last), err) < 0)
			return -1;
	}
	return 0;
}

static int push_to(struct pushing *p, const struct sb_endpoint *endpoint,
	const struct sb_reference *const *names, size_t n, struct sb_error *err)
{
	const struct sb_access_options way = {
		.ref = &endpoint->ref,
		.for_push = true,
		.is_insecure = endpoint->is_insecure,
		.is_secure = endpoint->is_secure,
		.auth_file = p->options->auth_file,
		.interrupt = sb_layout_interrupt(p->from),
	};
	SB_AUTO(sb_access) access = NULL;
	SB_AUTO_STRV repos = SB_STRV_INIT;
	const char **mounts = NULL;
	int rc = -1;

	if (sb_access_new(&way, &access, err) < 0 ||
		sb_push_mounts_find(p->from, p->content, names[0], &repos, &mounts, err) < 0)
		return -1;
	/* Where registries.conf puts the name elsewhere, others of it may not be there. */
	if (strcmp(endpoint->ref.registry, names[0]->registry) != 0 ||
		strcmp(endpoint->ref.repository, names[0]->repository) != 0)
		memset(mounts, 0, p->content->blobs.len * sizeof(*mounts));
	else
		for (size_t i = 0; i < repos.len; i++)
			sb_access_add_scope(access, repos.items[i]);
	p->mounts = mounts;
	rc = send_content(p, access, names, n, err);
	p->mounts = NULL;
	free(mounts);
	return rc < 0 ? sb_access_redact(access, err) : 0;
}

static bool is_same_repository(const struct sb_reference *a, const struct sb_reference *b)
{
	return strcmp(a->registry, b->registry) == 0 && strcmp(a->repository, b->repository) == 0;
}

/* The names from the i-th on that are of its repository, unless an earlier one was. */
static size_t group(
	const struct sb_reference *names, size_t n, size_t i, const struct sb_reference **out)
{
	size_t len = 0;

	for (size_t j = 0; j < i; j++)
		if (is_same_repository(&names[j], &names[i]))
			return 0;
	for (size_t j = i; j < n; j++)
		if (is_same_repository(&names[j], &names[i]))
			out[len++] = &names[j];
	return len;
}

static int push_group(struct pushing *p, const struct sb_registries *registries,
	const struct sb_reference *const *names, size_t n, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_endpoints) endpoints = {0};
	sb_autofree char *name = sb_reference_format(names[0]);
	int rc = sb_registries_endpoints(registries, names[0], true, &endpoints, err);

	p->what = name;
	p->done = 0;
	report(p);
	if (rc == 0)
		rc = push_to(p, &endpoints.items[0], names, n, err);
	p->what = "";
	return rc < 0 ? sb_error_context(err, "push '%s'", name) : 0;
}

int sb_registry_push_within(struct sb_layout *from, const struct sb_descriptor *image,
	const struct sb_reference *names, size_t n, const struct sb_push_options *options,
	const struct sb_http_limits *limits, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_push_content) content = {.may_lack = options->may_lack_blobs};
	SB_AUTO_VALUE(sb_registries) registries = {0};
	sb_autofree const struct sb_reference **same = sb_calloc(n, sizeof(struct sb_reference *));
	struct pushing p = {
		.from = from, .options = options, .limits = limits, .content = &content};

	if (sb_push_content_collect(from, image, &content, err) < 0)
		return sb_error_context(err, "push");
	SB_ARRAY_FOREACH (&content.blobs, blob)
		p.total += blob->size_bytes;
	if (sb_registries_load(&registries, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const size_t len = group(names, n, i, same);

		if (len > 0 && push_group(&p, &registries, same, len, err) < 0)
			return -1;
	}
	return 0;
}

int sb_registry_push(struct sb_layout *from, const struct sb_descriptor *image,
	const struct sb_reference *names, size_t n, const struct sb_push_options *options,
	struct sb_error *err)
{
	const struct sb_http_limits limits = SB_HTTP_LIMITS_INIT;

	return sb_registry_push_within(from, image, names, n, options, &limits, err);
}
