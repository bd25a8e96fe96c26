/* SPDX-License-Identifier: MIT */
#include "layer/notes.h"

#include <stdarg.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"

void sb_note_once(struct sb_notes *notes, enum sb_note note, const char *fmt, ...)
{
	const uint32_t bit = UINT32_C(1) << note;
	va_list args;

	if (notes->lines == NULL || (notes->said & bit) != 0)
		return;
	notes->said |= bit;
	va_start(args, fmt);

	sb_autofree char *line = sb_vasprintf(fmt, args);

	va_end(args);
	sb_strv_add_nodup(notes->lines, sb_escape_text(line, strlen(line)));
}
