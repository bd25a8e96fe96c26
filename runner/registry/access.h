/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_ACCESS_H
#define SB_REGISTRY_ACCESS_H

#include "base/strv.h"
#include "oci/reference.h"
#include "registry/credential.h"
#include "registry/http.h"
#include "sys/interrupt.h"

/*
 * The way into one repository of one registry, which several sessions (threads) share: how it is
 * reached (scheme, certificates), with which credentials, and the token that they have got for the
 * time being.
 *
 * Credentials are looked up when the registry first asks for some, and are sent to the registry
 * itself and to the token server that it names, and nowhere else.
 */
struct sb_access;

struct sb_access_options {
	const struct sb_reference *ref; /* registry and repository as they are asked; borrowed. The
					   repository may be NULL: the registry alone (login) */
	bool for_push;
	bool is_insecure;                       /* http will do, and https with any certificate */
	bool is_secure;                         /* https also on a loopback address */
	const char *auth_file;                  /* or NULL: the usual ones; borrowed */
	const struct sb_credential *credential; /* these instead of any file's; borrowed; or NULL */
	struct sb_interrupt *interrupt;         /* ends a credential helper; or NULL */
};

int sb_access_new(const struct sb_access_options *options, struct sb_access **out,
	struct sb_error *err) SB_MUST_USE;
void sb_access_free(struct sb_access *access);
SB_DEFINE_FREEP(sb_access)

/* A further scope for the tokens that are asked for from now on, before any session begins: to
 * take blobs over from another repository. */
void sb_access_add_scope(struct sb_access *access, const char *repository);

bool sb_access_is_for_push(const struct sb_access *access);
const struct sb_reference *sb_access_ref(const struct sb_access *access);
/* "http(s)://HOST[:PORT]"; borrowed. Decided by asking the registry, where it is insecure. */
int sb_access_base(struct sb_access *access, struct sb_http *http, const char **out,
	struct sb_error *err) SB_MUST_USE;
/* http to hosts that are not loopback. */
bool sb_access_may_be_plain(const struct sb_access *access);
const struct sb_http_tls *sb_access_tls(const struct sb_access *access);

/* The Authorization header's value for the next request, or NULL where none is known to be needed;
 * a copy, to be freed by sb_secret_free. A token that is about to run out is renewed first. */
int sb_access_authorization(struct sb_access *access, struct sb_http *http, char **out,
	struct sb_error *err) SB_MUST_USE;

/*
 * After a 401 to a request with `used` (may be NULL) for `url`: finds another way in, for the next
 * sb_access_authorization. SB_E_AUTH where there is none.
 */
int sb_access_answer_challenge(struct sb_access *access, struct sb_http *http, const char *used,
	const char *url, const struct sb_http_answer *answer, struct sb_error *err) SB_MUST_USE;

/* SB_E_AUTH for a registry that lets us in no further, saying with what we came and what to do. */
int sb_access_fail(
	struct sb_access *access, const char *what, const char *words, struct sb_error *err);

/* Takes all that was ever a secret here out of an error's texts: servers may send back what they
 * were sent. Always -1. */
int sb_access_redact(struct sb_access *access, struct sb_error *err);

#endif
