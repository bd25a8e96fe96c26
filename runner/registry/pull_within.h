/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_PULL_WITHIN_H
#define SB_REGISTRY_PULL_WITHIN_H

#include "registry/http.h"
#include "registry/pull.h"

/* sb_registry_pull with other limits than the usual ones: for tests, which can't wait a minute. */
int sb_registry_pull_within(const struct sb_reference *ref, const struct sb_pull_options *options,
	const struct sb_http_limits *limits, struct sb_layout *to, struct sb_descriptor *out,
	struct sb_error *err) SB_MUST_USE;

#endif
