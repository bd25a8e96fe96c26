/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "leak/nested_inflate.h"

/*
 * Git packs (gitformat-pack(5)). Many of their objects are differences to another one: what they
 * add is read, the pieces that they take from the other are not put in between.
 */

enum { OBJ_OFS_DELTA = 6, OBJ_REF_DELTA = 7 };

/* A difference: two sizes, then copies from the other object and insertions. */
struct delta {
	struct sb_inflating *z;
	char bytes[4096];
	size_t at;
	size_t len;
	unsigned n_sizes;   /* still to be read over */
	size_t insert_left; /* of the insertion that is being read */
};

static int next_byte(struct delta *d)
{
	if (d->at == d->len) {
		d->at = 0;
		d->len = sb_inflating_make(d->z, d->bytes, sizeof(d->bytes));
	}
	return d->at < d->len ? (uint8_t)d->bytes[d->at++] : -1;
}

/* Up to the next insertion; false at the end. Insertions that adjoin are one text; `*out_gap` tells
 * that there was something else before. */
static bool next_insertion(struct delta *d, bool *out_gap)
{
	int byte = 0;

	while (d->insert_left == 0) {
		byte = next_byte(d);
		if (byte < 0)
			return false;
		if (d->n_sizes > 0) {
			d->n_sizes -= (byte & 0x80) == 0;
			continue;
		}
		if ((byte & 0x80) == 0) {
			d->insert_left = (size_t)byte;
			continue;
		}
		*out_gap = true;
		for (unsigned bit = 0; bit < 7; bit++)
			if ((byte & 1 << bit) != 0 && next_byte(d) < 0)
				return false;
	}
	return true;
}

static ssize_t read_delta(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct delta *d = self;
	struct sb_nested_run *run = d->z->in->run;
	char *out = bytes;
	size_t n = 0;

	(void)err; /* set by the source of it all */
	while (n + 1 < len && !run->is_over) {
		bool gap = false;
		int byte = 0;

		if (!next_insertion(d, &gap))
			break;
		if (gap)
			out[n++] = '\0';
		while (n < len && d->insert_left > 0 && (byte = next_byte(d)) >= 0) {
			out[n++] = (char)byte;
			d->insert_left--;
		}
		if (byte < 0)
			break;
	}
	if (sb_nested_is_stopped(run))
		return run->has_failed ? -1 : 0;
	return n > 0 && sb_nested_count_bytes(d->z->in, n) ? (ssize_t)n : 0;
}

static bool take_byte(struct sb_nested_input *in, unsigned *out)
{
	if (!sb_nested_fill(in, 1))
		return false;
	*out = (uint8_t)*sb_nested_at(in);
	in->at++;
	return true;
}

/* A number in bytes whose top bits tell that more follow; only where it ends matters. */
static bool skip_number(struct sb_nested_input *in, unsigned byte)
{
	while ((byte & 0x80) != 0)
		if (!take_byte(in, &byte))
			return false;
	return true;
}

static bool skip_bytes(struct sb_nested_input *in, size_t n)
{
	unsigned byte = 0;

	while (n-- > 0)
		if (!take_byte(in, &byte))
			return false;
	return true;
}

/* Up to the object's zlib stream. */
static bool read_object_header(struct sb_nested_input *in, unsigned *out_type)
{
	enum { SHA1_LEN = 20 };
	unsigned byte = 0;

	if (!take_byte(in, &byte))
		return false;
	*out_type = byte >> 4 & 7;
	if (!skip_number(in, byte))
		return false;
	if (*out_type == OBJ_REF_DELTA)
		return skip_bytes(in, SHA1_LEN);
	return *out_type != OBJ_OFS_DELTA || (take_byte(in, &byte) && skip_number(in, byte));
}

static bool read_object(struct sb_nested_input *in, struct sb_inflate *inflate)
{
	sb_autofree char *name = sb_asprintf("object at byte %" PRIu64, sb_nested_offset(in));
	struct sb_inflating z = {.in = in, .inflate = inflate};
	struct delta delta = {.z = &z, .n_sizes = 2};
	struct sb_source source = {sb_inflating_read, &z};
	unsigned type = 0;

	if (!read_object_header(in, &type))
		return false;
	if (type == OBJ_OFS_DELTA || type == OBJ_REF_DELTA)
		source = (struct sb_source){read_delta, &delta};
	sb_inflate_begin(inflate);
	sb_nested_read_member(in, name, &source);
	return z.state == SB_INFLATE_END;
}

void sb_nested_unpack_pack(struct sb_nested_input *in, const struct sb_nested_format *format)
{
	enum { HEADER = 12, COUNT = 8 };
	SB_AUTO(sb_inflate) inflate = sb_nested_inflate_new(in, SB_INFLATE_ZLIB);
	const char *head = sb_nested_at(in);
	uint32_t n = 0;

	if (inflate == NULL)
		return;
	for (size_t i = COUNT; i < HEADER && i < sb_nested_left(in); i++)
		n = n << 8 | (uint8_t)head[i];
	if (!skip_bytes(in, HEADER))
		return;
	while (n-- > 0 && sb_nested_count_member(in))
		if (!read_object(in, inflate)) {
			sb_nested_skip_damaged(in, format, 0);
			return;
		}
}
