/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_CREDENTIAL_H
#define SB_REGISTRY_CREDENTIAL_H

#include <stdbool.h>

#include "base/error.h"

/* What opens a registry: a name and a password, or one of two kinds of token. Owned; zeroed when it
 * is released. */
struct sb_credential {
	char *user;
	char *password;
	char *identity_token; /* is exchanged for tokens at the registry's token server */
	char *registry_token; /* is sent as it stands */
	char *source; /* where it was found, for messages: a file's path, or a program's name */
};

void sb_credential_release(struct sb_credential *credential);
bool sb_credential_is_set(const struct sb_credential *credential);
/* A user name of "<token>" says that the secret is an identity token. Copies. */
void sb_credential_set(struct sb_credential *credential, const char *user, const char *secret);

/* Overwrites a string and frees it; NULL is fine. */
void sb_secret_free(char *secret);

#endif
