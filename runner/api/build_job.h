/* SPDX-License-Identifier: MIT */
#ifndef SB_API_BUILD_JOB_H
#define SB_API_BUILD_JOB_H

#include "api/session.h"
#include "api/verify.h"
#include "build/build.h"
#include "build/export.h"
#include "safebuild.h"

/*
 * What build.c, build_inputs.c and build_result.c of this folder share.
 */

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
	struct sb_plan *plan;
	struct sb_exports *exports;
	struct sb_host_ids host;
	struct sb_snapshots *snapshots;
	struct sb_cache *cache;
	struct sb_strv tags;       /* whole names */
	struct sb_strv build_args; /* NAME=value */
	struct sb_build build;
	struct sb_proof proof;         /* where one is asked for */
	struct sb_descriptor attested; /* the index that has the image and the proof; or unset */
};

/* build_inputs.c: the Buildfile, the plan and what the options say: all that can be known and
 * refused before anything is touched. */
int sb_build_job_read_inputs(struct sb_build_job *job, struct sb_error *err) SB_MUST_USE;
/* The store, and the namespaces that it is used in. */
int sb_build_job_enter(struct sb_build_job *job, struct sb_error *err) SB_MUST_USE;

/* build_result.c: proves the image, gives it its names and writes it where it goes. */
int sb_build_job_keep(struct sb_build_job *job, const struct sb_descriptor *manifest,
	struct sb_error *err) SB_MUST_USE;

#endif
