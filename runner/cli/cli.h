/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_CLI_H
#define SB_CLI_CLI_H

#include <stdio.h>

/* The command line: runs argv, prints errors to `err` once, and returns the exit status. */
int sb_cli_main(int argc, char *const *argv, FILE *out, FILE *err);

#endif
