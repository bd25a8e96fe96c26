/* SPDX-License-Identifier: MIT */
#include "cli/output_option.h"

#include <string.h>

#include "base/csv.h"
#include "cli/spec_keys.h"

enum output_key {
	KEY_TYPE,
	KEY_DEST,
	KEY_NAME,
	KEY_TAR,
	KEY_COMPRESSION,
	KEY_LEVEL,
	KEY_FORCE,
	KEY_ATTEST,
	KEY_PUSH,
	N_KEYS
};

static const char *const key_names[N_KEYS] = {
	[KEY_TYPE] = "type",
	[KEY_DEST] = "dest",
	[KEY_NAME] = "name",
	[KEY_TAR] = "tar",
	[KEY_COMPRESSION] = "compression",
	[KEY_LEVEL] = "compression-level",
	[KEY_FORCE] = "force-compression",
	[KEY_ATTEST] = "attest",
	[KEY_PUSH] = "push",
};

/* What each type takes beside type itself. */
static const struct output_type {
	const char *name;
	enum sb_output_type type;
	bool takes[N_KEYS];
} types[] = {
	{"oci", SB_OUTPUT_OCI,
		{[KEY_DEST] = true,
			[KEY_NAME] = true,
			[KEY_TAR] = true,
			[KEY_COMPRESSION] = true,
			[KEY_LEVEL] = true,
			[KEY_FORCE] = true,
			[KEY_ATTEST] = true}},
	{"docker", SB_OUTPUT_DOCKER,
		{[KEY_DEST] = true,
			[KEY_NAME] = true,
			[KEY_COMPRESSION] = true,
			[KEY_LEVEL] = true,
			[KEY_FORCE] = true}},
	{"tar", SB_OUTPUT_TAR, {[KEY_DEST] = true}},
	{"local", SB_OUTPUT_LOCAL, {[KEY_DEST] = true}},
	{"store", SB_OUTPUT_STORE,
		{[KEY_NAME] = true,
			[KEY_COMPRESSION] = true,
			[KEY_LEVEL] = true,
			[KEY_FORCE] = true}},
	{"registry", SB_OUTPUT_REGISTRY,
		{[KEY_NAME] = true,
			[KEY_COMPRESSION] = true,
			[KEY_LEVEL] = true,
			[KEY_FORCE] = true,
			[KEY_ATTEST] = true,
			[KEY_PUSH] = true}},
	{"image", SB_OUTPUT_STORE,
		{[KEY_NAME] = true,
			[KEY_COMPRESSION] = true,
			[KEY_LEVEL] = true,
			[KEY_FORCE] = true,
			[KEY_ATTEST] = true,
			[KEY_PUSH] = true}},
};

static bool is_stdout(const struct sb_output_option *output)
{
	return output->dest != NULL && strcmp(output->dest, "-") == 0;
}

static const char *keep(struct sb_output_list *list, const char *text)
{
	if (text == NULL)
		return NULL;
	sb_strv_add(&list->text, text);
	return list->text.items[list->text.len - 1];
}

static int find_type(const char *name, const struct output_type **out, struct sb_error *err)
{
	if (name == NULL) {
		sb_fail(err, SB_E_USAGE, "the type is missing");
		return sb_error_hint(err, "for example -o type=oci,dest=image.tar");
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, name) == 0) {
			*out = &types[i];
			return 0;
		}
	}
	if (strcmp(name, "cacheonly") == 0)
		sb_fail(err, SB_E_USAGE, "type '%s' is not in this version of safebuild", name);
	else
		sb_fail(err, SB_E_USAGE, "unknown type '%s'", name);
	return sb_error_hint(
		err, "the types are oci, docker, tar, local, store, registry and image");
}

static int check_keys(
	const struct output_type *type, const char *const values[N_KEYS], struct sb_error *err)
{
	for (size_t key = 0; key < N_KEYS; key++) {
		if (key != KEY_TYPE && values[key] != NULL && !type->takes[key])
			return sb_fail(err, SB_E_USAGE, "'%s' does not go with type=%s",
				key_names[key], type->name);
	}
	if (type->takes[KEY_DEST] && values[KEY_DEST] == NULL) {
		sb_fail(err, SB_E_USAGE, "type=%s needs dest", type->name);
		return sb_error_hint(err, "dest=PATH%s",
			type->type != SB_OUTPUT_LOCAL ? ", or dest=- for stdout" : "");
	}
	if (type->type == SB_OUTPUT_LOCAL && strcmp(values[KEY_DEST], "-") == 0)
		return sb_fail(err, SB_E_USAGE, "a folder can't go to stdout: use type=tar");
	return 0;
}

static int set_form(
	const char *const values[N_KEYS], struct sb_output_option *out, struct sb_error *err)
{
	bool is_archive = true;

	if (sb_spec_bool("tar", values[KEY_TAR], &is_archive, err) < 0 ||
		sb_spec_bool("attest", values[KEY_ATTEST], &out->has_attestation, err) < 0)
		return -1;
	out->is_folder = !is_archive;
	if (out->is_folder && strcmp(out->dest, "-") == 0)
		return sb_fail(err, SB_E_USAGE, "a folder (tar=false) can't go to stdout");
	return 0;
}

/* buildx's types: an image that is pushed, or kept in the store. */
static int set_push(const char *value, struct sb_output_option *out, struct sb_error *err)
{
	bool is_pushed = out->type == SB_OUTPUT_REGISTRY;

	if (sb_spec_bool("push", value, &is_pushed, err) < 0)
		return -1;
	if (value != NULL)
		out->type = is_pushed ? SB_OUTPUT_REGISTRY : SB_OUTPUT_STORE;
	if (out->type == SB_OUTPUT_STORE && out->name != NULL && strchr(out->name, ',') != NULL)
		return sb_fail(err, SB_E_USAGE,
			"an output of the store has one name; -t gives more of them");
	return 0;
}

static int set_compression(
	const char *const values[N_KEYS], struct sb_output_option *out, struct sb_error *err)
{
	return sb_spec_bool("force-compression", values[KEY_FORCE], &out->force_compression, err) <
				       0 ||
			       sb_spec_compression(
				       values[KEY_COMPRESSION], &out->compression, err) < 0
		       ? -1
		       : sb_spec_level(
				 values[KEY_LEVEL], out->compression, &out->compression_level, err);
}

static int parse_fields(
	struct sb_output_list *list, const struct sb_strv *csv, struct sb_error *err)
{
	const char *values[N_KEYS] = {NULL};
	const struct output_type *type = NULL;
	struct sb_output_option output = {0};

	if (sb_spec_read_keys(csv, key_names, N_KEYS, values, err) < 0 ||
		find_type(values[KEY_TYPE], &type, err) < 0 || check_keys(type, values, err) < 0)
		return -1;
	output.type = type->type;
	output.dest = values[KEY_DEST];
	output.name = values[KEY_NAME];
	if (set_push(values[KEY_PUSH], &output, err) < 0 || set_form(values, &output, err) < 0 ||
		set_compression(values, &output, err) < 0)
		return -1;
	if (output.type == SB_OUTPUT_STORE && output.has_attestation)
		return sb_fail(err, SB_E_USAGE, "attest does not go with what stays in the store");
	output.dest = keep(list, output.dest);
	output.name = keep(list, output.name);
	*SB_ARRAY_ADD(list) = output;
	return 0;
}

int sb_output_option_parse(void *data, const char *value, struct sb_error *err)
{
	struct sb_output_list *list = data;
	SB_AUTO_STRV csv = SB_STRV_INIT;
	const bool had_stdout = sb_output_list_has_stdout(list);

	if (value[0] == '\0')
		return sb_fail(err, SB_E_USAGE, "the value is empty");

	const char *wrong = sb_csv_split(value, SB_CSV_QUOTED_VALUES, &csv);

	if (wrong != NULL)
		return sb_fail(err, SB_E_USAGE, "%s", wrong);
	/* docker's reading: one field that is not a type is a path, an `=` in it or not. */
	if (csv.len == 1 && strcmp(csv.items[0], value) == 0 && strncmp(value, "type=", 5) != 0) {
		*SB_ARRAY_ADD(list) = (struct sb_output_option){
			.type = strcmp(value, "-") == 0 ? SB_OUTPUT_TAR : SB_OUTPUT_LOCAL,
			.dest = keep(list, value),
		};
	} else if (parse_fields(list, &csv, err) < 0) {
		return -1;
	}
	if (had_stdout && is_stdout(&list->items[list->len - 1]))
		return sb_fail(err, SB_E_USAGE, "only one output can go to stdout");
	return 0;
}

bool sb_output_list_has_stdout(const struct sb_output_list *list)
{
	SB_ARRAY_FOREACH (list, output) {
		if (is_stdout(output))
			return true;
	}
	return false;
}

void sb_output_list_release(struct sb_output_list *list)
{
	SB_ARRAY_RELEASE(list);
	sb_strv_release(&list->text);
}
