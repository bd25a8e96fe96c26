/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_PATTERN_TEXT_H
#define SB_LEAK_PATTERN_TEXT_H

#include "leak/pattern_rule.h"

/* Questions about text that the rules have in common. */
bool sb_chars_have(enum sb_charset set, char c);
/* How many from `at` on are in the set, `max` at most. */
size_t sb_chars_count(
	enum sb_charset set, const struct sb_pattern_view *view, size_t at, size_t max);
/* How many characters the set has. */
unsigned sb_chars_alphabet(enum sb_charset set);

/* Can a token begin at `at`? Not behind a letter or digit, but for that of an escape (\n, %3D). */
bool sb_text_begins(const struct sb_pattern_view *view, size_t at);
/* Do the bytes at `at` equal the literal? */
bool sb_text_has(const struct sb_pattern_view *view, size_t at, const char *literal);
/* The same without regard to case. */
bool sb_text_has_any_case(const struct sb_pattern_view *view, size_t at, const char *literal);
/* Where the first byte past blanks (not line ends) is. */
size_t sb_text_skip_blanks(const struct sb_pattern_view *view, size_t at);
/* The same, past line ends and escaped line ends (\n, \r) too. */
size_t sb_text_skip_space(const struct sb_pattern_view *view, size_t at);
/* Where the line of `at` ends, `max` bytes on at most. */
size_t sb_text_line_end(const struct sb_pattern_view *view, size_t at, size_t max);
/* Where the line of `at` begins, `max` bytes back at most. */
size_t sb_text_line_start(const struct sb_pattern_view *view, size_t at, size_t max);
/* The value behind a name: past quotes, blanks and one operator (= : := => or ,); its span is
 * what the quotes hold, or a run without blanks. False without operator or value. */
bool sb_text_assigned(
	const struct sb_pattern_view *view, size_t at, size_t max, struct sb_pattern_span *out);
/* Are the bytes of the span, and 64 on both sides, text? */
bool sb_text_is_printable(const struct sb_pattern_view *view, struct sb_pattern_span span);

/* A variable, template, format or word that stands where a secret would. */
bool sb_text_is_placeholder(const char *text, size_t len);
/* What documents show in the place of a token: EXAMPLE, one character over and over. */
bool sb_text_is_sample(const char *text, size_t len);
/* A word everybody uses for a password that is none; a run of one character. */
bool sb_text_is_stop_word(const char *text, size_t len);
/* 8-4-4-4-12 hex digits. */
bool sb_text_is_uuid(const char *text, size_t len);
/* Decodes base64 of either alphabet into at most `cap` bytes; how many. */
size_t sb_text_unbase64(const char *text, size_t len, char *out, size_t cap);

#endif
