/* SPDX-License-Identifier: MIT */
#include "base/columns.h"
#include "explore/browser.h"
#include "explore_fixture.h"

struct screen {
	struct sb_browser *browser;
	struct sb_frame frame;
};

static int set_up(void **state)
{
	struct screen *screen = SB_NEW(struct screen);

	screen->browser = sb_browser_new(&fixture_source);
	screen->frame = (struct sb_frame){.columns = 100, .rows = 30, .is_utf8 = true};
	sb_browser_draw(screen->browser, &screen->frame);
	*state = screen;
	return 0;
}

static int tear_down(void **state)
{
	struct screen *screen = *state;

	sb_browser_free(screen->browser);
	sb_frame_release(&screen->frame);
	free(screen);
	return 0;
}

static struct sb_wish press(struct screen *screen, uint32_t key)
{
	const struct sb_wish wish = sb_browser_key(screen->browser, key);

	sb_browser_draw(screen->browser, &screen->frame);
	return wish;
}

static void type(struct screen *screen, const char *keys)
{
	for (; *keys != '\0'; keys++)
		(void)press(screen, (unsigned char)*keys);
}

static bool shows(const struct screen *screen, const char *text)
{
	for (unsigned y = 0; y < screen->frame.rows; y++) {
		sb_autofree char *line = sb_frame_line(&screen->frame, y);

		if (strstr(line, text) != NULL)
			return true;
	}
	return false;
}

/* The text of the row with the cursor. */
static bool selects(const struct screen *screen, const char *text)
{
	SB_ARRAY_FOREACH (&screen->frame.runs, run)
		if (run->is_selected && strstr(run->text, text) != NULL)
			return true;
	return false;
}

/* In the pane of the files, whatever the size. */
static void go_to_secret(struct screen *screen)
{
	type(screen, "jj\t/secret\r");
	(void)press(screen, 'G');
	assert_true(selects(screen, "secret.txt"));
}

static void it_shows_layers_details_and_files(void **state)
{
	struct screen *screen = *state;

	assert_true(shows(screen, "fixture:1"));
	assert_true(shows(screen, "ADD rootfs.tar /"));
	assert_true(shows(screen, "128 B hidden"));
	assert_true(shows(screen, "98.77 %, wasted 30 B"));
	assert_true(shows(screen, "-rwsr-xr-x"));
	assert_true(shows(screen, "etc/secret.txt"));
	type(screen, "jj");
	assert_true(shows(screen, "+2  ~1  -5"));
	assert_true(shows(screen, "Files after layer 3: its changes"));
	(void)press(screen, SB_CONTROL('a'));
	assert_true(shows(screen, "changes since 1"));
	(void)press(screen, SB_CONTROL('l'));
	assert_true(shows(screen, "its changes"));
}

static void a_deleted_file_can_be_viewed(void **state)
{
	struct screen *screen = *state;

	go_to_secret(screen);
	assert_true(shows(screen, "of layer 2, still readable"));

	const struct sb_wish wish = press(screen, 'v');

	assert_int_equal(wish.kind, SB_WISH_VIEW);
	assert_int_equal(wish.layer, 1);
	assert_int_equal(wish.entry, 3);

	const struct sb_explored_content content = {
		.bytes = sb_strdup("a\tb\033[31m\n"), .len = 9, .size_bytes = 9};

	sb_browser_show(screen->browser, &content);
	sb_browser_draw(screen->browser, &screen->frame);
	assert_true(shows(screen, "layer 2: etc/secret.txt"));
	assert_true(shows(screen, "a       b\\x1b[31m"));
	(void)press(screen, 'x');
	assert_true(shows(screen, "61 09 62 1b"));
	(void)press(screen, 'q');
	assert_true(shows(screen, "Layers"));
	assert_int_equal(press(screen, 'q').kind, SB_WISH_QUIT);
}

static void extracting_asks_for_a_name(void **state)
{
	struct screen *screen = *state;

	go_to_secret(screen);
	assert_int_equal(press(screen, SB_CONTROL('e')).kind, SB_WISH_NOTHING);
	assert_true(shows(screen, "extract to: secret.txt"));
	assert_true(screen->frame.has_cursor);
	(void)press(screen, SB_KEY_BACKSPACE);
	(void)press(screen, 0xe4);

	const struct sb_wish wish = press(screen, SB_KEY_ENTER);

	assert_int_equal(wish.kind, SB_WISH_EXTRACT);
	assert_int_equal(wish.layer, 1);
	assert_int_equal(wish.entry, 3);
	assert_string_equal(wish.name, "secret.tx\xc3\xa4");
	(void)press(screen, 'e');
	assert_int_equal(press(screen, SB_KEY_ESCAPE).kind, SB_WISH_NOTHING);
	assert_false(screen->frame.has_cursor);
}

static void what_has_no_content_says_so(void **state)
{
	struct screen *screen = *state;

	type(screen, "jj\t");
	assert_true(selects(screen, "app/"));
	assert_int_equal(press(screen, 'v').kind, SB_WISH_NOTHING);
	assert_true(shows(screen, "no layer lists this folder"));
	type(screen, "/link\r");
	(void)press(screen, 'G');
	assert_int_equal(press(screen, 'v').kind, SB_WISH_NOTHING);
	assert_true(shows(screen, "a link has no content of its own"));
	(void)press(screen, 'j');
	assert_false(shows(screen, "a link has no content of its own"));
}

static void plain_keys_and_those_with_control_do_the_same(void **state)
{
	static const uint32_t pairs[][2] = {{'a', SB_CONTROL('a')}, {'r', SB_CONTROL('r')},
		{'n', SB_CONTROL('u')}, {'b', SB_CONTROL('b')}, {'o', SB_CONTROL('o')}, {'z', 0}};
	struct screen *screen = *state;

	type(screen, "jj\t");
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		sb_autofree char *before = sb_frame_line(&screen->frame, 3);
		sb_autofree char *foot_before = sb_frame_line(&screen->frame, 28);

		(void)press(screen, pairs[i][0]);

		sb_autofree char *line = sb_frame_line(&screen->frame, 3);
		sb_autofree char *foot = sb_frame_line(&screen->frame, 28);

		assert_true(strcmp(before, line) != 0 || strcmp(foot_before, foot) != 0);
		(void)press(screen, pairs[i][1]);

		sb_autofree char *after = sb_frame_line(&screen->frame, 3);

		if (pairs[i][0] != 'z') /* folds by hand stay by hand */
			assert_string_equal(before, after);
	}
}

enum { N_LONG = 30 };
static char long_paths[N_LONG][200];

static void long_file(const void *self, size_t layer, size_t i, struct sb_explored_file *out)
{
	(void)self;
	(void)layer;
	(void)snprintf(long_paths[i], sizeof(long_paths[i]), "%02zu-begin%0120dend", i, 0);
	*out = (struct sb_explored_file){.path = long_paths[i], .type = '-', .gone_layer = NEVER};
}

static void long_names_wrap_or_are_cut(void **state)
{
	static const struct sb_explored_layer layer = {"", "", "", 1, 1, 0, N_LONG};
	static const struct sb_explored_image image = {
		.name = "", .platform = "", .user = "", .layers = &layer, .n_layers = 1};
	static const struct sb_explore_source source = {.image = &image, .file = long_file};
	struct screen *screen = *state;

	sb_browser_free(screen->browser);
	screen->browser = sb_browser_new(&source);
	screen->frame.columns = 50;
	screen->frame.rows = 12;
	type(screen, "\t");
	assert_true(shows(screen, "06-begin"));
	(void)press(screen, SB_CONTROL('p'));
	assert_true(shows(screen, "00-begin00"));
	assert_true(shows(screen, "01-begin00"));
	assert_false(shows(screen, "06-begin"));
	/* The cursor's file is to be seen, wherever it goes. */
	for (size_t i = 1; i < N_LONG; i++) {
		sb_autofree char *name = sb_asprintf("%02zu-begin", i);

		(void)press(screen, 'j');
		assert_true(selects(screen, name));
	}
	(void)press(screen, 'g');
	assert_true(selects(screen, "00-begin"));
	(void)press(screen, 'w');
	assert_true(shows(screen, "06-begin"));
}

static void the_cursor_stays_on_its_file(void **state)
{
	struct screen *screen = *state;

	type(screen, "j\t/passwd\r");
	(void)press(screen, 'G');
	assert_true(selects(screen, "passwd"));
	(void)press(screen, SB_KEY_ESCAPE);
	assert_true(selects(screen, "passwd"));
	type(screen, "\tj\t");
	assert_true(selects(screen, "passwd"));
	type(screen, "z");
	assert_true(selects(screen, "etc/"));
}

static void escape_drops_the_filter(void **state)
{
	struct screen *screen = *state;

	type(screen, "/sh");
	assert_true(shows(screen, "filter: sh"));
	(void)press(screen, SB_KEY_ESCAPE);
	assert_false(shows(screen, "filter:"));
	(void)press(screen, SB_CONTROL('f'));
	type(screen, "nothing like that\r");
	assert_true(shows(screen, "nothing to show"));
	assert_int_equal(press(screen, 'v').kind, SB_WISH_NOTHING);
	assert_int_equal(press(screen, 'e').kind, SB_WISH_NOTHING);
	assert_int_equal(press(screen, ' ').kind, SB_WISH_NOTHING);
	(void)press(screen, SB_KEY_LEFT);
	(void)press(screen, SB_KEY_ESCAPE);
	assert_true(shows(screen, "sh"));
}

/* Nothing is drawn outside, whatever the size and the mode; and nothing that a terminal would take
 * for anything but letters. */
static void every_size_works(void **state)
{
	static const unsigned sizes[][2] = {{80, 24}, {200, 60}, {40, 10}, {69, 10}, {70, 11},
		{41, 200}, {500, 12}, {1, 1}, {39, 24}, {80, 9}, {64, 15}};
	static const char *const keys[] = {"", "\t", "?", "e", "/x"};
	struct screen *screen = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			screen->frame.columns = sizes[i][0];
			screen->frame.rows = sizes[i][1];
			sb_browser_draw(screen->browser, &screen->frame);
			type(screen, keys[k]);
			SB_ARRAY_FOREACH (&screen->frame.runs, run) {
				assert_true(run->y < screen->frame.rows);
				assert_true(
					run->x + sb_columns_of(run->text) <= screen->frame.columns);
				assert_null(strpbrk(run->text, "\033\n\r\t"));
			}
			(void)press(screen, SB_KEY_ESCAPE);
		}
	}
}

static void without_utf8_it_is_ascii(void **state)
{
	struct screen *screen = *state;

	screen->frame.is_utf8 = false;
	type(screen, "jj\t");
	SB_ARRAY_FOREACH (&screen->frame.runs, run)
		for (const char *p = run->text; *p != '\0'; p++)
			assert_true(*p >= ' ' && *p < 0x7f);
	assert_true(shows(screen, "+- Layers"));
	assert_true(shows(screen, "link > server"));
}

static void an_image_of_nothing_can_be_looked_at(void **state)
{
	static const struct sb_explored_image empty = {.name = "x", .platform = "", .user = ""};
	static const struct sb_explore_source source = {.image = &empty, .file = fixture_file};
	struct screen *screen = *state;

	sb_browser_free(screen->browser);
	screen->browser = sb_browser_new(&source);
	type(screen, "jk\tjkhlz v/x\r\tG\r");
	assert_true(shows(screen, "none"));
	assert_true(shows(screen, "0 layers"));
}

/* A fixed sequence that looks like chance. */
static uint32_t next_number(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void any_keys_in_any_order_do_no_harm(void **state)
{
	enum { N_KEYS = 10000 };
	static const uint32_t keys[] = {SB_KEY_UP, SB_KEY_DOWN, SB_KEY_LEFT, SB_KEY_RIGHT,
		SB_KEY_PAGE_UP, SB_KEY_PAGE_DOWN, SB_KEY_HOME, SB_KEY_END, SB_KEY_BACKSPACE,
		SB_KEY_BACKTAB, SB_KEY_ESCAPE, SB_KEY_ENTER, '\t', '\t', 0xe4, 0x1f600, 0x10ffff};
	struct screen *screen = *state;
	uint32_t chance = 1;
	size_t n_viewed = 0;

	for (int i = 0; i < N_KEYS; i++) {
		const uint32_t n = next_number(&chance);
		const bool is_special = n % 3 == 0;
		const uint32_t key =
			is_special ? keys[n / 3 % (sizeof(keys) / sizeof(keys[0]))] : n / 3 % 128;

		screen->frame.columns = n % 50 == 0 ? 1 + n / 50 % 200 : screen->frame.columns;
		screen->frame.rows = n % 70 == 0 ? 1 + n / 70 % 60 : screen->frame.rows;

		const struct sb_wish wish = press(screen, key);

		assert_true(wish.kind != SB_WISH_EXTRACT || wish.name[0] != '\0');
		if (wish.kind != SB_WISH_VIEW)
			continue;

		const struct sb_explored_content content = {
			.bytes = sb_memdup0("a\0b\n\xff", 5), .len = n % 6, .size_bytes = 5};

		sb_browser_show(screen->browser, &content);
		n_viewed++;
	}
	assert_true(n_viewed > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			it_shows_layers_details_and_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_deleted_file_can_be_viewed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(extracting_asks_for_a_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_has_no_content_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			plain_keys_and_those_with_control_do_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_names_wrap_or_are_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_cursor_stays_on_its_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(escape_drops_the_filter, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_size_works, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_utf8_it_is_ascii, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			any_keys_in_any_order_do_no_harm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_image_of_nothing_can_be_looked_at, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
