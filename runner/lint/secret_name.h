/* SPDX-License-Identifier: MIT */
#ifndef SB_LINT_SECRET_NAME_H
#define SB_LINT_SECRET_NAME_H

#include <stdbool.h>

/* Names of variables that say that a secret is in them: BuildKit's words between underscores. */
bool sb_secret_name_of_variable(const char *name);
/* Names of variables whose random values are no secrets: digests, fingerprints, revisions. */
bool sb_public_name_of_variable(const char *name);
/* Paths whose names say so: keys, credentials, environment files. */
bool sb_secret_name_of_file(const char *path);

#endif
