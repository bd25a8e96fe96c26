/* SPDX-License-Identifier: MIT */
#include "buildfile/mount.h"

#include <string.h>
#include <strings.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/size.h"
#include "base/suggest.h"
#include "buildfile/expand.h"

#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

enum {
	MAX_MODE = 07777,
	/* (uid_t)-1 means "no id" to the kernel. */
	MAX_ID = UINT32_MAX - 1,
};

static const char *const type_names[] = {
	[SB_MOUNT_BIND] = "bind",
	[SB_MOUNT_CACHE] = "cache",
	[SB_MOUNT_TMPFS] = "tmpfs",
	[SB_MOUNT_SECRET] = "secret",
	[SB_MOUNT_SSH] = "ssh",
};

static const char *const sharing_names[] = {
	[SB_SHARING_SHARED] = "shared",
	[SB_SHARING_PRIVATE] = "private",
	[SB_SHARING_LOCKED] = "locked",
};

enum key {
	KEY_TYPE,
	KEY_FROM,
	KEY_SOURCE,
	KEY_TARGET,
	KEY_READONLY,
	KEY_READWRITE,
	KEY_ID,
	KEY_ENV,
	KEY_SHARING,
	KEY_REQUIRED,
	KEY_MODE,
	KEY_UID,
	KEY_GID,
	KEY_SIZE,
};

#define FOR(type) (1U << SB_MOUNT_##type)
#define FOR_ALL (FOR(BIND) | FOR(CACHE) | FOR(TMPFS) | FOR(SECRET) | FOR(SSH))

static const struct key_def {
	const char *name;
	enum key key;
	unsigned types; /* that take it */
	bool is_bool;   /* may stand without a value */
} key_defs[] = {
	{"type", KEY_TYPE, FOR_ALL, false},
	{"from", KEY_FROM, FOR(BIND) | FOR(CACHE) | FOR(TMPFS), false},
	{"source", KEY_SOURCE, FOR(BIND) | FOR(CACHE) | FOR(TMPFS) | FOR(SECRET), false},
	{"src", KEY_SOURCE, FOR(BIND) | FOR(CACHE) | FOR(TMPFS) | FOR(SECRET), false},
	{"target", KEY_TARGET, FOR_ALL, false},
	{"dst", KEY_TARGET, FOR_ALL, false},
	{"destination", KEY_TARGET, FOR_ALL, false},
	{"readonly", KEY_READONLY, FOR_ALL, true},
	{"ro", KEY_READONLY, FOR_ALL, true},
	{"readwrite", KEY_READWRITE, FOR_ALL, true},
	{"rw", KEY_READWRITE, FOR_ALL, true},
	{"id", KEY_ID, FOR_ALL, false},
	{"env", KEY_ENV, FOR(SECRET), false},
	{"sharing", KEY_SHARING, FOR(CACHE), false},
	{"required", KEY_REQUIRED, FOR(SECRET) | FOR(SSH), true},
	{"mode", KEY_MODE, FOR(CACHE) | FOR(SECRET) | FOR(SSH), false},
	{"uid", KEY_UID, FOR(CACHE) | FOR(SECRET) | FOR(SSH), false},
	{"gid", KEY_GID, FOR(CACHE) | FOR(SECRET) | FOR(SSH), false},
	{"size", KEY_SIZE, FOR(TMPFS), false},
};

struct field {
	const struct key_def *def;
	char *value; /* NULL for a bare key; owned */
};
SB_ARRAY_STRUCT(fields, struct field);

static void fields_release(struct fields *fields)
{
	SB_ARRAY_FOREACH (fields, field)
		free(field->value);
	SB_ARRAY_RELEASE(fields);
}

const char *sb_mount_type_name(enum sb_mount_type type)
{
	return type_names[type];
}

static const char *key_name(const void *data, size_t i)
{
	(void)data;
	return key_defs[i].name;
}

static const struct key_def *find_key(const char *name, size_t len)
{
	for (size_t i = 0; i < N_ELEMENTS(key_defs); i++)
		if (strlen(key_defs[i].name) == len &&
			strncasecmp(key_defs[i].name, name, len) == 0)
			return &key_defs[i];
	return NULL;
}

static int fail_key(const char *field, size_t name_len, struct sb_error *err)
{
	sb_autofree char *name = sb_memdup0(field, name_len);

	sb_fail(err, SB_E_SYNTAX, "unexpected key '%s' in '%s'", name, field);
	return sb_hint_suggestion(err, name, key_name, NULL, N_ELEMENTS(key_defs));
}

static int parse_field(const char *text, struct fields *out, struct sb_error *err)
{
	const char *equals = strchr(text, '=');
	const size_t name_len = equals != NULL ? (size_t)(equals - text) : strlen(text);
	const struct key_def *def = find_key(text, name_len);

	if (equals == NULL && (def == NULL || !def->is_bool))
		return sb_fail(err, SB_E_SYNTAX, "the field '%s' must be KEY=VALUE", text);
	if (def == NULL)
		return fail_key(text, name_len, err);
	*SB_ARRAY_ADD(out) =
		(struct field){def, sb_strdup_or_null(equals != NULL ? equals + 1 : NULL)};
	return 0;
}

static int parse_fields(const char *text, struct fields *out, struct sb_error *err)
{
	SB_AUTO_STRV parts = SB_STRV_INIT;

	const char *wrong = sb_csv_split(text, SB_CSV_QUOTED_FIELDS, &parts);

	if (wrong != NULL)
		return sb_fail(err, SB_E_SYNTAX, "%s in '%s'", wrong, text);
	for (size_t i = 0; i < parts.len; i++)
		if (parse_field(parts.items[i], out, err) < 0)
			return -1;
	return 0;
}

static int expand_fields(
	struct fields *fields, const struct sb_mount_scope *scope, struct sb_error *err)
{
	SB_ARRAY_FOREACH (fields, field) {
		char *expanded;

		if (field->value == NULL || field->def->key == KEY_FROM || scope->env == NULL)
			continue;
		if (sb_expand_word(field->value, scope->env, scope->escape, &expanded, err) < 0)
			return sb_error_context(err, "%s", field->def->name);
		free(field->value);
		field->value = expanded;
	}
	return 0;
}

static int fail_value(const struct field *field, struct sb_error *err)
{
	return sb_fail(
		err, SB_E_SYNTAX, "invalid value for '%s': '%s'", field->def->name, field->value);
}

static int parse_name(const struct field *field, const char *const *names, size_t n, unsigned *out,
	struct sb_error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(names[i], field->value) == 0) {
			*out = (unsigned)i;
			return 0;
		}
	}
	sb_fail(err, SB_E_SYNTAX, "unsupported %s '%s'",
		field->def->key == KEY_TYPE ? "mount type" : "sharing", field->value);
	return sb_hint_suggestion(err, field->value, sb_candidate_string, names, n);
}

/* The forms of Go's strconv.ParseBool. */
static int parse_bool(const struct field *field, bool *out, struct sb_error *err)
{
	static const char *const words[][6] = {
		{"0", "f", "F", "false", "FALSE", "False"},
		{"1", "t", "T", "true", "TRUE", "True"},
	};

	if (field->value == NULL) {
		*out = true;
		return 0;
	}
	for (size_t i = 0; i < N_ELEMENTS(words[0]); i++) {
		if (strcmp(field->value, words[0][i]) == 0 ||
			strcmp(field->value, words[1][i]) == 0) {
			*out = strcmp(field->value, words[1][i]) == 0;
			return 0;
		}
	}
	return fail_value(field, err);
}

static int parse_number(const struct field *field, int base, uint64_t max, uint32_t *out,
	bool *out_has, struct sb_error *err)
{
	uint64_t number;

	if (!sb_number_parse(field->value, base, max, &number))
		return fail_value(field, err);
	*out = (uint32_t)number;
	*out_has = true;
	return 0;
}

static void set_text(char **to, const struct field *field)
{
	free(*to);
	*to = field->value[0] != '\0' ? sb_strdup(field->value) : NULL;
}

static int apply_size(const struct field *field, struct sb_mount_flag *mount, struct sb_error *err)
{
	if (sb_size_parse(field->value, &mount->size_bytes, err) < 0) {
		sb_error_ignore(err, "said below, with the key");
		return fail_value(field, err);
	}
	return 0;
}

static int apply_field(const struct field *field, struct sb_mount_flag *mount, struct sb_error *err)
{
	unsigned name = 0;
	bool flag = false;

	switch (field->def->key) {
	case KEY_TYPE:
		return 0;
	case KEY_FROM:
		set_text(&mount->from, field);
		return 0;
	case KEY_SOURCE:
		set_text(&mount->source, field);
		return 0;
	case KEY_TARGET:
		set_text(&mount->target, field);
		return 0;
	case KEY_ID:
		set_text(&mount->id, field);
		return 0;
	case KEY_ENV:
		set_text(&mount->env, field);
		return 0;
	case KEY_READONLY:
		return parse_bool(field, &mount->is_readonly, err);
	case KEY_READWRITE:
		if (parse_bool(field, &flag, err) < 0)
			return -1;
		mount->is_readonly = !flag;
		return 0;
	case KEY_REQUIRED:
		return parse_bool(field, &mount->is_required, err);
	case KEY_SHARING:
		if (parse_name(field, sharing_names, N_ELEMENTS(sharing_names), &name, err) < 0)
			return -1;
		mount->sharing = (enum sb_sharing)name;
		return 0;
	case KEY_MODE:
		return parse_number(field, 8, MAX_MODE, &mount->mode, &mount->has_mode, err);
	case KEY_UID:
		return parse_number(field, 10, MAX_ID, &mount->uid, &mount->has_uid, err);
	case KEY_GID:
		return parse_number(field, 10, MAX_ID, &mount->gid, &mount->has_gid, err);
	case KEY_SIZE:
		return apply_size(field, mount, err);
	}
	return 0;
}

/* The type first, wherever it stands: it decides which keys are right. */
static int find_type(const struct fields *fields, enum sb_mount_type *out, struct sb_error *err)
{
	unsigned type = SB_MOUNT_BIND;

	SB_ARRAY_FOREACH (fields, field)
		if (field->def->key == KEY_TYPE &&
			parse_name(field, type_names, N_ELEMENTS(type_names), &type, err) < 0)
			return -1;
	*out = (enum sb_mount_type)type;
	return 0;
}

static int check_key(const struct field *field, enum sb_mount_type type, struct sb_error *err)
{
	if ((field->def->types & 1U << type) != 0)
		return 0;
	return sb_fail(err, SB_E_SYNTAX, "the key '%s' is not allowed in a mount of type '%s'",
		field->def->name, type_names[type]);
}

static int check_from(const struct sb_mount_flag *mount, struct sb_error *err)
{
	if (mount->from == NULL || strchr(mount->from, '$') == NULL)
		return 0;
	sb_fail(err, SB_E_SYNTAX, "from: variables are not expanded here: '%s'", mount->from);
	return sb_error_hint(err, "give the image a name with 'FROM … AS name' and use that");
}

/* A secret's source is its id by another name; what is not said follows from what is. */
static int complete_secret(struct sb_mount_flag *mount, struct sb_error *err)
{
	if (mount->id != NULL && mount->source != NULL)
		return sb_fail(err, SB_E_SYNTAX, "a secret can't have both id and source");
	if (mount->id == NULL)
		mount->id = SB_STEAL(mount->source);
	if (mount->id == NULL && mount->target == NULL) {
		sb_fail(err, SB_E_SYNTAX, "a secret needs an id or a target");
		return sb_error_hint(err, "for example: --mount=type=secret,id=NAME");
	}
	if (mount->id == NULL)
		mount->id = sb_path_base(mount->target);
	if (mount->target == NULL && mount->env == NULL) {
		sb_autofree char *base = sb_path_base(mount->id);

		mount->target = sb_asprintf("/run/secrets/%s", base);
	}
	return 0;
}

static int complete_target(struct sb_mount_flag *mount, const char *workdir, struct sb_error *err)
{
	const bool may_lack = mount->type == SB_MOUNT_SECRET || mount->type == SB_MOUNT_SSH;

	if (mount->target == NULL && may_lack)
		return 0;

	sb_autofree char *written = SB_STEAL(mount->target);

	if (mount->type == SB_MOUNT_CACHE && mount->id == NULL)
		mount->id = sb_path_clean(written != NULL ? written : "");
	mount->target =
		sb_path_resolve(workdir != NULL ? workdir : "/", written != NULL ? written : ".");
	if (strcmp(mount->target, "/") == 0 && written == NULL)
		return sb_fail(err, SB_E_SYNTAX, "a mount of type '%s' needs a target",
			type_names[mount->type]);
	if (strcmp(mount->target, "/") == 0)
		return sb_fail(err, SB_E_SYNTAX, "invalid mount target '%s': it is the root folder",
			written);
	return 0;
}

static void fill_defaults(struct sb_mount_flag *mount, enum sb_mount_type type)
{
	static const uint32_t modes[] = {
		[SB_MOUNT_CACHE] = 0755, [SB_MOUNT_SECRET] = 0400, [SB_MOUNT_SSH] = 0600};

	mount->type = type;
	mount->mode = modes[type];
	mount->is_readonly = type != SB_MOUNT_CACHE && type != SB_MOUNT_TMPFS;
}

static int fill(struct sb_mount_flag *mount, const struct fields *fields, const char *workdir,
	struct sb_error *err)
{
	enum sb_mount_type type;

	if (find_type(fields, &type, err) < 0)
		return -1;
	fill_defaults(mount, type);
	SB_ARRAY_FOREACH (fields, field)
		if (check_key(field, type, err) < 0 || apply_field(field, mount, err) < 0)
			return -1;
	if (check_from(mount, err) < 0)
		return -1;
	if (type == SB_MOUNT_SECRET && complete_secret(mount, err) < 0)
		return -1;
	if (type == SB_MOUNT_SSH && mount->id == NULL)
		mount->id = sb_strdup("default");
	return complete_target(mount, workdir, err);
}

int sb_mount_parse_env(const char *text, const struct sb_mount_scope *scope,
	struct sb_mount_flag *out, struct sb_error *err)
{
	struct sb_mount_flag mount = {0};
	struct fields fields = {0};
	int result = -1;

	if (parse_fields(text, &fields, err) == 0 && expand_fields(&fields, scope, err) == 0)
		result = fill(&mount, &fields, scope->workdir, err);
	fields_release(&fields);
	if (result < 0)
		sb_mount_flag_release(&mount);
	else
		*out = mount;
	return result;
}

int sb_mount_parse(
	const char *text, const char *workdir, struct sb_mount_flag *out, struct sb_error *err)
{
	const struct sb_mount_scope scope = {.workdir = workdir};

	return sb_mount_parse_env(text, &scope, out, err);
}

int sb_mount_from(const char *text, char **out, struct sb_error *err)
{
	struct fields fields = {0};
	struct sb_mount_flag mount = {0};
	int result = parse_fields(text, &fields, err);

	if (result == 0) {
		SB_ARRAY_FOREACH (&fields, field)
			if (field->def->key == KEY_FROM)
				set_text(&mount.from, field);
		result = check_from(&mount, err);
	}
	fields_release(&fields);
	if (result == 0)
		*out = SB_STEAL(mount.from);
	sb_mount_flag_release(&mount);
	return result;
}
