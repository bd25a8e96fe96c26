/* SPDX-License-Identifier: MIT */
#ifndef SB_API_BUILD_JOB_H
#define SB_API_BUILD_JOB_H

#include "api/session.h"
#include "api/verify.h"
#include "build/build.h"
#include "build/cache_export.h"
#include "build/cache_import.h"
#include "build/export.h"
#include "build/stack.h"
#include "build/used_steps.h"
#include "build/wanted.h"
#include "safebuild.h"

/*
 * What build.c and the other build_*.c of this folder share.
 */

/* The build for one platform, and what it comes to. */
struct sb_build_part {
	struct sb_platform platform;
	struct sb_plan *plan;
	bool is_begun;
	struct sb_build build;
	struct sb_descriptor manifest;
	struct sb_proof proof;            /* where one is asked for */
	struct sb_descriptor attestation; /* that proof, for the index; or unset */
};

/* Everything that a build owns, released in one place. */
struct sb_build_job {
	const struct sb_build_options *options;
	struct sb_session session;
	struct sb_secrets *secrets;
	struct sb_ssh_agents ssh;
	struct sb_contexts contexts;
	bool is_fetched;  /* the main context is no folder */
	int buildfile_fd; /* that context is a Buildfile itself; or -1 */
	struct sb_buildfile *buildfile;
	SB_ARRAY(struct sb_build_part) parts; /* one a platform, in the order of the option */
	struct sb_wanted_bases wanted;
	struct sb_exports *exports;
	struct sb_imports *imports; /* NULL: no cache is asked */
	struct sb_cache_exports *cache_exports;
	struct sb_used_steps *used_steps;
	struct sb_host_ids host;
	struct sb_snapshots *snapshots;
	struct sb_cache *cache;
	struct sb_strv tags;       /* whole names */
	struct sb_strv build_args; /* NAME=value */
	struct sb_build build;     /* the settings, which each part's starts with */
	struct sb_resolved resolved;
	struct sb_promises promises;
	struct sb_sandboxes sandboxes;
	struct sb_descriptor image;    /* the manifest; of several platforms, their index */
	struct sb_descriptor attested; /* the index that has the proofs too; or unset */
};

/* build_inputs.c: the Buildfile, the plan and what the options say: all that can be known and
 * refused before anything is touched. */
int sb_build_job_read_inputs(struct sb_build_job *job, struct sb_error *err) SB_MUST_USE;
/* The store, and the namespaces that it is used in. */
int sb_build_job_enter(struct sb_build_job *job, struct sb_error *err) SB_MUST_USE;

/* build_platforms.c: which platforms there are (a part each), the plan for each, and one build
 * after the other. */
int sb_build_job_choose_platforms(struct sb_build_job *job, struct sb_error *err) SB_MUST_USE;
int sb_build_job_plan(struct sb_build_job *job, struct sb_error *err) SB_MUST_USE;
int sb_build_job_run(struct sb_build_job *job, struct sb_error *err) SB_MUST_USE;
void sb_build_job_release_parts(struct sb_build_job *job);

/* build_result.c: makes the image of the parts, proves it, gives it its names and writes it where
 * it goes. */
int sb_build_job_keep(struct sb_build_job *job, struct sb_error *err) SB_MUST_USE;

#endif
