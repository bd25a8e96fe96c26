/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_STORE_OPTIONS_H
#define SB_CLI_STORE_OPTIONS_H

#include "base/error.h"
#include "cli/options.h"

/* The row of an option table that every verb on the store has; the field is a const char *. */
#define SB_OPTION_ROW_ROOT(type, field) \
	{ \
		"root", 0, SB_OPTION_TEXT, "DIR", offsetof(type, field), \
			"the store (default: $SAFEBUILD_ROOT, then $XDG_DATA_HOME/safebuild)", \
			NULL \
	}

#define SB_OPTION_ROW_END \
	{ \
		NULL \
	}

/* An sb_option_fn for --platform (const char *): one platform, OS/ARCH[/VARIANT]. */
int sb_platform_option_parse(void *field, const char *value, struct sb_error *err) SB_MUST_USE;

#endif
