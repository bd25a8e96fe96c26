/* SPDX-License-Identifier: MIT */
#include "registry/credential.h"

#include <string.h>

#include "base/mem.h"

void sb_secret_free(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void sb_credential_release(struct sb_credential *credential)
{
	free(credential->user);
	sb_secret_free(credential->password);
	sb_secret_free(credential->identity_token);
	sb_secret_free(credential->registry_token);
	free(credential->source);
	*credential = (struct sb_credential){0};
}

bool sb_credential_is_set(const struct sb_credential *credential)
{
	return credential->password != NULL || credential->identity_token != NULL ||
	       credential->registry_token != NULL;
}

void sb_credential_set(struct sb_credential *credential, const char *user, const char *secret)
{
	if (strcmp(user, "<token>") == 0) {
		credential->identity_token = sb_strdup(secret);
		return;
	}
	credential->user = sb_strdup(user);
	credential->password = sb_strdup(secret);
}
