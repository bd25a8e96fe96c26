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

static size_t left_for(const struct sb_inflating *z)
{
	const size_t left = sb_nested_left(z->in);

	return z->is_limited && z->limit < left ? (size_t)z->limit : left;
}

static void take(struct sb_inflating *z, size_t n)
{
	z->in->at += n;
	if (z->is_limited)
		z->limit -= n;
}

static void end_stream(struct sb_inflating *z)
{
	z->state = SB_INFLATE_END;
	if (!goes_on(z))
		return;
	sb_inflate_begin(z->inflate);
	z->state = SB_INFLATE_MORE;
	z->is_begun = false;
}

/* Most streams are short: so many bytes are looked at, and if that was too little, as many as the
 * window takes. */
static bool make_whole(struct sb_inflating *z)
{
	static const size_t tries[] = {SB_NESTED_MAX_FILL / 3, SB_NESTED_MAX_FILL};
	size_t had = 0;

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		const size_t want =
			z->is_limited && z->limit < tries[i] ? (size_t)z->limit : tries[i];
		size_t taken = 0;

		if (!sb_nested_fill(z->in, want) || left_for(z) == had)
			return false;
		had = left_for(z);
		if (!sb_inflate_whole(
			    z->inflate, sb_nested_at(z->in), had, &taken, &z->held, &z->n_held))
			continue;
		take(z, taken);
		end_stream(z);
		return true;
	}
	return false;
}

static size_t give_held(struct sb_inflating *z, void *bytes, size_t len)
{
	const size_t n = z->n_held < len ? z->n_held : len;

	memcpy(bytes, z->held, n);
	z->held += n;
	z->n_held -= n;
	return n;
}

static size_t make_some(struct sb_inflating *z, void *bytes, size_t len)
{
	size_t taken = 0;
	size_t made = 0;

	z->state = sb_inflate_some(
		z->inflate, sb_nested_at(z->in), left_for(z), &taken, bytes, len, &made);
	take(z, taken);
	if (made == 0 && taken == 0 && z->state == SB_INFLATE_MORE)
		z->state = SB_INFLATE_DAMAGED;
	if (z->state == SB_INFLATE_END)
		end_stream(z);
	return made;
}

size_t sb_inflating_make(struct sb_inflating *z, void *bytes, size_t len)
{
	size_t made = 0;

	while (made == 0) {
		if (z->n_held > 0)
			return give_held(z, bytes, len);
		if (z->state != SB_INFLATE_MORE || !sb_nested_fill(z->in, 1))
			break;
		if (!z->is_begun && make_whole(z))
			continue;
		if (sb_nested_is_stopped(z->in->run))
			break;
		z->is_begun = true;
		made = make_some(z, bytes, len);
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
