/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_CREDENTIAL_HELPER_H
#define SB_REGISTRY_CREDENTIAL_HELPER_H

#include "registry/credential.h"
#include "sys/interrupt.h"

/*
 * Programs docker-credential-NAME, which keep credentials in place of a file (docker's
 * docker-credential-helpers protocol): the server on standard input, JSON on standard output. They
 * are run without a shell and without a terminal, with our environment, for two minutes at most.
 */

/* False, and success, where the program has none for the server. */
int sb_credential_helper_get(const char *name, const char *server, struct sb_interrupt *interrupt,
	struct sb_credential *out, bool *out_found, struct sb_error *err) SB_MUST_USE;
int sb_credential_helper_store(const char *name, const char *server,
	const struct sb_credential *credential, struct sb_interrupt *interrupt,
	struct sb_error *err) SB_MUST_USE;
/* False, and success, where there was none. */
int sb_credential_helper_erase(const char *name, const char *server, struct sb_interrupt *interrupt,
	bool *out_found, struct sb_error *err) SB_MUST_USE;

#endif
