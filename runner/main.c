/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "sys/fd.h"

/* Standard streams that the caller closed become /dev/null: a file opened later must not get their
 * numbers, or messages would be written into it. */
static void fill_standard_streams(void)
{
	while (fcntl(STDIN_FILENO, F_GETFD) < 0 || fcntl(STDOUT_FILENO, F_GETFD) < 0 ||
		fcntl(STDERR_FILENO, F_GETFD) < 0) {
		int fd = -1;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_fd_open_user("/dev/null", "standard stream", &fd, &err) < 0)
			_exit(3);
	}
}

int main(int argc, char **argv)
{
	fill_standard_streams();
	return sb_cli_main(argc, argv, stdout, stderr);
}
