/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_COPY_LOSSES_H
#define SB_BUILD_COPY_LOSSES_H

#include <stddef.h>

#include "base/strv.h"

/* What a copy could not keep, counted, so that a million such files are one line of warning. */
enum sb_loss {
	SB_LOSS_SOCKET,
	SB_LOSS_DEVICE,
	SB_LOSS_XATTR,
	SB_LOSS_OWNER,
	SB_LOSS_HARDLINK,
	SB_LOSS_STORE,
	SB_LOSS_KINDS,
};

struct sb_losses {
	struct {
		size_t n;
		char *first; /* the first path that it happened to; owned */
	} of[SB_LOSS_KINDS];
};

void sb_losses_release(struct sb_losses *losses);
void sb_losses_note(struct sb_losses *losses, enum sb_loss kind, const char *path);
/* Adds a line for each kind that happened; warnings may be NULL. */
void sb_losses_report(const struct sb_losses *losses, struct sb_strv *warnings);

#endif
