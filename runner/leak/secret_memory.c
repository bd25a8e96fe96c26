/* SPDX-License-Identifier: MIT */
#include "leak/secret_memory.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/array.h"
#include "base/error.h"
#include "base/mem.h"

enum {
	BLOCK_BYTES = 64 << 10,
	ALIGN_BYTES = 16,
};

struct block {
	char *pages;
	size_t len;
	size_t used;
};

struct sb_secret_memory {
	SB_ARRAY(struct block) blocks;
};

void sb_secret_pages_protect(void *pages, size_t len)
{
	(void)madvise(pages, len, MADV_DONTDUMP);
	(void)madvise(pages, len, MADV_DONTFORK);
	/* On fault, so that a large mapping of which little is used does not hit the limit's end
	 * by touching all of it. */
	if (mlock2(pages, len, MLOCK_ONFAULT) < 0)
		(void)mlock(pages, len);
}

struct sb_secret_memory *sb_secret_memory_new(void)
{
	return SB_NEW(struct sb_secret_memory);
}

void sb_secret_memory_free(struct sb_secret_memory *memory)
{
	if (memory == NULL)
		return;
	SB_ARRAY_FOREACH (&memory->blocks, block) {
		explicit_bzero(block->pages, block->used);
		(void)munmap(block->pages, block->len);
	}
	SB_ARRAY_RELEASE(&memory->blocks);
	free(memory);
}

static struct block *add_block(struct sb_secret_memory *memory, size_t at_least)
{
	const size_t len = at_least > BLOCK_BYTES ? at_least : BLOCK_BYTES;
	void *pages = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* As sb_malloc: out of memory ends the process. */
	if (pages == MAP_FAILED)
		sb_bug("out of memory for secrets", __FILE__, __LINE__);
	sb_secret_pages_protect(pages, len);

	struct block *block = SB_ARRAY_ADD(&memory->blocks);

	*block = (struct block){.pages = pages, .len = len};
	return block;
}

void *sb_secret_memory_alloc(struct sb_secret_memory *memory, size_t len)
{
	SB_BUG_ON(len > SIZE_MAX - ALIGN_BYTES);
	len = (len + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);

	struct block *block =
		memory->blocks.len > 0 ? &memory->blocks.items[memory->blocks.len - 1] : NULL;

	if (block == NULL || block->len - block->used < len)
		block = add_block(memory, len);

	void *p = block->pages + block->used;

	block->used += len;
	return p;
}
