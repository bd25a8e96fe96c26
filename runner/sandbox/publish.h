/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_PUBLISH_H
#define SB_SANDBOX_PUBLISH_H

#include "base/error.h"
#include "base/strv.h"

/*
 * Ports of the host that lead to a step's own: slirp4netns listens on them, and is told so through
 * a socket in a folder of the step's.
 */
extern const char sb_publish_socket[];

/* "[ADDRESS:]HOST:PORT[/tcp|/udp]", with 127.0.0.1 where no address is given; what
 * sb_step_spec takes is added: the text, and the request. SB_E_USAGE. */
int sb_publish_parse(const char *text, struct sb_strv *out, struct sb_error *err) SB_MUST_USE;
/* Asks for all of them. SB_E_SYSTEM where a port is taken. */
int sb_publish(int dir_fd, const struct sb_strv *entries, struct sb_error *err) SB_MUST_USE;

#endif
