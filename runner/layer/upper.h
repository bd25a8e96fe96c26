/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_UPPER_H
#define SB_LAYER_UPPER_H

#include "layer/diff.h"

/*
 * Makes the upper folder show what its layer holds, so that what is stacked on it sees the same as
 * what is stacked on the layer unpacked: without the sockets, and with no time after the source
 * date epoch (-1: none).
 */
int sb_upper_settle(int upper_fd, const struct sb_changes *changes, const struct sb_strv *sockets,
	int64_t source_date_epoch, struct sb_error *err) SB_MUST_USE;

#endif
