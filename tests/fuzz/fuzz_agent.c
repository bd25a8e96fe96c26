/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "fuzz.h"
#include "sandbox/agent_message.h"

/* What passes, said in another way: the agent is asked for keys or a signature, or hears one of
 * two names. */
static bool is_known(const uint8_t *message, size_t len)
{
	static const char bind[] = "\0\0\0\30session-bind@openssh.com";
	static const char query[] = "\0\0\0\5query";

	if (message[0] == 11)
		return len == 1;
	if (message[0] == 13)
		return len >= 1 + 3 * sizeof(uint32_t);
	return message[0] == 27 &&
	       ((len >= sizeof(bind) && memcmp(message + 1, bind, sizeof(bind) - 1) == 0) ||
		       (len >= sizeof(query) &&
			       memcmp(message + 1, query, sizeof(query) - 1) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t announced = 0;

	if (len < SB_AGENT_HEADER_BYTES)
		return 0;
	if (sb_agent_message_len(data, &announced))
		SB_BUG_ON(announced == 0 || announced > SB_AGENT_MAX_MESSAGE);

	/* Of just its size, so that reading past it is seen. */
	const size_t n = len - SB_AGENT_HEADER_BYTES;
	sb_autofree uint8_t *message = sb_malloc(n > 0 ? n : 1);

	memcpy(message, data + SB_AGENT_HEADER_BYTES, n);
	if (sb_agent_request_may_pass(message, n))
		SB_BUG_ON(n == 0 || n > SB_AGENT_MAX_MESSAGE || !is_known(message, n));
	return 0;
}
