/* SPDX-License-Identifier: MIT */
#include "build/context.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "build/context_fetch.h"
#include "plan/remote.h"
#include "sys/at.h"
#include "sys/fd.h"

static void context_release(struct sb_context *context)
{
	free(context->name);
	free(context->path);
	free(context->reference);
	sb_ignore_free(context->ignore);
	sb_fd_closep(&context->fd);
}

static void context_enter(struct sb_context *context)
{
	if (context->path != NULL)
		sb_fd_reopen_dir(&context->fd, context->path);
}

void sb_contexts_enter(struct sb_contexts *contexts)
{
	context_enter(&contexts->main);
	SB_ARRAY_FOREACH (&contexts->named, context)
		context_enter(context);
}

void sb_contexts_release(struct sb_contexts *contexts)
{
	context_release(&contexts->main);
	SB_ARRAY_FOREACH (&contexts->named, context)
		context_release(context);
	SB_ARRAY_RELEASE(&contexts->named);
}

/* 0 also where there is no such file. */
static int absent_or_failed(struct sb_error *failed, struct sb_error *err)
{
	if (failed->code == SB_E_NOT_FOUND) {
		sb_error_ignore(failed, "without an ignore file nothing is left out");
		return 0;
	}
	sb_error_move(err, failed);
	return -1;
}

static int read_ignore(int dir_fd, struct sb_ignore **out, struct sb_error *err)
{
	static const char name[] = ".dockerignore";
	SB_AUTO_BUF text = SB_BUF_INIT(SB_MAX_IGNORE_FILE);
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (sb_at_read_file(dir_fd, name, SB_AT_BENEATH, SB_MAX_IGNORE_FILE, &text, &failed) < 0)
		return absent_or_failed(&failed, err);
	return sb_ignore_parse(name, text.data, text.len, out, err);
}

/* The one beside the Buildfile, which may be anywhere, goes before the context's. *out stays NULL
 * where there is none. */
static int read_own_ignore(const char *buildfile, struct sb_ignore **out, struct sb_error *err)
{
	sb_autofree char *name = sb_asprintf("%s.dockerignore", buildfile);
	SB_AUTO_BUF text = SB_BUF_INIT(SB_MAX_IGNORE_FILE);
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	sb_autofd int fd = -1;

	if (sb_fd_open_user(name, "ignore file", &fd, &failed) < 0)
		return absent_or_failed(&failed, err);
	if (sb_fd_read_all(fd, &text, err) < 0)
		return sb_error_context(err, "'%s'", name);
	return sb_ignore_parse(name, text.data, text.len, out, err);
}

static int open_main(
	const char *path, const char *buildfile, struct sb_context *out, struct sb_error *err)
{
	out->kind = SB_CONTEXT_FOLDER;
	if (sb_fd_open_dir_user(path, "build context", &out->fd, err) < 0 ||
		(buildfile != NULL && read_own_ignore(buildfile, &out->ignore, err) < 0))
		return -1;
	out->path = sb_fd_path(out->fd);
	return out->ignore == NULL ? read_ignore(out->fd, &out->ignore, err) : 0;
}

/* "PATH[:TAG|@DIGEST]": the colon or at sign behind a folder that is there, since both a path and
 * an image's whole name may hold them; else the one behind the last slash. */
static char *split_image_name(const char *value, char **out_name)
{
	for (size_t len = strcspn(value, ":@"); value[len] != '\0';
		len += 1 + strcspn(value + len + 1, ":@")) {
		sb_autofree char *path = sb_memdup0(value, len);
		struct stat st;

		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
			*out_name = sb_strdup(value + len + 1);
			return SB_STEAL(path);
		}
	}

	const char *slash = strrchr(value, '/');
	const char *mark = strpbrk(slash != NULL ? slash : value, ":@");

	*out_name = mark != NULL ? sb_strdup(mark + (mark[0] == ':' ? 1 : 0)) : NULL;
	return mark != NULL ? sb_memdup0(value, (size_t)(mark - value)) : sb_strdup(value);
}

static int open_image(const char *value, struct sb_context *out, struct sb_error *err)
{
	sb_autofree char *path = split_image_name(value, &out->reference);

	out->kind = SB_CONTEXT_IMAGE_FD;
	return sb_fd_open_user(path, "image", &out->fd, err);
}

static int open_path(const char *path, struct sb_context *out, struct sb_error *err)
{
	struct stat st;

	if (sb_fd_open_user(path, "build context", &out->fd, err) < 0)
		return -1;
	if (fstat(out->fd, &st) < 0)
		return sb_fail_errno(err, "build context '%s'", path);
	if (S_ISDIR(st.st_mode)) {
		out->kind = faccessat(out->fd, "oci-layout", F_OK, 0) == 0 ? SB_CONTEXT_IMAGE_FD
									   : SB_CONTEXT_FOLDER;
		out->path = out->kind == SB_CONTEXT_FOLDER ? sb_fd_path(out->fd) : NULL;
		return out->kind == SB_CONTEXT_FOLDER ? read_ignore(out->fd, &out->ignore, err) : 0;
	}
	out->kind = SB_CONTEXT_IMAGE_FD;
	return 0;
}

static int open_named(const char *item, struct sb_context *out, struct sb_error *err)
{
	static const char layout[] = "oci-layout://";
	static const char reference[] = "docker-image://";
	const char *equals = strchr(item, '=');

	if (equals == NULL || equals == item || equals[1] == '\0')
		return sb_fail(err, SB_E_USAGE, "--build-context '%s' is not NAME=VALUE", item);
	out->name = sb_memdup0(item, (size_t)(equals - item));

	const char *value = equals + 1;

	if (strncmp(value, layout, sizeof(layout) - 1) == 0)
		return open_image(value + sizeof(layout) - 1, out, err);
	if (strncmp(value, reference, sizeof(reference) - 1) == 0) {
		out->kind = SB_CONTEXT_REF;
		out->reference = sb_strdup(value + sizeof(reference) - 1);
		return 0;
	}
	if (sb_context_is_fetched(value) && strcmp(value, "-") != 0) {
		SB_AUTO_VALUE(sb_remote) remote = {0};

		out->kind = SB_CONTEXT_REMOTE;
		out->reference = sb_strdup(value);
		return sb_remote_parse(value, SB_REMOTE_BY_USER, &remote, err);
	}
	if (strstr(value, "://") != NULL) {
		(void)sb_fail(err, SB_E_UNSUPPORTED, "'%s' begins with an unknown scheme", value);
		return sb_error_hint(err, "there are https, http, git, ssh, file, oci-layout and "
					  "docker-image");
	}
	return open_path(value, out, err);
}

int sb_contexts_open_main(
	const char *context, const char *buildfile, struct sb_contexts *out, struct sb_error *err)
{
	return open_main(context, buildfile, &out->main, err);
}

int sb_contexts_open_named(const char *const *named, struct sb_contexts *out, struct sb_error *err)
{
	for (size_t i = 0; named != NULL && named[i] != NULL; i++) {
		struct sb_context *item = SB_ARRAY_ADD(&out->named);

		item->fd = -1;
		if (open_named(named[i], item, err) < 0)
			return sb_error_context(
				err, "--build-context %.*s", (int)strcspn(named[i], "="), named[i]);
	}
	return 0;
}

struct sb_context *sb_contexts_find(const struct sb_contexts *contexts, const char *name)
{
	SB_ARRAY_FOREACH (&contexts->named, context)
		if (strcmp(context->name, name) == 0)
			return context;
	return NULL;
}

void sb_contexts_names(const struct sb_contexts *contexts, struct sb_strv *out)
{
	SB_ARRAY_FOREACH (&contexts->named, context)
		sb_strv_add(out, context->name);
}
