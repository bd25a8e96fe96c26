/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_ARRAY_H
#define SB_BASE_ARRAY_H

#include <stddef.h>
#include <string.h>

#include "base/mem.h"

/*
 * A typed growable array:
 *
 *	SB_ARRAY(struct sb_change) changes = {0};
 *	*SB_ARRAY_ADD(&changes) = (struct sb_change){…};
 *	SB_ARRAY_FOREACH(&changes, change) use(change);
 *	SB_ARRAY_RELEASE(&changes);            // frees the items' memory, not what they own
 *
 * Name an array type once with a struct tag where it crosses functions: SB_ARRAY_STRUCT(sb_changes,
 *struct sb_change);
 */
#define SB_ARRAY_FIELDS(type) \
	type *items; \
	size_t len; \
	size_t cap

#define SB_ARRAY(type) \
	struct { \
		SB_ARRAY_FIELDS(type); \
	}

#define SB_ARRAY_STRUCT(name, type) \
	struct name { \
		SB_ARRAY_FIELDS(type); \
	}

/* Appends one zeroed item and gives its address, valid until the next ADD. */
#define SB_ARRAY_ADD(a) \
	(__extension__({ \
		__typeof__(a) sb_array = (a); \
		if (sb_array->len == sb_array->cap) { \
			sb_array->cap = sb_array->cap != 0 ? sb_array->cap * 2 : 8; \
			sb_array->items = sb_reallocarray( \
				sb_array->items, sb_array->cap, sizeof(sb_array->items[0])); \
		} \
		memset(&sb_array->items[sb_array->len], 0, sizeof(sb_array->items[0])); \
		&sb_array->items[sb_array->len++]; \
	}))

#define SB_ARRAY_FOREACH(a, item) \
	for (__typeof__((a)->items + 0) item = (a)->items; \
		item != NULL && item < (a)->items + (a)->len; item++)

#define SB_ARRAY_RELEASE(a) \
	do { \
		free((a)->items); \
		(a)->items = NULL; \
		(a)->len = (a)->cap = 0; \
	} while (0)

#endif
