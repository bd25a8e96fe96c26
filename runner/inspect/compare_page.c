/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/columns.h"
#include "base/escape.h"
#include "base/filemode.h"
#include "base/mem.h"
#include "base/size.h"
#include "inspect/compare.h"
#include "inspect/page.h"
#include "inspect/report_words.h"

enum {
	MAX_PAGE_BYTES = 64 << 20,
	MAX_ROWS = 30,     /* of one group */
	MAX_IN_FOLDER = 4, /* a new or removed folder with more in it is one line */
};

static const struct {
	const char *title;
	const char *word;
	const char *sign;
	enum sb_page_color color;
} kinds[SB_N_DIFFERENCES] = {
	[SB_DIFF_ADDED] = {"Files added", "added", "+", SB_PAGE_GOOD},
	[SB_DIFF_REMOVED] = {"Files removed", "removed", "-", SB_PAGE_BAD},
	[SB_DIFF_MODIFIED] = {"Files modified", "modified", "~", SB_PAGE_WARN},
	[SB_DIFF_METADATA] = {"Files with other metadata alone", "with other metadata", "~",
		SB_PAGE_WARN},
};

static char *signed_size(uint64_t before, uint64_t after)
{
	sb_autofree char *size = sb_size_format(after > before ? after - before : before - after);

	return after == before ? sb_strdup("=")
			       : sb_asprintf("%s%s", after > before ? "+" : "-", size);
}

static void add_image(struct sb_page *page, const char *label, const char *name,
	const struct sb_inspection *image)
{
	const bool has_digest = sb_digest_is_set(&image->manifest_digest);

	sb_page_addf(page, SB_PAGE_BOLD, "%s  ", label);
	sb_page_add_path(page, SB_PAGE_BOLD, name, sb_page_room(page, 3));
	sb_page_end_line(page);
	sb_page_addf(page, SB_PAGE_DIM, "   ");
	sb_page_add_text(page, SB_PAGE_DIM, image->form, 0);
	if (has_digest) {
		sb_page_addf(page, SB_PAGE_DIM, ", ");
		sb_page_add_text(page, SB_PAGE_DIM, image->manifest_digest.text,
			sb_page_room(page, 5 + strlen(image->form)));
	}
	sb_page_end_line(page);
}

static void add_size_row(struct sb_page *page, const char *label, uint64_t before, uint64_t after)
{
	sb_autofree char *a = sb_size_format(before);
	sb_autofree char *b = sb_size_format(after);
	sb_autofree char *change = signed_size(before, after);

	sb_page_addf(page, SB_PAGE_PLAIN, "  %-18s %10s %10s  ", label, a, b);
	sb_page_addf(page, before == after ? SB_PAGE_DIM : SB_PAGE_WARN, "%10s\n", change);
}

static void add_sizes(struct sb_page *page, const struct sb_comparison *c)
{
	const struct sb_image_sums *a = &c->sums[0];
	const struct sb_image_sums *b = &c->sums[1];
	const uint64_t more =
		b->n_files > a->n_files ? b->n_files - a->n_files : a->n_files - b->n_files;

	sb_page_add_title(page, "Sizes");
	sb_page_addf(page, SB_PAGE_DIM, "  %-18s %10s %10s  %10s\n", "", "A", "B", "change");
	add_size_row(page, "as downloaded", a->blob_bytes, b->blob_bytes);
	add_size_row(page, "unpacked", a->tar_bytes, b->tar_bytes);
	add_size_row(page, "in visible files", a->visible_bytes, b->visible_bytes);
	add_size_row(page, "dead", a->dead_bytes, b->dead_bytes);
	sb_page_addf(page, SB_PAGE_PLAIN, "  %-18s %10" PRIu64 " %10" PRIu64 "  ", "files",
		a->n_files, b->n_files);
	sb_page_addf(page, more == 0 ? SB_PAGE_DIM : SB_PAGE_WARN, "%8s%s%" PRIu64 "\n", "",
		more == 0                 ? ""
		: b->n_files > a->n_files ? "+"
					  : "-",
		more);
}

static const struct sb_file_entry *entry_of(const struct sb_file_difference *file)
{
	return file->after != NULL ? file->after : file->before;
}

static bool is_below(const char *folder, const char *path)
{
	const size_t len = strlen(folder);

	return strncmp(folder, path, len) == 0 && path[len] == '/';
}

static void add_row(struct sb_page *page, enum sb_difference kind, const char *path,
	const char *slash, const char *detail)
{
	sb_autofree char *safe = sb_escape_text(detail, strlen(detail));
	const size_t columns = sb_columns_of(safe);
	const size_t room = sb_page_room(page, 4 + strlen(slash) + 2 + columns);
	const size_t width = page->style->width;
	/* What leaves the path too little has a line of its own. */
	const bool is_long = width > 0 && columns > width / 2;

	sb_page_addf(page, kinds[kind].color, "  %s ", kinds[kind].sign);
	sb_page_add_path(page, SB_PAGE_PLAIN, path, is_long ? sb_page_room(page, 4) : room);
	sb_page_addf(page, SB_PAGE_PLAIN, "%s", slash);
	if (is_long) {
		sb_page_end_line(page);
		sb_page_add_wrapped(page, 6, "", SB_PAGE_DIM, detail);
		return;
	}
	sb_page_addf(page, SB_PAGE_DIM, "  %s\n", safe);
}

/* Of a file that one image alone has. */
static char *entry_text(const struct sb_file_entry *e)
{
	char mode[SB_FILE_MODE_BYTES];
	sb_autofree char *size = sb_size_format(e->size_bytes);

	sb_file_mode_text(e->type, e->mode, mode);
	if (e->type == 'l')
		return sb_asprintf("%s %" PRIu32 ":%" PRIu32 " \xe2\x86\x92 %s", mode, e->uid,
			e->gid, e->link != NULL ? e->link : "");
	if (e->type == '-')
		return sb_asprintf("%s %" PRIu32 ":%" PRIu32 " %s", mode, e->uid, e->gid, size);
	return sb_asprintf("%s %" PRIu32 ":%" PRIu32, mode, e->uid, e->gid);
}

static void add_part(char **text, char *part)
{
	char *joined = sb_asprintf("%s%s%s", *text, (*text)[0] != '\0' ? ", " : "", part);

	free(part);
	free(*text);
	*text = joined;
}

static const char *type_word(char type)
{
	static const char letters[] = "-dlbcp";
	static const char *const words[] = {
		"a file", "a folder", "a link", "a block device", "a character device", "a fifo"};
	const char *found = strchr(letters, type);

	return type != '\0' && found != NULL ? words[found - letters] : "something else";
}

static char *content_text(const struct sb_file_entry *a, const struct sb_file_entry *b)
{
	sb_autofree char *before = sb_size_format(a->size_bytes);
	sb_autofree char *after = sb_size_format(b->size_bytes);

	if (a->size_bytes == b->size_bytes)
		return sb_asprintf("other content, %s as before", before);
	return sb_asprintf("%s \xe2\x86\x92 %s", before, after);
}

static char *difference_text(const struct sb_file_difference *file)
{
	const struct sb_file_entry *a = file->before;
	const struct sb_file_entry *b = file->after;
	char *text = sb_strdup("");

	if ((file->aspects & SB_ASPECT_TYPE) != 0)
		add_part(&text,
			sb_asprintf("%s \xe2\x86\x92 %s", type_word(a->type), type_word(b->type)));
	if ((file->aspects & SB_ASPECT_CONTENT) != 0)
		add_part(&text, content_text(a, b));
	if ((file->aspects & SB_ASPECT_LINK) != 0)
		add_part(&text, sb_asprintf("to %s \xe2\x86\x92 %s", a->link, b->link));
	if ((file->aspects & SB_ASPECT_DEVICE) != 0)
		add_part(&text, sb_asprintf("device %" PRIu32 ":%" PRIu32 " \xe2\x86\x92 %" PRIu32
					    ":%" PRIu32,
					a->major, a->minor, b->major, b->minor));
	if ((file->aspects & SB_ASPECT_MODE) != 0)
		add_part(&text, sb_asprintf("mode %04o \xe2\x86\x92 %04o", (unsigned)a->mode,
					(unsigned)b->mode));
	if ((file->aspects & SB_ASPECT_OWNER) != 0)
		add_part(&text, sb_asprintf("owner %" PRIu32 ":%" PRIu32 " \xe2\x86\x92 %" PRIu32
					    ":%" PRIu32,
					a->uid, a->gid, b->uid, b->gid));
	if ((file->aspects & SB_ASPECT_ATTRIBUTES) != 0)
		add_part(&text, sb_strdup("other extended attributes"));
	return text;
}

/* What a folder that one image alone has holds, which follows it in the list. Of the other kinds
 * only what follows directly counts; there is nothing else. */
static size_t count_inside(const struct sb_comparison *c, size_t i, uint64_t *out_bytes)
{
	const struct sb_file_entry *folder = entry_of(&c->files.items[i]);
	size_t n = 0;

	*out_bytes = 0;
	for (size_t k = i + 1; k < c->files.len; k++) {
		const struct sb_file_entry *e = entry_of(&c->files.items[k]);

		if (!is_below(folder->path, e->path) ||
			c->files.items[k].kind != c->files.items[i].kind)
			break;
		*out_bytes += e->size_bytes;
		n++;
	}
	return n;
}

/* A row for the file, or for a whole folder: how many files it stands for. */
static size_t add_file(struct sb_page *page, const struct sb_comparison *c, size_t i, bool is_shown)
{
	const struct sb_file_difference *file = &c->files.items[i];
	const struct sb_file_entry *entry = entry_of(file);
	const bool is_single = file->before == NULL || file->after == NULL;
	uint64_t bytes = 0;
	const size_t n = is_single && entry->type == 'd' ? count_inside(c, i, &bytes) : 0;

	if (!is_shown)
		return n > MAX_IN_FOLDER ? n + 1 : 1;
	if (n > MAX_IN_FOLDER) {
		sb_autofree char *size = sb_size_format(bytes);
		sb_autofree char *detail = sb_asprintf("with %zu files and folders, %s", n, size);

		add_row(page, file->kind, entry->path, "/", detail);
		return n + 1;
	}

	sb_autofree char *detail = is_single ? entry_text(entry) : difference_text(file);

	add_row(page, file->kind, entry->path, entry->type == 'd' ? "/" : "", detail);
	return 1;
}

static void add_group(struct sb_page *page, const struct sb_comparison *c, enum sb_difference kind)
{
	size_t n_rows = 0;
	size_t n_left_out = 0;

	if (c->n_files[kind] == 0)
		return;
	sb_page_end_line(page);
	sb_page_addf(page, SB_PAGE_BOLD, "%s", kinds[kind].title);
	sb_page_addf(page, SB_PAGE_DIM, "  %zu\n", c->n_files[kind]);
	for (size_t i = 0; i < c->files.len;) {
		size_t n = 1;

		if (c->files.items[i].kind == kind) {
			n = add_file(page, c, i, n_rows < MAX_ROWS);
			n_left_out += n_rows < MAX_ROWS ? 0 : n;
			n_rows++;
		}
		i += n;
	}
	if (n_left_out > 0)
		sb_page_addf(page, SB_PAGE_DIM, "    and %zu more: --json has all\n", n_left_out);
}

static void add_value(struct sb_page *page, enum sb_difference kind, const struct sb_config_item *i)
{
	sb_autofree char *label = sb_asprintf("%s ", kinds[kind].sign);
	const char *separator = i->key != NULL && i->value[0] != '\0' ? "=" : "";
	sb_autofree char *text =
		sb_asprintf("%s%s%s", i->key != NULL ? i->key : "", separator, i->value);

	sb_page_addf(page, kinds[kind].color, "    %s", label);
	sb_page_add_text(page, SB_PAGE_PLAIN, text, sb_page_room(page, 6));
	sb_page_end_line(page);
}

/* Both values, one below the other: they are as long as they like. */
static void add_setting(struct sb_page *page, const struct sb_config_difference *setting)
{
	if (setting->before != NULL)
		add_value(page, SB_DIFF_REMOVED, setting->before);
	if (setting->after != NULL)
		add_value(page, SB_DIFF_ADDED, setting->after);
	if (setting->before != NULL && setting->after != NULL &&
		strcmp(setting->before->value, setting->after->value) == 0)
		sb_page_addf(page, SB_PAGE_DIM,
			"      the values differ in what is not shown of them\n");
}

static const char *field_of(const struct sb_config_difference *setting)
{
	return setting->after != NULL ? setting->after->field : setting->before->field;
}

static void add_config(struct sb_page *page, const struct sb_comparison *c)
{
	const char *field = "";
	size_t n_rows = 0;

	if (c->config.len == 0 && !c->has_other_config)
		return;
	sb_page_add_title(page, "Settings");
	if (c->has_other_config)
		sb_page_addf(
			page, SB_PAGE_WARN, "  the configs differ in none of the known fields\n");
	SB_ARRAY_FOREACH (&c->config, setting) {
		if (strcmp(field, field_of(setting)) != 0) {
			field = field_of(setting);
			n_rows = 0;
			sb_page_addf(page, SB_PAGE_PLAIN, "  %s\n", field);
		}
		if (++n_rows <= MAX_ROWS)
			add_setting(page, setting);
		else if (n_rows == MAX_ROWS + 1)
			sb_page_addf(page, SB_PAGE_DIM, "    and more: --json has all\n");
	}
}

static void add_layer(
	struct sb_page *page, const struct sb_comparison *c, const struct sb_layer_pair *pair)
{
	const bool is_shared = pair->before != SIZE_MAX && pair->after != SIZE_MAX;
	const struct sb_layer_report *layer = pair->after != SIZE_MAX
						      ? &c->after->layers.items[pair->after]
						      : &c->before->layers.items[pair->before];
	const enum sb_difference kind = pair->after != SIZE_MAX ? SB_DIFF_ADDED : SB_DIFF_REMOVED;
	sb_autofree char *instruction = sb_instruction_text(layer->created_by);
	sb_autofree char *size = sb_size_format(layer->size_bytes);
	sb_autofree char *a =
		pair->before != SIZE_MAX ? sb_asprintf("%zu", pair->before + 1) : sb_strdup("");
	sb_autofree char *b =
		pair->after != SIZE_MAX ? sb_asprintf("%zu", pair->after + 1) : sb_strdup("");

	sb_page_addf(page, is_shared ? SB_PAGE_DIM : kinds[kind].color, "  %s %4s %4s  %9s  ",
		is_shared ? "=" : kinds[kind].sign, a, b, size);
	sb_page_add_text(
		page, is_shared ? SB_PAGE_DIM : SB_PAGE_PLAIN, instruction, sb_page_room(page, 26));
	sb_page_end_line(page);
}

static void add_layers(struct sb_page *page, const struct sb_comparison *c)
{
	size_t n_packed = 0;

	sb_page_add_title(page, "Layers");
	sb_page_addf(page, SB_PAGE_DIM, "    %4s %4s  %9s  %s\n", "A", "B", "size", "instruction");
	SB_ARRAY_FOREACH (&c->layers, pair) {
		add_layer(page, c, pair);
		n_packed += pair->is_packed_differently;
	}
	if (n_packed > 0)
		sb_page_addf(page, SB_PAGE_DIM,
			"    %zu of the shared ones are compressed in another way; their content "
			"is the same\n",
			n_packed);
}

static void add_unreadable(struct sb_page *page, const struct sb_comparison *c)
{
	if (c->unreadable.len == 0)
		return;
	sb_page_add_title(page, "Not compared");
	for (size_t i = 0; i < c->unreadable.len; i++)
		sb_page_add_wrapped(page, 2, "", SB_PAGE_BAD, c->unreadable.items[i]);
}

static void add_verdict(struct sb_page *page, const struct sb_comparison *c)
{
	sb_autofree char *files = sb_count_text(c->files.len, "file");
	sb_autofree char *settings =
		sb_count_text(c->config.len + (c->has_other_config ? 1 : 0), "setting");
	sb_autofree char *layers = sb_count_text(c->n_layers_differing, "layer");

	sb_page_end_line(page);
	if (c->unreadable.len > 0)
		sb_page_addf(
			page, SB_PAGE_BAD, "UNREADABLE: not all of the images could be compared\n");
	else if (sb_comparison_is_same(c))
		sb_page_addf(page, SB_PAGE_GOOD,
			"SAME: the images have the same files, settings and layers\n");
	else
		sb_page_addf(
			page, SB_PAGE_WARN, "DIFFERENT: %s, %s, %s\n", files, settings, layers);
}

int sb_comparison_page(const struct sb_comparison *c, const char *const names[2],
	const struct sb_report_style *style, char **out, struct sb_error *err)
{
	struct sb_page page = {.text = SB_BUF_INIT(MAX_PAGE_BYTES), .style = style, .err = err};

	add_image(&page, "A", names[0], c->before);
	add_image(&page, "B", names[1], c->after);
	add_sizes(&page, c);
	for (int kind = 0; kind < SB_N_DIFFERENCES; kind++)
		add_group(&page, c, (enum sb_difference)kind);
	add_config(&page, c);
	add_layers(&page, c);
	add_unreadable(&page, c);
	add_verdict(&page, c);
	if (sb_error_is_set(err)) {
		sb_buf_release(&page.text);
		return -1;
	}
	*out = sb_buf_steal(&page.text);
	return 0;
}
