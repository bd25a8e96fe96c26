/* SPDX-License-Identifier: MIT */
#include "api/image_open.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/reference.h"
#include "oci/spool.h"
#include "registry/pull.h"
#include "sys/fd.h"

static int open_file(int fd, const struct sb_image_place *place, const struct sb_platform *want,
	struct sb_image **out, struct sb_error *err)
{
	sb_autofd int tmp = -1;
	const char *tmp_dir = getenv("TMPDIR");
	bool is_spooled = false;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return sb_fail_errno(err, "stat");
	if (!S_ISDIR(st.st_mode) && sb_spool_is_needed(fd, &is_spooled, err) < 0)
		return -1;
	if (is_spooled && sb_fd_open_dir_user(tmp_dir != NULL ? tmp_dir : "/tmp",
				  "temporary folder", &tmp, err) < 0)
		return sb_error_hint(err, "an image from a pipe, or compressed as a whole, is laid "
					  "there first; $TMPDIR names another folder");

	const struct sb_image_open_options options = {
		.name = place->name, .want = want, .tmp_dir_fd = tmp};

	return sb_image_open_fd(fd, &options, out, err);
}

static bool go_on(void *data, const char *what, uint64_t done, uint64_t total)
{
	(void)what;
	(void)done;
	(void)total;
	return !sb_interrupt_is_pending(data);
}

static int open_reference(struct sb_session *session, const char *text,
	const struct sb_platform *want, struct sb_image **out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	const struct sb_pull_options options = {
		.want = want, .on_progress = go_on, .data = session->interrupt};

	if (sb_registry_pull_name(text, &options, session->store, &d, &ref, err) < 0)
		return -1;
	if (sb_image_from_layout(session->store, &d, want, out, err) < 0)
		return -1;
	free((*out)->name);
	(*out)->name = sb_reference_format(&ref);
	return 0;
}

/* What can only be meant as a file: no image's name begins like that, and few end in .tar. */
static bool is_path(const char *text)
{
	const size_t len = strlen(text);

	return text[0] == '/' || strncmp(text, "./", 2) == 0 || strncmp(text, "../", 3) == 0 ||
	       (len > 4 && strcmp(text + len - 4, ".tar") == 0);
}

int sb_open_image(struct sb_session *session, const struct sb_image_place *place,
	struct sb_image **out, struct sb_error *err)
{
	static const char registry[] = "docker://";
	struct sb_platform want = sb_platform_host();
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	sb_autofd int fd = -1;
	struct stat st;

	if (place->platform != NULL && sb_platform_parse(place->platform, &want, err) < 0)
		return -1;
	if (strcmp(place->image, "-") == 0)
		return open_file(STDIN_FILENO, place, &want, out, err);
	if (stat(place->image, &st) == 0) {
		/* Asked first for a message that does not name it: who called does. */
		if (faccessat(AT_FDCWD, place->image, R_OK, AT_EACCESS) < 0)
			return sb_fail_errno(err, "open it");
		if (sb_fd_open_user(place->image, "image", &fd, err) < 0)
			return -1;
		return open_file(fd, place, &want, out, err);
	}
	if (is_path(place->image))
		return sb_fail_errno(err, "open it");
	if (session->store == NULL && sb_session_open(place->root, session, err) < 0)
		return -1;
	if (strncmp(place->image, registry, sizeof(registry) - 1) == 0)
		return open_reference(
			session, place->image + sizeof(registry) - 1, &want, out, err);
	if (sb_session_find(session, place->image, &d, err) < 0)
		return -1;
	return sb_image_from_layout(session->store, &d, &want, out, err);
}

int sb_session_let_signals_through(struct sb_session *session, struct sb_error *err)
{
	if (sb_interrupt_check(session->interrupt, err) < 0)
		return -1;
	if (session->store != NULL)
		sb_layout_set_interrupt(session->store, NULL);
	sb_interrupt_free(session->interrupt);
	session->interrupt = NULL;
	return 0;
}
