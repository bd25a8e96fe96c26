/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_LOGIN_H
#define SB_REGISTRY_LOGIN_H

#include "registry/credential.h"
#include "sys/interrupt.h"

struct sb_registry_login {
	const char *registry;  /* HOST[:PORT][/PATH], or an address as docker takes it */
	const char *auth_file; /* or NULL: see auth.h */
	const struct sb_credential *credential;
	struct sb_interrupt *interrupt;
};

/* Tries the credentials on the registry, and keeps them where they serve; *out_where (caller frees)
 * says where. SB_E_AUTH where the registry does not take them. */
int sb_registry_login(const struct sb_registry_login *options, char **out_where,
	struct sb_error *err) SB_MUST_USE;

/* Removes them from everywhere. SB_E_NOT_FOUND where there are none. */
int sb_registry_logout(const char *registry, const char *auth_file, struct sb_interrupt *interrupt,
	struct sb_error *err) SB_MUST_USE;

#endif
