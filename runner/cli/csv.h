/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_CSV_H
#define SB_CLI_CSV_H

#include "base/error.h"
#include "base/strv.h"

/*
 * The fields of an option's value as docker writes them: `k=v,k2="v,2"` or `k=v,"k2=v,2"`, a quote
 * inside quotes doubled. Fields come out decoded, in their order. An empty text has no fields.
 * SB_E_USAGE for quotes out of place; the message never repeats the text, which may hold a secret.
 */
int sb_csv_split(const char *text, struct sb_strv *out, struct sb_error *err) SB_MUST_USE;

/* One decoded field as key and value: *out_value is borrowed from the field, NULL where it has no
 * `=`; the key's length is returned. */
size_t sb_csv_key(const char *field, const char **out_value);

#endif
