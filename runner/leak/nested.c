/* SPDX-License-Identifier: MIT */
#include "leak/nested.h"

#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "leak/nested_private.h"

/* What compresses best by accident, zeros and logs, stays below the ratio or below the bytes. */
const struct sb_nested_limits sb_nested_default_limits = {
	.max_depth = SB_NESTED_MAX_DEPTH,
	.max_ratio = 200,
	.min_ratio_bytes = UINT64_C(1) << 30,
	.max_members = UINT64_C(1) << 21,
};

bool sb_nested_is_stopped(const struct sb_nested_run *run)
{
	return run->has_failed || run->is_done;
}

static void read_some(struct sb_nested_input *in)
{
	struct sb_nested_run *run = in->run;
	const struct sb_nested_visitor *visitor = run->visitor;
	const ssize_t n = in->source->read(
		in->source->self, in->bytes + in->len, SB_NESTED_WINDOW - in->len, run->err);

	if (n < 0) {
		run->has_failed = true;
		return;
	}
	if (n == 0) {
		in->at_end = true;
		return;
	}
	if (in->depth == 0)
		run->content_bytes += (uint64_t)n;
	visitor->on_bytes(visitor->self, in->depth, in->bytes + in->len, (size_t)n);
	in->len += (size_t)n;
	if (visitor->is_done != NULL && visitor->is_done(visitor->self))
		run->is_done = true;
}

/* Room for a read that is worth its call; what was consumed is kept as far as a format may want to
 * go back. */
static void make_room(struct sb_nested_input *in)
{
	enum { MIN_ROOM = SB_NESTED_WINDOW / 4, HISTORY = SB_NESTED_WINDOW / 4 };
	const size_t drop = in->at > HISTORY ? in->at - HISTORY : 0;

	if (SB_NESTED_WINDOW - in->len >= MIN_ROOM)
		return;
	memmove(in->bytes, in->bytes + drop, in->len - drop);
	in->start += drop;
	in->len -= drop;
	in->at -= drop;
}

bool sb_nested_fill(struct sb_nested_input *in, size_t want)
{
	SB_BUG_ON(want > SB_NESTED_MAX_FILL);
	while (sb_nested_left(in) < want && !in->at_end && !sb_nested_is_stopped(in->run)) {
		make_room(in);
		read_some(in);
	}
	return sb_nested_left(in) > 0 && !sb_nested_is_stopped(in->run);
}

void sb_nested_seek(struct sb_nested_input *in, uint64_t offset)
{
	if (offset <= in->start)
		in->at = 0;
	else if (offset - in->start < in->len)
		in->at = (size_t)(offset - in->start);
	else
		in->at = in->len;
}

/* "lib.jar!etc/token"; NULL at depth 0 without a name. Caller frees. */
static char *way_to(const struct sb_nested_input *in, const char *name)
{
	if (name == NULL)
		return sb_strdup_or_null(in->inside);

	sb_autofree char *shown = sb_escape_text(name, strlen(name));

	return in->inside != NULL && in->inside[0] != '\0' ? sb_asprintf("%s!%s", in->inside, shown)
							   : SB_STEAL(shown);
}

void sb_nested_skip(const struct sb_nested_input *in, const char *name, const char *why)
{
	const struct sb_nested_visitor *visitor = in->run->visitor;
	sb_autofree char *inside = way_to(in, name);

	if (visitor->on_skipped != NULL)
		visitor->on_skipped(visitor->self, inside, why);
}

void sb_nested_skip_damaged(
	const struct sb_nested_input *in, const struct sb_nested_format *format, uint64_t evidence)
{
	sb_autofree char *why = sb_asprintf("%s that is damaged or cut off", format->name);

	if (in->run->is_over || sb_nested_is_stopped(in->run))
		return;
	if (in->n_unpacked >= evidence && (in->is_certain || in->n_unpacked > 0))
		sb_nested_skip(in, NULL, why);
}

void sb_nested_text(const struct sb_nested_input *in, const char *name, const char *what,
	const void *bytes, size_t len)
{
	const struct sb_nested_visitor *visitor = in->run->visitor;
	sb_autofree char *inside = way_to(in, name);

	if (visitor->on_text != NULL)
		visitor->on_text(visitor->self, in->depth + 1, inside, what, bytes, len);
}

static void give_up(struct sb_nested_input *in, const char *why)
{
	sb_nested_skip(in, NULL, why);
	in->run->is_over = true;
}

bool sb_nested_count_member(struct sb_nested_input *in)
{
	struct sb_nested_run *run = in->run;

	if (run->is_over || sb_nested_is_stopped(run))
		return false;
	if (run->n_members == run->limits->max_members) {
		give_up(in, "there is too much packed in it");
		return false;
	}
	run->n_members++;
	return true;
}

bool sb_nested_count_bytes(struct sb_nested_input *in, size_t n)
{
	struct sb_nested_run *run = in->run;

	if (run->is_over || sb_nested_is_stopped(run))
		return false;
	run->unpacked_bytes += n;
	in->n_unpacked += n;
	if (run->unpacked_bytes <= run->limits->min_ratio_bytes ||
		run->unpacked_bytes / run->limits->max_ratio <= run->content_bytes)
		return true;
	give_up(in, "it unpacks to more than can be looked at");
	return false;
}

/* Consumes what is not packed, up to the next packed thing; NULL at the end. */
static const struct sb_nested_format *find_next(
	struct sb_nested_input *in, enum sb_nested_plain kind)
{
	bool is_line_start = false;

	while (sb_nested_fill(in, SB_NESTED_MAGIC)) {
		const size_t left = sb_nested_left(in);
		/* So many places have all behind them that is needed to judge them. */
		const size_t n_places = in->at_end ? left : left - SB_NESTED_MAGIC + 1;
		const size_t n = sb_nested_find(kind, sb_nested_at(in), left, is_line_start);

		in->at += n < n_places ? n : n_places;
		if (n < n_places)
			return sb_nested_detect(sb_nested_at(in), left - n, false);
		is_line_start = in->bytes[in->at - 1] == '\n';
	}
	return NULL;
}

static void skip_zeros(struct sb_nested_input *in)
{
	while (sb_nested_fill(in, 1) && *sb_nested_at(in) == '\0')
		in->at++;
}

/* What follows something packed, behind padding: the next part of an initramfs, a second archive.
 * Else a zip may still come. */
static const struct sb_nested_format *find_behind(struct sb_nested_input *in)
{
	skip_zeros(in);
	(void)sb_nested_fill(in, SB_NESTED_MAGIC);

	const struct sb_nested_format *format =
		sb_nested_detect(sb_nested_at(in), sb_nested_left(in), false);

	return format != NULL ? format : find_next(in, SB_NESTED_PROGRAM);
}

static void read_plain(struct sb_nested_input *in)
{
	while (sb_nested_fill(in, 1)) {
		in->start += in->len;
		in->at = 0;
		in->len = 0;
	}
}

static void read_packed(struct sb_nested_input *in)
{
	(void)sb_nested_fill(in, SB_NESTED_MAGIC);

	const char *head = sb_nested_at(in);
	const size_t len = sb_nested_left(in);
	const struct sb_nested_format *format = sb_nested_detect(head, len, true);
	const enum sb_nested_plain kind = sb_nested_plain_kind(head, len);

	if (format == NULL && kind != SB_NESTED_PLAIN)
		format = find_next(in, kind);
	while (format != NULL && sb_nested_count_member(in)) {
		const uint64_t before = sb_nested_offset(in);

		if (in->depth == in->run->limits->max_depth) {
			sb_nested_skip(in, NULL, "it is packed in too many layers");
			return;
		}
		in->is_certain = before == 0;
		in->n_unpacked = 0;
		format->unpack(in, format);
		if (sb_nested_offset(in) <= before)
			sb_nested_seek(in, before + 1);
		format = find_behind(in);
	}
}

static void read_stream(struct sb_nested_input *in)
{
	const struct sb_nested_visitor *visitor = in->run->visitor;
	sb_autofree char *window = sb_malloc(SB_NESTED_WINDOW);

	in->bytes = window;
	visitor->on_begin(visitor->self, in->depth, in->inside);
	read_packed(in);
	read_plain(in);
	visitor->on_end(visitor->self, in->depth);
}

void sb_nested_read_member(
	struct sb_nested_input *in, const char *name, const struct sb_source *source)
{
	sb_autofree char *inside = way_to(in, name != NULL || in->inside != NULL ? name : "");
	struct sb_nested_input member = {
		.run = in->run,
		.source = source,
		.depth = in->depth + 1,
		.inside = inside,
	};

	read_stream(&member);
}

bool sb_nested_may_be_in(const void *head, size_t len, bool is_all)
{
	return (len < SB_NESTED_MAGIC && !is_all) || sb_nested_detect(head, len, true) != NULL ||
	       sb_nested_plain_kind(head, len) != SB_NESTED_PLAIN;
}

bool sb_nested_is_packed(const void *head, size_t len)
{
	return sb_nested_detect(head, len, true) != NULL;
}

int sb_nested_read(const struct sb_source *source, const struct sb_nested_visitor *visitor,
	const struct sb_nested_limits *limits, struct sb_error *err)
{
	struct sb_nested_run run = {.visitor = visitor, .limits = limits, .err = err};
	struct sb_nested_input content = {.run = &run, .source = source};

	SB_BUG_ON(limits->max_depth > SB_NESTED_MAX_DEPTH || limits->max_ratio == 0);
	read_stream(&content);
	return run.has_failed ? -1 : 0;
}
