/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_DIVE_STACK_H
#define SB_INSPECT_DIVE_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

/*
 * Layers on top of each other as dive has them, which is not what an engine makes of them
 * (filesystem.h is): what is put over a folder leaves what was in it, and a parent that a layer
 * does not list is no folder from then on.
 */
struct sb_dive_stack;
struct sb_dive_stack *sb_dive_stack_new(void);
void sb_dive_stack_free(struct sb_dive_stack *stack);
SB_DEFINE_FREEP(sb_dive_stack)

void sb_dive_stack_begin_layer(struct sb_dive_stack *stack);
/* Paths are cleaned. Within a layer they come in sb_path_compare's order. The path is borrowed. */
void sb_dive_stack_add(
	struct sb_dive_stack *stack, const char *path, uint64_t size_bytes, bool is_folder);
/* With all that is below it. */
void sb_dive_stack_remove(struct sb_dive_stack *stack, const char *path);
/* False where there is nothing; *out is the size of all in the folder, 0 for anything else. */
bool sb_dive_stack_size(const struct sb_dive_stack *stack, const char *path, uint64_t *out);

#endif
