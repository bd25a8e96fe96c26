/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_AUTH_H
#define SB_REGISTRY_AUTH_H

#include "registry/credential.h"
#include "sys/interrupt.h"

/*
 * The user's credentials for registries, wherever docker and podman keep them. In this order, the
 * first file that has some for a registry counts:
 *
 *	the file that is given, else $REGISTRY_AUTH_FILE: then no other is read
 *	$DOCKER_CONFIG/config.json, else ~/.docker/config.json
 *	$XDG_RUNTIME_DIR/containers/auth.json
 *	$XDG_CONFIG_HOME/containers/auth.json, else ~/.config/containers/auth.json
 *
 * A file's credHelpers and credsStore are asked as docker asks them. New credentials go into the
 * first of these files, or the helper that it names.
 */

/* `file` may be NULL; `interrupt` too. Success without credentials where there are none. */
int sb_auth_find(const char *file, const char *registry, const char *repository,
	struct sb_interrupt *interrupt, struct sb_credential *out,
	struct sb_error *err) SB_MUST_USE;

/* key: as sb_auth_key gives it. *out_where (caller frees) says where they are now. */
int sb_auth_store(const char *file, const char *key, const struct sb_credential *credential,
	struct sb_interrupt *interrupt, char **out_where, struct sb_error *err) SB_MUST_USE;
/* From all files and helpers. SB_E_NOT_FOUND where there were none. */
int sb_auth_erase(const char *file, const char *key, struct sb_interrupt *interrupt,
	struct sb_error *err) SB_MUST_USE;

#endif
