/* SPDX-License-Identifier: MIT */
#include "build/context_fetch.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "build/fetch.h"
#include "layer/apply.h"
#include "layer/sniff.h"
#include "oci/image.h"
#include "plan/remote.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/mutex.h"
#include "sys/transfer.h"

enum { HEAD = 512 }; /* what tells a tar from a text: its first header */

bool sb_context_is_fetched(const char *word)
{
	struct stat st;

	if (strcmp(word, "-") == 0)
		return true;
	/* "github.com/…" and "user@host:path" may be folders too. */
	return sb_remote_kind_of(word, SB_REMOTE_BY_USER) != SB_REMOTE_NONE && stat(word, &st) < 0;
}

/* Bytes that come from a pipe or file, the first of which were looked at. */
struct stream {
	struct sb_interrupt *interrupt;
	int fd;
	char head[HEAD];
	size_t head_len;
	size_t given; /* of the head */
};

static int stream_begin(struct stream *s, struct sb_error *err)
{
	while (s->head_len < sizeof(s->head)) {
		const ssize_t n = sb_transfer_read(s->interrupt, s->fd, s->head + s->head_len,
			sizeof(s->head) - s->head_len, err);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		s->head_len += (size_t)n;
	}
	return 0;
}

static ssize_t stream_read(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct stream *s = self;
	const size_t left = s->head_len - s->given;
	const size_t n = len < left ? len : left;

	if (n == 0)
		return sb_transfer_read(s->interrupt, s->fd, bytes, len, err);
	memcpy(bytes, s->head + s->given, n);
	s->given += n;
	return (ssize_t)n;
}

/* An archive without entries begins with zeros. */
static bool is_archive(const struct stream *s)
{
	return s->head_len > 0 &&
	       (s->head[0] == '\0' || sb_layer_looks_like_tar(s->head, s->head_len));
}

static int unpack(
	struct sb_build *build, struct stream *s, struct sb_context *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_upper) scratch = {0};
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct sb_applied applied;
	/* A context's owners are not looked at. */
	const struct sb_apply_options options = {
		.ids = build->host->ids, .is_layer = false, .has_owner = true};
	const struct sb_reader reader = {
		.read = stream_read, .self = s, .interrupt = build->interrupt};

	if (sb_fetch_scratch(build, &scratch, &out->fd, err) < 0)
		return -1;
	if (sb_layer_apply(reader, out->fd, &options, &applied, &warnings, err) < 0)
		return sb_error_context(err, "unpack the build context");
	for (size_t i = 0; i < warnings.len; i++)
		sb_events_warn(&build->events, warnings.items[i], NULL);
	return 0;
}

/* The text as an unnamed file, beside an empty folder. */
static int take_text(struct sb_build *build, struct stream *s, struct sb_context *out,
	int *out_buildfile_fd, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_upper) scratch = {0};
	SB_AUTO_BUF text = SB_BUF_INIT(SB_MAX_BUILDFILE);
	sb_autofd int fd = -1;
	ssize_t n = 0;

	do {
		char bytes[4096];

		n = stream_read(s, bytes, sizeof(bytes), err);
		if (n < 0 || (n > 0 && sb_buf_add(&text, bytes, (size_t)n, err) < 0))
			return sb_error_context(err, "the Buildfile");
	} while (n > 0);
	if (sb_fd_memory("buildfile", &fd, err) < 0 ||
		sb_fd_write_all(fd, text.data, text.len, err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return sb_fail_errno(err, "the Buildfile");
	if (sb_fetch_scratch(build, &scratch, &out->fd, err) < 0)
		return -1;
	*out_buildfile_fd = sb_fd_steal(&fd);
	return 0;
}

static int take_stream(struct sb_build *build, int fd, struct sb_context *out,
	int *out_buildfile_fd, struct sb_error *err)
{
	struct stream s = {.interrupt = build->interrupt, .fd = fd};

	if (stream_begin(&s, err) < 0)
		return -1;
	if (s.head_len == 0)
		return sb_fail(err, SB_E_USAGE, "the build context is empty");
	return is_archive(&s) ? unpack(build, &s, out, err)
			      : take_text(build, &s, out, out_buildfile_fd, err);
}

static int take_stdin(
	struct sb_build *build, struct sb_context *out, int *out_buildfile_fd, struct sb_error *err)
{
	if (isatty(STDIN_FILENO)) {
		(void)sb_fail(err, SB_E_USAGE,
			"a build context is to come from standard input, which is a terminal");
		return sb_error_hint(
			err, "pipe a tar or a Buildfile into it: tar -c . | safebuild -");
	}
	if (take_stream(build, STDIN_FILENO, out, out_buildfile_fd, err) < 0)
		return sb_error_context(err, "standard input");
	return 0;
}

static int take_repository(struct sb_build *build, const struct sb_remote *remote,
	struct sb_context *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_fetched) fetched = {.fd = -1};
	const struct sb_fetch_options options = {.by_user = true};

	if (sb_fetch(build, remote, &options, &fetched, err) < 0)
		return -1;
	out->fd = sb_fd_steal(&fetched.fd);
	return 0;
}

/* The file behind a URL, open at its start. */
static int download(
	struct sb_build *build, const struct sb_remote *remote, int *out_fd, struct sb_error *err)
{
	sb_autofd int fd = -1;
	int64_t mtime_s = 0;

	if (sb_fd_unnamed(build->store_fd, &fd, err) < 0 ||
		sb_fetch_file(build, remote, NULL, fd, &mtime_s, err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return sb_fail_errno(err, "'%s'", remote->shown);
	*out_fd = sb_fd_steal(&fd);
	return 0;
}

int sb_context_fetch(struct sb_build *build, const char *word, struct sb_context *out,
	int *out_buildfile_fd, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_remote) remote = {0};
	sb_autofd int fd = -1;

	out->kind = SB_CONTEXT_FOLDER;
	*out_buildfile_fd = -1;
	if (strcmp(word, "-") == 0)
		return take_stdin(build, out, out_buildfile_fd, err);
	if (sb_remote_parse(word, SB_REMOTE_BY_USER, &remote, err) < 0)
		return sb_error_context(err, "build context");
	if (remote.kind == SB_REMOTE_GIT)
		return take_repository(build, &remote, out, err);
	if (download(build, &remote, &fd, err) < 0)
		return -1;
	if (take_stream(build, fd, out, out_buildfile_fd, err) < 0)
		return sb_error_context(err, "'%s'", remote.shown);
	return 0;
}

/* True for an archive of an image and for the tar of a root file system: what FROM takes. */
static int is_image(struct sb_build *build, int fd, bool *out, struct sb_error *err)
{
	const struct sb_image_open_options options = {.want = &build->platform,
		.tmp_dir_fd = build->store_fd,
		.interrupt = build->interrupt};
	SB_AUTO(sb_image) image = NULL;
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	*out = sb_image_open_fd(fd, &options, &image, &failed) == 0 ||
	       failed.code == SB_E_UNSUPPORTED;
	if (failed.code == SB_E_CANCELLED || failed.code == SB_E_SYSTEM) {
		sb_error_move(err, &failed);
		return -1;
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? sb_fail_errno(err, "read it again") : 0;
}

/* An image is kept as a file; another tar is unpacked, and any other file is something to copy. */
static int take_url(struct sb_build *build, const struct sb_remote *remote, struct sb_context *out,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_fetched) fetched = {.fd = -1};
	const struct sb_fetch_options options = {.by_user = true};
	sb_autofd int fd = -1;
	bool is_tar = false;
	bool is_whole_image = false;

	if (sb_fetch(build, remote, &options, &fetched, err) < 0)
		return -1;
	if (sb_at_open(fetched.fd, remote->name, SB_AT_NO_LINKS, O_RDONLY, &fd, err) < 0 ||
		sb_layer_sniff_tar(fd, &is_tar, err) < 0 ||
		(is_tar && is_image(build, fd, &is_whole_image, err) < 0))
		return sb_error_context(err, "'%s'", remote->shown);
	if (is_whole_image) {
		out->kind = SB_CONTEXT_IMAGE_FD;
		out->fd = sb_fd_steal(&fd);
		return 0;
	}
	if (is_tar) {
		struct stream s = {.interrupt = build->interrupt, .fd = fd};

		return unpack(build, &s, out, err);
	}
	out->fd = sb_fd_steal(&fetched.fd);
	return 0;
}

int sb_context_fetch_named(struct sb_build *build, struct sb_context *context, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_remote) remote = {0};
	struct sb_context got = {.fd = -1, .kind = SB_CONTEXT_FOLDER};
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&build->contexts_lock);

	if (context->kind != SB_CONTEXT_REMOTE)
		return 0;
	if (sb_remote_parse(context->reference, SB_REMOTE_BY_USER, &remote, err) < 0 ||
		(remote.kind == SB_REMOTE_GIT ? take_repository(build, &remote, &got, err)
					      : take_url(build, &remote, &got, err)) < 0) {
		sb_fd_closep(&got.fd);
		return sb_error_context(err, "build context '%s'", context->name);
	}
	free(context->reference);
	context->reference = NULL;
	context->kind = got.kind;
	context->fd = got.fd;
	return 0;
}
