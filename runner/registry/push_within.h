/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_PUSH_WITHIN_H
#define SB_REGISTRY_PUSH_WITHIN_H

#include "registry/http.h"
#include "registry/push.h"

/* sb_registry_push with other limits than the usual ones: for tests, which can't wait a minute. */
int sb_registry_push_within(struct sb_layout *from, const struct sb_descriptor *image,
	const struct sb_reference *names, size_t n, const struct sb_push_options *options,
	const struct sb_http_limits *limits, struct sb_error *err) SB_MUST_USE;

#endif
