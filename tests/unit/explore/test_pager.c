/* SPDX-License-Identifier: MIT */
#include "base/columns.h"
#include "explore/pager.h"
#include "explore_fixture.h"

struct page {
	struct sb_pager *pager;
	struct sb_frame frame;
};

static struct page open_page(const char *bytes, size_t len, bool is_cut)
{
	const struct sb_explored_content content = {.bytes = sb_memdup0(bytes, len),
		.len = len,
		.size_bytes = is_cut ? len * 2 : len,
		.is_cut = is_cut};

	return (struct page){.pager = sb_pager_new(sb_strdup("title"), &content),
		.frame = {.columns = 40, .rows = 8, .is_utf8 = true}};
}

static void close_page(struct page *page)
{
	sb_pager_free(page->pager);
	sb_frame_release(&page->frame);
}

/* Line i of the content, without the box around it. */
static char *line_of(struct page *page, unsigned i)
{
	const struct sb_rect rect = {0, 0, page->frame.rows, page->frame.columns};

	sb_frame_clear(&page->frame);
	sb_pager_draw(page->pager, &page->frame, &rect);

	sb_autofree char *line = sb_frame_line(&page->frame, i + 1);
	const char *side = "\xe2\x94\x82";
	char *end = strstr(line + 3, side);

	assert_non_null(end);
	while (end > line + 4 && end[-1] == ' ')
		end--;
	*end = '\0';
	return sb_strdup(line + 4);
}

static void check_line(struct page *page, unsigned i, const char *expected)
{
	sb_autofree char *line = line_of(page, i);

	assert_string_equal(line, expected);
}

static void text_has_its_control_characters_escaped(void **state)
{
	static const char text[] = "one\ttab\n\033[2Jgone\r\n\xff not UTF-8 \x7f\nl\xc3\xa4st";
	struct page page = open_page(text, sizeof(text) - 1, false);

	(void)state;
	check_line(&page, 0, "one     tab");
	check_line(&page, 1, "\\x1b[2Jgone\\x0d");
	check_line(&page, 2, "\\xff not UTF-8 \\x7f");
	check_line(&page, 3, "l\xc3\xa4st");
	close_page(&page);
}

static void long_lines_wrap_or_scroll(void **state)
{
	char text[101];
	struct page page;

	(void)state;
	for (int i = 0; i < 100; i++)
		text[i] = (char)('a' + i % 26);
	text[100] = '\n';
	page = open_page(text, sizeof(text), false);
	check_line(&page, 0, "abcdefghijklmnopqrstuvwxyzabcdefghij");
	check_line(&page, 1, "klmnopqrstuvwxyzabcdefghijklmnopqrst");
	sb_pager_toggle_wrap(page.pager);
	check_line(&page, 1, "");
	sb_pager_move(page.pager, SB_PAGER_RIGHT);
	check_line(&page, 0, "ijklmnopqrstuvwxyzabcdefghijklmnopqr");
	sb_pager_move(page.pager, SB_PAGER_LEFT);
	check_line(&page, 0, "abcdefghijklmnopqrstuvwxyzabcdefghij");
	close_page(&page);
}

static void bytes_are_shown_in_hexadecimal(void **state)
{
	static const char bytes[] = "\x7f"
				    "ELF\0\1\2\3 more than sixteen";
	struct page page = open_page(bytes, sizeof(bytes) - 1, false);

	(void)state;
	page.frame.columns = 90;
	check_line(&page, 0,
		"00000000  7f 45 4c 46 00 01 02 03  20 6d 6f 72 65 20 74 68  .ELF.... more th");
	check_line(
		&page, 1, "00000010  61 6e 20 73 69 78 74 65  65 6e                    an sixteen");
	sb_pager_toggle_hex(page.pager);
	check_line(&page, 0,
		"\\x7f"
		"ELF\\x00\\x01\\x02\\x03 more than sixteen");
	close_page(&page);
}

static void it_scrolls_to_both_ends_and_no_further(void **state)
{
	char text[200];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 50; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d\n", i);

	struct page page = open_page(text, len, false);

	check_line(&page, 0, "0");
	sb_pager_move(page.pager, SB_PAGER_UP);
	check_line(&page, 0, "0");
	sb_pager_move(page.pager, SB_PAGER_PAGE_DOWN);
	check_line(&page, 0, "5");
	sb_pager_move(page.pager, SB_PAGER_BOTTOM);
	check_line(&page, 5, "49");
	sb_pager_move(page.pager, SB_PAGER_DOWN);
	check_line(&page, 5, "49");
	/* A wider window keeps the place. */
	page.frame.columns = 60;
	check_line(&page, 5, "49");
	sb_pager_move(page.pager, SB_PAGER_TOP);
	check_line(&page, 0, "0");
	close_page(&page);
}

static void it_says_where_the_content_is_cut(void **state)
{
	struct page page = open_page("abc", 3, true);

	(void)state;
	check_line(&page, 0, "abc");

	sb_autofree char *foot = sb_frame_line(&page.frame, 7);

	assert_non_null(strstr(foot, "6 B, the first 3 B are shown"));
	close_page(&page);
	page = open_page("", 0, false);
	check_line(&page, 0, "(empty)");
	close_page(&page);
}

static void marks_without_width_do_no_harm(void **state)
{
	enum { N = 5000 };
	sb_autofree char *text = sb_malloc(N * 2 + 1);

	(void)state;
	for (size_t i = 0; i < N; i++)
		memcpy(text + i * 2, "\xcc\x81", 2);

	struct page page = open_page(text, N * 2, false);
	sb_autofree char *line = line_of(&page, 0);

	assert_true(sb_columns_of(line) <= 36);
	close_page(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_has_its_control_characters_escaped),
		cmocka_unit_test(long_lines_wrap_or_scroll),
		cmocka_unit_test(bytes_are_shown_in_hexadecimal),
		cmocka_unit_test(it_scrolls_to_both_ends_and_no_further),
		cmocka_unit_test(it_says_where_the_content_is_cut),
		cmocka_unit_test(marks_without_width_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
