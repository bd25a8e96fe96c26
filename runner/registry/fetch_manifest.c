/* SPDX-License-Identifier: MIT */
#include "registry/fetch_manifest.h"

#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/manifest.h"
#include "registry/document.h"
#include "registry/upload.h"
#include "registry/url.h"

#define ACCEPT \
	SB_MEDIA_OCI_MANIFEST ", " SB_MEDIA_OCI_INDEX ", " SB_MEDIA_DOCKER_MANIFEST \
			      ", " SB_MEDIA_DOCKER_LIST

/* Gets one manifest or index by tag or digest, from the network. `expected` may be NULL. */
static int download(struct sb_client *client, const char *what,
	const struct sb_descriptor *expected, struct sb_buf *json, struct sb_descriptor *out,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;
	sb_autofree char *url =
		sb_manifest_url(sb_client_base(client), sb_client_ref(client), what);
	struct sb_http_request request = {
		.url = url, .accept = ACCEPT, .max_body_bytes = SB_MAX_JSON};
	struct sb_descriptor got = {0};
	const char *media_type = NULL;

	if (sb_client_send(client, &request, &answer, err) < 0)
		return -1;
	if (answer.status != 200)
		return sb_client_fail(client, &answer, "image", err);
	sb_digest_of(answer.body.data, answer.body.len, &got.digest);
	got.size_bytes = answer.body.len;
	if (sb_digest_header_check(answer.content_digest, &got.digest, "manifest", err) < 0)
		return -1;
	if (expected != NULL && !sb_digest_equal(&expected->digest, &got.digest))
		return sb_fail(err, SB_E_INTEGRITY, "asked for %s, the registry sends %s",
			expected->digest.text, got.digest.text);
	if (expected != NULL && expected->size_bytes != 0 && expected->size_bytes != got.size_bytes)
		return sb_fail(err, SB_E_INTEGRITY,
			"the manifest has %" PRIu64 " bytes, its index says %" PRIu64,
			got.size_bytes, expected->size_bytes);
	if (sb_document_media_type(
		    answer.body.data, answer.body.len, answer.content_type, &media_type, err) < 0)
		return -1;
	got.media_type = sb_strdup(media_type);
	*out = got;
	*json = answer.body;
	answer.body = (struct sb_buf)SB_BUF_INIT(0);
	return 0;
}

/* A manifest by digest, from the layout where it is there. */
static int get_by_digest(struct sb_client *client, const struct sb_descriptor *wanted,
	struct sb_layout *layout, struct sb_buf *json, struct sb_descriptor *out,
	struct sb_error *err)
{
	SB_AUTO_BUF stored = SB_BUF_INIT(SB_MAX_JSON);
	const char *media_type = NULL;

	if (!sb_layout_holds(layout, wanted))
		return download(client, wanted->digest.text, wanted, json, out, err);
	if (sb_layout_read_blob(layout, wanted, &stored, err) < 0 ||
		sb_document_media_type(stored.data, stored.len, NULL, &media_type, err) < 0)
		return sb_error_context(err, "manifest %s", wanted->digest.text);
	*out = (struct sb_descriptor){.media_type = sb_strdup(media_type),
		.digest = wanted->digest,
		.size_bytes = stored.len};
	*json = stored;
	stored = (struct sb_buf)SB_BUF_INIT(0);
	return 0;
}

static int choose_in_index(const struct sb_buf *index, const struct sb_platform *want,
	struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	size_t i = 0;

	if (sb_index_parse(index->data, index->len, &list, err) < 0 ||
		sb_index_choose(&list, want, &i, err) < 0)
		return -1;
	sb_descriptor_copy(out, &list.items[i]);
	return 0;
}

int sb_manifest_fetch_named(struct sb_client *client, struct sb_layout *layout, struct sb_buf *json,
	struct sb_descriptor *out, struct sb_error *err)
{
	const struct sb_reference *ref = sb_client_ref(client);
	const struct sb_descriptor named = {.digest = ref->digest};

	return sb_digest_is_set(&ref->digest)
		       ? get_by_digest(client, &named, layout, json, out, err)
		       : download(client, ref->tag, NULL, json, out, err);
}

int sb_manifest_fetch_listed(struct sb_client *client, const struct sb_descriptor *listed,
	struct sb_layout *layout, struct sb_buf *json, struct sb_descriptor *out,
	struct sb_error *err)
{
	SB_AUTO_BUF content = SB_BUF_INIT(0);
	SB_AUTO_VALUE(sb_descriptor) found = {0};

	if (get_by_digest(client, listed, layout, &content, &found, err) < 0)
		return sb_error_context(err, "manifest %s", listed->digest.text);
	if (sb_media_is_index(found.media_type))
		return sb_fail(err, SB_E_UNSUPPORTED,
			"an index within an index is not supported (%s)", listed->digest.text);
	*out = found;
	*json = content;
	found = (struct sb_descriptor){0};
	content = (struct sb_buf)SB_BUF_INIT(0);
	return 0;
}

int sb_manifest_fetch(struct sb_client *client, const struct sb_platform *want,
	struct sb_layout *layout, struct sb_buf *json, struct sb_descriptor *out,
	struct sb_digest *out_named, struct sb_error *err)
{
	SB_AUTO_BUF first = SB_BUF_INIT(0);
	SB_AUTO_VALUE(sb_descriptor) top = {0};
	SB_AUTO_VALUE(sb_descriptor) chosen = {0};

	if (sb_manifest_fetch_named(client, layout, &first, &top, err) < 0)
		return -1;
	*out_named = top.digest;
	if (!sb_media_is_index(top.media_type)) {
		*out = top;
		*json = first;
		top = (struct sb_descriptor){0};
		first = (struct sb_buf)SB_BUF_INIT(0);
		return 0;
	}
	return choose_in_index(&first, want, &chosen, err) < 0
		       ? -1
		       : sb_manifest_fetch_listed(client, &chosen, layout, json, out, err);
}
