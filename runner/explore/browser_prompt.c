/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "explore/browser_private.h"

void sb_browser_begin_prompt(struct sb_browser *b, enum sb_browser_mode mode, char *text)
{
	b->mode_before = b->mode;
	b->mode = mode;
	free(b->typed);
	b->typed = text;
}

/* Proposes the file's own name, in the current folder. */
void sb_browser_begin_extract(struct sb_browser *b)
{
	struct sb_explored_file file;
	struct sb_tree_row row;

	if (b->mode != SB_MODE_VIEW) {
		if (!sb_browser_current_row(b, &row) || !sb_browser_has_content(b, &row))
			return;
		b->viewed_layer = row.layer;
		b->viewed_entry = row.entry;
	}
	b->source->file(b->source->self, b->viewed_layer, b->viewed_entry, &file);
	sb_browser_begin_prompt(b, SB_MODE_EXTRACT, sb_path_base(file.path));
}

static size_t encode_utf8(uint32_t c, char out[5])
{
	size_t n = 0;

	if (c < 0x80) {
		out[n++] = (char)c;
	} else if (c < 0x800) {
		out[n++] = (char)(0xc0 | (c >> 6));
		out[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		out[n++] = (char)(0xe0 | (c >> 12));
		out[n++] = (char)(0x80 | ((c >> 6) & 0x3f));
		out[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		out[n++] = (char)(0xf0 | (c >> 18));
		out[n++] = (char)(0x80 | ((c >> 12) & 0x3f));
		out[n++] = (char)(0x80 | ((c >> 6) & 0x3f));
		out[n++] = (char)(0x80 | (c & 0x3f));
	}
	out[n] = '\0';
	return n;
}

/* True if the key changed the text. */
static bool type(struct sb_browser *b, uint32_t key)
{
	enum { MAX_TYPED = 1000 };
	char character[5];
	size_t len = strlen(b->typed);

	if (key == SB_CONTROL('u')) {
		b->typed[0] = '\0';
		return true;
	}
	if (key == SB_KEY_BACKSPACE || key == 0x7f || key == SB_CONTROL('h')) {
		while (len > 0 && ((unsigned char)b->typed[--len] & 0xc0) == 0x80)
			continue;
		b->typed[len] = '\0';
		return true;
	}
	if (key < ' ' || key >= 0x110000 || len > MAX_TYPED)
		return false;
	(void)encode_utf8(key, character);

	char *longer = sb_asprintf("%s%s", b->typed, character);

	free(b->typed);
	b->typed = longer;
	return true;
}

void sb_browser_key_in_filter(struct sb_browser *b, uint32_t key)
{
	if (key == SB_KEY_ESCAPE) {
		b->mode = SB_MODE_BROWSE;
		sb_browser_set_filter(b, "");
	} else if (key == SB_KEY_ENTER || key == SB_KEY_DOWN || key == SB_KEY_UP || key == '\t') {
		b->mode = SB_MODE_BROWSE;
	} else if (type(b, key)) {
		sb_browser_set_filter(b, b->typed);
	}
}

struct sb_wish sb_browser_key_in_extract(struct sb_browser *b, uint32_t key)
{
	struct sb_wish wish = {0};

	if (key == SB_KEY_ESCAPE) {
		b->mode = b->mode_before;
	} else if (key == SB_KEY_ENTER && b->typed[0] != '\0') {
		free(b->name);
		b->name = sb_strdup(b->typed);
		b->mode = b->mode_before;
		wish = (struct sb_wish){.kind = SB_WISH_EXTRACT,
			.layer = b->viewed_layer,
			.entry = b->viewed_entry};
		wish.name = b->name;
	} else {
		(void)type(b, key);
	}
	return wish;
}
