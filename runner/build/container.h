/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CONTAINER_H
#define SB_BUILD_CONTAINER_H

#include "build/build.h"
#include "build/stage.h"
#include "safebuild.h"
#include "sandbox/attach.h"

/*
 * Runs a program of an image to its end, on a throwaway overlay of the layers that state->lowers
 * names. Of the options, those on how it runs are looked at; the network and the size of /dev/shm
 * are the build's. attach->term_signal is set here, to the image's STOPSIGNAL.
 */
int sb_container_run(struct sb_build *build, struct sb_stage_state *state,
	const struct sb_run_options *options, struct sb_attach *attach, struct sb_step_result *out,
	struct sb_error *err) SB_MUST_USE;

#endif
