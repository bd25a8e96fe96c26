/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "sandbox/agent_proxy.h"
#include "sandbox/server.h"

/* Nothing is buffered. What a sanitizer does at an exit takes one more process, and the one that
 * waits for it would wait for ever if that were killed, as any of a build's processes may be. */
int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], sb_agent_proxy_word) == 0)
		_exit(sb_agent_proxy_main(argc, argv));
	_exit(sb_server_main(argc, argv));
}
