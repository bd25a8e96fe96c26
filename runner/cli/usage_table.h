/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_USAGE_TABLE_H
#define SB_CLI_USAGE_TABLE_H

#include <stdio.h>

#include "safebuild.h"

/* What du and prune list: a table for people, or a JSON array with the sum in `total`. */
void sb_usage_print_table(FILE *out, const struct sb_usage *usage, size_t len);
void sb_usage_print_json(FILE *out, const struct sb_usage *usage, size_t len, const char *sum_name,
	uint64_t sum_bytes);

#endif
