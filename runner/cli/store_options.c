/* SPDX-License-Identifier: MIT */
#include "cli/store_options.h"

#include <string.h>

int sb_platform_option_parse(void *field, const char *value, struct sb_error *err)
{
	if (strchr(value, ',') != NULL) {
		sb_fail(err, SB_E_USAGE, "one platform is wanted here, not '%s'", value);
		return sb_error_hint(err, "give one, such as linux/amd64, and call once for each");
	}
	if (value[0] == '\0')
		return sb_fail(err, SB_E_USAGE, "the value is empty");
	*(const char **)field = value;
	return 0;
}
