/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "cli/lines.h"
#include "cli/render.h"

/*
 * One object a line; its fields are documented in safebuild(1), "JSON PROGRESS". A change that
 * could break a reader raises "schema".
 */

enum { SCHEMA = 1, TRANSFER_NS = 100000000 };

struct json {
	struct sb_renderer base;
	struct sb_lines lines;
	uint64_t now_ns;
	uint64_t transfer_ns;
};

static const char *const event_names[] = {
	[SB_EVENT_BUILD_START] = "build-start",
	[SB_EVENT_STEP_START] = "step-start",
	[SB_EVENT_STEP_OUTPUT] = "step-output",
	[SB_EVENT_STEP_END] = "step-end",
	[SB_EVENT_CACHE_HIT] = "cache-hit",
	[SB_EVENT_TRANSFER] = "transfer",
	[SB_EVENT_WARNING] = "warning",
	[SB_EVENT_NOTICE] = "notice",
	[SB_EVENT_EXPORT] = "export",
	[SB_EVENT_IMAGE] = "image",
	[SB_EVENT_BUILD_END] = "build-end",
	[SB_EVENT_TICK] = "tick",
};

/* RFC 4648, section 4. */
static char *base64(const char *bytes, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)bytes;
	char *out = sb_malloc((len + 2) / 3 * 4 + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		const size_t left = len - i;
		const uint32_t group = (uint32_t)p[i] << 16 |
				       (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
				       (left > 2 ? (uint32_t)p[i + 2] : 0);

		out[n++] = digits[group >> 18];
		out[n++] = digits[group >> 12 & 63];
		out[n++] = left > 1 ? digits[group >> 6 & 63] : '=';
		out[n++] = left > 2 ? digits[group & 63] : '=';
	}
	out[n] = '\0';
	return out;
}

/* Text that is UTF-8 stands as it is; of other bytes, `key` gets a readable form, and "base64" what
 * they were. */
static void set_bytes(json_t *object, const char *key, const char *bytes, size_t len)
{
	json_t *text = json_stringn(bytes, len);

	if (text == NULL) {
		sb_autofree char *exact = base64(bytes, len);
		sb_autofree char *clean = sb_line_clean(bytes, len);

		text = json_string(clean);
		(void)json_object_set_new(object, "base64", json_string(exact));
	}
	(void)json_object_set_new(object, key, text);
}

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text != NULL)
		set_bytes(object, key, text, strlen(text));
}

static void set_number(json_t *object, const char *key, uint64_t number)
{
	(void)json_object_set_new(
		object, key, json_integer(number <= INT64_MAX ? (json_int_t)number : INT64_MAX));
}

static json_t *new_object(const struct json *j, const char *event)
{
	json_t *object = json_object();

	set_number(object, "schema", SCHEMA);
	set_text(object, "event", event);
	set_number(object, "t_ns", j->now_ns);
	return object;
}

/* ASCII only: a line of it does a terminal no harm either. Takes the object. */
static void print_object(const struct json *j, json_t *object)
{
	sb_autofree char *line = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(object);
	if (line != NULL)
		(void)fprintf(j->base.out, "%s\n", line);
}

static void on_line(void *data, uint32_t step, int stream, const char *line, size_t len)
{
	const struct json *j = data;
	json_t *object = new_object(j, event_names[SB_EVENT_STEP_OUTPUT]);

	set_number(object, "step", step);
	set_number(object, "stream", stream == 2 ? 2 : 1);
	set_bytes(object, "text", line, len);
	print_object(j, object);
}

static bool is_due(struct json *j, const struct sb_event *event)
{
	if (event->kind != SB_EVENT_TRANSFER)
		return event->kind != SB_EVENT_TICK;
	if (event->done < event->total && j->transfer_ns != 0 &&
		event->t_ns < j->transfer_ns + TRANSFER_NS)
		return false;
	j->transfer_ns = event->t_ns;
	return true;
}

static void print_event(const struct json *j, const struct sb_event *event)
{
	json_t *object = new_object(j, event_names[event->kind]);

	if (event->step != 0)
		set_number(object, "step", event->step);
	set_text(object, "platform", event->platform);
	set_text(object, "stage", event->stage);
	set_text(object, "name", event->name);
	set_text(object, "text", event->text);
	set_text(object, "hint", event->hint);
	set_text(object, "file", event->file);
	if (event->line != 0)
		set_number(object, "line", event->line);
	if (event->kind == SB_EVENT_STEP_END || event->kind == SB_EVENT_BUILD_END)
		(void)json_object_set_new(object, "status", json_integer(event->status));
	if (event->kind == SB_EVENT_TRANSFER || event->kind == SB_EVENT_STEP_END ||
		event->kind == SB_EVENT_EXPORT)
		set_number(object, "done", event->done);
	if (event->total != 0)
		set_number(object, "total", event->total);
	print_object(j, object);
}

static void json_event(struct sb_renderer *renderer, const struct sb_event *event)
{
	struct json *j = (struct json *)renderer;

	j->now_ns = event->t_ns;
	if (event->kind == SB_EVENT_STEP_OUTPUT) {
		sb_lines_add(&j->lines, event);
		return;
	}
	if (event->kind == SB_EVENT_STEP_END)
		sb_lines_end(&j->lines, event->step);
	if (is_due(j, event))
		print_event(j, event);
}

static void json_finish(struct sb_renderer *renderer, const struct sb_error *failure, int status)
{
	struct json *j = (struct json *)renderer;

	sb_lines_end_all(&j->lines);
	if (failure != NULL) {
		json_t *object = new_object(j, "error");

		set_text(object, "code", sb_code_name(failure->code));
		set_text(object, "message", failure->message);
		set_text(object, "hint", failure->hint);
		set_text(object, "file", failure->at.file);
		if (failure->at.line != 0)
			set_number(object, "line", failure->at.line);
		if (failure->at.column != 0)
			set_number(object, "column", failure->at.column);
		if (failure->code == SB_E_STEP_FAILED && failure->step_status != 0)
			(void)json_object_set_new(
				object, "step_status", json_integer(failure->step_status));
		(void)json_object_set_new(object, "exit_status", json_integer(status));
		print_object(j, object);
	}
}

static void json_release(struct sb_renderer *renderer)
{
	struct json *j = (struct json *)renderer;

	sb_lines_release(&j->lines);
}

struct sb_renderer *sb_render_json_new(void)
{
	static const struct sb_renderer_ops ops = {json_event, json_finish, json_release};
	struct json *j = SB_NEW(struct json);

	j->base.ops = &ops;
	j->lines.is_raw = true;
	j->lines.on_line = on_line;
	j->lines.data = j;
	return &j->base;
}
