/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_ACCESS_TOKEN_H
#define SB_REGISTRY_ACCESS_TOKEN_H

#include "base/strv.h"
#include "registry/credential.h"
#include "registry/http.h"

/* A Bearer token from a token server (distribution's token authentication, and its OAuth 2 form for
 * identity tokens). All borrowed. */
struct sb_token_question {
	const char *realm;
	const char *service; /* or NULL */
	const struct sb_strv *scopes;
	const struct sb_credential *credential; /* or one that is not set: for anyone */
	const char *base;                       /* of the registry */
	bool may_be_plain;
	const struct sb_http_tls *tls;
};

struct sb_token_answer {
	char *token; /* the caller's to free, by sb_secret_free */
	uint64_t life_s;
	bool is_refused; /* there is no token for these credentials */
	char *words;     /* the server's, where it is refused; or NULL; the caller's */
};

int sb_token_ask(struct sb_http *http, const struct sb_token_question *question,
	struct sb_token_answer *out, struct sb_error *err) SB_MUST_USE;

#endif
