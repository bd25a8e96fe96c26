/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_STOP_SIGNAL_H
#define SB_BUILDFILE_STOP_SIGNAL_H

#include "base/error.h"

/*
 * A signal's Linux number from its name, with or without SIG and in any case ("SIGTERM", "term",
 * "RTMIN+3"), or from the number as text. SB_E_SYNTAX. STOPSIGNAL keeps the text as written.
 */
int sb_signal_parse(const char *text, int *out, struct sb_error *err) SB_MUST_USE;

#endif
