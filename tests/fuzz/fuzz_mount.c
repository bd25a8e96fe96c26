/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "buildfile/mount.h"
#include "fuzz.h"

static void check_mount(const struct sb_mount_flag *mount)
{
	const bool may_lack_target = mount->type == SB_MOUNT_SSH ||
				     (mount->type == SB_MOUNT_SECRET && mount->env != NULL);

	SB_BUG_ON(mount->target == NULL && !may_lack_target);
	SB_BUG_ON(mount->target != NULL && (mount->target[0] != '/' || mount->target[1] == '\0' ||
						   strstr(mount->target, "/../") != NULL));
	SB_BUG_ON(mount->mode > 07777);
	SB_BUG_ON(mount->type == SB_MOUNT_SECRET && mount->id == NULL);
	SB_BUG_ON(mount->from != NULL && strchr(mount->from, '$') != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	sb_autofree char *text = sb_memdup0(data, len);
	sb_autofree char *from = NULL;
	SB_AUTO_STRV env = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_mount_flag mount = {0};

	sb_env_set(&env, "x", "a,readonly=false,id=b");
	sb_env_set(&env, "d", "/data");

	const struct sb_mount_scope scope = {.workdir = "/work", .env = &env, .escape = '\\'};

	if (sb_mount_parse_env(text, &scope, &mount, &err) == 0)
		check_mount(&mount);
	sb_mount_flag_release(&mount);
	sb_error_release(&err);
	if (sb_mount_parse(text, "/", &mount, &err) == 0)
		check_mount(&mount);
	sb_mount_flag_release(&mount);
	sb_error_release(&err);
	(void)!sb_mount_from(text, &from, &err);
	return 0;
}
