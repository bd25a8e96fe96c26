/* SPDX-License-Identifier: MIT */
#ifndef SAFEBUILD_ERROR_H
#define SAFEBUILD_ERROR_H

/*
 * The one error type.
 *
 * Every call that can fail takes a `struct sb_error *` as its last parameter, returns 0 or -1, and
 * writes its outputs only on success. The caller starts with SB_ERROR_INIT, decides on `code`
 * (never on the text), and releases the error when it is done with it. Running out of memory is not
 * an error of this kind: the process ends with one line on stderr, because nothing read from
 * outside may choose an unbounded size.
 */

enum sb_code {
	SB_OK = 0,
	SB_E_USAGE,       /* the caller's or the command line's words are wrong */
	SB_E_SYNTAX,      /* a Buildfile, ignore file or reference that does not parse */
	SB_E_NOT_FOUND,   /* a file, image, stage or secret that is not there */
	SB_E_DENIED,      /* the host's permissions do not allow it */
	SB_E_UNSUPPORTED, /* legal, but not something that this version or this host can do */
	SB_E_LIMIT,       /* input larger than a documented maximum */
	SB_E_INTEGRITY,   /* a digest, size or format that is not what it claims to be */
	SB_E_NETWORK,     /* a registry that can't be reached or answers with an error */
	SB_E_AUTH,        /* a registry that wants other credentials */
	/* A RUN step ended with a status other than 0 (see step_status), or what a step left can't
	 * be part of an image. */
	SB_E_STEP_FAILED,
	SB_E_LEAK,      /* a secret was found in what would have become part of the image */
	SB_E_CANCELLED, /* the user or a signal ended the work */
	SB_E_SYSTEM,    /* a system call failed; see os_errno */
	SB_E_BUG,       /* a broken promise of our own */
};

/* A place in a source file. `file` is NULL where there is none; line and column count from 1, 0 is
 * unknown. */
struct sb_source_pos {
	const char *file;
	unsigned line;
	unsigned column;
};

struct sb_error {
	enum sb_code code;
	int os_errno;    /* errno at the failure, or 0 */
	int step_status; /* for SB_E_STEP_FAILED: exit status, or 128 + the signal's number */
	struct sb_source_pos at; /* `at.file` is owned by the error */
	char *message;           /* one line, lower case, no full stop; owned */
	char *hint;              /* what to do about it, or NULL; owned */
	char *about;             /* the words of the source that are wrong, or NULL; owned */
	/* The line that `at` is in, as it is written, or NULL (owned); and the byte of it, from 1
	 * on, that the place is, or 0. */
	char *excerpt;
	unsigned excerpt_column;
};

#define SB_ERROR_INIT \
	{ \
		.code = SB_OK \
	}

/* Frees what the error owns and makes it SB_ERROR_INIT again. Accepts an error that was never set.
 */
void sb_error_release(struct sb_error *err);

/* The code's name as it stands in JSON output, e.g. "not-found". Static. */
const char *sb_code_name(enum sb_code code);

#endif
