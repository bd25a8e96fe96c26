/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_TOML_PRIVATE_H
#define SB_REGISTRY_TOML_PRIVATE_H

#include "registry/toml.h"

/* The text as it is read; a NUL stands behind it, and none in it. */
struct sb_toml {
	const char *p;
	unsigned line;
	struct sb_error *err;
};

int sb_toml_fail(struct sb_toml *toml, const char *what);
void sb_toml_skip_blanks(struct sb_toml *toml);
/* Blanks, comments and ends of lines. */
void sb_toml_skip_lines(struct sb_toml *toml);
/* A string in any of its four forms; caller frees. */
int sb_toml_read_string(struct sb_toml *toml, char **out);

#endif
