/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "leak/needles.h"
#include "leak/scan.h"

#define SB_TEXT(literal) literal, sizeof(literal) - 1

/* Written by other programs: Python's json, urllib, shlex, html, base64 and repr, bash's printf %q.
 */
struct written {
	const char *value;
	const char *text;
	size_t len;
	const char *form;
};

/* clang-format off */
static const struct written cases[] = {
	{"Tr0ub4dor&3-horse", SB_TEXT("dXNlcjpUcjB1YjRkb3ImMy1ob3JzZQo="), "base64"},
	{"Tr0ub4dor&3-horse", SB_TEXT("eyJhdXRoIjoiZFRwVWNqQjFZalJrYjNJbU15MW9iM0p6WlE9PSJ9"), "base64 of base64"},
	{"Tr0ub4dor&3-horse", SB_TEXT("547230756234646f7226332d686f727365"), "hex"},
	{"Tr0ub4dor&3-horse", SB_TEXT("547230756234646F7226332D686F727365"), "hex"},
	{"Tr0ub4dor&3-horse", SB_TEXT("Tr0ub4dor%263-horse"), "percent"},
	{"Tr0ub4dor&3-horse", SB_TEXT("%54%72%30%75%62%34%64%6f%72%26%33%2d%68%6f%72%73%65"), "percent"},
	{"Tr0ub4dor&3-horse", SB_TEXT("%54%72%30%75%62%34%64%6F%72%26%33%2D%68%6F%72%73%65"), "percent"},
	{"Tr0ub4dor&3-horse", SB_TEXT("\"Tr0ub4dor\\u00263-horse\""), "json"},
	{"Tr0ub4dor&3-horse", SB_TEXT("\\u0054\\u0072\\u0030\\u0075\\u0062\\u0034\\u0064\\u006f\\u0072\\u0026\\u0033\\u002d\\u0068\\u006f\\u0072\\u0073\\u0065"), "json"},
	{"Tr0ub4dor&3-horse", SB_TEXT("Tr0ub4dor\\&3-horse"), "shell"},
	{"Tr0ub4dor&3-horse", SB_TEXT("\\124\\162\\060\\165\\142\\064\\144\\157\\162\\046\\063\\055\\150\\157\\162\\163\\145"), "c"},
	{"Tr0ub4dor&3-horse", SB_TEXT("\\x54\\x72\\x30\\x75\\x62\\x34\\x64\\x6f\\x72\\x26\\x33\\x2d\\x68\\x6f\\x72\\x73\\x65"), "c"},
	{"Tr0ub4dor&3-horse", SB_TEXT("Tr0ub4dor&amp;3-horse"), "xml"},
	{"Tr0ub4dor&3-horse", SB_TEXT("&#84;&#114;&#48;&#117;&#98;&#52;&#100;&#111;&#114;&#38;&#51;&#45;&#104;&#111;&#114;&#115;&#101;"), "xml"},
	{"Tr0ub4dor&3-horse", SB_TEXT("&#x54;&#x72;&#x30;&#x75;&#x62;&#x34;&#x64;&#x6f;&#x72;&#x26;&#x33;&#x2d;&#x68;&#x6f;&#x72;&#x73;&#x65;"), "xml"},
	{"Tr0ub4dor&3-horse", SB_TEXT("&#x54;&#x72;&#x30;&#x75;&#x62;&#x34;&#x64;&#x6F;&#x72;&#x26;&#x33;&#x2D;&#x68;&#x6F;&#x72;&#x73;&#x65;"), "xml"},
	{"Tr0ub4dor&3-horse", SB_TEXT("T\x00r\x00" "0\x00u\x00" "b\x00" "4\x00" "d\x00o\x00r\x00&\x00" "3\x00-\x00h\x00o\x00r\x00s\x00" "e\x00"), "utf-16"},
	{"Tr0ub4dor&3-horse", SB_TEXT("\x00T\x00r\x00" "0\x00u\x00" "b\x00" "4\x00" "d\x00o\x00r\x00&\x00" "3\x00-\x00h\x00o\x00r\x00s\x00" "e"), "utf-16"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("dXNlcjphImInY1xkL2UmZjxnPmggaSRqfmsK"), "base64"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("eyJhdXRoIjoiZFRwaEltSW5ZMXhrTDJVbVpqeG5QbWdnYVNScWZtcz0ifQ=="), "base64 of base64"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("61226227635c642f6526663c673e682069246a7e6b"), "hex"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("61226227635C642F6526663C673E682069246A7E6B"), "hex"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("a%22b%27c%5Cd%2Fe%26f%3Cg%3Eh%20i%24j~k"), "percent"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("a%22b%27c%5Cd/e%26f%3Cg%3Eh%20i%24j~k"), "percent"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("a%22b%27c%5Cd%2Fe%26f%3Cg%3Eh+i%24j~k"), "percent"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("a%22b%27c%5cd%2fe%26f%3cg%3eh%20i%24j~k"), "percent"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("%61%22%62%27%63%5C%64%2F%65%26%66%3C%67%3E%68%20%69%24%6A%7E%6B"), "percent"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("\"a\\\"b'c\\\\d/e&f<g>h i$j~k\""), "json"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("\"a\\\"b'c\\\\d\\/e&f<g>h i$j~k\""), "json"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("\"\\\"a\\\\\\\"b'c\\\\\\\\d/e&f<g>h i$j~k\\\"\""), "json"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("\"a\\\"b'c\\\\d/e\\u0026f\\u003cg\\u003eh i$j~k\""), "json"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("\\u0061\\u0022\\u0062\\u0027\\u0063\\u005c\\u0064\\u002f\\u0065\\u0026\\u0066\\u003c\\u0067\\u003e\\u0068\\u0020\\u0069\\u0024\\u006a\\u007e\\u006b"), "json"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("'a\"b'\"'\"'c\\d/e&f<g>h i$j~k'"), "shell"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("'a\"b'\\''c\\d/e&f<g>h i$j~k'"), "shell"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("a\\\"b\\'c\\\\d/e\\&f\\<g\\>h\\ i\\$j~k"), "shell"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("b'a\"b\\'c\\\\d/e&f<g>h i$j~k'"), "shell"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("\\141\\042\\142\\047\\143\\134\\144\\057\\145\\046\\146\\074\\147\\076\\150\\040\\151\\044\\152\\176\\153"), "c"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("\\x61\\x22\\x62\\x27\\x63\\x5c\\x64\\x2f\\x65\\x26\\x66\\x3c\\x67\\x3e\\x68\\x20\\x69\\x24\\x6a\\x7e\\x6b"), "c"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("a\\\"b'c\\\\d/e&f<g>h i$j~k"), "json"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("a&quot;b&#x27;c\\d/e&amp;f&lt;g&gt;h i$j~k"), "xml"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("a\"b'c\\d/e&amp;f&lt;g&gt;h i$j~k"), "xml"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("a&quot;b&apos;c\\d/e&amp;f&lt;g&gt;h i$j~k"), "xml"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("a&quot;b&#39;c\\d/e&amp;f&lt;g&gt;h i$j~k"), "xml"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("&#97;&#34;&#98;&#39;&#99;&#92;&#100;&#47;&#101;&#38;&#102;&#60;&#103;&#62;&#104;&#32;&#105;&#36;&#106;&#126;&#107;"), "xml"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("&#x61;&#x22;&#x62;&#x27;&#x63;&#x5c;&#x64;&#x2f;&#x65;&#x26;&#x66;&#x3c;&#x67;&#x3e;&#x68;&#x20;&#x69;&#x24;&#x6a;&#x7e;&#x6b;"), "xml"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("&#x61;&#x22;&#x62;&#x27;&#x63;&#x5C;&#x64;&#x2F;&#x65;&#x26;&#x66;&#x3C;&#x67;&#x3E;&#x68;&#x20;&#x69;&#x24;&#x6A;&#x7E;&#x6B;"), "xml"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("a\x00\"\x00" "b\x00'\x00" "c\x00\\\x00" "d\x00/\x00" "e\x00&\x00" "f\x00<\x00g\x00>\x00h\x00 \x00i\x00$\x00j\x00~\x00k\x00"), "utf-16"},
	{"a\"b'c\\d/e&f<g>h i$j~k", SB_TEXT("\x00" "a\x00\"\x00" "b\x00'\x00" "c\x00\\\x00" "d\x00/\x00" "e\x00&\x00" "f\x00<\x00g\x00>\x00h\x00 \x00i\x00$\x00j\x00~\x00k"), "utf-16"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("dXNlcjpww6RzcyB3w7ZydCDigqwg8J+UkQo="), "base64"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("eyJhdXRoIjoiZFRwd3c2UnpjeUIzdzdaeWRDRGlncXdnOEorVWtRPT0ifQ=="), "base64 of base64"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("70c3a473732077c3b6727420e282ac20f09f9491"), "hex"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("70C3A473732077C3B6727420E282AC20F09F9491"), "hex"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("p%C3%A4ss%20w%C3%B6rt%20%E2%82%AC%20%F0%9F%94%91"), "percent"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("p%C3%A4ss+w%C3%B6rt+%E2%82%AC+%F0%9F%94%91"), "percent"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("p%c3%a4ss%20w%c3%b6rt%20%e2%82%ac%20%f0%9f%94%91"), "percent"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("%70%C3%A4%73%73%20%77%C3%B6%72%74%20%E2%82%AC%20%F0%9F%94%91"), "percent"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("\"p\\u00e4ss w\\u00f6rt \\u20ac \\ud83d\\udd11\""), "json"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("\\u0070\\u00e4\\u0073\\u0073\\u0020\\u0077\\u00f6\\u0072\\u0074\\u0020\\u20ac\\u0020\\ud83d\\udd11"), "json"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("b'p\\xc3\\xa4ss w\\xc3\\xb6rt \\xe2\\x82\\xac \\xf0\\x9f\\x94\\x91'"), "c"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("\\160\\303\\244\\163\\163\\040\\167\\303\\266\\162\\164\\040\\342\\202\\254\\040\\360\\237\\224\\221"), "c"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("\\x70\\xc3\\xa4\\x73\\x73\\x20\\x77\\xc3\\xb6\\x72\\x74\\x20\\xe2\\x82\\xac\\x20\\xf0\\x9f\\x94\\x91"), "c"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("p\\303\\244ss w\\303\\266rt \\342\\202\\254 \\360\\237\\224\\221"), "c"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("&#112;&#228;&#115;&#115;&#32;&#119;&#246;&#114;&#116;&#32;&#8364;&#32;&#128273;"), "xml"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("&#x70;&#xe4;&#x73;&#x73;&#x20;&#x77;&#xf6;&#x72;&#x74;&#x20;&#x20ac;&#x20;&#x1f511;"), "xml"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("&#x70;&#xE4;&#x73;&#x73;&#x20;&#x77;&#xF6;&#x72;&#x74;&#x20;&#x20AC;&#x20;&#x1F511;"), "xml"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("p\x00\xe4\x00s\x00s\x00 \x00w\x00\xf6\x00r\x00t\x00 \x00\xac  \x00=\xd8\x11\xdd"), "utf-16"},
	{"p\xc3\xa4ss w\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91", SB_TEXT("\x00p\x00\xe4\x00s\x00s\x00 \x00w\x00\xf6\x00r\x00t\x00  \xac\x00 \xd8=\xdd\x11"), "utf-16"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("dXNlcjp0d28gbGluZXMKIm9mIiBpdAl0YWIK"), "base64"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("eyJhdXRoIjoiZFRwMGQyOGdiR2x1WlhNS0ltOW1JaUJwZEFsMFlXST0ifQ=="), "base64 of base64"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("74776f206c696e65730a226f662220697409746162"), "hex"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("74776F206C696E65730A226F662220697409746162"), "hex"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("two%20lines%0A%22of%22%20it%09tab"), "percent"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("two+lines%0A%22of%22+it%09tab"), "percent"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("two%20lines%0a%22of%22%20it%09tab"), "percent"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("%74%77%6F%20%6C%69%6E%65%73%0A%22%6F%66%22%20%69%74%09%74%61%62"), "percent"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("\"two lines\\n\\\"of\\\" it\\ttab\""), "json"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("\"\\\"two lines\\\\n\\\\\\\"of\\\\\\\" it\\\\ttab\\\"\""), "json"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("\\u0074\\u0077\\u006f\\u0020\\u006c\\u0069\\u006e\\u0065\\u0073\\u000a\\u0022\\u006f\\u0066\\u0022\\u0020\\u0069\\u0074\\u0009\\u0074\\u0061\\u0062"), "json"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("$'two lines\\n\"of\" it\\ttab'"), "shell"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("b'two lines\\n\"of\" it\\ttab'"), "shell"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("\\164\\167\\157\\040\\154\\151\\156\\145\\163\\012\\042\\157\\146\\042\\040\\151\\164\\011\\164\\141\\142"), "c"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("\\x74\\x77\\x6f\\x20\\x6c\\x69\\x6e\\x65\\x73\\x0a\\x22\\x6f\\x66\\x22\\x20\\x69\\x74\\x09\\x74\\x61\\x62"), "c"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("two lines\\n\\\"of\\\" it\\ttab"), "json"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("two lines\n&quot;of&quot; it\x09tab"), "xml"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("&#116;&#119;&#111;&#32;&#108;&#105;&#110;&#101;&#115;&#10;&#34;&#111;&#102;&#34;&#32;&#105;&#116;&#9;&#116;&#97;&#98;"), "xml"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("&#x74;&#x77;&#x6f;&#x20;&#x6c;&#x69;&#x6e;&#x65;&#x73;&#xa;&#x22;&#x6f;&#x66;&#x22;&#x20;&#x69;&#x74;&#x9;&#x74;&#x61;&#x62;"), "xml"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("&#x74;&#x77;&#x6F;&#x20;&#x6C;&#x69;&#x6E;&#x65;&#x73;&#xA;&#x22;&#x6F;&#x66;&#x22;&#x20;&#x69;&#x74;&#x9;&#x74;&#x61;&#x62;"), "xml"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("t\x00w\x00o\x00 \x00l\x00i\x00n\x00" "e\x00s\x00\n\x00\"\x00o\x00" "f\x00\"\x00 \x00i\x00t\x00\x09\x00t\x00" "a\x00" "b\x00"), "utf-16"},
	{"two lines\n\"of\" it\x09tab", SB_TEXT("\x00t\x00w\x00o\x00 \x00l\x00i\x00n\x00" "e\x00s\x00\n\x00\"\x00o\x00" "f\x00\"\x00 \x00i\x00t\x00\x09\x00t\x00" "a\x00" "b"), "utf-16"},
	{"plainword9", SB_TEXT("dXNlcjpwbGFpbndvcmQ5Cg=="), "base64"},
	{"plainword9", SB_TEXT("eyJhdXRoIjoiZFRwd2JHRnBibmR2Y21RNSJ9"), "base64 of base64"},
	{"plainword9", SB_TEXT("706c61696e776f726439"), "hex"},
	{"plainword9", SB_TEXT("706C61696E776F726439"), "hex"},
	{"plainword9", SB_TEXT("%70%6C%61%69%6E%77%6F%72%64%39"), "percent"},
	{"plainword9", SB_TEXT("\\u0070\\u006c\\u0061\\u0069\\u006e\\u0077\\u006f\\u0072\\u0064\\u0039"), "json"},
	{"plainword9", SB_TEXT("\\160\\154\\141\\151\\156\\167\\157\\162\\144\\071"), "c"},
	{"plainword9", SB_TEXT("\\x70\\x6c\\x61\\x69\\x6e\\x77\\x6f\\x72\\x64\\x39"), "c"},
	{"plainword9", SB_TEXT("&#112;&#108;&#97;&#105;&#110;&#119;&#111;&#114;&#100;&#57;"), "xml"},
	{"plainword9", SB_TEXT("&#x70;&#x6c;&#x61;&#x69;&#x6e;&#x77;&#x6f;&#x72;&#x64;&#x39;"), "xml"},
	{"plainword9", SB_TEXT("&#x70;&#x6C;&#x61;&#x69;&#x6E;&#x77;&#x6F;&#x72;&#x64;&#x39;"), "xml"},
	{"plainword9", SB_TEXT("p\x00l\x00" "a\x00i\x00n\x00w\x00o\x00r\x00" "d\x00" "9\x00"), "utf-16"},
	{"plainword9", SB_TEXT("\x00p\x00l\x00" "a\x00i\x00n\x00w\x00o\x00r\x00" "d\x00" "9"), "utf-16"},
};
/* clang-format on */
enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };

static struct sb_secrets *secrets_of(const char *value)
{
	struct sb_secrets *secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_secrets_add_bytes(secrets, "s", value, strlen(value), &err), 0);
	return secrets;
}

static void what_other_programs_write_is_found_at_every_alignment_and_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CASES; i++) {
		SB_AUTO(sb_secrets) secrets = secrets_of(cases[i].value);
		SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);

		for (size_t before = 0; before < 3; before++) {
			const size_t len = before + cases[i].len + 5;
			sb_autofree char *text = sb_malloc(len);

			memset(text, '.', len);
			memcpy(text + before, cases[i].text, cases[i].len);
			for (size_t cut = 0; cut <= len; cut++) {
				struct sb_leak leak = {0};

				sb_scanner_begin(scanner);
				(void)sb_scanner_feed(scanner, text, cut, &leak);
				(void)sb_scanner_feed(scanner, text + cut, len - cut, &leak);
				if (!sb_scanner_end(scanner, &leak))
					fail_msg("case %zu is not found", i);
				if (strcmp(leak.form, cases[i].form) != 0)
					fail_msg("case %zu: '%s'", i, leak.form);
			}
		}
	}
}

static void a_changed_character_is_no_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CASES; i++) {
		SB_AUTO(sb_secrets) secrets = secrets_of(cases[i].value);
		SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);
		sb_autofree char *text = sb_memdup0(cases[i].text, cases[i].len);
		struct sb_leak leak;

		text[cases[i].len / 2] ^= 0x15;
		if (sb_scanner_check(scanner, text, cases[i].len, &leak))
			fail_msg("case %zu: '%s'", i, leak.form);
	}
}

static void forms_that_change_nothing_make_no_needle(void **state)
{
	SB_AUTO(sb_secrets) secrets = secrets_of("plainword9");
	SB_AUTO(sb_needles) needles = sb_needles_new(secrets, SB_NEEDLES_SEARCH);
	size_t n_raw = 0;

	(void)state;
	for (size_t i = 0; i < sb_needles_count(needles); i++) {
		const struct sb_needle *a = sb_needles_at(needles, i);

		n_raw += a->len == 10 && memcmp(a->bytes, "plainword9", 10) == 0;
		for (size_t k = i + 1; k < sb_needles_count(needles); k++) {
			const struct sb_needle *b = sb_needles_at(needles, k);

			assert_false(a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0);
		}
	}
	assert_int_equal(n_raw, 1);
	assert_in_range(sb_needles_count(needles), 15, 40);
}

static void short_values_have_one_needle(void **state)
{
	SB_AUTO(sb_secrets) secrets = secrets_of("hunt2r");
	SB_AUTO(sb_needles) search = sb_needles_new(secrets, SB_NEEDLES_SEARCH);
	SB_AUTO(sb_needles) output = sb_needles_new(secrets, SB_NEEDLES_OUTPUT);

	(void)state;
	assert_int_equal(sb_needles_count(search), 1);
	assert_true(sb_needles_at(search, 0)->is_whole_token);
	assert_int_equal(sb_needles_count(output), 1);
	assert_false(sb_needles_at(output, 0)->is_whole_token);
}

/* The bytes of all needles of a secret of the largest size stay within a few times its own. */
static void very_large_secrets_make_needles_of_bounded_size(void **state)
{
	enum { LEN = 500 << 10 };
	sb_autofree char *json = sb_malloc(LEN + 1);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	uint32_t seed = 7;
	size_t len = 0;
	size_t total = 0;

	(void)state;
	json[len++] = '{';
	while (len + 64 < LEN) {
		len += (size_t)snprintf(json + len, 64, "\"password\": \"");
		for (size_t i = 0; i < 30; i++) {
			seed = seed * 1664525 + 1013904223;
			json[len++] = (char)('!' + 2 + (seed >> 16) % 57);
		}
		json[len++] = '"';
		json[len++] = ',';
	}

	SB_AUTO(sb_secrets) secrets = sb_secrets_new();

	assert_int_equal(sb_secrets_add_bytes(secrets, "j", json, len, &err), 0);

	SB_AUTO(sb_needles) needles = sb_needles_new(secrets, SB_NEEDLES_SEARCH);

	for (size_t i = 0; i < sb_needles_count(needles); i++)
		total += sb_needles_at(needles, i)->len;
	assert_in_range(sb_needles_count(needles), 1000, 8000);
	assert_true(total < 12 * (size_t)LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_other_programs_write_is_found_at_every_alignment_and_cut),
		cmocka_unit_test(a_changed_character_is_no_find),
		cmocka_unit_test(forms_that_change_nothing_make_no_needle),
		cmocka_unit_test(short_values_have_one_needle),
		cmocka_unit_test(very_large_secrets_make_needles_of_bounded_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
