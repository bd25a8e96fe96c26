/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_PORTS_H
#define SB_BUILDFILE_PORTS_H

#include "base/error.h"
#include "base/strv.h"

/*
 * One word of EXPOSE, expanded: [[ip:]host:]port[-port][/protocol], where all but the container's
 * ports is checked and then has no meaning. Appends "8080/tcp" for each port. SB_E_SYNTAX.
 */
int sb_ports_expand(const char *word, struct sb_strv *out, struct sb_error *err) SB_MUST_USE;

#endif
