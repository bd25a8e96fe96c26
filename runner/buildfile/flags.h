/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_FLAGS_H
#define SB_BUILDFILE_FLAGS_H

#include "buildfile/instruction.h"
#include "buildfile/logical.h"

enum sb_flag_kind {
	SB_FLAG_STRING, /* --name=value, once */
	SB_FLAG_LIST,   /* --name=value, any number of times */
	SB_FLAG_BOOL,   /* --name, --name=true, --name=false, once */
};

/* A flag that an instruction takes. A list of them ends with one that has no name. */
struct sb_flag_def {
	const char *name;
	enum sb_flag_kind kind;
};

/*
 * Reads the words `--name[=value]` at *offset of a line and moves *offset to what follows them. A
 * bare `--` ends them. Quotes and backslash escapes are removed, variables stay. Appends to
 * *out.
 */
int sb_flags_parse(const struct sb_logical *line, size_t *offset, const struct sb_flag_def *defs,
	struct sb_pairs *out, struct sb_error *err) SB_MUST_USE;

#endif
