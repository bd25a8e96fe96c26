/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <time.h>

#include "safebuild.h"

#include "base/mem.h"
#include "base/size.h"
#include "cli/command.h"
#include "cli/explore_screen.h"
#include "cli/report.h"
#include "cli/secret_option.h"
#include "cli/store_options.h"
#include "cli/terminal.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);
static void release(void *fields);

struct explore_fields {
	const char *root;
	const char *platform;
	const char *name;
	struct sb_secret_list secrets;
};

static const struct sb_option options[] = {
	{"secret", 0, SB_OPTION_PARSED, "SPEC", offsetof(struct explore_fields, secrets),
		"a secret whose value is not to be shown: id=ID[,src=FILE|,env=VAR] (repeatable)",
		sb_secret_option_parse},
	{"platform", 0, SB_OPTION_PARSED, "OS/ARCH", offsetof(struct explore_fields, platform),
		"of an image with several (default: the host's)", sb_platform_option_parse},
	{"name", 0, SB_OPTION_TEXT, "NAME", offsetof(struct explore_fields, name),
		"which of several images in a folder or archive", NULL},
	SB_OPTION_ROW_ROOT(struct explore_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_inspect_explore = {
	.name = "inspect explore",
	.usage = "inspect explore [options] IMAGE",
	.summary =
		"look around in an image's layers and files on the terminal, also in deleted ones",
	.details = "IMAGE is as 'safebuild inspect' takes it. Left the layers, right the files "
		   "after one:\n"
		   "green what it added, yellow what it modified, red what it removed, which can "
		   "still be\n"
		   "viewed and extracted. '?' shows all keys; they are dive's, and plain ones.\n",
	.options = options,
	.fields_size = sizeof(struct explore_fields),
	.min_words = 1,
	.max_words = 1,
	.run = run,
	.release = release,
};

static void release(void *fields)
{
	struct explore_fields *f = fields;

	sb_secret_list_release(&f->secrets);
}

/* Content that is shown; more than that nobody reads on a screen. */
enum { MAX_VIEW_BYTES = 4 << 20 };

struct session {
	struct sb_explorer *explorer;
	struct sb_browser *browser;
	struct sb_screen_terminal terminal;
	struct sb_frame frame;
	uint64_t busy_since_ms;
	uint64_t noted_at_ms;
};

static uint64_t now_ms(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Nothing is said of what is done at once. */
static bool on_progress(void *data, uint64_t done, uint64_t total)
{
	enum { PATIENCE_MS = 200, EVERY_MS = 100 };
	struct session *s = data;
	const uint64_t now = now_ms();

	if (now - s->busy_since_ms < PATIENCE_MS || now - s->noted_at_ms < EVERY_MS)
		return true;
	s->noted_at_ms = now;

	sb_autofree char *text = sb_asprintf("reading the layer: %llu %%; esc cancels",
		(unsigned long long)(total > 0 ? done * 100 / total : 0));

	sb_screen_note(text);
	return !sb_screen_wants_out();
}

static void say_error(struct session *s, struct sb_error *err)
{
	if (err->code == SB_E_CANCELLED)
		sb_browser_say(s->browser, false, "cancelled");
	else
		sb_browser_say(s->browser, true, err->message);
}

static void view(struct session *s, const struct sb_wish *wish)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_explored_content content = {0};

	if (sb_explorer_read(s->explorer, wish->layer, wish->entry, MAX_VIEW_BYTES, on_progress, s,
		    &content, &err) < 0)
		say_error(s, &err);
	else
		sb_browser_show(s->browser, &content);
}

static void extract(struct session *s, const struct sb_wish *wish)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_explored_file file;

	sb_explorer_file(s->explorer, wish->layer, wish->entry, &file);
	if (sb_explorer_extract(
		    s->explorer, wish->layer, wish->entry, wish->name, on_progress, s, &err) < 0) {
		say_error(s, &err);
		return;
	}

	sb_autofree char *size = sb_size_format(file.size_bytes);
	sb_autofree char *text = sb_asprintf("%s written to %s", size, wish->name);

	sb_browser_say(s->browser, false, text);
}

static void browse(struct session *s)
{
	struct sb_wish wish = {0};

	while (wish.kind != SB_WISH_QUIT) {
		uint32_t key = 0;
		bool is_over = false;

		sb_screen_draw(s->browser, &s->frame, &s->terminal);
		if (!sb_screen_key(&key, &is_over)) {
			if (is_over)
				return;
			continue;
		}
		wish = sb_browser_key(s->browser, key);
		s->busy_since_ms = s->noted_at_ms = now_ms();
		if (wish.kind == SB_WISH_VIEW)
			view(s, &wish);
		else if (wish.kind == SB_WISH_EXTRACT)
			extract(s, &wish);
	}
}

static void explorer_file(const void *self, size_t layer, size_t i, struct sb_explored_file *out)
{
	sb_explorer_file(self, layer, i, out);
}

/* The tree takes a moment for a large image: it is made while the terminal is still as it was. */
static int explore(const struct sb_cli *cli, struct sb_explorer *explorer, struct sb_error *err)
{
	const struct sb_explore_source source = {
		.image = sb_explorer_image(explorer), .file = explorer_file, .self = explorer};
	struct session s = {.explorer = explorer};
	SB_AUTO(sb_browser) browser = sb_browser_new(&source);

	s.browser = browser;
	if (sb_screen_terminal_begin(cli->out, &s.terminal, err) < 0)
		return -1;
	sb_screen_begin(&s.terminal);
	browse(&s);
	sb_screen_terminal_end(&s.terminal);
	sb_frame_release(&s.frame);
	return SB_EXIT_DONE;
}

static int open_image(const struct sb_cli *cli, const struct sb_explore_options *o,
	struct sb_explorer **out, struct sb_error *err)
{
	const bool is_live = sb_terminal_is_live(cli->err);

	if (is_live)
		(void)fputs("reading the image\r", cli->err);

	const int rc = sb_explorer_open(o, out, err);

	if (is_live)
		(void)fputs("\033[K", cli->err);
	return rc;
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct explore_fields *f = fields;
	struct sb_explore_options o = SB_EXPLORE_OPTIONS_INIT;
	struct sb_explorer *explorer = NULL;

	o.root = f->root;
	o.image = words->items[0];
	o.name = f->name;
	o.platform = f->platform;
	o.secrets = f->secrets.items;
	o.n_secrets = f->secrets.len;
	if (sb_screen_terminal_check(cli->out, err) < 0 || open_image(cli, &o, &explorer, err) < 0)
		return -1;

	const int status = explore(cli, explorer, err);

	sb_explorer_free(explorer);
	return status;
}
