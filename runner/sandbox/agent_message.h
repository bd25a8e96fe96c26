/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_AGENT_MESSAGE_H
#define SB_SANDBOX_AGENT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The protocol of ssh-agent (draft-ietf-sshm-ssh-agent), as far as it takes to decide what of a
 * step's requests may reach the user's agent: a message is its length in four bytes, big end first,
 * then a byte that says what it is, then its fields. Pure: nothing is read or sent here.
 */
enum {
	SB_AGENT_HEADER_BYTES = 4,
	SB_AGENT_MAX_MESSAGE = 256 << 10, /* what OpenSSH's agent takes and gives */
	SB_AGENT_REFUSAL_BYTES = 5,
};

/* The length that a header announces: of what follows it. False for one that no message has: none,
 * or more than the maximum. */
bool sb_agent_message_len(const uint8_t header[static SB_AGENT_HEADER_BYTES], size_t *out_len);

/*
 * True for what a step may ask, where it is well formed to the last byte: which keys there are, a
 * signature, and of the extensions what the agent can do (query) and which connection this is
 * (session-bind@openssh.com, for keys that are bound to hosts). All else changes the agent, or is
 * not known: adding and removing keys, locking, smart cards. `message` is without its header.
 */
bool sb_agent_request_may_pass(const uint8_t *message, size_t len);

/* What a refused request is answered with, header and all. */
extern const uint8_t sb_agent_refusal[SB_AGENT_REFUSAL_BYTES];

#endif
