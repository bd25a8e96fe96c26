/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_BUILD_H
#define SB_BUILD_BUILD_H

#include "base/error.h"
#include "build/cache.h"
#include "build/context.h"
#include "build/events.h"
#include "build/resolved.h"
#include "build/ssh_agents.h"
#include "buildfile/instruction.h"
#include "layer/compress.h"
#include "layer/snapshot.h"
#include "leak/content.h"
#include "leak/secrets.h"
#include "oci/image.h"
#include "oci/layout.h"
#include "plan/plan.h"
#include "sandbox/client.h"
#include "sandbox/spec.h"
#include "sys/interrupt.h"
#include "sys/userns.h"

struct sb_wanted_bases;

/* Those at rest. They outlive the builds that they run steps for: when we are killed while what
 * these steps wrote is removed, they remove the rest. */
struct sb_sandboxes {
	SB_ARRAY_FIELDS(struct sb_sandbox *);
};
/* After all else of a build is gone. */
void sb_sandboxes_end(struct sb_sandboxes *sandboxes);

/* What one thread works with that carries out steps, made when it is first needed. */
struct sb_worker {
	struct sb_sandbox *sandbox;
	struct sb_content_search *search; /* of layers, caches and texts */
};

struct sb_imports;
struct sb_promises;
struct sb_used_steps;

/*
 * One build: what it works on, put together by its caller, and what it has come to. Everything is
 * borrowed unless it says otherwise. Stages are built by threads (build/schedule.h); what they
 * share and change has a lock, or is in a part that has its own: snapshots, cache, events.
 */
struct sb_build {
	struct sb_layout *store;
	int store_fd;
	struct sb_snapshots *snapshots;
	const struct sb_host_ids *host;
	const struct sb_secrets *secrets;
	const struct sb_ssh_agents *ssh;
	struct sb_interrupt *interrupt;
	struct sb_events events;
	const struct sb_plan *plan;
	const struct sb_contexts *contexts;

	struct sb_platform platform;
	const struct sb_wanted_bases *wanted; /* what is asked for, by all builds of this call */
	/* Of several platforms, each is built by itself, one after the other (sb_build_fork). */
	bool is_one_of_several;
	uint32_t n_steps_before; /* of the builds before it and after it: steps are numbered through
				  */
	size_t n_steps_after;
	enum sb_compression compression;
	int compression_level;
	int64_t source_date_epoch; /* -1: none */
	enum sb_step_network network;
	const char *network_name; /* as the option names it */
	uint64_t shm_bytes;
	bool no_new_privs;
	bool pull;
	bool no_cache;                    /* run every step, and record it */
	struct sb_strv no_cache_stages;   /* the same for those stages */
	struct sb_strv rekey_secrets;     /* ids whose values count in keys, as a keyed digest */
	struct sb_cache *cache;           /* borrowed; NULL: nothing is cached */
	struct sb_imports *imports;       /* more caches to look in; borrowed, or NULL */
	struct sb_used_steps *used_steps; /* borrowed; NULL: the cache is not written out */
	const char *auth_file;            /* for registries; or NULL */
	bool squash;                      /* the target's own layers become one */
	unsigned n_jobs;                  /* stages that work at a time; 0: by the processors */
	struct sb_strv add_hosts;         /* lines "IP NAME" */
	struct sb_strv labels;            /* "key=value", put on last */

	/* Made on the way; released by sb_build_release. */
	struct sb_worker worker;    /* of the thread that runs the build, and of the first stage */
	struct sb_planned *planned; /* borrowed; not NULL: nothing runs (build/planned.h) */
	struct sb_scanner *scanner; /* its needles are all threads', its stream nobody's */
	SB_ARRAY(struct sb_stage_state *) stages; /* by stage index; NULL until built */
	SB_ARRAY(bool) in_result;       /* by stage index: its layers are part of the image */
	struct sb_digest config_digest; /* of the image's config, after sb_build_run */
	_Atomic uint32_t n_steps_begun;
	_Atomic size_t n_more_steps;  /* of ONBUILD triggers that base images brought so far, and of
					 stages that only these need */
	struct sb_resolved *resolved; /* borrowed */
	struct sb_promises *promises; /* borrowed */
	struct sb_sandboxes *sandboxes; /* borrowed; release gives back those of the workers */
	pthread_mutex_t contexts_lock;  /* of fetching the named contexts, and of the views */
	struct sb_context_views *context_views; /* NULL until a step mounts a part of a context */
	pthread_mutex_t written_lock;
	struct sb_strv written_blobs; /* digests of the layers that this build wrote */
	SB_ARRAY(struct sb_worker *) more_workers;
};

/* Of a zeroed build; before anything else. All are borrowed. */
void sb_build_init(struct sb_build *build, struct sb_resolved *resolved,
	struct sb_promises *promises, struct sb_sandboxes *sandboxes);
/*
 * *out, zeroed, becomes a build with the same settings, for another platform: it has copies of what
 * `from` owns, and nothing of what that has come to, which is nothing yet.
 */
void sb_build_fork(const struct sb_build *from, const struct sb_platform *platform,
	const struct sb_plan *plan, struct sb_build *out);
/* Builds the target and stores its image's blobs; *out is the manifest, in no index yet. */
int sb_build_run(
	struct sb_build *build, struct sb_descriptor *out, struct sb_error *err) SB_MUST_USE;
/* The target's root file system after sb_build_run: names for sb_stack_view. */
const struct sb_strv *sb_build_result_lowers(const struct sb_build *build);
/* Before sb_build_run once more: forgets what it has come to. */
void sb_build_restart(struct sb_build *build);
void sb_build_release(struct sb_build *build);

/* Of a build whose scanner is there. */
void sb_worker_init(struct sb_worker *worker, struct sb_build *build);

#endif
