/* SPDX-License-Identifier: MIT */
#include "sandbox/server.h"

int main(int argc, char **argv)
{
	return sb_server_main(argc, argv);
}
