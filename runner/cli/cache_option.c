/* SPDX-License-Identifier: MIT */
#include "cli/cache_option.h"

#include <string.h>

#include "base/csv.h"
#include "cli/spec_keys.h"

enum cache_key {
	KEY_TYPE,
	KEY_REF,
	KEY_DEST,
	KEY_SRC,
	KEY_TAG,
	KEY_DIGEST,
	KEY_MODE,
	KEY_IMAGE_MANIFEST,
	KEY_OCI,
	KEY_COMPRESSION,
	KEY_LEVEL,
	KEY_FORCE,
	KEY_IGNORE,
	N_KEYS
};

static const char *const key_names[N_KEYS] = {
	[KEY_TYPE] = "type",
	[KEY_REF] = "ref",
	[KEY_DEST] = "dest",
	[KEY_SRC] = "src",
	[KEY_TAG] = "tag",
	[KEY_DIGEST] = "digest",
	[KEY_MODE] = "mode",
	[KEY_IMAGE_MANIFEST] = "image-manifest",
	[KEY_OCI] = "oci-mediatypes",
	[KEY_COMPRESSION] = "compression",
	[KEY_LEVEL] = "compression-level",
	[KEY_FORCE] = "force-compression",
	[KEY_IGNORE] = "ignore-error",
};

/* One of the two options. */
struct direction {
	bool is_to;
	enum cache_key folder; /* the key that names one */
	const char *example;
};

static const struct direction to = {true, KEY_DEST, "--cache-to type=registry,ref=HOST/app:cache"};
static const struct direction from = {
	false, KEY_SRC, "--cache-from type=registry,ref=HOST/app:cache"};

static bool takes(const struct direction *way, bool is_folder, enum cache_key key)
{
	switch (key) {
	case KEY_TYPE:
		return true;
	case KEY_REF:
		return !is_folder;
	case KEY_DEST:
	case KEY_SRC:
		return is_folder && key == way->folder;
	case KEY_TAG:
		return is_folder;
	case KEY_DIGEST:
		return is_folder && !way->is_to;
	case KEY_MODE:
	case KEY_IMAGE_MANIFEST:
	case KEY_OCI:
	case KEY_COMPRESSION:
	case KEY_LEVEL:
	case KEY_FORCE:
	case KEY_IGNORE:
		return way->is_to;
	case N_KEYS:
		break;
	}
	return false;
}

static int find_type(
	const struct direction *way, const char *type, bool *out_is_folder, struct sb_error *err)
{
	static const char *const absent[] = {"inline", "gha", "s3", "azblob"};

	if (type == NULL) {
		(void)sb_fail(err, SB_E_USAGE, "the type is missing");
		return sb_error_hint(err, "for example %s", way->example);
	}
	*out_is_folder = strcmp(type, "local") == 0;
	if (*out_is_folder || strcmp(type, "registry") == 0)
		return 0;
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		if (strcmp(absent[i], type) != 0)
			continue;
		(void)sb_fail(
			err, SB_E_USAGE, "type '%s' is not in this version of safebuild", type);
		return sb_error_hint(err, "the types are registry and local: %s", way->example);
	}
	(void)sb_fail(err, SB_E_USAGE, "unknown type '%s'", type);
	return sb_error_hint(err, "the types are registry and local");
}

static int check_keys(const struct direction *way, bool is_folder, const char *const values[N_KEYS],
	struct sb_error *err)
{
	const enum cache_key place = is_folder ? way->folder : KEY_REF;

	for (enum cache_key key = 0; key < N_KEYS; key++)
		if (values[key] != NULL && !takes(way, is_folder, key))
			return sb_fail(err, SB_E_USAGE, "'%s' does not go with type=%s here",
				key_names[key], values[KEY_TYPE]);
	if (values[place] == NULL)
		return sb_fail(
			err, SB_E_USAGE, "type=%s needs %s", values[KEY_TYPE], key_names[place]);
	if (values[KEY_TAG] != NULL && values[KEY_DIGEST] != NULL)
		return sb_fail(err, SB_E_USAGE, "give a tag or a digest, not both");
	return 0;
}

static int set_mode(const char *value, bool *out_has_all, struct sb_error *err)
{
	if (value == NULL)
		return 0;
	if (strcmp(value, "min") != 0 && strcmp(value, "max") != 0)
		return sb_fail(err, SB_E_USAGE, "mode is min or max, not '%s'", value);
	*out_has_all = strcmp(value, "max") == 0;
	return 0;
}

/* As BuildKit has it: Docker's media types go with an index alone. */
static int set_form(
	const char *const values[N_KEYS], struct sb_cache_option *out, struct sb_error *err)
{
	bool is_oci = true;
	bool is_manifest = true;

	if (sb_spec_bool("oci-mediatypes", values[KEY_OCI], &is_oci, err) < 0)
		return -1;
	is_manifest = is_oci;
	if (sb_spec_bool("image-manifest", values[KEY_IMAGE_MANIFEST], &is_manifest, err) < 0)
		return -1;
	if (is_manifest && !is_oci)
		return sb_fail(err, SB_E_USAGE,
			"image-manifest=true does not go with oci-mediatypes=false");
	out->is_index = !is_manifest;
	out->is_docker = !is_oci;
	return 0;
}

static int set_export(
	const char *const values[N_KEYS], struct sb_cache_option *out, struct sb_error *err)
{
	/* All layers are ours to compress: there are none that it would have to be forced on. */
	bool is_forced = false;

	if (set_mode(values[KEY_MODE], &out->has_all, err) < 0 || set_form(values, out, err) < 0 ||
		sb_spec_bool("force-compression", values[KEY_FORCE], &is_forced, err) < 0 ||
		sb_spec_bool("ignore-error", values[KEY_IGNORE], &out->ignores_error, err) < 0 ||
		sb_spec_compression(values[KEY_COMPRESSION], &out->compression, err) < 0)
		return -1;
	if (values[KEY_LEVEL] != NULL && out->compression == NULL)
		out->compression = "gzip";
	return sb_spec_level(values[KEY_LEVEL], out->compression, &out->compression_level, err);
}

static const char *keep(struct sb_cache_list *list, const char *text)
{
	if (text == NULL)
		return NULL;
	sb_strv_add(&list->text, text);
	return list->text.items[list->text.len - 1];
}

/* First of all: another type has other keys. */
static const char *type_in(const struct sb_strv *fields)
{
	for (size_t i = 0; i < fields->len; i++)
		if (strncmp(fields->items[i], "type=", 5) == 0)
			return fields->items[i] + 5;
	return NULL;
}

static int parse_fields(const struct direction *way, struct sb_cache_list *list,
	const struct sb_strv *fields, struct sb_error *err)
{
	const char *values[N_KEYS] = {NULL};
	struct sb_cache_option option = {0};

	if (find_type(way, type_in(fields), &option.is_folder, err) < 0 ||
		sb_spec_read_keys(fields, key_names, N_KEYS, values, err) < 0 ||
		check_keys(way, option.is_folder, values, err) < 0 ||
		set_export(values, &option, err) < 0)
		return -1;
	option.where = keep(list, values[option.is_folder ? way->folder : KEY_REF]);
	option.tag = keep(list, values[KEY_TAG]);
	option.digest = keep(list, values[KEY_DIGEST]);
	*SB_ARRAY_ADD(list) = option;
	return 0;
}

static int parse(const struct direction *way, struct sb_cache_list *list, const char *value,
	struct sb_error *err)
{
	SB_AUTO_STRV fields = SB_STRV_INIT;
	const char *wrong = NULL;

	if (value[0] == '\0')
		return sb_fail(err, SB_E_USAGE, "the value is empty");
	wrong = sb_csv_split(value, SB_CSV_QUOTED_VALUES, &fields);
	if (wrong != NULL)
		return sb_fail(err, SB_E_USAGE, "%s", wrong);
	/* buildx's reading: what has no '=' is a reference. */
	if (strchr(value, '=') != NULL)
		return parse_fields(way, list, &fields, err);
	for (size_t i = 0; i < fields.len; i++)
		*SB_ARRAY_ADD(list) =
			(struct sb_cache_option){.where = keep(list, fields.items[i])};
	return 0;
}

int sb_cache_to_parse(void *list, const char *value, struct sb_error *err)
{
	return parse(&to, list, value, err);
}

int sb_cache_from_parse(void *list, const char *value, struct sb_error *err)
{
	return parse(&from, list, value, err);
}

void sb_cache_list_release(struct sb_cache_list *list)
{
	SB_ARRAY_RELEASE(list);
	sb_strv_release(&list->text);
}
