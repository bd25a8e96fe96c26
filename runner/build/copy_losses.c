/* SPDX-License-Identifier: MIT */
#include "build/copy_losses.h"

#include "base/escape.h"
#include "base/mem.h"

#include <string.h>

static const char *const texts[SB_LOSS_KINDS] = {
	[SB_LOSS_SOCKET] = "sockets are not copied",
	[SB_LOSS_DEVICE] = "device nodes could not be made and are left out",
	[SB_LOSS_XATTR] = "extended attributes could not be kept",
	[SB_LOSS_OWNER] = "owners could not be stored with the ids that this user has",
	[SB_LOSS_HARDLINK] = "hard links became copies",
	[SB_LOSS_STORE] = "the store is not copied into an image",
};

void sb_losses_release(struct sb_losses *losses)
{
	for (size_t i = 0; i < SB_LOSS_KINDS; i++)
		free(losses->of[i].first);
	*losses = (struct sb_losses){0};
}

void sb_losses_note(struct sb_losses *losses, enum sb_loss kind, const char *path)
{
	if (losses->of[kind].n++ == 0)
		losses->of[kind].first = sb_strdup(path);
}

void sb_losses_report(const struct sb_losses *losses, struct sb_strv *warnings)
{
	for (size_t i = 0; warnings != NULL && i < SB_LOSS_KINDS; i++) {
		if (losses->of[i].n == 0)
			continue;

		sb_autofree char *first =
			sb_escape_text(losses->of[i].first, strlen(losses->of[i].first));

		if (losses->of[i].n == 1)
			sb_strv_addf(warnings, "%s: '%s'", texts[i], first);
		else
			sb_strv_addf(warnings, "%s: '%s' and %zu more", texts[i], first,
				losses->of[i].n - 1);
	}
}
