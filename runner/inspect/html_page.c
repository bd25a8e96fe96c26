/* SPDX-License-Identifier: MIT */
#include "inspect/html_page.h"

#include <stdarg.h>
#include <string.h>

#include "base/columns.h"
#include "base/digest.h"
#include "base/escape.h"
#include "base/mem.h"

void sb_html_add(struct sb_html *html, const char *markup)
{
	if (!sb_error_is_set(html->err) && sb_buf_add_str(&html->text, markup, html->err) < 0)
		(void)sb_error_context(html->err, "report");
}

static const char *entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* Printable text with what means something in HTML, also in an attribute, written as entities. */
static void add_escaped(struct sb_html *html, const char *text)
{
	while (*text != '\0') {
		const size_t n = strcspn(text, "&<>\"'");
		sb_autofree char *plain = sb_memdup0(text, n);

		sb_html_add(html, plain);
		text += n;
		if (*text != '\0')
			sb_html_add(html, entity_of(*text++));
	}
}

void sb_html_text(struct sb_html *html, const char *text)
{
	sb_autofree char *safe = sb_escape_text(text, strlen(text));

	add_escaped(html, safe);
}

void sb_html_text_cut(struct sb_html *html, const char *text, size_t columns)
{
	sb_autofree char *safe = sb_escape_text(text, strlen(text));
	sb_autofree char *cut = sb_columns_fit(safe, columns);

	add_escaped(html, cut);
}

void sb_html_path(struct sb_html *html, const char *path, size_t columns)
{
	sb_autofree char *safe = sb_escape_text(path, strlen(path));
	sb_autofree char *cut = sb_columns_fit_middle(safe, columns);

	add_escaped(html, cut);
}

void sb_html_textf(struct sb_html *html, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	sb_autofree char *text = sb_vasprintf(fmt, args);
	va_end(args);
	sb_html_text(html, text);
}

/* SVG, since a width in a style attribute is what the page's policy forbids. */
void sb_html_bar(struct sb_html *html, uint64_t part, uint64_t dead, uint64_t whole)
{
	const double scale = whole > 0 ? 100.0 / (double)whole : 0;
	/* What there is should be seen. */
	const double least = part > 0 ? 0.8 : 0;
	const double exact = (double)part * scale;
	const double width = exact > least ? exact : least;
	const double dead_width = dead < part ? (double)dead * scale : width;
	sb_autofree char *rects = sb_asprintf("<svg class=\"bar\" aria-hidden=\"true\">"
					      "<rect class=\"live\" width=\"%.2f%%\" "
					      "height=\"100%%\"/><rect class=\"dead\" x=\"%.2f%%\" "
					      "width=\"%.2f%%\" height=\"100%%\"/></svg>",
		width, width - dead_width, dead_width);

	sb_html_add(html, rects);
}

static unsigned hex_value(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
}

/* A digest as Content-Security-Policy has it: "sha256-" and base64 (CSP level 3, section 2.3.1). */
static char *policy_hash(const char *text)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	struct sb_digest digest;
	char encoded[45];
	size_t n = 0;
	unsigned bits = 0;
	unsigned n_bits = 0;

	sb_digest_of(text, strlen(text), &digest);
	for (const char *p = sb_digest_hex(&digest); *p != '\0'; p++) {
		bits = bits << 4 | hex_value(*p);
		n_bits += 4;
		if (n_bits < 6)
			continue;
		n_bits -= 6;
		encoded[n++] = alphabet[bits >> n_bits & 63];
	}
	/* 256 bits are 42 characters of 6, one of 4, and padding to a multiple of four. */
	encoded[n++] = alphabet[bits << (6 - n_bits) & 63];
	encoded[n++] = '=';
	encoded[n] = '\0';
	return sb_asprintf("sha256-%s", encoded);
}

void sb_html_begin(struct sb_html *html, const char *title)
{
	sb_autofree char *hash = policy_hash(sb_html_style);

	sb_html_add(html, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
			  "'none'; style-src '");
	sb_html_add(html, hash);
	sb_html_add(html,
		"'; base-uri 'none'; form-action 'none'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
	sb_html_text_cut(html, title, 200);
	sb_html_add(html, "</title>\n<style>");
	sb_html_add(html, sb_html_style);
	sb_html_add(html, "</style>\n</head>\n<body>\n");
}

int sb_html_finish(struct sb_html *html, char **out)
{
	sb_html_add(html, "</body>\n</html>\n");
	if (sb_error_is_set(html->err)) {
		sb_buf_release(&html->text);
		return -1;
	}
	*out = sb_buf_steal(&html->text);
	return 0;
}
