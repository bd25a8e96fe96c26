/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_COMPARE_H
#define SB_LAYER_COMPARE_H

#include <stdbool.h>

#include "base/error.h"
#include "layer/entry.h"
#include "sys/interrupt.h"

/*
 * Whether an entry that was copied up is still what the lower layers have. Folders: type, mode,
 * owner and attributes. All others: size, times and content too; the content is read only where
 * everything else agrees, in pieces of bounded size, until it is interrupted.
 */
struct sb_compared {
	int dir_fd;
	const struct sb_entry *entry;
};

int sb_entry_equal(const char *name, struct sb_compared upper, struct sb_compared lower,
	struct sb_interrupt *interrupt, bool *out_equal, struct sb_error *err) SB_MUST_USE;

#endif
