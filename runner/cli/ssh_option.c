/* SPDX-License-Identifier: MIT */
#include "cli/ssh_option.h"

#include <string.h>

#include "base/csv.h"
#include "base/mem.h"

static const char raw_key[] = "raw=";

static int fail_form(struct sb_error *err, const char *message)
{
	(void)sb_fail(err, SB_E_USAGE, "%s", message);
	return sb_error_hint(err, "the forms are ID, ID=SOCKET and ID=KEY,KEY; 'default' is the id "
				  "of mounts that name none");
}

static int parse_raw(const char *text, bool *out, struct sb_error *err)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return fail_form(err, "raw is true or false");
	*out = strcmp(text, "true") == 0;
	return 0;
}

/* The fields behind the first one: paths, and raw=. */
static int read_more(
	const struct sb_strv *fields, struct sb_strv *paths, bool *out_raw, struct sb_error *err)
{
	const bool takes_paths = paths->len > 0;

	for (size_t i = 1; i < fields->len; i++) {
		const char *field = fields->items[i];

		if (strncmp(field, raw_key, sizeof(raw_key) - 1) == 0) {
			if (parse_raw(field + sizeof(raw_key) - 1, out_raw, err) < 0)
				return -1;
			continue;
		}
		if (!takes_paths)
			return fail_form(err, "a path without an id: the first one follows ID=");
		if (field[0] == '\0')
			return fail_form(err, "a path is empty");
		sb_strv_add(paths, field);
	}
	return 0;
}

static const char *keep(struct sb_ssh_list *list, const char *text)
{
	sb_strv_add(&list->text, text);
	return list->text.items[list->text.len - 1];
}

static const char *const *keep_paths(struct sb_ssh_list *list, const struct sb_strv *paths)
{
	if (paths->len == 0)
		return NULL;

	const char **kept = sb_calloc(paths->len + 1, sizeof(*kept));

	for (size_t i = 0; i < paths->len; i++)
		kept[i] = keep(list, paths->items[i]);
	*SB_ARRAY_ADD(&list->paths) = kept;
	return kept;
}

int sb_ssh_option_parse(void *data, const char *value, struct sb_error *err)
{
	struct sb_ssh_list *list = data;
	SB_AUTO_STRV fields = SB_STRV_INIT;
	SB_AUTO_STRV paths = SB_STRV_INIT;
	bool is_raw = false;
	const char *path = NULL;
	const char *wrong = sb_csv_split(value, SB_CSV_QUOTED_VALUES, &fields);

	if (wrong != NULL)
		return fail_form(err, wrong);

	const size_t id_len = sb_csv_key(fields.items[0], &path);

	if (id_len == 0)
		return fail_form(err, "the id is missing");
	if (path != NULL && path[0] == '\0')
		return fail_form(err, "a path is empty");
	if (path != NULL)
		sb_strv_add(&paths, path);

	sb_autofree char *id = sb_memdup0(fields.items[0], id_len);

	if (read_more(&fields, &paths, &is_raw, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (list, other)
		if (strcmp(other->id, id) == 0)
			return fail_form(err, "an id is given twice");

	struct sb_ssh_option *option = SB_ARRAY_ADD(list);

	option->id = keep(list, id);
	option->paths = keep_paths(list, &paths);
	option->is_raw = is_raw;
	return 0;
}

void sb_ssh_list_release(struct sb_ssh_list *list)
{
	SB_ARRAY_FOREACH (&list->paths, paths)
		free(*paths);
	SB_ARRAY_RELEASE(&list->paths);
	SB_ARRAY_RELEASE(list);
	sb_strv_release(&list->text);
}
