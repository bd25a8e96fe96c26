/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/descriptor_json.h"
#include "oci/index.h"
#include "oci/layout_private.h"
#include "sys/atomic.h"
#include "sys/fd.h"
#include "sys/lock.h"

static const char what_index[] = "index.json of the image layout";

/* The names are nowhere else. What other tool wrote a layout must mend it. */
static int fail_broken_index(const struct sb_layout *layout, struct sb_error *err)
{
	sb_autofree char *path = sb_fd_path(layout->fd);

	if (layout->is_writable && path != NULL && err->code != SB_E_SYSTEM)
		return sb_error_hint(err,
			"`rm -f '%s/index.json' '%s/oci-layout'` begins a new list of images; "
			"pull, "
			"import or build them again, which finds what the cache has",
			path, path);
	return -1;
}

int sb_layout_load_index(const struct sb_layout *layout, json_t **out, struct sb_error *err)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_JSON index = NULL;
	json_t *list = NULL;

	if (sb_at_read_file(layout->fd, "index.json", layout->how, SB_MAX_JSON, &buf, err) < 0) {
		(void)sb_error_context(err, "image layout");
		return fail_broken_index(layout, err);
	}
	if (sb_json_parse_object(buf.data, buf.len, what_index, &index, err) < 0 ||
		sb_json_get_array(index, "manifests", what_index, &list, err) < 0)
		return fail_broken_index(layout, err);
	if (list == NULL)
		sb_json_put(index, "manifests", json_array());
	*out = SB_STEAL(index);
	return 0;
}

int sb_layout_store_index(const struct sb_layout *layout, const json_t *index, struct sb_error *err)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);

	if (sb_json_dump(index, what_index, NULL, &buf, err) < 0)
		return -1;
	return sb_atomic_write(layout->fd, "index.json", 0644, buf.data, buf.len, err);
}

int sb_layout_list(struct sb_layout *layout, struct sb_descriptors *out, struct sb_error *err)
{
	SB_AUTO_JSON index = NULL;

	if (sb_layout_load_index(layout, &index, err) < 0)
		return -1;
	if (sb_index_parse_json(index, out, err) < 0) {
		(void)sb_error_context(err, "%s", what_index);
		return fail_broken_index(layout, err);
	}
	return 0;
}

const char *sb_descriptor_name(const struct sb_descriptor *d)
{
	return sb_env_get(&d->annotations, SB_ANNOTATION_REF_NAME);
}

static int fail_no_image(const char *name, struct sb_error *err)
{
	return sb_fail(err, SB_E_NOT_FOUND, "there is no image '%s'", name);
}

int sb_layout_find(
	struct sb_layout *layout, const char *name, struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) list = {0};

	if (sb_layout_list(layout, &list, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&list, d) {
		const char *have = sb_descriptor_name(d);

		if (have == NULL || strcmp(have, name) != 0)
			continue;
		*out = *d;
		*d = (struct sb_descriptor){0};
		return 0;
	}
	return fail_no_image(name, err);
}

static const char *entry_name(const json_t *entry)
{
	return json_string_value(
		json_object_get(json_object_get(entry, "annotations"), SB_ANNOTATION_REF_NAME));
}

static bool has_digest(const json_t *entry, const char *digest)
{
	const char *have = json_string_value(json_object_get(entry, "digest"));

	return have != NULL && strcmp(have, digest) == 0;
}

static bool has_name(const json_t *entry, const char *name)
{
	const char *have = entry_name(entry);

	return have != NULL && strcmp(have, name) == 0;
}

/* Is the digest listed by an entry other than entry i? */
static bool is_listed_elsewhere(const json_t *list, size_t i)
{
	const char *digest = json_string_value(json_object_get(json_array_get(list, i), "digest"));

	for (size_t j = 0; digest != NULL && j < json_array_size(list); j++)
		if (j != i && has_digest(json_array_get(list, j), digest))
			return true;
	return false;
}

/* Takes the name from the images that have it but are not `digest`. */
static void take_name(json_t *list, const char *name, const char *digest)
{
	for (size_t i = json_array_size(list); i-- > 0;) {
		json_t *entry = json_array_get(list, i);

		if (!has_name(entry, name) || has_digest(entry, digest))
			continue;
		if (is_listed_elsewhere(list, i)) {
			(void)json_array_remove(list, i);
			continue;
		}

		json_t *annotations = json_object_get(entry, "annotations");

		(void)json_object_del(annotations, SB_ANNOTATION_REF_NAME);
		(void)json_object_del(annotations, SB_ANNOTATION_IMAGE_NAME);
		if (json_object_size(annotations) == 0)
			(void)json_object_del(entry, "annotations");
	}
}

static int append_entry(
	json_t *list, const struct sb_descriptor *manifest, const char *name, struct sb_error *err)
{
	struct sb_descriptor named = {0};
	const char *bad = NULL;

	sb_descriptor_copy(&named, manifest);
	sb_env_unset(&named.annotations, SB_ANNOTATION_REF_NAME);
	sb_env_unset(&named.annotations, SB_ANNOTATION_IMAGE_NAME);
	if (name != NULL)
		sb_env_set(&named.annotations, SB_ANNOTATION_REF_NAME, name);

	json_t *entry = sb_descriptor_to_json(&named, &bad);

	sb_descriptor_release(&named);
	SB_BUG_ON(json_array_append_new(list, entry) != 0);
	if (bad != NULL)
		return sb_fail(
			err, SB_E_UNSUPPORTED, "the image's name or annotations are not UTF-8");
	return 0;
}

/* Finds the entry of that digest which has that name (NULL: which has none). */
static json_t *find_entry(const json_t *list, const char *digest, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *entry = json_array_get(list, i);

		if (has_digest(entry, digest) &&
			(name != NULL ? has_name(entry, name) : entry_name(entry) == NULL))
			return entry;
	}
	return NULL;
}

static int add_entry(
	json_t *list, const struct sb_descriptor *manifest, const char *name, struct sb_error *err)
{
	const char *digest = manifest->digest.text;

	if (name == NULL) {
		for (size_t i = 0; i < json_array_size(list); i++)
			if (has_digest(json_array_get(list, i), digest))
				return 0;
		return append_entry(list, manifest, NULL, err);
	}
	take_name(list, name, digest);
	if (find_entry(list, digest, name) != NULL)
		return 0;
	for (size_t i = json_array_size(list); i-- > 0;)
		if (has_digest(json_array_get(list, i), digest) &&
			entry_name(json_array_get(list, i)) == NULL)
			(void)json_array_remove(list, i);
	return append_entry(list, manifest, name, err);
}

int sb_layout_add(struct sb_layout *layout, const struct sb_descriptor *manifest, const char *name,
	struct sb_error *err)
{
	SB_AUTO_JSON index = NULL;
	SB_AUTO_JSON before = NULL;
	sb_autofd int lock = -1;
	struct stat st;

	if (sb_layout_require_writable(layout, err) < 0 ||
		sb_lock_take(layout->fd, SB_LAYOUT_LOCK, SB_LOCK_EXCLUSIVE, &lock, err) < 0 ||
		sb_layout_load_index(layout, &index, err) < 0)
		return -1;
	if (!sb_layout_stat_blob(layout, &manifest->digest, &st))
		return sb_fail(err, SB_E_NOT_FOUND, "manifest %s is not in the image layout",
			manifest->digest.text);
	before = json_deep_copy(index);
	if (add_entry(json_object_get(index, "manifests"), manifest, name, err) < 0)
		return -1;
	/* A build in which all is cached changes nothing, and waits for no disk. */
	return json_equal(index, before) ? 0 : sb_layout_store_index(layout, index, err);
}

static bool is_digest_text(const char *name)
{
	return strncmp(name, "sha256:", 7) == 0;
}

static size_t remove_entries(json_t *list, const char *name)
{
	size_t n = 0;

	for (size_t i = json_array_size(list); i-- > 0;) {
		const json_t *entry = json_array_get(list, i);

		if (is_digest_text(name) ? !has_digest(entry, name) : !has_name(entry, name))
			continue;
		(void)json_array_remove(list, i);
		n++;
	}
	return n;
}

int sb_layout_remove(struct sb_layout *layout, const char *name, struct sb_error *err)
{
	SB_AUTO_JSON index = NULL;
	sb_autofd int lock = -1;

	if (sb_layout_require_writable(layout, err) < 0 ||
		sb_lock_take(layout->fd, SB_LAYOUT_LOCK, SB_LOCK_EXCLUSIVE, &lock, err) < 0 ||
		sb_layout_load_index(layout, &index, err) < 0)
		return -1;
	if (remove_entries(json_object_get(index, "manifests"), name) == 0)
		return fail_no_image(name, err);
	if (sb_layout_store_index(layout, index, err) < 0)
		return -1;
	if (sb_layout_sweep(layout, index, err) < 0)
		return sb_error_context(
			err, "'%s' is removed, but blobs that are not used were kept", name);
	return 0;
}
