/* SPDX-License-Identifier: MIT */
#include "inspect/surroundings.h"

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/mem.h"
#include "inspect/blob_check.h"
#include "inspect/notes.h"
#include "oci/descriptor.h"
#include "oci/image_files.h"
#include "oci/json.h"

enum {
	MAX_NESTING = 8, /* of indexes; real ones have two levels */
	MAX_BLOBS = 1 << 16,
};

static const char index_name[] = "index.json";

struct surroundings {
	struct sb_inspector *in;
	const struct sb_image *image;
	struct sb_image_files files;
	struct sb_strv seen;         /* digests that the walk has come to, sorted */
	struct sb_strv absent;       /* what is referred to and is not there */
	struct sb_buf manifest_json; /* docker's manifest.json, or empty */
};

/* The place of the digest in the sorted list, or where it would be. */
static size_t seen_place(const struct sb_strv *seen, const char *digest)
{
	size_t low = 0;
	size_t high = seen->len;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcmp(seen->items[middle], digest) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_seen(const struct surroundings *s, const struct sb_digest *digest)
{
	const size_t i = seen_place(&s->seen, digest->text);

	return i < s->seen.len && strcmp(s->seen.items[i], digest->text) == 0;
}

/* False where it was there before, or there are too many. */
static bool add_seen(struct surroundings *s, const struct sb_digest *digest)
{
	const size_t i = seen_place(&s->seen, digest->text);

	if (is_seen(s, digest))
		return false;
	if (s->seen.len == MAX_BLOBS)
		sb_report_gap(s->in->report, SIZE_MAX, "other blobs", "there are too many");
	if (s->seen.len >= MAX_BLOBS)
		return false;
	sb_strv_add(&s->seen, digest->text);

	char *added = s->seen.items[s->seen.len - 1];

	memmove(&s->seen.items[i + 1], &s->seen.items[i],
		(s->seen.len - 1 - i) * sizeof(s->seen.items[0]));
	s->seen.items[i] = added;
	return true;
}

static bool is_part(const struct surroundings *s, const struct sb_digest *digest)
{
	const struct sb_image *image = s->image;

	if (sb_digest_equal(digest, &image->manifest->config.digest))
		return true;
	SB_ARRAY_FOREACH (&image->manifest->layers, layer)
		if (sb_digest_equal(digest, &layer->digest))
			return true;
	return false;
}

/* A descriptor as far as the walk needs it; texts are borrowed from the JSON. */
struct link {
	struct sb_digest digest;
	const char *media_type; /* or "" */
	uint64_t size_bytes;
	const char *data; /* base64, or NULL */
	bool has_size;
};

static bool read_link(const json_t *json, struct link *out)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	const char *digest = json_string_value(json_object_get(json, "digest"));
	const char *media_type = json_string_value(json_object_get(json, "mediaType"));
	const json_t *size = json_object_get(json, "size");

	*out = (struct link){.media_type = media_type != NULL ? media_type : "",
		.data = json_string_value(json_object_get(json, "data"))};
	if (digest == NULL)
		return false;
	if (sb_digest_parse(digest, &out->digest, &ignored) < 0) {
		sb_error_ignore(&ignored, "of another kind of digest no blob is found here");
		return false;
	}
	out->has_size = json_is_integer(size) && json_integer_value(size) >= 0;
	out->size_bytes = out->has_size ? (uint64_t)json_integer_value(size) : 0;
	return true;
}

static bool is_manifest(const struct link *link)
{
	return sb_media_is_index(link->media_type) ||
	       strcmp(link->media_type, SB_MEDIA_OCI_MANIFEST) == 0 ||
	       strcmp(link->media_type, SB_MEDIA_DOCKER_MANIFEST) == 0;
}

static void check_sums(struct surroundings *s, const char *role, const struct link *link,
	const struct sb_blob_sums *sums)
{
	if (!sb_digest_equal(&sums->digest, &link->digest))
		sb_report_problem(s->in->report, SB_PROBLEM_DIGEST, SIZE_MAX, role,
			"the blob's digest is %s, not %s", sums->digest.text, link->digest.text);
	if (link->has_size && link->size_bytes != sums->n_bytes)
		sb_report_problem(s->in->report, SB_PROBLEM_SIZE, SIZE_MAX, role,
			"the blob has %" PRIu64 " bytes, its descriptor says %" PRIu64,
			sums->n_bytes, link->size_bytes);
}

static void look_at_data(struct surroundings *s, const char *role, const struct link *link)
{
	sb_autofree char *where = sb_asprintf("%s: data in its descriptor", role);
	SB_AUTO_BUF bytes = SB_BUF_INIT(SB_MAX_JSON);
	struct sb_digest digest;

	if (link->data == NULL)
		return;
	if (!sb_base64_decode(link->data, &bytes)) {
		sb_report_problem(s->in->report, SB_PROBLEM_OTHER, SIZE_MAX, role,
			"the data in its descriptor is no base64");
		return;
	}
	sb_digest_of(bytes.data, bytes.len, &digest);
	if (!sb_digest_equal(&digest, &link->digest))
		sb_report_problem(s->in->report, SB_PROBLEM_DIGEST, SIZE_MAX, role,
			"the data in its descriptor has the digest %s, not %s", digest.text,
			link->digest.text);
	sb_check_bytes(s->in, where, bytes.data, bytes.len);
}

static void visit(struct surroundings *s, const json_t *json, const char *role, unsigned depth);

/* "linux/arm64", "attestation", or what else tells an index's entries apart. */
static char *name_of_entry(const json_t *json)
{
	const json_t *annotations = json_object_get(json, "annotations");
	const json_t *platform = json_object_get(json, "platform");
	const char *os = json_string_value(json_object_get(platform, "os"));
	const char *cpu = json_string_value(json_object_get(platform, "architecture"));
	const char *variant = json_string_value(json_object_get(platform, "variant"));
	const char *name = json_string_value(
		json_object_get(annotations, "org.opencontainers.image.ref.name"));

	if (json_object_get(annotations, "vnd.docker.reference.type") != NULL)
		return sb_strdup("attestation");
	if (os != NULL && cpu != NULL && strcmp(os, "unknown") != 0)
		return sb_asprintf("%s/%s%s%s", os, cpu, variant != NULL ? "/" : "",
			variant != NULL ? variant : "");
	return name != NULL ? sb_asprintf("image %s", name) : sb_strdup("another image");
}

static void visit_list(struct surroundings *s, const json_t *list, const char *role,
	const char *what, unsigned depth)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		sb_autofree char *place = sb_asprintf("%s: %s %zu", role, what, i + 1);

		visit(s, json_array_get(list, i), place, depth);
	}
}

static void visit_entries(struct surroundings *s, const json_t *list, unsigned depth)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		sb_autofree char *name = name_of_entry(json_array_get(list, i));

		visit(s, json_array_get(list, i), name, depth);
	}
}

/* Docker 25.0 wrote OCI manifests whose layers stood in another order than in manifest.json. */
static void compare_layers(struct surroundings *s, const json_t *manifest, const char *role)
{
	const struct sb_descriptors *ours = &s->image->manifest->layers;
	const json_t *layers = json_object_get(manifest, "layers");
	struct link link;

	if (sb_digest_is_set(&s->image->descriptor.digest) ||
		!read_link(json_object_get(manifest, "config"), &link) ||
		!sb_digest_equal(&link.digest, &s->image->manifest->config.digest))
		return;
	for (size_t i = 0; i < ours->len; i++)
		if (!read_link(json_array_get(layers, i), &link) ||
			!sb_digest_equal(&link.digest, &ours->items[i].digest)) {
			sb_report_problem(s->in->report, SB_PROBLEM_ORDER, SIZE_MAX, role,
				"its manifest lists other layers than manifest.json, or in another "
				"order");
			return;
		}
}

static void walk(struct surroundings *s, const json_t *json, const char *role, unsigned depth)
{
	static const char *const single[] = {"config", "subject"};

	if (depth == MAX_NESTING) {
		sb_report_gap(s->in->report, SIZE_MAX, role, "indexes are nested too deep");
		return;
	}
	visit_entries(s, json_object_get(json, "manifests"), depth + 1);
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
		sb_autofree char *place = sb_asprintf("%s: %s", role, single[i]);

		visit(s, json_object_get(json, single[i]), place, depth + 1);
	}
	visit_list(s, json_object_get(json, "layers"), role, "layer", depth + 1);
	visit_list(s, json_object_get(json, "blobs"), role, "blob", depth + 1);
	if (json_object_get(json, "layers") != NULL)
		compare_layers(s, json, role);
}

static void walk_text(
	struct surroundings *s, const struct sb_buf *text, const char *role, unsigned depth)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_JSON json = NULL;

	if (sb_json_parse_object(text->data, text->len, role, &json, &err) < 0) {
		sb_report_problem(
			s->in->report, SB_PROBLEM_ARCHIVE, SIZE_MAX, NULL, "%s", err.message);
		return;
	}
	walk(s, json, role, depth);
}

/* What a foreign layer's descriptor leads to need not be there, and parts of an index may be left
 * out as well; the image's own layers are told of elsewhere. */
static void note_absent(struct surroundings *s, const char *role, const struct link *link)
{
	if (sb_media_is_foreign_layer(link->media_type))
		sb_report_gap(s->in->report, SIZE_MAX, role,
			"a foreign layer, not present, not verified");
	else
		sb_strv_add(&s->absent, role);
}

/* A store has of an index what was asked for; all else is told at once. */
static void report_absent(struct surroundings *s)
{
	enum { MAX_TOLD = 10 };
	SB_AUTO_STRV told = SB_STRV_INIT;

	if (s->absent.len == 0 || sb_digest_is_set(&sb_image_root(s->image)->digest))
		return;
	for (size_t i = 0; i < s->absent.len && i < MAX_TOLD; i++)
		sb_strv_add(&told, s->absent.items[i]);
	if (s->absent.len > MAX_TOLD)
		sb_strv_addf(&told, "and %zu more", s->absent.len - MAX_TOLD);

	sb_autofree char *list = sb_strv_join(&told, ", ");

	sb_report_problem(s->in->report, SB_PROBLEM_OTHER, SIZE_MAX, NULL,
		"referred to, and not in the %s: %s", s->image->form, list);
}

static void visit_blob(
	struct surroundings *s, const struct link *link, const char *role, unsigned depth)
{
	SB_AUTO(sb_blob_reader) reader = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF text = SB_BUF_INIT(SB_MAX_JSON);
	struct sb_blob_sums sums;

	if (sb_image_open_blob(s->image, &link->digest, &reader, &err) < 0) {
		if (err.code == SB_E_NOT_FOUND)
			note_absent(s, role, link);
		else
			sb_report_problem(s->in->report, SB_PROBLEM_MISSING, SIZE_MAX, role, "%s",
				err.message);
		return;
	}
	if (sb_check_blob(s->in, role, reader, is_manifest(link) ? &text : NULL, &sums))
		check_sums(s, role, link, &sums);
	if (is_manifest(link) && text.len > 0)
		walk_text(s, &text, role, depth);
}

static void visit(struct surroundings *s, const json_t *json, const char *role, unsigned depth)
{
	struct link link;

	if (!json_is_object(json) || !read_link(json, &link))
		return;
	look_at_data(s, role, &link);
	if (!add_seen(s, &link.digest) || is_part(s, &link.digest))
		return;
	if (sb_digest_equal(&link.digest, &s->image->descriptor.digest))
		walk_text(s, sb_image_manifest_json(s->image), "manifest", depth);
	else
		visit_blob(s, &link, role, depth);
}

/* "blobs/sha256/…", not "HEX.json" of an archive of docker's. */
static bool is_blob_name(const struct sb_image_file *file)
{
	return strncmp(file->name, "blobs/", 6) == 0 && sb_digest_is_set(&file->digest);
}

/* Layers and configs of other images in an archive of docker's. */
static bool is_named_by_docker(const struct surroundings *s, const struct sb_image_file *file)
{
	return s->manifest_json.len > 0 && strstr(s->manifest_json.data, file->name) != NULL;
}

static void read_file(struct surroundings *s, const struct sb_image_file *file)
{
	const struct link link = {
		.digest = file->digest, .size_bytes = file->size_bytes, .has_size = true};
	const bool is_stray = is_blob_name(file) && !is_named_by_docker(s, file);
	sb_autofree char *role =
		is_stray ? sb_asprintf("stray blob %s", file->digest.text) : sb_strdup(file->name);
	SB_AUTO(sb_blob_reader) reader = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_blob_sums sums;

	if (sb_image_open_file(s->image, file, &reader, &err) < 0) {
		sb_report_gap(s->in->report, SIZE_MAX, role, err.message);
		return;
	}
	if (sb_check_blob(s->in, role, reader, NULL, &sums) && sb_digest_is_set(&file->digest))
		check_sums(s, role, &link, &sums);
	if (is_stray)
		sb_report_problem(s->in->report, SB_PROBLEM_OTHER, SIZE_MAX, role,
			"nothing refers to its %" PRIu64 " bytes", file->size_bytes);
}

static void read_between(struct surroundings *s, const struct sb_image_file *file)
{
	SB_AUTO(sb_blob_reader) reader = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_image_open_file(s->image, file, &reader, &err) < 0 ||
		sb_check_between(
			s->in, "the archive, outside of its files", file->offset, reader, &err) < 0)
		sb_report_gap(
			s->in->report, SIZE_MAX, "the archive, outside of its files", err.message);
}

static void read_files(struct surroundings *s)
{
	SB_ARRAY_FOREACH (&s->files, file) {
		if (file->is_part || is_seen(s, &file->digest))
			continue;
		if (file->name[0] == '\0')
			read_between(s, file);
		else
			read_file(s, file);
	}
}

/* False where there is none, or it is too large to be one. */
static bool read_named(const struct surroundings *s, const char *name, struct sb_buf *out)
{
	SB_ARRAY_FOREACH (&s->files, file) {
		SB_AUTO(sb_blob_reader) reader = NULL;
		SB_AUTO_ERROR ignored = SB_ERROR_INIT;
		char piece[16 << 10];
		ssize_t n = 0;

		if (strcmp(file->name, name) != 0 ||
			sb_image_open_file(s->image, file, &reader, &ignored) < 0)
			continue;
		while ((n = sb_blob_reader_read(reader, piece, sizeof(piece), &ignored)) > 0 &&
			sb_buf_add(out, piece, (size_t)n, &ignored) == 0)
			continue;
		return n == 0;
	}
	return false;
}

static void walk_from_root(struct surroundings *s)
{
	const struct sb_descriptor *root = sb_image_root(s->image);
	SB_AUTO_BUF text = SB_BUF_INIT(SB_MAX_JSON);

	if (read_named(s, index_name, &text)) {
		walk_text(s, &text, index_name, 0);
		return;
	}
	if (sb_digest_is_set(&root->digest)) {
		SB_AUTO_JSON json = json_pack("{s:s,s:s}", "mediaType",
			root->media_type != NULL ? root->media_type : SB_MEDIA_OCI_INDEX, "digest",
			root->digest.text);

		visit(s, json, "index", 0);
	}
}

void sb_inspector_read_surroundings(struct sb_inspector *in, const struct sb_image *image)
{
	struct surroundings s = {
		.in = in, .image = image, .manifest_json = SB_BUF_INIT(SB_MAX_JSON)};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_image_list_files(image, &s.files, &err) < 0)
		sb_report_gap(in->report, SIZE_MAX, "other blobs", err.message);
	(void)read_named(&s, "manifest.json", &s.manifest_json);
	walk_from_root(&s);
	read_files(&s);
	report_absent(&s);
	sb_strv_release(&s.absent);
	sb_image_files_release(&s.files);
	sb_strv_release(&s.seen);
	sb_buf_release(&s.manifest_json);
}
