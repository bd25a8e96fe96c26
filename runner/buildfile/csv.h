/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_CSV_H
#define SB_BUILDFILE_CSV_H

#include "base/error.h"
#include "base/strv.h"

/*
 * One record of comma-separated values (RFC 4180): a field in double quotes may hold commas, and a
 * double quote as two. Appends; "" is one empty field.
 */
int sb_csv_split(const char *text, struct sb_strv *out, struct sb_error *err) SB_MUST_USE;

#endif
