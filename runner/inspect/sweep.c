/* SPDX-License-Identifier: MIT */
#include "inspect/sweep.h"

#include <string.h>

#include "base/mem.h"
#include "inspect/notes.h"
#include "inspect/search.h"
#include "leak/json_strings.h"

/* The searches of one stream. */
struct stream {
	struct sb_scanner *scanner;
	struct sb_search search;
	struct sb_pattern_search *patterns;
	char *inside;
	size_t n_secrets; /* that the report had when it began */
	size_t n_patterns;
};

struct sb_sweep {
	struct sb_inspection *report;
	const struct sb_scanner *scanner;
	bool has_secrets;
	bool has_patterns;
	struct stream depths[SB_NESTED_MAX_DEPTH + 1];
	struct stream value;
	const struct sb_place *place; /* of the content that is being read */
	struct sb_strv found_ids;     /* since begin_entry */
	SB_ARRAY(const struct sb_pattern_rule *) found_rules;
};

static bool open_stream(const struct sb_sweep *sweep, struct stream *stream, struct sb_error *err)
{
	if (sweep->has_secrets && stream->scanner == NULL)
		stream->scanner = sb_scanner_new_sharing(sweep->scanner);
	return !sweep->has_patterns || stream->patterns != NULL ||
	       sb_pattern_search_new(&stream->patterns, err) == 0;
}

static void close_stream(struct stream *stream)
{
	sb_scanner_free(stream->scanner);
	sb_search_release(&stream->search);
	sb_pattern_search_free(stream->patterns);
	free(stream->inside);
}

static struct sb_sweep *new_sweep(
	struct sb_inspection *report, const struct sb_scanner *scanner, bool has_patterns)
{
	struct sb_sweep *sweep = SB_NEW(struct sb_sweep);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	sweep->report = report;
	sweep->scanner = scanner;
	sweep->has_secrets = sb_scanner_is_active(scanner);
	sweep->has_patterns = has_patterns;
	if (!open_stream(sweep, &sweep->value, &err)) {
		sweep->has_patterns = false;
		sb_report_gap(report, SIZE_MAX, "patterns of unknown secrets", err.message);
	}
	return sweep;
}

struct sb_sweep *sb_sweep_new(struct sb_inspection *report, const struct sb_scanner *scanner)
{
	return new_sweep(report, scanner, true);
}

struct sb_sweep *sb_sweep_new_known_only(
	struct sb_inspection *report, const struct sb_scanner *scanner)
{
	return new_sweep(report, scanner, false);
}

struct sb_sweep *sb_sweep_new_like(const struct sb_sweep *sweep, struct sb_inspection *report)
{
	return new_sweep(report, sweep->scanner, sweep->has_patterns);
}

void sb_sweep_free(struct sb_sweep *sweep)
{
	if (sweep == NULL)
		return;
	for (size_t i = 0; i <= SB_NESTED_MAX_DEPTH; i++)
		close_stream(&sweep->depths[i]);
	close_stream(&sweep->value);
	sb_strv_release(&sweep->found_ids);
	SB_ARRAY_RELEASE(&sweep->found_rules);
	free(sweep);
}

void sb_sweep_begin_entry(struct sb_sweep *sweep)
{
	sb_strv_clear(&sweep->found_ids);
	sweep->found_rules.len = 0;
}

void sb_sweep_note_secret(struct sb_sweep *sweep, const char *secret_id)
{
	if (!sb_strv_contains(&sweep->found_ids, secret_id))
		sb_strv_add(&sweep->found_ids, secret_id);
}

static bool is_known_rule(const struct sb_sweep *sweep, const struct sb_pattern_rule *rule)
{
	SB_ARRAY_FOREACH (&sweep->found_rules, known)
		if (*known == rule)
			return true;
	return false;
}

void sb_sweep_note_rule(struct sb_sweep *sweep, const struct sb_pattern_rule *rule)
{
	if (!is_known_rule(sweep, rule))
		*SB_ARRAY_ADD(&sweep->found_rules) = rule;
}

static void add_secret(struct sb_sweep *sweep, const struct sb_place *place, const char *inside,
	const struct sb_leak *leak, uint64_t base)
{
	sb_sweep_note_secret(sweep, leak->secret_id);
	if (sweep->report->secrets.len == SB_MAX_SECRET_FINDINGS)
		sb_report_gap(sweep->report, SIZE_MAX, "known secrets",
			"they are in more places than are listed");
	if (sweep->report->secrets.len > SB_MAX_SECRET_FINDINGS)
		return;
	*SB_ARRAY_ADD(&sweep->report->secrets) = (struct sb_secret_finding){
		.secret_id = sb_strdup(leak->secret_id),
		.form = leak->form,
		.where = sb_strdup(place->where),
		.layer = place->layer,
		.offset = leak->offset + base,
		.path = sb_strdup_or_null(place->path),
		.inside = sb_strdup_or_null(inside),
		.removed_layer = SIZE_MAX,
	};
}

void sb_sweep_add_secret(
	struct sb_sweep *sweep, const struct sb_place *place, const struct sb_leak *leak)
{
	add_secret(sweep, place, NULL, leak, 0);
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

struct sb_pattern_finding *sb_report_find_pattern(struct sb_inspection *report, size_t before,
	const struct sb_place *place, const char *inside, const struct sb_pattern_rule *rule)
{
	enum { LAST_FEW = 100 };
	const size_t n = before < report->patterns.len ? before : report->patterns.len;

	for (size_t i = n; i > 0 && n - i < LAST_FEW; i--) {
		struct sb_pattern_finding *finding = &report->patterns.items[i - 1];

		if (finding->rule == rule && finding->layer == place->layer &&
			strcmp(finding->where, place->where) == 0 &&
			is_same_text(finding->inside, inside))
			return finding;
	}
	return NULL;
}

static struct sb_pattern_finding *find_pattern(const struct sb_sweep *sweep,
	const struct sb_place *place, const char *inside, const struct sb_pattern_rule *rule)
{
	return sb_report_find_pattern(sweep->report, SIZE_MAX, place, inside, rule);
}

static void add_pattern(struct sb_sweep *sweep, const struct sb_place *place, const char *inside,
	const struct sb_pattern_hit *hit, uint64_t base)
{
	struct sb_pattern_finding *same = find_pattern(sweep, place, inside, hit->rule);

	sb_sweep_note_rule(sweep, hit->rule);
	if (same != NULL) {
		same->n_more++;
		return;
	}
	if (sweep->report->patterns.len == SB_MAX_PATTERN_FINDINGS)
		sb_report_gap(sweep->report, SIZE_MAX, "patterns of unknown secrets",
			"they are in more places than are listed");
	if (sweep->report->patterns.len > SB_MAX_PATTERN_FINDINGS)
		return;

	struct sb_pattern_finding *finding = SB_ARRAY_ADD(&sweep->report->patterns);

	*finding = (struct sb_pattern_finding){
		.rule = hit->rule,
		.where = sb_strdup(place->where),
		.layer = place->layer,
		.path = sb_strdup_or_null(place->path),
		.inside = sb_strdup_or_null(inside),
		.offset = hit->offset + base,
		.line = hit->line,
		.removed_layer = SIZE_MAX,
	};
	memcpy(finding->shown, hit->shown, sizeof(finding->shown));
}

/* Rules for files of certain names see that of the innermost file. */
static const char *innermost_path(const char *path, const char *inside)
{
	const char *last = inside != NULL ? strrchr(inside, '!') : NULL;

	last = last != NULL ? last + 1 : inside;
	return last != NULL && last[0] != '\0' ? last : path;
}

static void on_begin(void *self, unsigned depth, const char *inside)
{
	struct sb_sweep *sweep = self;
	struct stream *stream = &sweep->depths[depth];
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	free(stream->inside);
	stream->inside = sb_strdup_or_null(inside);
	stream->n_secrets = sweep->report->secrets.len;
	stream->n_patterns = sweep->report->patterns.len;
	if (!open_stream(sweep, stream, &err)) {
		sweep->has_patterns = false;
		sb_report_gap(sweep->report, SIZE_MAX, "patterns of unknown secrets", err.message);
	}
	if (sweep->has_secrets)
		sb_search_begin(&stream->search, stream->scanner);
	if (sweep->has_patterns)
		sb_pattern_search_begin(
			stream->patterns, innermost_path(sweep->place->path, inside));
}

static void on_bytes(void *self, unsigned depth, const void *bytes, size_t len)
{
	struct sb_sweep *sweep = self;
	struct stream *stream = &sweep->depths[depth];

	if (depth > 0)
		sweep->report->unpacked_bytes += len;
	if (sweep->has_secrets)
		sb_search_feed(&stream->search, bytes, len);
	if (sweep->has_patterns)
		sb_pattern_search_feed(stream->patterns, bytes, len);
}

/* An archive that is not compressed holds what its members hold: that was told, with the member. */
static bool is_secret_further_in(
	const struct sb_sweep *sweep, const struct stream *stream, size_t n_secrets, const char *id)
{
	for (size_t i = stream->n_secrets; i < n_secrets; i++)
		if (strcmp(sweep->report->secrets.items[i].secret_id, id) == 0)
			return true;
	return false;
}

static bool is_rule_further_in(const struct sb_sweep *sweep, const struct stream *stream,
	size_t n_patterns, const struct sb_pattern_rule *rule)
{
	for (size_t i = stream->n_patterns; i < n_patterns; i++)
		if (sweep->report->patterns.items[i].rule == rule)
			return true;
	return false;
}

static bool end_secrets(struct sb_sweep *sweep, struct stream *stream, const struct sb_place *place)
{
	sb_search_end(&stream->search);

	const size_t n_further_in = sweep->report->secrets.len;

	SB_ARRAY_FOREACH (&stream->search.hits, hit)
		if (!is_secret_further_in(sweep, stream, n_further_in, hit->leak.secret_id))
			add_secret(sweep, place, stream->inside, &hit->leak, 0);
	return stream->search.hits.len > 0;
}

static void on_end(void *self, unsigned depth)
{
	struct sb_sweep *sweep = self;
	struct stream *stream = &sweep->depths[depth];
	const struct sb_pattern_hit *hits = NULL;
	uint64_t n_more = 0;

	if (sweep->has_secrets)
		(void)end_secrets(sweep, stream, sweep->place);
	if (!sweep->has_patterns)
		return;

	const size_t n = sb_pattern_search_end(stream->patterns, &hits, &n_more);
	const size_t n_patterns = sweep->report->patterns.len;

	for (size_t i = 0; i < n; i++)
		if (!is_rule_further_in(sweep, stream, n_patterns, hits[i].rule))
			add_pattern(sweep, sweep->place, stream->inside, &hits[i], 0);
	/* Of which rules those are that were too many is not known. */
	if (n_more > 0 && n > 0) {
		struct sb_pattern_finding *last =
			find_pattern(sweep, sweep->place, stream->inside, hits[n - 1].rule);

		if (last != NULL)
			last->n_more += n_more;
	}
}

static void on_text(void *self, unsigned depth, const char *inside, const char *what,
	const void *bytes, size_t len)
{
	struct sb_sweep *sweep = self;
	const struct sb_place *in = sweep->place;
	sb_autofree char *where = sb_asprintf("%s: %s in it", in->where, what);
	const struct sb_place place = {.layer = in->layer, .where = where, .path = in->path};

	(void)depth;
	free(sweep->value.inside);
	sweep->value.inside = sb_strdup_or_null(inside);
	(void)sb_sweep_value(sweep, &place, NULL, bytes, len);
	free(sweep->value.inside);
	sweep->value.inside = NULL;
}

static void on_skipped(void *self, const char *inside, const char *why)
{
	const struct sb_sweep *sweep = self;
	const struct sb_place *place = sweep->place;
	const char *path = place->path != NULL ? place->path : place->where;
	sb_autofree char *what = inside != NULL && inside[0] != '\0'
					 ? sb_asprintf("%s!%s", path, inside)
					 : sb_strdup(path);

	sb_report_gap(sweep->report, place->layer, what, why);
}

static int read_through(const struct sb_source *source, struct sb_error *err)
{
	char piece[16 << 10];
	ssize_t n = 0;

	do
		n = source->read(source->self, piece, sizeof(piece), err);
	while (n > 0);
	return n < 0 ? -1 : 0;
}

int sb_sweep_content(struct sb_sweep *sweep, const struct sb_place *place,
	const struct sb_source *source, struct sb_error *err)
{
	const struct sb_nested_visitor visitor = {
		.self = sweep,
		.on_begin = on_begin,
		.on_bytes = on_bytes,
		.on_end = on_end,
		.on_text = on_text,
		.on_skipped = on_skipped,
	};

	if (!sweep->has_secrets && !sweep->has_patterns)
		return read_through(source, err);
	sweep->place = place;

	const int rc = sb_nested_read(source, &visitor, &sb_nested_default_limits, err);

	sweep->place = NULL;
	return rc;
}

static bool find_secrets(struct sb_sweep *sweep, const void *bytes, size_t len)
{
	struct stream *stream = &sweep->value;

	if (!sweep->has_secrets)
		return false;
	sb_search_begin(&stream->search, stream->scanner);
	sb_search_feed(&stream->search, bytes, len);
	return true;
}

bool sb_sweep_value(struct sb_sweep *sweep, const struct sb_place *place, const char *name,
	const void *bytes, size_t len)
{
	struct stream *stream = &sweep->value;
	const struct sb_pattern_hit *hits = NULL;
	size_t n = 0;

	stream->n_secrets = sweep->report->secrets.len;
	bool found = find_secrets(sweep, bytes, len) && end_secrets(sweep, stream, place);

	if (sweep->has_patterns)
		n = sb_pattern_search_value(stream->patterns, name, bytes, len, &hits);
	for (size_t i = 0; i < n; i++)
		add_pattern(sweep, place, stream->inside, &hits[i], 0);
	return found || n > 0;
}

bool sb_sweep_raw(struct sb_sweep *sweep, const struct sb_place *place, uint64_t base,
	const void *bytes, size_t len)
{
	struct sb_search *search = &sweep->value.search;
	const struct sb_pattern_hit *hits = NULL;
	bool found = false;
	size_t n = 0;

	if (find_secrets(sweep, bytes, len)) {
		sb_search_end(search);
		SB_ARRAY_FOREACH (&search->hits, hit) {
			if (sb_strv_contains(&sweep->found_ids, hit->leak.secret_id))
				continue;
			add_secret(sweep, place, NULL, &hit->leak, base);
			found = true;
		}
	}
	if (sweep->has_patterns)
		n = sb_pattern_search_value(sweep->value.patterns, NULL, bytes, len, &hits);
	for (size_t i = 0; i < n; i++) {
		if (is_known_rule(sweep, hits[i].rule))
			continue;
		add_pattern(sweep, place, NULL, &hits[i], base);
		found = true;
	}
	return found;
}

struct json {
	struct sb_sweep *sweep;
	const struct sb_place *place;
};

static int on_json_string(
	void *self, size_t offset, const char *bytes, size_t len, struct sb_error *err)
{
	const struct json *json = self;

	(void)err;
	(void)sb_sweep_raw(json->sweep, json->place, offset, bytes, len);
	return 0;
}

void sb_sweep_json(
	struct sb_sweep *sweep, const struct sb_place *place, const char *text, size_t len)
{
	struct json json = {sweep, place};
	SB_AUTO_ERROR never = SB_ERROR_INIT;

	(void)!sb_json_each_escaped(text, len, on_json_string, &json, &never);
}

char *sb_sweep_mask(struct sb_sweep *sweep, const char *text)
{
	return sb_sweep_mask_value(sweep, NULL, text);
}

char *sb_sweep_mask_value(struct sb_sweep *sweep, const char *name, const char *value)
{
	const struct sb_pattern_hit *hits = NULL;
	size_t at = 0;

	if (!sweep->has_patterns || value == NULL)
		return NULL;

	const size_t len = strlen(value);
	const size_t n = sb_pattern_search_value(sweep->value.patterns, name, value, len, &hits);
	char *masked = NULL;

	for (size_t i = 0; i < n; i++) {
		if (hits[i].offset < at || hits[i].len > len - (size_t)hits[i].offset)
			continue;

		sb_autofree char *before = masked;

		masked = sb_asprintf("%s%.*s%s", before != NULL ? before : "",
			(int)(hits[i].offset - at), value + at, hits[i].shown);
		at = (size_t)hits[i].offset + hits[i].len;
	}
	if (masked == NULL)
		return NULL;

	sb_autofree char *before = masked;

	return sb_asprintf("%s%s", before, value + at);
}
