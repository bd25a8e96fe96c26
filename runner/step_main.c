/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sandbox/agent_proxy.h"
#include "sandbox/server.h"

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], sb_agent_proxy_word) == 0)
		return sb_agent_proxy_main(argc, argv);
	return sb_server_main(argc, argv);
}
