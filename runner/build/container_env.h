/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CONTAINER_ENV_H
#define SB_BUILD_CONTAINER_ENV_H

#include "base/error.h"
#include "base/strv.h"

/*
 * The variables that the command line gives to a program, put into env: "K=V", or "K" for our own
 * environment's value, which is left out where there is none.
 */
int sb_container_env_add(const char *item, struct sb_strv *env, struct sb_error *err) SB_MUST_USE;
/* The same from a file, one a line as they are, without quotes; blank lines and those that begin
 * with # are left out. */
int sb_container_env_add_file(
	const char *path, struct sb_strv *env, struct sb_error *err) SB_MUST_USE;

#endif
