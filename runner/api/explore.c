/* SPDX-License-Identifier: MIT */
#include "safebuild/explore.h"

#include <string.h>
#include <unistd.h>

#include "api/image_open.h"
#include "api/session.h"
#include "base/mem.h"
#include "inspect/dive_score.h"
#include "inspect/file_read.h"
#include "inspect/inspect.h"
#include "inspect/report_words.h"
#include "leak/redact.h"
#include "sys/fd.h"

struct sb_explorer {
	struct sb_session session;
	struct sb_secrets *secrets;
	struct sb_image *image;
	struct sb_inspection *inspection;
	struct sb_explored_image shown;
	char *name;
	char *platform;
	SB_ARRAY(struct sb_explored_layer) layers;
	SB_ARRAY(struct sb_explored_dead) dead;
	struct sb_strv instructions;
};

void sb_explorer_free(struct sb_explorer *explorer)
{
	if (explorer == NULL)
		return;
	free(explorer->name);
	free(explorer->platform);
	SB_ARRAY_RELEASE(&explorer->layers);
	SB_ARRAY_RELEASE(&explorer->dead);
	sb_strv_release(&explorer->instructions);
	sb_inspection_free(explorer->inspection);
	sb_image_free(explorer->image);
	sb_secrets_free(explorer->secrets);
	sb_session_release(&explorer->session);
	free(explorer);
}

static void list_layers(struct sb_explorer *x)
{
	SB_ARRAY_FOREACH (&x->inspection->layers, layer)
		sb_strv_add_nodup(&x->instructions, sb_instruction_text(layer->created_by));
	for (size_t i = 0; i < x->inspection->layers.len; i++) {
		const struct sb_layer_report *layer = &x->inspection->layers.items[i];

		*SB_ARRAY_ADD(&x->layers) = (struct sb_explored_layer){
			.instruction = x->instructions.items[i],
			.digest = layer->digest.text,
			.diff_id = layer->diff_id.text,
			.size_bytes = layer->size_bytes,
			.tar_bytes = layer->tar_bytes,
			.dead_bytes = layer->dead_bytes,
			.n_files = layer->entries.len,
		};
		x->shown.size_bytes += layer->size_bytes;
		x->shown.dead_bytes += layer->dead_bytes;
	}
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct sb_explored_dead *)a)->path,
		((const struct sb_explored_dead *)b)->path);
}

static int by_bytes(const void *a, const void *b)
{
	const struct sb_explored_dead *x = a;
	const struct sb_explored_dead *y = b;

	return x->bytes != y->bytes ? (x->bytes < y->bytes ? 1 : -1) : strcmp(x->path, y->path);
}

static void list_dead(struct sb_explorer *x)
{
	size_t n = 0;

	SB_ARRAY_FOREACH (&x->inspection->dead, file)
		*SB_ARRAY_ADD(&x->dead) =
			(struct sb_explored_dead){file->path, 1, file->size_bytes};
	if (x->dead.len == 0)
		return;
	qsort(x->dead.items, x->dead.len, sizeof(x->dead.items[0]), by_path);
	for (size_t i = 1; i < x->dead.len; i++) {
		struct sb_explored_dead *last = &x->dead.items[n];

		if (strcmp(last->path, x->dead.items[i].path) == 0) {
			last->n_copies++;
			last->bytes += x->dead.items[i].bytes;
		} else {
			x->dead.items[++n] = x->dead.items[i];
		}
	}
	x->dead.len = n + 1;
	qsort(x->dead.items, x->dead.len, sizeof(x->dead.items[0]), by_bytes);
}

static void fill_in(struct sb_explorer *x, const char *name)
{
	const struct sb_inspection *in = x->inspection;
	const struct sb_dive_score score = sb_dive_score(in);

	list_layers(x);
	list_dead(x);
	x->platform = sb_platform_format(&in->platform);
	x->name = sb_redact_text(x->secrets, name);
	x->shown.name = x->name;
	x->shown.platform = x->platform;
	x->shown.user = in->user;
	x->shown.runs_as_root = in->runs_as_root;
	x->shown.layers = x->layers.items;
	x->shown.n_layers = x->layers.len;
	x->shown.visible_bytes = in->visible_bytes;
	x->shown.dead = x->dead.items;
	x->shown.n_dead = x->dead.len;
	x->shown.dive_efficiency = score.efficiency;
	x->shown.dive_wasted_bytes = score.wasted_bytes;
	x->shown.n_problems = in->problems.len;
}

static int open_and_read(
	struct sb_explorer *x, const struct sb_explore_options *o, struct sb_error *err)
{
	const struct sb_image_place from = {
		.root = o->root, .image = o->image, .name = o->name, .platform = o->platform};

	if (sb_session_read_secrets(o->secrets, o->n_secrets, &x->secrets, err) < 0)
		return -1;
	if (sb_open_image(&x->session, &from, &x->image, err) < 0)
		return sb_error_context(err, "image '%s'", o->image);
	if (sb_session_let_signals_through(&x->session, err) < 0)
		return -1;
	if (sb_inspect_image(x->image, x->secrets, &x->inspection, err) < 0)
		return sb_error_context(err, "image '%s'", o->image);
	fill_in(x, o->image);
	return 0;
}

int sb_explorer_open(
	const struct sb_explore_options *options, struct sb_explorer **out, struct sb_error *err)
{
	struct sb_explorer *x = SB_NEW(struct sb_explorer);

	x->session.store_fd = -1;
	if (open_and_read(x, options, err) < 0) {
		sb_session_redact_error(x->secrets, err);
		sb_explorer_free(x);
		return -1;
	}
	*out = x;
	return 0;
}

const struct sb_explored_image *sb_explorer_image(const struct sb_explorer *explorer)
{
	return &explorer->shown;
}

static const struct sb_file_entry *entry_at(const struct sb_explorer *x, size_t layer, size_t i)
{
	return &x->inspection->layers.items[layer].entries.items[i];
}

void sb_explorer_file(
	const struct sb_explorer *explorer, size_t layer, size_t i, struct sb_explored_file *out)
{
	static const enum sb_explored_change changes[] = {
		[SB_FILE_ADDED] = SB_EXPLORED_ADDED,
		[SB_FILE_MODIFIED] = SB_EXPLORED_MODIFIED,
		[SB_FILE_REMOVED] = SB_EXPLORED_REMOVED,
	};
	const struct sb_file_entry *entry = entry_at(explorer, layer, i);

	*out = (struct sb_explored_file){
		.path = entry->path,
		.type = entry->type,
		.change = changes[entry->change],
		.mode = entry->mode,
		.uid = entry->uid,
		.gid = entry->gid,
		.size_bytes = entry->size_bytes,
		.link = entry->link,
		.gone_layer = entry->gone_layer,
		.has_content = entry->content_layer != SB_NO_LAYER,
	};
}

/* One content on its way to memory or to a file. */
struct transfer {
	struct sb_buf bytes; /* with its holes, up to the maximum */
	size_t max_bytes;
	int fd;
	struct sb_error *err;
	bool has_failed;
	sb_explore_progress_fn on_progress;
	void *data;
	uint64_t total;
};

static bool go_on(void *self, uint64_t tar_bytes)
{
	const struct transfer *t = self;

	return t->on_progress == NULL || t->on_progress(t->data, tar_bytes, t->total);
}

static int keep(struct transfer *t, uint64_t at, const char *bytes, size_t len)
{
	const size_t from = at < t->max_bytes ? (size_t)at : t->max_bytes;
	const size_t n = len < t->max_bytes - from ? len : t->max_bytes - from;

	if (sb_buf_reserve(&t->bytes, from + n - t->bytes.len, t->err) < 0)
		return -1;
	memset(t->bytes.data + t->bytes.len, 0, from - t->bytes.len);
	memcpy(t->bytes.data + from, bytes, n);
	t->bytes.len = from + n;
	t->bytes.data[t->bytes.len] = '\0';
	return 0;
}

static bool keep_bytes(void *self, uint64_t at, const void *bytes, size_t len)
{
	struct transfer *t = self;

	t->has_failed = keep(t, at, bytes, len) < 0;
	return !t->has_failed && t->bytes.len < t->max_bytes;
}

static bool write_bytes(void *self, uint64_t at, const void *bytes, size_t len)
{
	struct transfer *t = self;

	if (lseek(t->fd, (off_t)at, SEEK_SET) < 0) {
		(void)sb_fail_errno(t->err, "write the file");
		t->has_failed = true;
	} else {
		t->has_failed = sb_fd_write_all(t->fd, bytes, len, t->err) < 0;
	}
	return !t->has_failed;
}

static int transfer(const struct sb_explorer *x, const struct sb_file_entry *entry,
	struct transfer *t, bool (*on_bytes)(void *, uint64_t, const void *, size_t),
	uint64_t *out_size)
{
	const struct sb_file_reader reader = {
		.on_bytes = on_bytes, .on_progress = go_on, .self = t};

	if (entry->content_layer == SB_NO_LAYER)
		return sb_fail(t->err, SB_E_NOT_FOUND, "it has no content");
	t->total = x->inspection->layers.items[entry->content_layer].tar_bytes;
	if (sb_image_read_file(x->image, entry->content_layer, entry->content_offset, &reader,
		    out_size, t->err) < 0)
		return -1;
	return t->has_failed ? -1 : 0;
}

struct masked {
	struct sb_buf text;
	bool has_failed;
	struct sb_error *err;
};

static void add_masked(void *self, const char *bytes, size_t len)
{
	struct masked *masked = self;

	if (!masked->has_failed)
		masked->has_failed = sb_buf_add(&masked->text, bytes, len, masked->err) < 0;
}

static int mask(const struct sb_explorer *x, struct sb_buf *bytes, struct sb_error *err)
{
	enum { MAX_GROWTH = 64 /* an id for a value of few bytes */ };
	SB_AUTO(sb_redactor) redactor = sb_redactor_new(x->secrets);
	struct masked masked = {.text = SB_BUF_INIT(bytes->max_bytes * MAX_GROWTH), .err = err};

	sb_redactor_write(redactor, bytes->data, bytes->len, add_masked, &masked);
	sb_redactor_flush(redactor, add_masked, &masked);
	if (masked.has_failed) {
		sb_buf_release(&masked.text);
		return -1;
	}
	sb_buf_release(bytes);
	*bytes = masked.text;
	return 0;
}

static size_t longest_secret(const struct sb_explorer *x)
{
	size_t longest = 0;

	for (size_t i = 0; i < sb_secrets_count(x->secrets); i++) {
		const size_t len = sb_secrets_at(x->secrets, i)->len;

		longest = len > longest ? len : longest;
	}
	return longest;
}

int sb_explorer_read(const struct sb_explorer *explorer, size_t layer, size_t i, size_t max_bytes,
	sb_explore_progress_fn on_progress, void *data, struct sb_explored_content *out,
	struct sb_error *err)
{
	/* A value that the end cuts is not known for one. So more is read than is given: a value's
	 * length, and encoded it is several times as long. */
	const size_t more = longest_secret(explorer) * 8;
	struct transfer t = {
		.bytes = SB_BUF_INIT(max_bytes + more),
		.max_bytes = max_bytes + more,
		.err = err,
		.on_progress = on_progress,
		.data = data,
	};
	uint64_t size = 0;
	int rc = transfer(explorer, entry_at(explorer, layer, i), &t, keep_bytes, &size);

	if (rc == 0) /* a hole at the end */
		rc = keep(&t, size, "", 0);
	if (rc == 0)
		rc = mask(explorer, &t.bytes, err);
	if (rc < 0) {
		sb_session_redact_error(explorer->secrets, err);
		sb_buf_release(&t.bytes);
		return -1;
	}

	const size_t unsure = size > t.max_bytes ? more : 0;
	const size_t whole = t.bytes.len > unsure ? t.bytes.len - unsure : 0;

	*out = (struct sb_explored_content){
		.len = whole < max_bytes ? whole : max_bytes, .size_bytes = size};
	out->is_cut = size > t.max_bytes || out->len < whole;
	out->bytes = sb_buf_steal(&t.bytes);
	return 0;
}

int sb_explorer_extract(const struct sb_explorer *explorer, size_t layer, size_t i,
	const char *dest, sb_explore_progress_fn on_progress, void *data, struct sb_error *err)
{
	sb_autofd int fd = -1;
	struct transfer t = {.err = err, .on_progress = on_progress, .data = data};
	uint64_t size = 0;

	if (sb_fd_create_user(dest, 0600, &fd, err) < 0)
		return -1;
	t.fd = fd;
	if (transfer(explorer, entry_at(explorer, layer, i), &t, write_bytes, &size) == 0) {
		if (ftruncate(fd, (off_t)size) == 0)
			return 0;
		(void)sb_fail_errno(err, "write '%s'", dest);
	}
	(void)unlink(dest);
	sb_session_redact_error(explorer->secrets, err);
	return -1;
}
