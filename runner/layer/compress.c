/* SPDX-License-Identifier: MIT */
#include "layer/compress.h"

#include <string.h>

#include <zstd.h>

#include "base/mem.h"
#include "layer/gzip.h"
#include "layer/thread.h"

/*
 * zstd always runs in its multi-threaded form, also with one worker: that form cuts the input into
 * jobs of a fixed size, so its output is the same for any number of workers, and differs from that
 * of the single-threaded one (zstd.h, ZSTD_c_nbWorkers).
 */
enum {
	ZSTD_DEFAULT_LEVEL = 3,
	ZSTD_JOB_BYTES = 4 << 20,
	ZSTD_MAX_WORKERS = 4,
};

struct sb_compressor {
	enum sb_compression compression;
	sb_sink_fn sink;
	void *self;
	struct sb_gzip *gzip;
	ZSTD_CCtx *zstd;
	char *out;
	size_t out_cap;
};

struct form {
	const char *name;
	const char *media_type;
};

static const struct form forms[] = {
	[SB_COMPRESS_GZIP] = {"gzip", "application/vnd.oci.image.layer.v1.tar+gzip"},
	[SB_COMPRESS_ZSTD] = {"zstd", "application/vnd.oci.image.layer.v1.tar+zstd"},
	[SB_COMPRESS_NONE] = {"uncompressed", "application/vnd.oci.image.layer.v1.tar"},
};

int sb_compression_parse(const char *name, enum sb_compression *out, struct sb_error *err)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcmp(forms[i].name, name) == 0) {
			*out = (enum sb_compression)i;
			return 0;
		}
	}
	(void)sb_fail(err, SB_E_USAGE, "unknown compression '%s'", name);
	return sb_error_hint(err, "it is one of gzip, zstd and uncompressed");
}

const char *sb_compression_media_type(enum sb_compression compression)
{
	return forms[compression].media_type;
}

static int check_level(const char *name, int level, int max, struct sb_error *err)
{
	if (level >= 1 && level <= max)
		return 0;
	return sb_fail(
		err, SB_E_USAGE, "compression level %d: %s has levels 1 to %d", level, name, max);
}

static int start_zstd(struct sb_compressor *c, int level, struct sb_error *err)
{
	const unsigned n = sb_thread_processors();

	if (check_level("zstd", level, ZSTD_maxCLevel(), err) < 0)
		return -1;
	c->zstd = ZSTD_createCCtx();
	SB_BUG_ON(c->zstd == NULL);
	c->out_cap = ZSTD_CStreamOutSize();
	c->out = sb_malloc(c->out_cap);
	if (ZSTD_isError(ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, level)) ||
		ZSTD_isError(ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_checksumFlag, 1)) ||
		ZSTD_isError(ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_nbWorkers,
			(int)(n < ZSTD_MAX_WORKERS ? n : ZSTD_MAX_WORKERS))) ||
		ZSTD_isError(ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_jobSize, ZSTD_JOB_BYTES)))
		return sb_fail(err, SB_E_UNSUPPORTED,
			"the zstd library was built without support for threads");
	return 0;
}

int sb_compressor_new(enum sb_compression compression, int level, sb_sink_fn sink, void *self,
	struct sb_compressor **out, struct sb_error *err)
{
	SB_AUTO(sb_compressor) c = SB_NEW(struct sb_compressor);

	c->compression = compression;
	c->sink = sink;
	c->self = self;
	if (compression == SB_COMPRESS_GZIP) {
		const int gzip_level = level != 0 ? level : SB_GZIP_DEFAULT_LEVEL;

		if (check_level("gzip", gzip_level, SB_GZIP_MAX_LEVEL, err) < 0)
			return -1;
		c->gzip = sb_gzip_new(gzip_level, sink, self);
	} else if (compression == SB_COMPRESS_ZSTD) {
		if (start_zstd(c, level != 0 ? level : ZSTD_DEFAULT_LEVEL, err) < 0)
			return -1;
	}
	*out = SB_STEAL(c);
	return 0;
}

static int feed_zstd(struct sb_compressor *c, const void *bytes, size_t len, ZSTD_EndDirective end,
	struct sb_error *err)
{
	ZSTD_inBuffer in = {.src = bytes, .size = len};

	for (;;) {
		ZSTD_outBuffer out = {.dst = c->out, .size = c->out_cap};
		const size_t left = ZSTD_compressStream2(c->zstd, &out, &in, end);

		if (ZSTD_isError(left))
			return sb_fail(
				err, SB_E_SYSTEM, "zstd compression: %s", ZSTD_getErrorName(left));
		if (out.pos > 0 && c->sink(c->self, c->out, out.pos, err) < 0)
			return -1;
		if (end == ZSTD_e_end ? left == 0 : in.pos == in.size)
			return 0;
	}
}

int sb_compressor_write(
	struct sb_compressor *c, const void *bytes, size_t len, struct sb_error *err)
{
	if (len == 0)
		return 0;
	if (c->gzip != NULL)
		return sb_gzip_write(c->gzip, bytes, len, err);
	if (c->zstd != NULL)
		return feed_zstd(c, bytes, len, ZSTD_e_continue, err);
	return c->sink(c->self, bytes, len, err);
}

int sb_compressor_finish(struct sb_compressor *c, struct sb_error *err)
{
	if (c->gzip != NULL)
		return sb_gzip_finish(c->gzip, err);
	if (c->zstd != NULL)
		return feed_zstd(c, "", 0, ZSTD_e_end, err);
	return 0;
}

void sb_compressor_free(struct sb_compressor *c)
{
	if (c == NULL)
		return;
	sb_gzip_free(c->gzip);
	(void)ZSTD_freeCCtx(c->zstd);
	free(c->out);
	free(c);
}
