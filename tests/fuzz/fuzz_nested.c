/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "fuzz.h"
#include "leak/nested.h"

/* Small, so that an input that unpacks to much is no find. */
static const struct sb_nested_limits limits = {
	.max_depth = SB_NESTED_MAX_DEPTH,
	.max_ratio = 100,
	.min_ratio_bytes = 1 << 20,
	.max_members = 200,
};

struct from {
	const uint8_t *bytes;
	size_t left;
	size_t piece;
};

struct seen {
	const uint8_t *content;
	size_t len;
	unsigned n_open;
	size_t n_streams;
	uint64_t content_bytes;
	uint64_t bytes;
};

static ssize_t read_from(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct from *from = self;
	size_t n = from->left < from->piece ? from->left : from->piece;

	(void)err;
	n = n < len ? n : len;
	memcpy(bytes, from->bytes, n);
	from->bytes += n;
	from->left -= n;
	return (ssize_t)n;
}

static void on_begin(void *self, unsigned depth, const char *inside)
{
	struct seen *seen = self;

	SB_BUG_ON(depth != seen->n_open || depth > limits.max_depth);
	SB_BUG_ON((depth == 0) != (inside == NULL));
	seen->n_open++;
	seen->n_streams++;
}

static void on_bytes(void *self, unsigned depth, const void *bytes, size_t len)
{
	struct seen *seen = self;

	SB_BUG_ON(depth >= seen->n_open || len == 0);
	seen->bytes += len;
	if (depth > 0)
		return;
	SB_BUG_ON(len > seen->len - seen->content_bytes);
	SB_BUG_ON(memcmp(bytes, seen->content + seen->content_bytes, len) != 0);
	seen->content_bytes += len;
}

static void on_end(void *self, unsigned depth)
{
	struct seen *seen = self;

	SB_BUG_ON(depth + 1 != seen->n_open);
	seen->n_open--;
}

static void on_text(void *self, unsigned depth, const char *inside, const char *what,
	const void *bytes, size_t len)
{
	const struct seen *seen = self;

	SB_BUG_ON(depth != seen->n_open || inside == NULL || what == NULL);
	SB_BUG_ON(bytes == NULL || len == 0);
}

static void on_skipped(void *self, const char *inside, const char *why)
{
	const struct seen *seen = self;

	(void)inside;
	SB_BUG_ON(seen->n_open == 0 || why == NULL);
}

/* All of the content is shown, in order, whatever it is; nothing fails; the limits hold. */
static void read_in_pieces(const uint8_t *data, size_t len, size_t piece)
{
	struct from from = {data, len, piece};
	struct seen seen = {.content = data, .len = len};
	const struct sb_source source = {read_from, &from};
	const struct sb_nested_visitor visitor = {
		.self = &seen,
		.on_begin = on_begin,
		.on_bytes = on_bytes,
		.on_end = on_end,
		.on_text = on_text,
		.on_skipped = on_skipped,
	};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	SB_BUG_ON(sb_nested_read(&source, &visitor, &limits, &err) < 0 || sb_error_is_set(&err));
	SB_BUG_ON(seen.n_open != 0 || seen.content_bytes != len);
	SB_BUG_ON(seen.n_streams > 1 + limits.max_members);
	SB_BUG_ON(seen.bytes - len > limits.min_ratio_bytes + (len + 1) * limits.max_ratio +
					     SB_NESTED_MAX_DEPTH * UINT64_C(65536));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	read_in_pieces(data + 1, len - 1, SIZE_MAX);
	read_in_pieces(data + 1, len - 1, (size_t)data[0] + 1);
	return 0;
}
