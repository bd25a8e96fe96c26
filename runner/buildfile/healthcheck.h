/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_HEALTHCHECK_H
#define SB_BUILDFILE_HEALTHCHECK_H

#include <stdint.h>

#include "buildfile/instruction.h"

/* The flags of HEALTHCHECK as the image's config holds them: nanoseconds, and 0 for what is not
 * given. */
struct sb_healthcheck_times {
	int64_t interval_ns;
	int64_t timeout_ns;
	int64_t start_period_ns;
	int64_t start_interval_ns;
	int64_t retries;
};

/* The parser has called it already: it fails only for an instruction that was not parsed. */
int sb_healthcheck_flags(const struct sb_instruction *instr, struct sb_healthcheck_times *out,
	struct sb_error *err) SB_MUST_USE;

/* Go's time.ParseDuration: "1m30s", "1.5h", "100ms", "0"; units ns, us, µs, ms, s, m, h.
 * SB_E_SYNTAX. */
int sb_duration_parse(const char *text, int64_t *out_ns, struct sb_error *err) SB_MUST_USE;
/* Go's time.Duration.String: "1m30s", "1.5s", "500ms", "0s". Caller frees. */
char *sb_duration_format(int64_t ns);

#endif
