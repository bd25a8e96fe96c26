/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_KEY_AGENT_H
#define SB_SANDBOX_KEY_AGENT_H

#include <sys/types.h>

#include "base/error.h"
#include "base/strv.h"
#include "sys/interrupt.h"

/*
 * An ssh-agent of a build's own, for keys that the user gave as files: so they are in one process
 * alone, which no step can reach but through the proxy (sandbox/agent_proxy.h). Its socket has no
 * name: what it was made under is removed before the first step runs. It dies with the calling
 * process, however that ends.
 */
struct sb_key_agent {
	pid_t pid;     /* 0: none */
	int socket_fd; /* O_PATH; owned */
};
#define SB_KEY_AGENT_INIT \
	{ \
		.socket_fd = -1 \
	}

/* Starts one and gives it the keys (paths). A key with a passphrase is SB_E_UNSUPPORTED: nobody is
 * asked. SB_E_NOT_FOUND where OpenSSH's programs are not installed. */
int sb_key_agent_start(const struct sb_strv *keys, struct sb_interrupt *interrupt,
	struct sb_key_agent *out, struct sb_error *err) SB_MUST_USE;
void sb_key_agent_release(struct sb_key_agent *agent);

#endif
