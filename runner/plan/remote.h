/* SPDX-License-Identifier: MIT */
#ifndef SB_PLAN_REMOTE_H
#define SB_PLAN_REMOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * A source of ADD, or a build context, that is fetched from elsewhere, as text: nothing is asked.
 *
 *	http://HOST/PATH, https://…        a file; where PATH ends in .git, a repository
 *	git://…, ssh://…, USER@HOST:PATH   a repository
 *	file:///PATH, github.com/PATH      a repository, where the word is no Buildfile's
 *
 * A repository's address may end in #REF:SUBDIR, or have a query: ref, branch, tag, commit (or
 * checksum), subdir, keep-git-dir, submodules.
 */
enum sb_remote_kind { SB_REMOTE_NONE, SB_REMOTE_HTTP, SB_REMOTE_GIT };

struct sb_remote {
	enum sb_remote_kind kind;
	/* What is asked for: without user name and password where it is http or https, without
	 * fragment, and for git without its query. */
	char *url;
	char *shown;     /* the same for messages and the history: no query either */
	char *user_info; /* "USER[:PASSWORD]", decoded, of http and https; NULL where there is none
			  */
	char *host;      /* with its port; "" for file:// */
	bool is_ssh;
	bool is_file;

	char *name; /* HTTP: the file's name in a folder that it is put into */

	char *ref;    /* GIT: NULL for the repository's default branch */
	char *subdir; /* a cleaned path below the repository's root, or NULL */
	char *commit; /* what the commit must be: at least 7 hex digits; NULL for any */
	bool keep_git_dir;
	bool no_submodules;
};

void sb_remote_release(struct sb_remote *remote);

enum sb_remote_words {
	SB_REMOTE_IN_BUILDFILE,
	SB_REMOTE_BY_USER, /* file:// and github.com/ too */
};

/* What a word begins like; a word of a Buildfile may still have variables behind that. */
enum sb_remote_kind sb_remote_kind_of(const char *word, enum sb_remote_words whose);

/* *out is of kind NONE for any other word. SB_E_SYNTAX for a repository's address that makes no
 * sense. */
int sb_remote_parse(const char *word, enum sb_remote_words whose, struct sb_remote *out,
	struct sb_error *err) SB_MUST_USE;

/* The text of an instruction without what stands before an '@' in its http addresses; caller frees.
 */
char *sb_remote_hide_passwords(const char *text);

/* True for what `commit` may be. */
bool sb_remote_is_commit(const char *text);

/* ADD's --checksum for its sources, of which there must be one alone, and remote. */
int sb_remote_check_sum(const char *checksum, const struct sb_remote *sources, size_t n_sources,
	struct sb_error *err) SB_MUST_USE;

#endif
