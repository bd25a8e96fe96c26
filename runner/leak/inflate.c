/* SPDX-License-Identifier: MIT */
#include "leak/inflate.h"

#include <dlfcn.h>
#include <limits.h>
#define ZLIB_CONST /* what it only reads is const */
#include <zlib.h>

#include "base/mem.h"

/* Loaded, not linked: few builds meet such a stream, and each run would pay for it. */
struct sb_inflate {
	z_stream stream;
	bool is_open;
	__typeof__(&inflateInit2_) init;
	__typeof__(&inflate) run;
	__typeof__(&inflateReset) reset;
	__typeof__(&inflateEnd) end;
};

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
	if (inflate->init(&inflate->stream, kind == SB_INFLATE_GZIP ? MAX_WBITS + 16 : MAX_WBITS,
		    ZLIB_VERSION, (int)sizeof(inflate->stream)) != Z_OK)
		return NULL;
	inflate->is_open = true;
	return SB_STEAL(inflate);
}

void sb_inflate_free(struct sb_inflate *inflate)
{
	if (inflate == NULL)
		return;
	if (inflate->is_open)
		(void)inflate->end(&inflate->stream);
	free(inflate);
}

void sb_inflate_begin(struct sb_inflate *inflate)
{
	(void)inflate->reset(&inflate->stream);
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
