/* SPDX-License-Identifier: MIT */
#include <fnmatch.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "safebuild.h"

#include "base/mem.h"
#include "base/size.h"
#include "cli/ago.h"
#include "cli/command.h"
#include "cli/lines.h"
#include "cli/report.h"
#include "cli/store_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct images_fields {
	const char *root;
	bool as_json;
	bool is_whole;
	bool is_quiet;
};

static const struct sb_option options[] = {
	{"json", 0, SB_OPTION_FLAG, NULL, offsetof(struct images_fields, as_json),
		"a JSON array instead of the table", NULL},
	{"digests", 0, SB_OPTION_FLAG, NULL, offsetof(struct images_fields, is_whole),
		"whole digests", NULL},
	{"no-trunc", 0, SB_OPTION_FLAG, NULL, offsetof(struct images_fields, is_whole),
		"as --digests", NULL},
	{"quiet", 'q', SB_OPTION_FLAG, NULL, offsetof(struct images_fields, is_quiet),
		"only the digests, each once", NULL},
	SB_OPTION_ROW_ROOT(struct images_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_images = {
	.name = "images",
	.usage = "images [options] [FILTER]",
	.summary = "list the images of the store",
	.details =
		"FILTER is a name, with or without its tag and with wildcards; the beginning of\n"
		"names, up to a '/'; or of a digest. UNIQUE is what no other image needs.\n",
	.options = options,
	.fields_size = sizeof(struct images_fields),
	.max_words = 1,
	.run = run,
};

enum { N_COLUMNS = 5, SHORT_DIGEST = 12, LEAST_DIGEST = 4 };

static char *format_digest(const char *digest, bool is_whole)
{
	const char *hex = strchr(digest, ':');

	if (is_whole || hex == NULL)
		return sb_line_clean(digest, strlen(digest));
	return sb_line_clean(hex + 1, strnlen(hex + 1, SHORT_DIGEST));
}

/* The cells row after row, heading first. */
static void format_cells(
	const struct sb_image_info *images, size_t len, bool is_whole, struct sb_strv *cells)
{
	const time_t now = time(NULL);

	sb_strv_add(cells, "NAME");
	sb_strv_add(cells, "DIGEST");
	sb_strv_add(cells, "CREATED");
	sb_strv_add(cells, "SIZE");
	sb_strv_add(cells, "UNIQUE");
	for (size_t i = 0; i < len; i++) {
		const char *name = images[i].name != NULL ? images[i].name : "<none>";
		const char *created = images[i].created != NULL ? images[i].created : "";

		sb_strv_add_nodup(cells, sb_line_clean(name, strlen(name)));
		sb_strv_add_nodup(cells,
			format_digest(images[i].digest != NULL ? images[i].digest : "", is_whole));
		sb_strv_add_nodup(cells, sb_ago_format(created, now));
		sb_strv_add_nodup(cells, sb_size_format(images[i].size_bytes));
		sb_strv_add_nodup(cells, sb_size_format(images[i].unique_bytes));
	}
}

static void print_table(FILE *out, const struct sb_strv *cells)
{
	size_t widths[N_COLUMNS] = {0};

	for (size_t i = 0; i < cells->len; i++) {
		const size_t width = sb_text_columns(cells->items[i]);

		if (width > widths[i % N_COLUMNS])
			widths[i % N_COLUMNS] = width;
	}
	for (size_t i = 0; i < cells->len; i++) {
		const size_t column = i % N_COLUMNS;
		const size_t blanks = widths[column] - sb_text_columns(cells->items[i]) + 3;

		if (column + 1 == N_COLUMNS)
			(void)fprintf(out, "%s\n", cells->items[i]);
		else
			(void)fprintf(out, "%s%*s", cells->items[i], (int)blanks, "");
	}
}

static void set_string(json_t *object, const char *key, const char *value)
{
	json_t *string = value != NULL ? json_string(value) : json_null();

	/* Not UTF-8: no name that the store takes is such. */
	(void)json_object_set_new(object, key, string != NULL ? string : json_null());
}

static void print_json(FILE *out, const struct sb_image_info *images, size_t len)
{
	json_t *array = json_array();

	for (size_t i = 0; i < len; i++) {
		json_t *object = json_object();

		set_string(object, "name", images[i].name);
		set_string(object, "digest", images[i].digest);
		set_string(object, "created", images[i].created);
		set_string(object, "platform", images[i].platform);
		(void)json_object_set_new(
			object, "size", json_integer((json_int_t)images[i].size_bytes));
		(void)json_object_set_new(
			object, "unique", json_integer((json_int_t)images[i].unique_bytes));
		(void)json_array_append_new(array, object);
	}

	sb_autofree char *text = json_dumps(array, JSON_INDENT(2) | JSON_ENSURE_ASCII);

	json_decref(array);
	(void)fprintf(out, "%s\n", text != NULL ? text : "[]");
}

static bool has_digest(const char *digest, const char *filter)
{
	const char *hex = strchr(digest, ':');
	const size_t len = strlen(filter);

	return (len > LEAST_DIGEST + 7 && strncmp(digest, filter, len) == 0) ||
	       (hex != NULL && len >= LEAST_DIGEST && strncmp(hex + 1, filter, len) == 0);
}

static bool is_wanted(const struct sb_image_info *image, const char *filter)
{
	const size_t len = strlen(filter);
	const char *slash = strrchr(image->name, '/');
	const char *colon = strrchr(image->name, ':');
	sb_autofree char *repository =
		colon != NULL && (slash == NULL || colon > slash)
			? sb_memdup0(image->name, (size_t)(colon - image->name))
			: sb_strdup(image->name);

	if (len > 0 && filter[len - 1] == '/' && strncmp(image->name, filter, len) == 0)
		return true;
	return fnmatch(filter, image->name, 0) == 0 || fnmatch(filter, repository, 0) == 0 ||
	       has_digest(image->digest, filter);
}

/* Those that are wanted come first; how many. */
static size_t keep_wanted(struct sb_image_info *images, size_t len, const char *filter)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (filter != NULL && !is_wanted(&images[i], filter))
			continue;

		const struct sb_image_info wanted = images[i];

		images[i] = images[n];
		images[n++] = wanted;
	}
	return n;
}

static void print_digests(FILE *out, const struct sb_image_info *images, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t first = 0;

		while (strcmp(images[first].digest, images[i].digest) != 0)
			first++;
		if (first == i)
			(void)fprintf(out, "%s\n", images[i].digest);
	}
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct images_fields *f = fields;
	struct sb_store_options store = SB_STORE_OPTIONS_INIT;
	struct sb_image_info *images = NULL;
	size_t len = 0;

	store.root = f->root;
	if (sb_images(&store, &images, &len, err) < 0)
		return -1;

	const size_t n = keep_wanted(images, len, words->len > 0 ? words->items[0] : NULL);

	if (f->as_json) {
		print_json(cli->out, images, n);
	} else if (f->is_quiet) {
		print_digests(cli->out, images, n);
	} else {
		SB_AUTO_STRV cells = SB_STRV_INIT;

		format_cells(images, n, f->is_whole, &cells);
		print_table(cli->out, &cells);
	}
	sb_images_free(images, len);
	return SB_EXIT_DONE;
}
