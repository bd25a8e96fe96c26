/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "inspect/inspector.h"
#include "inspect/report_emit.h"

/* Where an item comes from, and what its value is called for patterns that go by names. */
struct listing {
	struct sb_inspector *in;
	const char *field;
	const char *kind; /* "ENV", or NULL */
};

/* Takes the key. `value` is what is compared; shown is it without what patterns find in it. */
static void add_item(const struct listing *l, char *key, const char *value)
{
	sb_autofree char *name =
		l->kind != NULL && key != NULL ? sb_asprintf("%s %s", l->kind, key) : NULL;
	char *masked = sb_sweep_mask_value(l->in->sweep, name, value);
	struct sb_config_item *item = SB_ARRAY_ADD(&l->in->report->config);

	item->field = l->field;
	item->key = key;
	item->value = masked != NULL ? masked : sb_strdup(value);
	sb_digest_of(value, strlen(value), &item->digest);
}

static void list_text(struct sb_inspector *in, const char *field, const char *value)
{
	const struct listing l = {.in = in, .field = field};

	if (value != NULL && value[0] != '\0')
		add_item(&l, NULL, value);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(
		((const struct sb_config_item *)a)->key, ((const struct sb_config_item *)b)->key);
}

static void sort_from(struct sb_inspection *report, size_t first)
{
	if (report->config.len - first > 1)
		qsort(report->config.items + first, report->config.len - first,
			sizeof(report->config.items[0]), by_key);
}

/* "NAME=value" each. */
static void list_pairs(
	struct sb_inspector *in, const char *field, const char *kind, const struct sb_strv *pairs)
{
	const struct listing l = {.in = in, .field = field, .kind = kind};
	const size_t first = in->report->config.len;

	for (size_t i = 0; i < pairs->len; i++) {
		const char *pair = pairs->items[i];
		const size_t n = strcspn(pair, "=");

		add_item(&l, sb_memdup0(pair, n), pair[n] == '=' ? pair + n + 1 : "");
	}
	sort_from(in->report, first);
}

/* Words of which each is there or not. */
static void list_set(struct sb_inspector *in, const char *field, const struct sb_strv *words)
{
	const struct listing l = {.in = in, .field = field};
	const size_t first = in->report->config.len;

	for (size_t i = 0; i < words->len; i++)
		add_item(&l, sb_strdup(words->items[i]), "");
	sort_from(in->report, first);
}

/* As JSON: the words' borders are a part of it. */
static void list_words(
	struct sb_inspector *in, const char *field, const struct sb_strv *words, bool is_there)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_emit emit = {.text = SB_BUF_INIT((size_t)2 * SB_MAX_JSON), .err = &err};
	char *text = NULL;

	if (!is_there)
		return;
	sb_emit_line_array(&emit, NULL);
	for (size_t i = 0; i < words->len; i++)
		sb_emit_text(&emit, NULL, words->items[i]);
	sb_emit_end(&emit);
	if (sb_emit_finish(&emit, &text) < 0) {
		sb_error_ignore(&err, "a config is smaller than that");
		return;
	}
	text[strcspn(text, "\n")] = '\0';
	list_text(in, field, text);
	free(text);
}

static void list_healthcheck(struct sb_inspector *in, const struct sb_healthcheck *check)
{
	sb_autofree char *words = sb_strv_join(&check->test, " ");
	sb_autofree char *text = sb_asprintf(
		"%s (interval %" PRId64 " ns, timeout %" PRId64 " ns, start period %" PRId64
		" ns, start interval %" PRId64 " ns, retries %" PRId64 ")",
		words, check->interval_ns, check->timeout_ns, check->start_period_ns,
		check->start_interval_ns, check->retries);

	list_text(in, "Healthcheck", text);
}

static const char *text_or_nothing(const char *text)
{
	return text != NULL ? text : "";
}

/* One a line; those of layers stand with their layers too. */
static void list_history(struct sb_inspector *in, const struct sb_image_config *config)
{
	const struct listing l = {.in = in, .field = "History"};
	size_t i = 0;

	SB_ARRAY_FOREACH (&config->history, entry) {
		/* No key is longer than a number: three figures sort as they count. */
		sb_autofree char *text = sb_asprintf("%s%s%s%s%s",
			text_or_nothing(entry->created_by),
			entry->comment != NULL && entry->comment[0] != '\0' ? " # " : "",
			text_or_nothing(entry->comment), entry->author != NULL ? " by " : "",
			text_or_nothing(entry->author));

		add_item(&l, sb_asprintf("%03zu", ++i), text);
	}
}

void sb_inspector_list_config(struct sb_inspector *in, const struct sb_image *image)
{
	const struct sb_image_config *config = image->config;
	sb_autofree char *platform = sb_platform_format(&config->platform);

	sb_digest_of(image->config_json.data, image->config_json.len, &in->report->config_digest);
	list_text(in, "Platform", platform);
	list_text(in, "OS version", config->os_version);
	list_text(in, "User", config->user);
	list_text(in, "WorkingDir", config->working_dir);
	list_words(in, "Entrypoint", &config->entrypoint, config->has_entrypoint);
	list_words(in, "Cmd", &config->cmd, config->has_cmd);
	list_pairs(in, "Env", "ENV", &config->env);
	list_pairs(in, "Labels", "label", &config->labels);
	list_set(in, "ExposedPorts", &config->exposed_ports);
	list_set(in, "Volumes", &config->volumes);
	list_text(in, "StopSignal", config->stop_signal);
	list_words(in, "Shell", &config->shell, config->shell.len > 0);
	list_words(in, "OnBuild", &config->onbuild, config->onbuild.len > 0);
	if (config->has_healthcheck)
		list_healthcheck(in, &config->healthcheck);
	list_text(in, "Author", config->author);
	list_text(in, "Created", config->created);
	list_history(in, config);
	list_pairs(in, "Annotations", "annotation", &image->manifest->annotations);
}
