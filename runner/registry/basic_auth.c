/* SPDX-License-Identifier: MIT */
#include "registry/basic_auth.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

static void encode(const unsigned char *bytes, size_t len, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		const size_t left = len - i;
		const uint32_t group = (uint32_t)bytes[i] << 16 |
				       (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
				       (left > 2 ? bytes[i + 2] : 0);

		*out++ = digits[group >> 18];
		*out++ = digits[group >> 12 & 63];
		*out++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*out++ = left > 2 ? digits[group & 63] : '=';
	}
	*out = '\0';
}

char *sb_basic_auth(const char *user_and_colon, const void *password, size_t len)
{
	static const char scheme[] = "Basic ";
	const size_t user_len = strlen(user_and_colon);
	const size_t both_len = user_len + len;
	sb_autofree char *both = sb_malloc(both_len + 1);
	char *out = sb_malloc(sizeof(scheme) + (both_len + 2) / 3 * 4);

	memcpy(both, user_and_colon, user_len);
	if (len > 0)
		memcpy(both + user_len, password, len);
	memcpy(out, scheme, sizeof(scheme));
	encode((const unsigned char *)both, both_len, out + sizeof(scheme) - 1);
	explicit_bzero(both, both_len);
	return out;
}

char *sb_basic_auth_of(const char *user_info)
{
	return strchr(user_info, ':') != NULL ? sb_basic_auth(user_info, "", 0)
					      : sb_basic_auth(user_info, ":", 1);
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

char *sb_basic_auth_decode(const char *text)
{
	size_t len = strlen(text);
	char *out = NULL;
	size_t n = 0;
	uint32_t bits = 0;

	if (len > 0 && len % 4 == 0)
		len -= text[len - 1] != '=' ? 0 : text[len - 2] == '=' ? 2 : 1;
	if (len % 4 == 1)
		return NULL;
	out = sb_malloc(len / 4 * 3 + 3);
	for (size_t i = 0; i < len; i++) {
		const int value = value_of(text[i]);

		bits = bits << 6 | (uint32_t)(value & 63);
		if (value >= 0 && i % 4 == 0)
			continue;

		const char byte = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);

		if (value < 0 || byte == '\0') {
			explicit_bzero(out, n);
			free(out);
			return NULL;
		}
		out[n++] = byte;
	}
	out[n] = '\0';
	return out;
}
