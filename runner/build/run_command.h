/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_RUN_COMMAND_H
#define SB_BUILD_RUN_COMMAND_H

#include "build/instructions.h"

/*
 * What a RUN starts. Where it is a here-document that says itself what it is for (`#!`), that is
 * returned, and argv[0] is the path at which the step has it; else NULL. argv is empty for `RUN
 * []`.
 */
const struct sb_heredoc *sb_run_command(const struct sb_do *d, struct sb_strv *argv);

#endif
