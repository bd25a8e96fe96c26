/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_CERTS_H
#define SB_REGISTRY_CERTS_H

#include <stdbool.h>

#include "base/error.h"
#include "registry/http.h"

/*
 * A registry's own certificates, where docker and podman have them (containers-certs.d(5)): the
 * first of these folders that is there,
 *
 *	$XDG_CONFIG_HOME/containers/certs.d/HOST[:PORT]/ (else ~/.config/…)
 *	$DOCKER_CONFIG/certs.d/HOST[:PORT]/ (else ~/.docker/…)
 *	/etc/containers/certs.d/HOST[:PORT]/
 *	/etc/docker/certs.d/HOST[:PORT]/
 *
 * *.crt are authorities that are trusted beside the system's; NAME.cert with NAME.key is what we
 * show to the registry (the first by name).
 */
struct sb_certs {
	bool is_found; /* there is such a folder, with something in it */
	char *ca_file;
	char *cert_file;
	char *key_file;
	int ca_fd; /* what ca_file names, or -1 */
};
#define SB_CERTS_INIT \
	{ \
		.ca_fd = -1 \
	}

/* SB_E_USAGE for a certificate without its key. */
int sb_certs_load(
	const char *host_and_port, struct sb_certs *out, struct sb_error *err) SB_MUST_USE;
void sb_certs_release(struct sb_certs *certs);
/* Borrowed from certs. */
struct sb_http_tls sb_certs_tls(const struct sb_certs *certs);

#endif
