/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_PROGRAM_H
#define SB_SANDBOX_PROGRAM_H

#include "sandbox/spec.h"

/*
 * The step's own process, from fork to exec: output, working directory, confinement, the program.
 * Where that fails, an encoded sb_step_result says why on error_fd: with the status that a shell
 * would give, 127 (not found) or 126 (not executable), or with none where it is not the program's
 * fault. With a successful exec error_fd closes and nothing was said.
 */
_Noreturn void sb_program_run(const struct sb_step_spec *spec, int error_fd);

#endif
