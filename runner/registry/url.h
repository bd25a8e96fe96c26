/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_URL_H
#define SB_REGISTRY_URL_H

#include <stdbool.h>

#include "base/strv.h"
#include "oci/reference.h"

/*
 * Addresses of a registry as text.
 */

/* 127.0.0.0/8, ::1 (with or without brackets) or "localhost"; no port. Names that only resolve to
 * a loopback address are not. */
bool sb_host_is_loopback(const char *host);

/* More than loopback: whatever leads to this machine from anywhere on it, "0.0.0.0" and
 * "x.localhost" too. For what is refused, where the other is for what is allowed. */
bool sb_host_is_this_machine(const char *host);

/* The host that serves a reference's registry, with its port: "registry-1.docker.io" for
 * "docker.io", else the name itself. Borrowed from the argument or static. */
const char *sb_registry_host(const char *registry);

/* True for a registry (host and port) on a loopback address. */
bool sb_registry_is_loopback(const char *registry);

/* "https://HOST" or, where it is plain, "http://HOST"; caller frees. */
char *sb_registry_base(const char *registry, bool is_plain);

/* "BASE/v2/REPOSITORY/manifests/WHAT", WHAT being a tag or digest; caller frees, here and below. */
char *sb_manifest_url(const char *base, const struct sb_reference *ref, const char *what);
char *sb_blob_url(const char *base, const struct sb_reference *ref, const struct sb_digest *digest);
/* Where an upload is begun, or, with a digest and another repository of the registry, a blob of it
 * is taken over; `digest` and `from` may be NULL. */
char *sb_upload_url(const char *base, const struct sb_reference *ref,
	const struct sb_digest *digest, const char *from);
/* An upload's own address with the digest that ends it. */
char *sb_upload_end_url(const char *address, const struct sb_digest *digest);

/* The scope of a token: "repository:NAME:pull", or "…:pull,push". */
char *sb_token_scope(const char *repository, bool for_push);
/* Where a token is asked for: the challenge's realm with `service` (may be NULL) and each scope
 * added to its query. */
char *sb_token_url(const char *realm, const char *service, const struct sb_strv *scopes);
/* The form that exchanges an identity token (OAuth 2, refresh_token grant); a secret. */
char *sb_token_form(const char *identity_token, const char *service, const struct sb_strv *scopes);

#endif
