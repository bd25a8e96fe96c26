/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_STAGE_H
#define SB_BUILD_STAGE_H

#include "base/cleanup.h"
#include "base/strv.h"
#include "oci/config.h"
#include "oci/manifest.h"

/* What an image consists of while it is built on. */
struct sb_stage_state {
	struct sb_image_config *config;
	struct sb_descriptors layers; /* blobs, one for each of config->diff_ids (digest unset where
					 none was written) */
	struct sb_strv lowers;        /* the unpacked layers, for sb_stack_view */
	size_t n_base_layers;         /* of both: those of the image that FROM names */
	/* The variables that instructions and steps see: the image's ENV and the ARGs in scope, the
	 * later one winning. */
	struct sb_strv env;
	/* Of the layers so far; see sb_stage_state_chain. */
	struct sb_digest chain;
	size_t n_chained;
	size_t n_base_history; /* entries that came with the base image */
	bool is_unknown;       /* planned only: its files depend on what did not run */
	bool has_own_cmd;      /* CMD was given in this stage: a later ENTRYPOINT keeps it */
	char escape;
};

struct sb_stage_state *sb_stage_state_new(void);
void sb_stage_state_free(struct sb_stage_state *state);
SB_DEFINE_FREEP(sb_stage_state)
/* A stage that starts where another ends (FROM stage). */
struct sb_stage_state *sb_stage_state_derive(const struct sb_stage_state *from);
/* What the stage's layers come to (sb_key_chain); zeroed where there are none. Borrowed. */
const struct sb_digest *sb_stage_state_chain(struct sb_stage_state *state);
/* The shell of shell forms. */
void sb_stage_state_shell(const struct sb_stage_state *state, struct sb_strv *out);
/* The working directory, "/" where none is set. Borrowed. */
const char *sb_stage_state_workdir(const struct sb_stage_state *state);

#endif
