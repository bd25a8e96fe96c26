/* SPDX-License-Identifier: MIT */
#include "leak/nested_inflate.h"

#include <string.h>

/* Two bytes of magic are in one of thousand files by chance: a stream of zlib that broke off before
 * it made so many bytes was none. */
enum { MIN_EVIDENCE = 1024 };

/* Another gzip stream right behind goes on with the same content (RFC 1952, 2.2). */
static bool goes_on(struct sb_inflating *z)
{
	enum { MAGIC = 3 };

	return z->is_gzip && sb_nested_fill(z->in, MAGIC) && sb_nested_left(z->in) >= MAGIC &&
	       memcmp(sb_nested_at(z->in), "\x1f\x8b\x08", MAGIC) == 0;
}

size_t sb_inflating_make(struct sb_inflating *z, void *bytes, size_t len)
{
	size_t made = 0;

	while (made == 0 && z->state == SB_INFLATE_MORE) {
		size_t taken = 0;

		if (!sb_nested_fill(z->in, 1))
			break;
		z->state = sb_inflate_some(z->inflate, sb_nested_at(z->in), sb_nested_left(z->in),
			&taken, bytes, len, &made);
		z->in->at += taken;
		if (made == 0 && taken == 0 && z->state == SB_INFLATE_MORE)
			z->state = SB_INFLATE_DAMAGED;
		if (z->state == SB_INFLATE_END && goes_on(z)) {
			sb_inflate_begin(z->inflate);
			z->state = SB_INFLATE_MORE;
		}
	}
	return made;
}

ssize_t sb_inflating_read(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct sb_inflating *z = self;

	(void)err; /* set by the source of it all */
	if (z->in->run->is_over)
		return 0;

	const size_t n = sb_inflating_make(z, bytes, len);

	if (sb_nested_is_stopped(z->in->run))
		return z->in->run->has_failed ? -1 : 0;
	return n > 0 && sb_nested_count_bytes(z->in, n) ? (ssize_t)n : 0;
}

struct sb_inflate *sb_nested_inflate_new(
	const struct sb_nested_input *in, enum sb_inflate_kind kind)
{
	struct sb_inflate *inflate = sb_inflate_new(kind);

	if (inflate == NULL)
		sb_nested_skip(in, NULL, "libz, which unpacks it, is not installed");
	return inflate;
}

static void unpack(struct sb_nested_input *in, const struct sb_nested_format *format,
	enum sb_inflate_kind kind, uint64_t evidence)
{
	SB_AUTO(sb_inflate) inflate = sb_nested_inflate_new(in, kind);
	struct sb_inflating z = {.in = in, .inflate = inflate, .is_gzip = kind == SB_INFLATE_GZIP};
	const struct sb_source source = {sb_inflating_read, &z};

	if (inflate == NULL)
		return;
	sb_nested_read_member(in, NULL, &source);
	if (z.state != SB_INFLATE_END)
		sb_nested_skip_damaged(in, format, evidence);
}

void sb_nested_unpack_gzip(struct sb_nested_input *in, const struct sb_nested_format *format)
{
	unpack(in, format, SB_INFLATE_GZIP, 0);
}

void sb_nested_unpack_zlib(struct sb_nested_input *in, const struct sb_nested_format *format)
{
	unpack(in, format, SB_INFLATE_ZLIB, MIN_EVIDENCE);
}
