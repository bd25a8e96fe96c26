/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_URL_H
#define SB_REGISTRY_URL_H

#include <stdbool.h>

#include "oci/reference.h"

/*
 * Addresses of a registry as text. The scheme is https, and http for loopback hosts only: a
 * registry on this machine seldom has a certificate, and nobody else can listen in. (https is not
 * tried first there.)
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

/* "https://HOST/v2/REPOSITORY/manifests/WHAT", WHAT being a tag or digest; caller frees. */
char *sb_manifest_url(const struct sb_reference *ref, const char *what);
char *sb_blob_url(const struct sb_reference *ref, const struct sb_digest *digest);

/* Where an anonymous token for pulling is asked for: the challenge's realm with `service` (may be
 * NULL) and `scope` added to its query; caller frees. */
char *sb_token_url(const char *realm, const char *service, const char *repository);

#endif
