/* SPDX-License-Identifier: MIT */
#include "plan/remote.h"

#include <ctype.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/path.h"

enum { MAX_NAME = 255, MIN_COMMIT = 7, MAX_COMMIT = 64 };

/* What a file is called whose address has no last part; the reference's name for it. */
static const char unnamed[] = "__unnamed__";

void sb_remote_release(struct sb_remote *remote)
{
	if (remote->user_info != NULL)
		explicit_bzero(remote->user_info, strlen(remote->user_info));
	free(remote->url);
	free(remote->shown);
	free(remote->user_info);
	free(remote->host);
	free(remote->name);
	free(remote->ref);
	free(remote->subdir);
	free(remote->commit);
	*remote = (struct sb_remote){0};
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Letters, digits and a few marks, beginning with a letter or digit: neither a path nor an option
 * of a program. */
static size_t plain_len(const char *text, const char *marks)
{
	size_t len = 0;

	if (!isalnum((unsigned char)text[0]))
		return 0;
	while (isalnum((unsigned char)text[len]) ||
		(text[len] != '\0' && strchr(marks, text[len]) != NULL))
		len++;
	return len;
}

/* "USER@HOST:PATH", as ssh's own programs write it; 0 or where PATH begins. */
static size_t scp_path_at(const char *word)
{
	const size_t user = plain_len(word, "-_");

	if (user == 0 || word[user] != '@')
		return 0;

	const size_t host = plain_len(word + user + 1, "-.");
	const size_t colon = user + 1 + host;

	return host > 0 && word[colon] == ':' && word[colon + 1] != '-' && word[colon + 1] != '\0'
		       ? colon + 1
		       : 0;
}

/* The length of the path of "SCHEME://HOST/PATH?QUERY#FRAGMENT" with all before it. */
static size_t path_end(const char *url)
{
	return strcspn(url, "?#");
}

static bool is_repository(const char *url)
{
	const size_t end = path_end(url);

	return end >= 4 && memcmp(url + end - 4, ".git", 4) == 0;
}

enum sb_remote_kind sb_remote_kind_of(const char *word, enum sb_remote_words whose)
{
	if (starts_with(word, "http://") || starts_with(word, "https://"))
		return is_repository(word) ? SB_REMOTE_GIT : SB_REMOTE_HTTP;
	if (starts_with(word, "git://") || starts_with(word, "ssh://") || scp_path_at(word) > 0)
		return SB_REMOTE_GIT;
	if (whose == SB_REMOTE_BY_USER &&
		(starts_with(word, "file://") || starts_with(word, "github.com/")))
		return SB_REMOTE_GIT;
	return SB_REMOTE_NONE;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Without %XX; NULL where a NUL would come of it. Caller frees. */
static char *decode(const char *text, size_t len, bool is_query)
{
	char *out = sb_malloc(len + 1);
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%' && i + 2 < len && hex_value(text[i + 1]) >= 0 &&
			hex_value(text[i + 2]) >= 0) {
			c = (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
			i += 2;
		} else if (c == '+' && is_query) {
			c = ' ';
		}
		if (c == '\0') {
			free(out);
			return NULL;
		}
		out[at++] = c;
	}
	out[at] = '\0';
	return out;
}

static char *file_name(const char *url, size_t authority_end)
{
	sb_autofree char *path = decode(url + authority_end, path_end(url) - authority_end, false);

	if (path == NULL)
		return sb_strdup(unnamed);

	size_t len = strlen(path);

	while (len > 0 && path[len - 1] == '/')
		path[--len] = '\0';

	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		strlen(name) > MAX_NAME)
		return sb_strdup(unnamed);
	return sb_strdup(name);
}

bool sb_remote_is_commit(const char *text)
{
	const size_t len = strlen(text);

	return len >= MIN_COMMIT && len <= MAX_COMMIT &&
	       strspn(text, "0123456789abcdefABCDEF") == len;
}

/* Not what can't be a branch or tag (git-check-ref-format(1)), or would mean something else to git.
 */
static bool is_ref(const char *ref)
{
	if (ref[0] == '\0' || strchr("-+^/", ref[0]) != NULL || strpbrk(ref, " ~^:?*[\\") != NULL ||
		strstr(ref, "..") != NULL || strstr(ref, "@{") != NULL)
		return false;
	for (; *ref != '\0'; ref++)
		if (iscntrl((unsigned char)*ref))
			return false;
	return true;
}

static int set_ref(struct sb_remote *out, const char *ref, struct sb_error *err)
{
	if (out->ref != NULL && strcmp(out->ref, ref) != 0)
		return sb_fail(
			err, SB_E_SYNTAX, "both '%s' and '%s' are wanted of it", out->ref, ref);
	if (!is_ref(ref))
		return sb_fail(err, SB_E_SYNTAX, "'%s' can't be a branch, tag or commit", ref);
	free(out->ref);
	out->ref = sb_strdup(ref);
	return 0;
}

static int set_full_ref(
	struct sb_remote *out, const char *prefix, const char *ref, struct sb_error *err)
{
	sb_autofree char *full =
		starts_with(ref, prefix) ? sb_strdup(ref) : sb_asprintf("%s%s", prefix, ref);

	return set_ref(out, full, err);
}

static int set_subdir(struct sb_remote *out, const char *subdir, struct sb_error *err)
{
	sb_autofree char *clean = sb_path_below_root(subdir);

	if (out->subdir != NULL && strcmp(out->subdir, clean) != 0)
		return sb_fail(err, SB_E_SYNTAX, "two folders are wanted of it: '%s' and '%s'",
			out->subdir, clean);
	free(out->subdir);
	out->subdir = SB_STEAL(clean);
	return 0;
}

static int parse_bool(const char *key, const char *value, bool *out, struct sb_error *err)
{
	static const char *const yes[] = {"", "1", "t", "T", "true", "TRUE", "True"};
	static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (strcmp(value, yes[i]) == 0) {
			*out = true;
			return 0;
		}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (strcmp(value, no[i]) == 0) {
			*out = false;
			return 0;
		}
	return sb_fail(err, SB_E_SYNTAX, "query '%s': '%s' is neither true nor false", key, value);
}

static int set_commit(struct sb_remote *out, const char *value, struct sb_error *err)
{
	if (!sb_remote_is_commit(value))
		return sb_fail(err, SB_E_SYNTAX, "'%s' is not the hash of a commit", value);
	free(out->commit);
	out->commit = sb_strdup(value);
	return 0;
}

static int take_option(
	struct sb_remote *out, const char *key, const char *value, struct sb_error *err)
{
	bool submodules = true;

	if (strcmp(key, "keep-git-dir") == 0)
		return parse_bool(key, value, &out->keep_git_dir, err);
	if (strcmp(key, "submodules") == 0) {
		if (parse_bool(key, value, &submodules, err) < 0)
			return -1;
		out->no_submodules = !submodules;
		return 0;
	}
	if (value[0] == '\0')
		return sb_fail(err, SB_E_SYNTAX, "query '%s' has no value", key);
	if (strcmp(key, "ref") == 0)
		return set_ref(out, value, err);
	if (strcmp(key, "branch") == 0)
		return set_full_ref(out, "refs/heads/", value, err);
	if (strcmp(key, "tag") == 0)
		return set_full_ref(out, "refs/tags/", value, err);
	if (strcmp(key, "subdir") == 0)
		return set_subdir(out, value, err);
	if (strcmp(key, "checksum") == 0 || strcmp(key, "commit") == 0)
		return set_commit(out, value, err);
	(void)sb_fail(err, SB_E_SYNTAX, "unknown query '%s'", key);
	return sb_error_hint(err, "there are ref, branch, tag, commit, subdir, keep-git-dir and "
				  "submodules");
}

static int parse_query(const char *query, size_t len, struct sb_remote *out, struct sb_error *err)
{
	sb_autofree char *copy = sb_memdup0(query, len);

	for (char *rest = copy, *item = strsep(&rest, "&"); item != NULL;
		item = strsep(&rest, "&")) {
		const size_t key_len = strcspn(item, "=");
		const char *raw = item[key_len] == '=' ? item + key_len + 1 : item + key_len;
		sb_autofree char *key = decode(item, key_len, true);
		sb_autofree char *value = decode(raw, strlen(raw), true);

		if (item[0] == '\0')
			continue;
		if (key == NULL || value == NULL)
			return sb_fail(err, SB_E_SYNTAX, "a NUL byte in its query");
		if (take_option(out, key, value, err) < 0)
			return -1;
	}
	return 0;
}

/* "REF[:SUBDIR]" */
static int parse_fragment(const char *text, struct sb_remote *out, struct sb_error *err)
{
	sb_autofree char *fragment = decode(text, strlen(text), false);

	if (fragment == NULL)
		return sb_fail(err, SB_E_SYNTAX, "a NUL byte in its fragment");

	char *colon = strchr(fragment, ':');

	if (colon != NULL)
		*colon = '\0';
	if (fragment[0] != '\0' && set_ref(out, fragment, err) < 0)
		return -1;
	return colon != NULL && colon[1] != '\0' ? set_subdir(out, colon + 1, err) : 0;
}

static int parse_git(const char *word, size_t end, struct sb_remote *out, struct sb_error *err)
{
	const size_t query_len = word[end] == '?' ? strcspn(word + end + 1, "#") : 0;
	const char *fragment = strchr(word + end, '#');

	if (fragment != NULL && parse_fragment(fragment + 1, out, err) < 0)
		return -1;
	if (query_len > 0 && parse_query(word + end + 1, query_len, out, err) < 0)
		return -1;
	/* A commit that is known is asked for by its name. */
	return out->commit != NULL && out->ref == NULL ? set_ref(out, out->commit, err) : 0;
}

/* scheme_len counts "://" in. A password has no place in an address that is stored or shown. */
static void take_authority(const char *word, size_t scheme_len, size_t end, struct sb_remote *out)
{
	const size_t len = strcspn(word + scheme_len, "/?#");
	const char *authority = word + scheme_len;
	const char *at = memrchr(authority, '@', len);
	const char *host = at != NULL ? at + 1 : authority;
	const size_t host_len = (size_t)(authority + len - host);
	const size_t user_len = at != NULL ? (size_t)(at - authority) : 0;
	const char *rest = authority + len;
	const size_t shown_len = end - scheme_len - len;
	const char *fragment = strchr(rest, '#');
	const size_t rest_len = out->kind == SB_REMOTE_GIT ? shown_len
				: fragment != NULL         ? (size_t)(fragment - rest)
							   : strlen(rest);
	/* ssh needs its user's name; a password there would be of no use to it. */
	const int kept = out->is_ssh && at != NULL ? (int)strcspn(authority, ":@") : 0;
	const char *sign = kept > 0 ? "@" : "";

	out->host = sb_memdup0(host, host_len);
	out->url = sb_asprintf("%.*s%.*s%s%s%.*s", (int)scheme_len, word, kept, authority, sign,
		out->host, (int)rest_len, rest);
	out->shown = sb_asprintf("%.*s%.*s%s%s%.*s", (int)scheme_len, word, kept, authority, sign,
		out->host, (int)shown_len, rest);
	if (user_len > 0 && starts_with(word, "http"))
		out->user_info = decode(authority, user_len, false);
	if (out->kind == SB_REMOTE_HTTP)
		out->name = file_name(word, scheme_len + len);
}

/* With its "://"; 0 for what has none. */
static size_t scheme_len_of(const char *word)
{
	const size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyz");

	return len > 0 && starts_with(word + len, "://") ? len + 3 : 0;
}

static int parse(
	const char *word, enum sb_remote_kind kind, struct sb_remote *out, struct sb_error *err)
{
	const size_t scp = scp_path_at(word);
	const size_t scheme = scheme_len_of(word);
	const size_t end = path_end(word);

	out->kind = kind;
	if (scheme == 0 && scp == 0) { /* github.com/… */
		sb_autofree char *full = sb_asprintf("https://%s", word);

		return parse(full, kind, out, err);
	}
	out->is_ssh = scheme == 0 || starts_with(word, "ssh://");
	out->is_file = starts_with(word, "file://");
	if (scheme == 0) {
		const char *at = strchr(word, '@') + 1;

		out->host = sb_memdup0(at, scp - 1 - (size_t)(at - word));
		out->url = sb_memdup0(word, end);
		out->shown = sb_strdup(out->url);
	} else {
		take_authority(word, scheme, end, out);
	}
	if (!out->is_file && (out->host[0] == '\0' || out->host[0] == '-'))
		return sb_fail(err, SB_E_SYNTAX, "'%s' names no host", out->shown);
	if (out->is_file && out->host[0] != '\0') {
		(void)sb_fail(err, SB_E_SYNTAX, "'%s' names another host", out->shown);
		return sb_error_hint(err, "write file:///PATH");
	}
	return kind == SB_REMOTE_GIT ? parse_git(word, end, out, err) : 0;
}

char *sb_remote_hide_passwords(const char *text)
{
	static const char *const schemes[] = {"http://", "https://"};
	char *out = sb_malloc(strlen(text) + 1);
	size_t len = 0;

	while (*text != '\0') {
		for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
			const size_t scheme = strlen(schemes[i]);

			if (!starts_with(text, schemes[i]))
				continue;

			const size_t authority = strcspn(text + scheme, "/?# \t\n\"'\\");
			const char *at = memrchr(text + scheme, '@', authority);

			memcpy(out + len, text, scheme);
			len += scheme;
			text = at != NULL ? at + 1 : text + scheme;
			break;
		}
		if (*text != '\0')
			out[len++] = *text++;
	}
	out[len] = '\0';
	return out;
}

int sb_remote_parse(
	const char *word, enum sb_remote_words whose, struct sb_remote *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_remote) remote = {0};
	const enum sb_remote_kind kind = sb_remote_kind_of(word, whose);

	if (kind != SB_REMOTE_NONE && parse(word, kind, &remote, err) < 0)
		return remote.shown != NULL ? sb_error_context(err, "'%s'", remote.shown) : -1;
	*out = remote;
	remote = (struct sb_remote){0};
	return 0;
}

int sb_remote_check_sum(const char *checksum, const struct sb_remote *sources, size_t n_sources,
	struct sb_error *err)
{
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	struct sb_digest digest;

	if (n_sources != 1)
		return sb_fail(err, SB_E_SYNTAX, "it can't be of several sources");
	switch (sources[0].kind) {
	case SB_REMOTE_HTTP:
		if (sb_digest_parse(checksum, &digest, &failed) == 0)
			return 0;
		(void)sb_fail(err, SB_E_SYNTAX, "'%s' is not the digest of a file", checksum);
		return sb_error_hint(err, "write sha256: and the 64 digits of `sha256sum FILE`");
	case SB_REMOTE_GIT:
		if (sb_remote_is_commit(checksum))
			return 0;
		return sb_fail(err, SB_E_SYNTAX, "'%s' is not the hash of a commit", checksum);
	case SB_REMOTE_NONE:
		break;
	}
	return sb_fail(err, SB_E_SYNTAX, "it is for URLs and git repositories alone");
}
