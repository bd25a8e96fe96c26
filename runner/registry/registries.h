/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_REGISTRIES_H
#define SB_REGISTRY_REGISTRIES_H

#include "base/array.h"
#include "base/strv.h"
#include "oci/json.h"
#include "oci/reference.h"

/*
 * What the host's administrator and the user have settled about registries, in podman's files
 * (containers-registries.conf(5), version 2):
 *
 *	$CONTAINERS_REGISTRIES_CONF, else $XDG_CONFIG_HOME/containers/registries.conf (~/.config),
 *	else /etc/containers/registries.conf; and, unless the first was given, *.conf of
 *	/etc/containers/registries.conf.d and of ~/.config/containers/registries.conf.d, of which
 *	the later one wins
 *
 *	and, last, what podman was told when it asked: short-name-aliases.conf of
 *	$XDG_CACHE_HOME/containers (~/.cache), else of /var/cache/containers
 *
 * Read are `unqualified-search-registries`, `aliases`, and of each [[registry]] `prefix`,
 * `location`, `insecure`, `blocked`, `mirror-by-digest-only`, and its mirrors' `location`,
 * `insecure` and `pull-from-mirror`. A short name is what its alias says; one without is searched
 * for, or docker.io's.
 */
struct sb_registries {
	json_t *entries;        /* array of [[registry]] tables, one a prefix */
	struct sb_strv search;  /* unqualified-search-registries */
	struct sb_strv aliases; /* "short=registry/repository", neither with a tag or digest */
};

/* Files that are not there say nothing. SB_E_SYNTAX names file and line. */
int sb_registries_load(struct sb_registries *out, struct sb_error *err) SB_MUST_USE;
void sb_registries_release(struct sb_registries *registries);

/* One place that may serve a reference. */
struct sb_endpoint {
	struct sb_reference ref;
	bool is_mirror;
	bool is_insecure;
	bool is_secure; /* said so: https also on a loopback address */
};
SB_ARRAY_STRUCT(sb_endpoints, struct sb_endpoint);
void sb_endpoints_release(struct sb_endpoints *list);

/* Where to ask for an image, in this order: mirrors, then the registry itself. For a push the
 * latter alone. SB_E_DENIED where it is blocked. */
int sb_registries_endpoints(const struct sb_registries *registries, const struct sb_reference *ref,
	bool for_push, struct sb_endpoints *out, struct sb_error *err) SB_MUST_USE;

/* The references that a name on a command line or in a Buildfile may mean, in the order in which
 * they are tried: itself, or, for a name without a registry, what it is an alias of, else one a
 * search registry. Appends;
 * *out is released by sb_references_release. */
SB_ARRAY_STRUCT(sb_references, struct sb_reference);
void sb_references_release(struct sb_references *list);
int sb_registries_meanings(const struct sb_registries *registries, const char *text,
	struct sb_references *out, struct sb_error *err) SB_MUST_USE;

#endif
