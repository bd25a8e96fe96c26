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

/* Of verbs that ask registries; the field is a const char *. */
#define SB_OPTION_ROW_AUTH(type, field) \
	{ \
		"authfile", 0, SB_OPTION_TEXT, "FILE", offsetof(type, field), \
			"credentials of registries (default: where docker and podman have them)", \
			NULL \
	}

/* Of verbs that show progress; the fields are a const char * and a bool. */
#define SB_OPTION_ROWS_PROGRESS(type, field, quiet_field) \
	{"progress", 0, SB_OPTION_TEXT, "FORM", offsetof(type, field), \
		"auto (default), tty, plain, json, quiet", NULL}, \
	{ \
		"quiet", 'q', SB_OPTION_FLAG, NULL, offsetof(type, quiet_field), \
			"no progress, as --progress quiet", NULL \
	}

#define SB_OPTION_ROW_END \
	{ \
		NULL \
	}

/* An sb_option_fn for --platform (const char *): one platform, OS/ARCH[/VARIANT]. */
int sb_platform_option_parse(void *field, const char *value, struct sb_error *err) SB_MUST_USE;

#endif
