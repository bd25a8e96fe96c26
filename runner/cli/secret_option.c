/* SPDX-License-Identifier: MIT */
#include "cli/secret_option.h"

#include <string.h>

#include "base/csv.h"

struct fields {
	const char *id;
	const char *src;
	const char *env;
	const char *type;
	const char *rekey;
};

static const char **field_of(struct fields *fields, const char *key, size_t len)
{
	const struct {
		const char *key;
		const char **field;
	} known[] = {
		{"id", &fields->id},
		{"src", &fields->src},
		{"source", &fields->src},
		{"env", &fields->env},
		{"type", &fields->type},
		{"rekey", &fields->rekey},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i].key) == len && strncmp(known[i].key, key, len) == 0)
			return known[i].field;
	}
	return NULL;
}

static int fail_field(struct sb_error *err, const char *message)
{
	sb_fail(err, SB_E_USAGE, "%s", message);
	return sb_error_hint(err, "a secret is id=ID, id=ID,src=FILE or id=ID,env=VARIABLE; its "
				  "value is never written on the command line, where every process "
				  "of the host can read it");
}

static int read_fields(const struct sb_strv *csv, struct fields *out, struct sb_error *err)
{
	for (size_t i = 0; i < csv->len; i++) {
		const char *value = NULL;
		const size_t key_len = sb_csv_key(csv->items[i], &value);
		const char **field = field_of(out, csv->items[i], key_len);

		if (value == NULL)
			return fail_field(err, "a field is not of the form key=value");
		if (field == NULL)
			return fail_field(
				err, "unknown key: the keys are id, src, env, type and rekey");
		if (*field != NULL)
			return fail_field(err, "a key is given twice");
		if (value[0] == '\0')
			return fail_field(err, "a key has an empty value");
		*field = value;
	}
	if (out->id == NULL)
		return fail_field(err, "the id is missing");
	return 0;
}

/* Settles where the secret comes from (docker's reading of type, src and env). */
static int settle_source(struct fields *f, struct sb_error *err)
{
	if (f->type != NULL && strcmp(f->type, "env") == 0) {
		if (f->env == NULL) {
			f->env = f->src != NULL ? f->src : f->id;
			f->src = NULL;
		}
	} else if (f->type != NULL && strcmp(f->type, "file") == 0) {
		if (f->env != NULL)
			return fail_field(err, "env does not go with type=file");
		if (f->src == NULL)
			f->src = f->id;
	} else if (f->type != NULL) {
		return fail_field(err, "unknown type: the types are file and env");
	}
	if (f->rekey != NULL && strcmp(f->rekey, "true") != 0 && strcmp(f->rekey, "false") != 0)
		return fail_field(err, "rekey is true or false");
	if (f->src != NULL && f->env != NULL)
		return fail_field(err, "src and env exclude each other");
	if (f->src != NULL && strncmp(f->src, "~/", 2) == 0) {
		sb_fail(err, SB_E_USAGE, "the shell has not expanded the '~' of src");
		return sb_error_hint(err, "it does so at the start of a word: write src=$HOME/…, "
					  "or src=./~/… for a folder of that name");
	}
	return 0;
}

static const char *keep(struct sb_secret_list *list, const char *text)
{
	if (text == NULL)
		return NULL;
	sb_strv_add(&list->text, text);
	return list->text.items[list->text.len - 1];
}

int sb_secret_option_parse(void *data, const char *value, struct sb_error *err)
{
	struct sb_secret_list *list = data;
	SB_AUTO_STRV csv = SB_STRV_INIT;
	struct fields f = {0};

	const char *wrong = sb_csv_split(value, SB_CSV_QUOTED_VALUES, &csv);

	if (wrong != NULL)
		return sb_fail(err, SB_E_USAGE, "%s", wrong);
	if (read_fields(&csv, &f, err) < 0 || settle_source(&f, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (list, other) {
		/* The last one winning, as elsewhere, would leave the first one unsearched for. */
		if (strcmp(other->id, f.id) == 0)
			return fail_field(err, "an id is given twice");
	}

	struct sb_secret_option *secret = SB_ARRAY_ADD(list);

	secret->id = keep(list, f.id);
	secret->src = keep(list, f.src);
	secret->env = keep(list, f.env);
	secret->rekey = f.rekey != NULL && strcmp(f.rekey, "true") == 0;
	return 0;
}

void sb_secret_list_release(struct sb_secret_list *list)
{
	SB_ARRAY_RELEASE(list);
	sb_strv_release(&list->text);
}
