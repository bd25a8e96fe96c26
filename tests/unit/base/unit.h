/* SPDX-License-Identifier: MIT */
#ifndef SB_TESTS_BASE_UNIT_H
#define SB_TESTS_BASE_UNIT_H

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define N_OF(table) (sizeof(table) / sizeof((table)[0]))

#endif
