/* SPDX-License-Identifier: MIT */
#include "leak/inflate.h"

#include <dlfcn.h>
#include <libdeflate.h>
#include <limits.h>
#define ZLIB_CONST /* what it only reads is const */
#include <zlib.h>

#include "base/error.h"
#include "base/mem.h"

enum { ROOM_BYTES = 1 << 20 };

/* libz is loaded, not linked: few builds meet such a stream, and each run would pay for it. */
struct sb_inflate {
	enum sb_inflate_kind kind;
	struct libdeflate_decompressor *whole; /* made with its room when first needed */
	char *room;
	z_stream stream;
	bool is_open;
	__typeof__(&inflateInit2_) init;
	__typeof__(&inflate) run;
	__typeof__(&inflateReset) reset;
	__typeof__(&inflateEnd) end;
};

static int window_bits(enum sb_inflate_kind kind)
{
	static const int bits[] = {
		[SB_INFLATE_ZLIB] = MAX_WBITS,
		[SB_INFLATE_GZIP] = MAX_WBITS + 16,
		[SB_INFLATE_RAW] = -MAX_WBITS,
	};

	return bits[kind];
}

struct sb_inflate *sb_inflate_new(enum sb_inflate_kind kind)
{
	SB_AUTO(sb_inflate) inflate = SB_NEW(struct sb_inflate);
	void *library = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (library == NULL)
		return NULL;
	inflate->init = (__typeof__(inflate->init))dlsym(library, "inflateInit2_");
	inflate->run = (__typeof__(inflate->run))dlsym(library, "inflate");
	inflate->reset = (__typeof__(inflate->reset))dlsym(library, "inflateReset");
	inflate->end = (__typeof__(inflate->end))dlsym(library, "inflateEnd");
	if (inflate->init == NULL || inflate->run == NULL || inflate->reset == NULL ||
		inflate->end == NULL)
		return NULL;
	if (inflate->init(&inflate->stream, window_bits(kind), ZLIB_VERSION,
		    (int)sizeof(inflate->stream)) != Z_OK)
		return NULL;
	inflate->kind = kind;
	inflate->is_open = true;
	return SB_STEAL(inflate);
}

void sb_inflate_free(struct sb_inflate *inflate)
{
	if (inflate == NULL)
		return;
	if (inflate->is_open)
		(void)inflate->end(&inflate->stream);
	libdeflate_free_decompressor(inflate->whole);
	free(inflate->room);
	free(inflate);
}

void sb_inflate_begin(struct sb_inflate *inflate)
{
	(void)inflate->reset(&inflate->stream);
}

bool sb_inflate_whole(struct sb_inflate *inflate, const char *bytes, size_t len, size_t *out_taken,
	const char **out, size_t *out_made)
{
	typedef enum libdeflate_result (*run_fn)(struct libdeflate_decompressor * decompressor,
		const void *in, size_t in_len, void *room, size_t room_len, size_t *taken,
		size_t *made);
	static const run_fn runs[] = {
		[SB_INFLATE_ZLIB] = libdeflate_zlib_decompress_ex,
		[SB_INFLATE_GZIP] = libdeflate_gzip_decompress_ex,
		[SB_INFLATE_RAW] = libdeflate_deflate_decompress_ex,
	};

	if (inflate->whole == NULL) {
		inflate->whole = libdeflate_alloc_decompressor();
		SB_BUG_ON(inflate->whole == NULL);
		inflate->room = sb_malloc(ROOM_BYTES);
	}

	size_t taken = 0;
	size_t made = 0; /* written also where the check does not hold */

	if (runs[inflate->kind](inflate->whole, bytes, len, inflate->room, ROOM_BYTES, &taken,
		    &made) != LIBDEFLATE_SUCCESS)
		return false;
	*out = inflate->room;
	*out_taken = taken;
	*out_made = made;
	return true;
}

static uInt at_most(size_t len)
{
	return len < UINT_MAX ? (uInt)len : UINT_MAX;
}

enum sb_inflate_state sb_inflate_some(struct sb_inflate *inflate, const char *bytes, size_t len,
	size_t *out_taken, void *out, size_t out_len, size_t *out_made)
{
	z_stream *stream = &inflate->stream;
	const uInt given = at_most(len);
	const uInt room = at_most(out_len);

	stream->next_in = (const Bytef *)bytes;
	stream->avail_in = given;
	stream->next_out = out;
	stream->avail_out = room;

	const int rc = inflate->run(stream, Z_NO_FLUSH);

	*out_taken = given - stream->avail_in;
	*out_made = room - stream->avail_out;
	if (rc == Z_STREAM_END)
		return SB_INFLATE_END;
	return rc == Z_OK || rc == Z_BUF_ERROR ? SB_INFLATE_MORE : SB_INFLATE_DAMAGED;
}
