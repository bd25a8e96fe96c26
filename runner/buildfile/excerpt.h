/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_EXCERPT_H
#define SB_BUILDFILE_EXCERPT_H

#include "buildfile/instruction.h"

/* Gives an error that is located in this text its line. Nothing where it has one, or no place. */
void sb_excerpt_add(struct sb_error *err, const char *text, size_t len);

/* The same for an error of a Buildfile that was parsed; and where it is located at an instruction
 * as a whole but is about certain words of it, it is moved to these. */
void sb_buildfile_show(const struct sb_buildfile *buildfile, struct sb_error *err);

#endif
