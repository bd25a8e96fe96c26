/* SPDX-License-Identifier: MIT */
#ifndef SB_PLAN_KEY_H
#define SB_PLAN_KEY_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/strv.h"
#include "buildfile/instruction.h"
#include "oci/platform.h"

/*
 * What a step is known by in the cache: a digest of all that can change its result, and of nothing
 * else. Pure; the digests of files that a step is given are made by build/content.h.
 *
 * A key's material is a list of named fields, each with its length, so that no two lists are the
 * same bytes. It is kept until the key is finished, for a look at whether a secret is in it.
 */
struct sb_key {
	struct sb_buf material;
	bool is_private;   /* the value of a secret is in it, in a form that means something to this
			      store alone: it does not leave it */
	bool is_too_large; /* it would be larger than SB_MAX_KEY: the step is not cached */
};
#define SB_KEY_INIT \
	{ \
		.material = SB_BUF_INIT(SB_MAX_KEY) \
	}
void sb_key_release(struct sb_key *key);

void sb_key_bytes(struct sb_key *key, const char *field, const void *bytes, size_t len);
/* NULL is another value than "". */
void sb_key_text(struct sb_key *key, const char *field, const char *text);
void sb_key_number(struct sb_key *key, const char *field, int64_t number);
void sb_key_list(struct sb_key *key, const char *field, const struct sb_strv *list);
bool sb_key_equal(const struct sb_key *a, const struct sb_key *b);
void sb_key_finish(const struct sb_key *key, struct sb_digest *out);

/*
 * The state of a stage after a layer: what the layers below come to (a zeroed digest: none) and
 * the layer's diff_id. A step whose result is what it was before leaves the same state, however it
 * came about.
 */
void sb_key_chain(
	const struct sb_digest *below, const struct sb_digest *diff_id, struct sb_digest *out);

/* What all steps depend on. */
struct sb_step_scope {
	struct sb_digest parent; /* sb_key_chain of the stage's layers; zeroed: none */
	bool is_single_id;       /* owners are recorded, not set */
	int64_t source_date_epoch;
};

/* A --mount of a RUN, and what it brings. */
struct sb_mount_key {
	const struct sb_mount_flag *flag; /* borrowed */
	/* Of a bind mount: the content, or the state of the image that it shows all of. */
	struct sb_digest content;
	bool is_given; /* of a secret or an ssh mount that the step can do without: it was there */
	struct sb_digest rekey; /* keyed digest of a secret's value where that was asked for */
};

struct sb_run_key {
	struct sb_step_scope scope;
	const struct sb_platform *platform;
	const struct sb_strv *argv;
	const char *script;        /* of a here-document that is a program of its own, or NULL */
	const struct sb_strv *env; /* without proxies and secrets */
	const char *cwd;
	const char *user; /* as USER says it */
	const char *hostname;
	const struct sb_strv *add_hosts; /* lines "IP NAME": the names alone count */
	const char *network;
	bool no_new_privs;
	SB_ARRAY(struct sb_mount_key) mounts; /* owned */
};
void sb_key_of_run(const struct sb_run_key *run, struct sb_key *out);

/* COPY and ADD. */
struct sb_copy_key {
	struct sb_step_scope scope; /* of a --link the parent is left out */
	const char *workdir;
	const char *dest;
	const char *chown; /* expanded; NULL: none */
	const char *chmod;
	bool is_add;
	const char *unpack; /* ADD --unpack as given, or NULL */
	bool has_parents;
	bool is_link;
	/* Of each group of sources in order; with the names that they have there. */
	SB_ARRAY(struct sb_digest) contents; /* owned */
	const struct sb_heredoc *heredocs;
	size_t n_heredocs;
};
void sb_key_of_copy(const struct sb_copy_key *copy, struct sb_key *out);

void sb_key_of_workdir(
	const struct sb_step_scope *scope, const char *path, const char *user, struct sb_key *out);

#endif
