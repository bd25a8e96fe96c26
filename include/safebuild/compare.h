/* SPDX-License-Identifier: MIT */
#ifndef SAFEBUILD_COMPARE_H
#define SAFEBUILD_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "safebuild/error.h"

struct sb_secret_option;

/* Two images, each named as sb_inspect takes it; at most one of them is "-". */
struct sb_compare_options {
	size_t size;
	const char *root;
	const char *before;
	const char *after;
	const char *platform; /* of both */
	/* Their values are masked in the report; nothing else is said of them. */
	const struct sb_secret_option *secrets;
	size_t n_secrets;
	bool as_json;
	bool color;
	unsigned width; /* of the terminal; 0: do not shorten */
};
#define SB_COMPARE_OPTIONS_INIT \
	{ \
		.size = sizeof(struct sb_compare_options) \
	}

/* UNREADABLE where something could not be read, or is not what its digest says: what is the same
 * then is not known, and the report says why. */
enum sb_compare_verdict { SB_COMPARED_SAME, SB_COMPARED_DIFFERENT, SB_COMPARED_UNREADABLE };

/* What changed from one to the other in the final file system, the settings and the layers. Caller
 * frees *out_report with sb_free. */
int sb_compare(const struct sb_compare_options *options, char **out_report,
	enum sb_compare_verdict *out_verdict, struct sb_error *err);

#endif
