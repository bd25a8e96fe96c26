/* SPDX-License-Identifier: MIT */
#include "sandbox/users.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "sys/at.h"

/* (uid_t)-1 means "leave as it is" to chown(2), so it is no id. */
static const uint64_t max_id = UINT32_MAX - 1;

/* /etc/passwd or /etc/group, taken apart in place line by line. */
struct account_file {
	struct sb_buf text;
	size_t at;
};

static void account_file_release(struct account_file *file)
{
	sb_buf_release(&file->text);
}

enum { MAX_FIELDS = 7 };

struct account_line {
	char *fields[MAX_FIELDS];
	size_t n_fields;
};

void sb_user_release(struct sb_user *user)
{
	free(user->groups);
	free(user->home);
	free(user->name);
	*user = (struct sb_user)SB_USER_INIT;
}

static int account_file_read(
	int root_fd, const char *path, struct account_file *out, struct sb_error *err)
{
	SB_AUTO_ERROR failure = SB_ERROR_INIT;

	*out = (struct account_file){.text = SB_BUF_INIT(SB_MAX_PASSWD)};
	if (sb_at_read_file(root_fd, path, SB_AT_IN_ROOT, SB_MAX_PASSWD, &out->text, &failure) ==
			0 ||
		failure.code == SB_E_NOT_FOUND)
		return 0;
	sb_error_move(err, &failure);
	return sb_error_context(err, "read the image's /%s", path);
}

/* Cuts the space around a line: as Docker reads these files, one with CRLF names the same users. */
static char *trim(char *line, char *end)
{
	static const char space[] = " \t\r\v\f";

	while (end > line && memchr(space, end[-1], sizeof(space) - 1) != NULL)
		end--;
	*end = '\0';
	return line + strspn(line, space);
}

/* The next line with at least `min_fields` fields; false at the end. */
static bool next_line(struct account_file *file, size_t min_fields, struct account_line *out)
{
	while (file->at < file->text.len) {
		char *line = file->text.data + file->at;
		char *end = memchr(line, '\n', file->text.len - file->at);

		if (end == NULL)
			end = file->text.data + file->text.len;
		file->at = (size_t)(end - file->text.data) + 1;
		line = trim(line, end);
		if (line[0] == '#')
			continue;
		*out = (struct account_line){0};
		while (line != NULL && out->n_fields < MAX_FIELDS)
			out->fields[out->n_fields++] = strsep(&line, ":");
		if (out->n_fields >= min_fields)
			return true;
	}
	return false;
}

static bool parse_id(const char *text, uint32_t *out)
{
	uint64_t id = 0;

	if (text == NULL || !sb_number_parse(text, 10, max_id, &id))
		return false;
	*out = (uint32_t)id;
	return true;
}

/* True for text that can only be meant as a number; *out is set where it is an id. */
static int parse_numeric(const char *text, bool *out_is_number, uint32_t *out, struct sb_error *err)
{
	*out_is_number = text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
	if (*out_is_number && !parse_id(text, out))
		return sb_fail(err, SB_E_USAGE, "'%s' is not a user or group id", text);
	return 0;
}

/* Name, uid, gid and home from the first entry whose name or uid is `who`. A line with a broken
 * number is passed over: read as 0 it would make somebody root. */
static int find_user(int root_fd, const char *who, struct sb_user *out, struct sb_error *err)
{
	__attribute__((cleanup(account_file_release))) struct account_file file = {
		.text = SB_BUF_INIT(SB_MAX_PASSWD)};
	struct account_line line;
	bool is_number = false;
	uint32_t wanted = 0;

	if (parse_numeric(who, &is_number, &wanted, err) < 0 ||
		account_file_read(root_fd, "etc/passwd", &file, err) < 0)
		return -1;
	while (next_line(&file, 4, &line)) {
		uint32_t uid = 0;
		uint32_t gid = 0;

		if (line.fields[0][0] == '\0' || !parse_id(line.fields[2], &uid) ||
			!parse_id(line.fields[3], &gid))
			continue;
		if (strcmp(line.fields[0], who) != 0 && !(is_number && uid == wanted))
			continue;
		out->uid = uid;
		out->gid = gid;
		out->name = sb_strdup(line.fields[0]);
		if (line.n_fields > 5 && line.fields[5][0] != '\0')
			out->home = sb_strdup(line.fields[5]);
		return 0;
	}
	if (!is_number)
		return sb_fail(err, SB_E_NOT_FOUND,
			"user '%s': not found in the image's /etc/passwd", who);
	out->uid = wanted;
	out->gid = 0;
	return 0;
}

static int find_group(int root_fd, const char *who, gid_t *out, struct sb_error *err)
{
	__attribute__((cleanup(account_file_release))) struct account_file file = {
		.text = SB_BUF_INIT(SB_MAX_PASSWD)};
	struct account_line line;
	bool is_number = false;
	uint32_t wanted = 0;

	if (parse_numeric(who, &is_number, &wanted, err) < 0 ||
		account_file_read(root_fd, "etc/group", &file, err) < 0)
		return -1;
	while (next_line(&file, 3, &line)) {
		uint32_t gid = 0;

		if (parse_id(line.fields[2], &gid) &&
			(strcmp(line.fields[0], who) == 0 || (is_number && gid == wanted))) {
			*out = gid;
			return 0;
		}
	}
	if (!is_number)
		return sb_fail(err, SB_E_NOT_FOUND,
			"group '%s': not found in the image's /etc/group", who);
	*out = wanted;
	return 0;
}

static bool is_member(char *members, const char *name)
{
	for (char *member = strsep(&members, ","); member != NULL; member = strsep(&members, ","))
		if (strcmp(member, name) == 0)
			return true;
	return false;
}

static bool has_group(const struct sb_user *user, gid_t gid)
{
	for (size_t i = 0; i < user->n_groups; i++)
		if (user->groups[i] == gid)
			return true;
	return user->gid == gid;
}

static int find_memberships(int root_fd, struct sb_user *user, struct sb_error *err)
{
	enum { MAX_GROUPS = 4096 }; /* far below setgroups' own 65536; keeps has_group cheap */
	__attribute__((cleanup(account_file_release))) struct account_file file = {
		.text = SB_BUF_INIT(SB_MAX_PASSWD)};
	struct account_line line;

	if (account_file_read(root_fd, "etc/group", &file, err) < 0)
		return -1;
	while (next_line(&file, 4, &line)) {
		uint32_t gid = 0;

		if (!parse_id(line.fields[2], &gid) || !is_member(line.fields[3], user->name) ||
			has_group(user, gid))
			continue;
		if (user->n_groups == MAX_GROUPS)
			return sb_fail(err, SB_E_LIMIT,
				"user '%s' is in more than %d groups in the image's /etc/group",
				user->name, MAX_GROUPS);
		user->groups =
			sb_reallocarray(user->groups, user->n_groups + 1, sizeof(user->groups[0]));
		user->groups[user->n_groups++] = gid;
	}
	return 0;
}

int sb_user_resolve(int root_fd, const char *user, struct sb_user *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_user) found = SB_USER_INIT;
	const size_t name_len = strcspn(user, ":");
	const char *group = user[name_len] == ':' ? user + name_len + 1 : "";
	sb_autofree char *name = name_len > 0 ? sb_memdup0(user, name_len) : sb_strdup("0");

	if (find_user(root_fd, name, &found, err) < 0)
		return -1;
	if (group[0] != '\0') {
		if (find_group(root_fd, group, &found.gid, err) < 0)
			return -1;
	} else if (found.name != NULL && find_memberships(root_fd, &found, err) < 0) {
		return -1;
	}
	*out = found;
	found = (struct sb_user)SB_USER_INIT;
	return 0;
}

int sb_user_resolve_owner(
	int root_fd, const char *owner, uid_t *out_uid, gid_t *out_gid, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_user) found = SB_USER_INIT;
	const size_t name_len = strcspn(owner, ":");
	const char *group = owner[name_len] == ':' ? owner + name_len + 1 : NULL;
	sb_autofree char *name = name_len > 0 ? sb_memdup0(owner, name_len) : sb_strdup("0");
	bool is_number = false;
	uint32_t uid = 0;
	gid_t gid = 0;

	if (parse_numeric(name, &is_number, &uid, err) < 0)
		return -1;
	if (is_number) {
		gid = uid;
	} else {
		if (find_user(root_fd, name, &found, err) < 0)
			return -1;
		uid = found.uid;
		gid = found.gid;
	}
	if (group != NULL) {
		uint32_t number = 0;

		gid = 0;
		if (parse_numeric(group, &is_number, &number, err) < 0)
			return -1;
		if (is_number)
			gid = number;
		else if (group[0] != '\0' && find_group(root_fd, group, &gid, err) < 0)
			return -1;
	}
	*out_uid = uid;
	*out_gid = gid;
	return 0;
}
