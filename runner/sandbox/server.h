/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_SERVER_H
#define SB_SANDBOX_SERVER_H

/*
 * The work of safebuild-step: runs one step after the other, as the messages on a socket say, until
 * the other end is gone. A second process and not a function of the first, so that what clones the
 * namespaces is small (cloning costs by the memory that the parent has mapped) and links nothing
 * that reads images or networks.
 *
 * Protocol: a message is an encoded sb_step_spec with its descriptors; the answer is an encoded
 * sb_step_result. An empty message while a step runs cancels it, one byte is the number of a
 * signal for its program; an empty one between steps is goodbye: when the other end goes without
 * one, it was killed. Returns the exit status.
 */
int sb_server_main(int argc, char **argv);

#endif
