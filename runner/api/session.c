/* SPDX-License-Identifier: MIT */
#include "api/session.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "leak/redact.h"
#include "oci/reference.h"
#include "plan/remote.h"
#include "sys/at.h"
#include "sys/atomic.h"
#include "sys/fd.h"
#include "sys/lock.h"

char *sb_session_choose_root(const char *root, struct sb_error *err)
{
	const char *const from_env = getenv("SAFEBUILD_ROOT");
	const char *const data_home = getenv("XDG_DATA_HOME");
	const char *const home = getenv("HOME");

	if (root != NULL && root[0] != '\0')
		return sb_strdup(root);
	if (from_env != NULL && from_env[0] != '\0')
		return sb_strdup(from_env);
	if (data_home != NULL && data_home[0] == '/')
		return sb_asprintf("%s/safebuild", data_home);
	if (home != NULL && home[0] == '/')
		return sb_asprintf("%s/.local/share/safebuild", home);
	(void)sb_fail(err, SB_E_USAGE, "no folder for the store: HOME is not set");
	(void)sb_error_hint(err, "give --root DIR or set SAFEBUILD_ROOT");
	return NULL;
}

/* mkdir -p, private: the store holds what users build. */
static int open_root(const char *root, int *out_fd, struct sb_error *err)
{
	sb_autofree char *path = sb_strdup(root);

	for (char *p = path + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST && errno != EACCES && errno != EROFS)
			return sb_fail_errno(err, "make folder '%s'", path);
		*p = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return sb_fail_errno(err, "make the store's folder '%s'", root);
	return sb_fd_open_dir_user(root, "store", out_fd, err);
}

/* A stack of many layers takes a descriptor a layer. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int fail_open(const char *path, struct sb_error *err)
{
	(void)sb_error_context(err, "store '%s'", path);
	if (err->os_errno == EROFS || err->os_errno == EACCES || err->os_errno == EPERM)
		return sb_error_hint(err,
			"whoever uses the store must be able to write to it, "
			"also to read: --root DIR or SAFEBUILD_ROOT names another");
	return -1;
}

int sb_session_open(const char *root, struct sb_session *out, struct sb_error *err)
{
	sb_autofree char *path = sb_session_choose_root(root, err);
	struct sb_session session = {.store_fd = -1, .users_fd = -1};

	if (path == NULL)
		return -1;
	(void)umask(022);
	raise_descriptor_limit();
	if (open_root(path, &session.store_fd, err) < 0)
		return -1;
	if (sb_lock_take(session.store_fd, ".users", SB_LOCK_SHARED, &session.users_fd, err) < 0 ||
		sb_layout_open(session.store_fd, true, &session.store, err) < 0) {
		sb_session_release(&session);
		return fail_open(path, err);
	}
	if (sb_interrupt_new(&session.interrupt, err) < 0) {
		sb_session_release(&session);
		return -1;
	}
	sb_layout_set_interrupt(session.store, session.interrupt);
	session.root = SB_STEAL(path);
	*out = session;
	return 0;
}

void sb_session_release(struct sb_session *session)
{
	sb_layout_free(session->store);
	sb_interrupt_free(session->interrupt);
	/* One that was never opened is zeroed but for the store's. */
	if (session->store_fd >= 0)
		sb_fd_closep(&session->users_fd);
	sb_fd_closep(&session->store_fd);
	free(session->root);
	*session = (struct sb_session){.store_fd = -1, .users_fd = -1};
}

static int add_file(
	struct sb_secrets *secrets, const char *id, const char *path, struct sb_error *err)
{
	sb_autofd int fd = -1;

	if (sb_fd_open_user(path, "file", &fd, err) < 0)
		return sb_error_context(err, "secret '%s'", id);
	return sb_secrets_add_fd(secrets, id, fd, err);
}

static int add_secret(
	struct sb_secrets *secrets, const struct sb_secret_option *option, struct sb_error *err)
{
	const char *variable = option->env != NULL   ? option->env
			       : option->src == NULL ? option->id
						     : NULL;
	const char *value = variable != NULL ? getenv(variable) : NULL;

	if (value != NULL)
		return sb_secrets_add_bytes(secrets, option->id, value, strlen(value), err);
	if (option->env != NULL) {
		(void)sb_fail(err, SB_E_USAGE,
			"secret '%s': the environment variable '%s' is not set", option->id,
			option->env);
		return sb_error_hint(err, "an unset variable would be an empty secret; set it, "
					  "empty if it is meant to be");
	}
	return add_file(secrets, option->id, option->src != NULL ? option->src : option->id, err);
}

int sb_session_read_secrets(const struct sb_secret_option *options, size_t n,
	struct sb_secrets **out, struct sb_error *err)
{
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();

	for (size_t i = 0; i < n; i++)
		if (add_secret(secrets, &options[i], err) < 0)
			return -1;
	*out = SB_STEAL(secrets);
	return 0;
}

int sb_session_check_file(const char *path, struct sb_error *err)
{
	sb_autofree char *dir = sb_path_dir(path);
	sb_autofd int fd = -1;

	if (sb_fd_open_dir_user(dir, "folder", &fd, err) < 0)
		return sb_error_context(err, "write '%s'", path);
	return 0;
}

int sb_session_write_file(const char *path, const void *bytes, size_t len, struct sb_error *err)
{
	sb_autofree char *dir = sb_path_dir(path);
	sb_autofree char *name = sb_path_base(path);
	sb_autofd int fd = -1;
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		if (sb_fd_open_out_user(path, "file", &fd, err) < 0)
			return -1;
		return sb_fd_write_all(fd, bytes, len, err);
	}
	if (sb_fd_open_dir_user(dir, "folder", &fd, err) < 0 ||
		sb_atomic_write(fd, name, 0644, bytes, len, err) < 0)
		return sb_error_context(err, "write '%s'", path);
	return 0;
}

/* Takes the line's new text. The place in it is lost where what is before it is not the same. */
static void set_excerpt(struct sb_error *err, char *shown)
{
	if (err->excerpt_column > 0 && strncmp(shown, err->excerpt, err->excerpt_column - 1) != 0)
		err->excerpt_column = 0;
	free(err->excerpt);
	err->excerpt = shown;
}

void sb_session_redact_error(const struct sb_secrets *secrets, struct sb_error *err)
{
	if (err->excerpt != NULL)
		set_excerpt(err, sb_remote_hide_passwords(err->excerpt));
	if (secrets == NULL)
		return;

	char *message = sb_redact_text(secrets, err->message);
	char *hint = sb_redact_text(secrets, err->hint);

	free(err->message);
	free(err->hint);
	err->message = message;
	err->hint = hint;
	if (err->excerpt != NULL)
		set_excerpt(err, sb_redact_text(secrets, err->excerpt));
}

static bool is_hex_prefix(const char *text, size_t min)
{
	const size_t len = strlen(text);

	return len >= min && len <= 64 && strspn(text, "0123456789abcdef") == len;
}

/* By digest: whole, or as `images` shows it. Several entries of one digest are one image. */
static int find_by_digest(const struct sb_descriptors *list, const char *hex,
	const struct sb_descriptor **out, struct sb_error *err)
{
	const struct sb_descriptor *found = NULL;

	SB_ARRAY_FOREACH (list, d) {
		if (strncmp(sb_digest_hex(&d->digest), hex, strlen(hex)) != 0)
			continue;
		if (found != NULL && !sb_digest_equal(&found->digest, &d->digest))
			return sb_fail(err, SB_E_USAGE,
				"'%s' is the beginning of several images' digests", hex);
		found = d;
	}
	*out = found;
	return 0;
}

int sb_session_find_named(struct sb_session *session, const char *image, struct sb_descriptor *out,
	char **out_name, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	SB_AUTO_VALUE(sb_reference) ref = {0};
	const struct sb_descriptor *found = NULL;
	const char *hex = strncmp(image, "sha256:", 7) == 0 ? image + 7 : image;

	if (sb_layout_list(session->store, &list, err) < 0)
		return -1;
	if (is_hex_prefix(hex, hex != image ? 4 : 12) &&
		find_by_digest(&list, hex, &found, err) < 0)
		return -1;
	if (found != NULL) {
		sb_descriptor_copy(out, found);
		*out_name = NULL;
		return 0;
	}
	if (sb_reference_parse(image, &ref, err) < 0)
		return -1;

	sb_autofree char *name = sb_reference_format(&ref);

	if (sb_layout_find(session->store, name, out, err) < 0)
		return err->code == SB_E_NOT_FOUND
			       ? sb_error_hint(err, "'safebuild images' lists what the store has")
			       : -1;
	*out_name = SB_STEAL(name);
	return 0;
}

int sb_session_find(struct sb_session *session, const char *image, struct sb_descriptor *out,
	struct sb_error *err)
{
	sb_autofree char *name = NULL;

	return sb_session_find_named(session, image, out, &name, err);
}

char *sb_session_familiar(const char *whole)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (sb_reference_parse(whole, &ref, &ignored) == 0)
		return sb_reference_familiar(&ref);
	sb_error_ignore(&ignored, "another tool's name is shown as it is");
	return sb_strdup(whole);
}
