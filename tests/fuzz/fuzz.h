/* SPDX-License-Identifier: MIT */
#ifndef SB_TESTS_FUZZ_H
#define SB_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * One target a program. libFuzzer drives it, or replay.c runs it over the files it is given. A
 * target returns 0 and aborts where a promise of the code under test is broken.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
