/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_TOML_H
#define SB_REGISTRY_TOML_H

#include "oci/json.h"

/*
 * TOML 1.0 as JSON: tables are objects, arrays are arrays; strings, integers and booleans are
 * themselves; floats and times are strings of their text, unchecked. (An own reader, since no
 * distribution that we build on packages one for C.)
 *
 * SB_E_SYNTAX names the line. Caller owns *out.
 */
int sb_toml_parse(const char *text, size_t len, json_t **out, struct sb_error *err) SB_MUST_USE;

#endif
