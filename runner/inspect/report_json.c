/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "inspect/inspect.h"
#include "leak/needles.h"

/*
 * The document, "schema": 1. Later versions of the same number only add keys.
 *
 *	schema         1
 *	image          {form, name|null, digest|null, platform, user, runs_as_root}
 *	layers[]       {index (from 0), digest, diff_id, media_type, size, tar_size, payload,
 *	               dead_bytes, entries, whiteouts, created_by|null}; digests are null where
 *unread dead_bytes     the sum over all layers dead[]         {path, size, digest|null, cause,
 *added_layer, removed_layer} (indexes from 0) secrets        {searched (a number), ids[], forms[],
 *scanned_bytes, findings[]: {id, form, where, layer|null, offset}} problems[], not_scanned[]   one
 *line of text each
 *
 * All sizes are in bytes. Text that is not UTF-8 has its other bytes as \xHH.
 */
static json_t *text(const char *s)
{
	if (s == NULL)
		return json_null();

	json_t *value = json_string(s);

	if (value != NULL)
		return value;

	sb_autofree char *safe = sb_escape_text(s, strlen(s));

	return json_string(safe);
}

static json_t *number(uint64_t n)
{
	/* JSON has no unsigned 64 bit; no image comes near. */
	return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

static json_t *digest(const struct sb_digest *d)
{
	return text(sb_digest_is_set(d) ? d->text : NULL);
}

static json_t *lines(const struct sb_strv *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->len; i++)
		(void)json_array_append_new(array, text(list->items[i]));
	return array;
}

static void set(json_t *object, const char *key, json_t *value)
{
	/* Fails only without memory; the key would be missing, which the dump's reader sees. */
	(void)json_object_set_new(object, key, value);
}

static json_t *image(const struct sb_inspection *in)
{
	json_t *object = json_object();
	sb_autofree char *platform = sb_platform_format(&in->platform);

	set(object, "form", text(in->form));
	set(object, "name", text(in->name));
	set(object, "digest", digest(&in->manifest_digest));
	set(object, "platform", text(platform));
	set(object, "user", text(in->user));
	set(object, "runs_as_root", json_boolean(in->runs_as_root));
	return object;
}

static json_t *layers(const struct sb_inspection *in)
{
	json_t *array = json_array();
	size_t index = 0;

	SB_ARRAY_FOREACH (&in->layers, layer) {
		json_t *object = json_object();

		set(object, "index", number(index++));
		set(object, "digest", digest(&layer->digest));
		set(object, "diff_id", digest(&layer->diff_id));
		set(object, "media_type", text(layer->media_type));
		set(object, "size", number(layer->size_bytes));
		set(object, "tar_size", number(layer->tar_bytes));
		set(object, "payload", number(layer->payload_bytes));
		set(object, "dead_bytes", number(layer->dead_bytes));
		set(object, "entries", number(layer->n_entries));
		set(object, "whiteouts", number(layer->n_whiteouts));
		set(object, "created_by", text(layer->created_by));
		(void)json_array_append_new(array, object);
	}
	return array;
}

static json_t *dead(const struct sb_inspection *in)
{
	json_t *array = json_array();

	SB_ARRAY_FOREACH (&in->dead, file) {
		json_t *object = json_object();

		set(object, "path", text(file->path));
		set(object, "size", number(file->size_bytes));
		set(object, "digest", digest(&file->digest));
		set(object, "cause", text(file->cause));
		set(object, "added_layer", number(file->added_layer));
		set(object, "removed_layer", number(file->removed_layer));
		(void)json_array_append_new(array, object);
	}
	return array;
}

static json_t *findings(const struct sb_inspection *in)
{
	json_t *array = json_array();

	SB_ARRAY_FOREACH (&in->secrets, finding) {
		json_t *object = json_object();

		set(object, "id", text(finding->secret_id));
		set(object, "form", text(finding->form));
		set(object, "where", text(finding->where));
		set(object, "layer",
			finding->layer == SIZE_MAX ? json_null() : number(finding->layer));
		set(object, "offset", number(finding->offset));
		(void)json_array_append_new(array, object);
	}
	return array;
}

static json_t *secrets(const struct sb_inspection *in)
{
	json_t *object = json_object();
	SB_AUTO_STRV forms = SB_STRV_INIT;

	sb_needle_form_names(&forms);
	set(object, "searched", number(in->n_secrets_searched));
	set(object, "ids", lines(&in->secret_ids));
	set(object, "forms", lines(&forms));
	set(object, "scanned_bytes", number(in->scanned_bytes));
	set(object, "findings", findings(in));
	return object;
}

int sb_inspection_json(const struct sb_inspection *inspection, char **out, struct sb_error *err)
{
	json_t *root = json_object();
	uint64_t dead_bytes = 0;

	SB_ARRAY_FOREACH (&inspection->layers, layer)
		dead_bytes += layer->dead_bytes;
	set(root, "schema", json_integer(1));
	set(root, "image", image(inspection));
	set(root, "layers", layers(inspection));
	set(root, "dead_bytes", number(dead_bytes));
	set(root, "dead", dead(inspection));
	set(root, "secrets", secrets(inspection));
	set(root, "problems", lines(&inspection->problems));
	set(root, "not_scanned", lines(&inspection->not_scanned));

	char *dump = json_dumps(root, JSON_INDENT(2));

	json_decref(root);
	if (dump == NULL)
		return sb_fail(err, SB_E_LIMIT, "the report is too large for JSON");
	*out = dump;
	return 0;
}
