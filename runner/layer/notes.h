/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_NOTES_H
#define SB_LAYER_NOTES_H

#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

/*
 * What a layer could not keep, said once for each kind of thing: the first one's name stands for
 * all of them.
 */
enum sb_note {
	SB_NOTE_SOCKET,
	SB_NOTE_DEVICE,
	SB_NOTE_ACL,
	SB_NOTE_TRUSTED,
	SB_NOTE_ESCAPED_OVERLAY,
	SB_NOTE_ATTRIBUTE,
	SB_NOTE_ATTRIBUTE_NAME,
	SB_NOTE_CAPABILITY,
	SB_NOTE_OWNER,
	SB_NOTE_SPECIAL_ATTRIBUTE,
	SB_NOTE_AUFS,
	SB_NOTE_ARCHIVE,
};

struct sb_notes {
	struct sb_strv *lines; /* borrowed; NULL: nobody reads them */
	uint32_t said;
};

void sb_note_once(struct sb_notes *notes, enum sb_note note, const char *fmt, ...) SB_PRINTF(3, 4);

#endif
