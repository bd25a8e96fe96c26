/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_SECRETS_H
#define SB_LEAK_SECRETS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * The secrets that a build or an inspection knows. Their bytes live in one place: a sealed memfd
 * each, mapped into this process locked (best effort), out of core dumps and not inherited by fork
 * (MADV_DONTDUMP, MADV_DONTFORK, Linux 3.4 and 2.6.16). They are never copied to the heap by this
 * module, and zeroed when released.
 *
 * The seal is F_SEAL_FUTURE_WRITE (Linux 5.1): nobody can write through the descriptor or map it
 * for writing any more, while the mapping made before the seal, read-only in between, can still be
 * zeroed at the end.
 */
struct sb_secret {
	char *id;
	int fd;            /* the sealed memfd, for handing to the step that mounts it */
	const char *bytes; /* mapped; len bytes, not NUL-terminated; NULL when len is 0 */
	size_t len;
	/* The regular file that it was read from, which a build keeps out of its context. */
	bool has_file;
	dev_t file_dev;
	ino_t file_ino;
};

struct sb_secrets;
struct sb_secrets *sb_secrets_new(void);
void sb_secrets_free(struct sb_secrets *secrets);
SB_DEFINE_FREEP(sb_secrets)

/* Takes the bytes that can be read from fd to its end (a file, FIFO or pipe; at most
 * SB_MAX_SECRET). A second secret of the same id replaces the first. */
int sb_secrets_add_fd(
	struct sb_secrets *secrets, const char *id, int fd, struct sb_error *err) SB_MUST_USE;
/* The same from memory, e.g. an environment variable's value. */
int sb_secrets_add_bytes(struct sb_secrets *secrets, const char *id, const void *bytes, size_t len,
	struct sb_error *err) SB_MUST_USE;
/* NULL where there is none. Borrowed. */
const struct sb_secret *sb_secrets_get(const struct sb_secrets *secrets, const char *id);
/* The one that was read from this file, or NULL. secrets may be NULL. */
const struct sb_secret *sb_secrets_of_file(const struct sb_secrets *secrets, const struct stat *st);
size_t sb_secrets_count(const struct sb_secrets *secrets);
const struct sb_secret *sb_secrets_at(const struct sb_secrets *secrets, size_t i);

/*
 * How far a secret can be proven absent, by its value without the newlines at its end: what is
 * short, or what everybody writes, turns up by chance. What is not STRONG deserves a warning that
 * names its id.
 *
 * A common value ("password", "changeme", "12345678") is in documentation and example files of most
 * images: to search for it would refuse them all, and to replace it in output would destroy that.
 * So it can't be verified, at any length. A monotone one ("aaaaaaaa", "abcdefgh") is searched for
 * like a short one: as a whole token it is rare enough.
 */
enum sb_secret_strength {
	SB_SECRET_UNSEARCHABLE, /* under 4 bytes, or common: neither searched for nor redacted */
	SB_SECRET_WEAK,         /* 4 to 7, or monotone: searched for as a whole token, raw only;
				   redacted */
	SB_SECRET_STRONG,       /* 8 and more: every form, anywhere */
};
enum sb_secret_strength sb_secret_strength(const struct sb_secret *secret);
/* The length without the newlines at its end, which `$(cat file)` drops. */
size_t sb_secret_trimmed_len(const struct sb_secret *secret);

#endif
