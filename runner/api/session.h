/* SPDX-License-Identifier: MIT */
#ifndef SB_API_SESSION_H
#define SB_API_SESSION_H

#include "leak/secrets.h"
#include "oci/layout.h"
#include "safebuild.h"
#include "sys/interrupt.h"

/* The store, open: what every call on it begins with. */
struct sb_session {
	char *root; /* as messages name it */
	int store_fd;
	int users_fd; /* `.users`, locked shared while the store is used */
	struct sb_layout *store;
	struct sb_interrupt *interrupt;
};

/* The store's folder. root NULL: $SAFEBUILD_ROOT, then $XDG_DATA_HOME/safebuild, then
 * ~/.local/share/safebuild. NULL with err set where none of them says it. Caller frees. */
char *sb_session_choose_root(const char *root, struct sb_error *err);
/* Made where it is missing. */
int sb_session_open(const char *root, struct sb_session *out, struct sb_error *err);
void sb_session_release(struct sb_session *session);

/* Reads --secrets with the rights of the user who gave them. */
int sb_session_read_secrets(const struct sb_secret_option *options, size_t n,
	struct sb_secrets **out, struct sb_error *err);
/* Writes a file that the user named: whole or not at all, unless it is a pipe or device. */
int sb_session_write_file(
	const char *path, const void *bytes, size_t len, struct sb_error *err) SB_MUST_USE;
/* Before the work whose result it gets: fails where the file's folder is not there. */
int sb_session_check_file(const char *path, struct sb_error *err) SB_MUST_USE;
/* Takes secret values out of an error's texts. */
void sb_session_redact_error(const struct sb_secrets *secrets, struct sb_error *err);

/* The store's image of that name, or of that digest ("sha256:…", or its first hex digits where they
 * are unambiguous). */
int sb_session_find(struct sb_session *session, const char *image, struct sb_descriptor *out,
	struct sb_error *err);
/* The same; *out_name (caller frees) is the whole name by which it was found, NULL for a digest. */
int sb_session_find_named(struct sb_session *session, const char *image, struct sb_descriptor *out,
	char **out_name, struct sb_error *err);
/* A name of the store as people say it; caller frees. */
char *sb_session_familiar(const char *whole);

#endif
