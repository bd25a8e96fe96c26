/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_KNOWN_SECRETS_H
#define SB_REGISTRY_KNOWN_SECRETS_H

#include "base/error.h"
#include "base/strv.h"

/* What was ever sent to come in, so that no error repeats it: servers send back what they were
 * sent. Zeroed when it is released. */
struct sb_known_secrets {
	struct sb_strv texts; /* as they would stand in a message */
};

/* NULL is fine; so is what is so short that it stands in every second sentence, and is not kept. */
void sb_known_secrets_add(struct sb_known_secrets *secrets, const char *secret);
void sb_known_secrets_redact(const struct sb_known_secrets *secrets, struct sb_error *err);
void sb_known_secrets_release(struct sb_known_secrets *secrets);

#endif
