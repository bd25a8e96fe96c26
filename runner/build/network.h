/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_NETWORK_H
#define SB_BUILD_NETWORK_H

#include "base/error.h"
#include "base/strv.h"
#include "sandbox/spec.h"

/* "none" or "host", or "default": a network of the step's own where the host has slirp4netns, else
 * the host's. */
int sb_network_parse(const char *text, enum sb_step_network *out, struct sb_error *err) SB_MUST_USE;

/* The text of the step's files; caller frees. add_hosts: lines "IP NAME". */
char *sb_network_hosts(const char *hostname, const struct sb_strv *add_hosts);
char *sb_network_resolv_conf(enum sb_step_network network);

/* --add-host "NAME:IP" or "NAME=IP" as a line of /etc/hosts. */
int sb_network_parse_host(const char *text, struct sb_strv *out, struct sb_error *err) SB_MUST_USE;

#endif
