/* SPDX-License-Identifier: MIT */
#include "sandbox/agent_message.h"

#include <string.h>

/* The numbers are the protocol's. */
enum { FAILURE = 5, REQUEST_IDENTITIES = 11, SIGN_REQUEST = 13, EXTENSION = 27 };

const uint8_t sb_agent_refusal[SB_AGENT_REFUSAL_BYTES] = {0, 0, 0, 1, FAILURE};

static uint32_t number_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool sb_agent_message_len(const uint8_t header[static SB_AGENT_HEADER_BYTES], size_t *out_len)
{
	const uint32_t len = number_at(header);

	if (len == 0 || len > SB_AGENT_MAX_MESSAGE)
		return false;
	*out_len = len;
	return true;
}

struct fields {
	const uint8_t *p;
	size_t left;
};

/* Takes a field of a length and its bytes. */
static bool take_string(struct fields *f, const uint8_t **out, size_t *out_len)
{
	if (f->left < sizeof(uint32_t))
		return false;

	const size_t len = number_at(f->p);

	if (len > f->left - sizeof(uint32_t))
		return false;
	*out = f->p + sizeof(uint32_t);
	*out_len = len;
	f->p += sizeof(uint32_t) + len;
	f->left -= sizeof(uint32_t) + len;
	return true;
}

/* The key, what is to be signed, and four bytes of flags. */
static bool is_sign_request(struct fields f)
{
	const uint8_t *key = NULL;
	const uint8_t *text = NULL;
	size_t key_len = 0;
	size_t text_len = 0;

	return take_string(&f, &key, &key_len) && take_string(&f, &text, &text_len) &&
	       f.left == sizeof(uint32_t);
}

static bool is_harmless_extension(struct fields f)
{
	static const char *const names[] = {"query", "session-bind@openssh.com"};
	const uint8_t *name = NULL;
	size_t len = 0;

	if (!take_string(&f, &name, &len))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (len == strlen(names[i]) && memcmp(name, names[i], len) == 0)
			return true;
	return false;
}

bool sb_agent_request_may_pass(const uint8_t *message, size_t len)
{
	if (len == 0 || len > SB_AGENT_MAX_MESSAGE)
		return false;

	const struct fields rest = {message + 1, len - 1};

	switch (message[0]) {
	case REQUEST_IDENTITIES:
		return rest.left == 0;
	case SIGN_REQUEST:
		return is_sign_request(rest);
	case EXTENSION:
		return is_harmless_extension(rest);
	default:
		return false;
	}
}
