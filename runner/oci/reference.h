/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_REFERENCE_H
#define SB_OCI_REFERENCE_H

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/error.h"

/*
 * An image reference as Docker users write it, with their defaults: "alpine" is
 * docker.io/library/alpine:latest. Grammar: distribution/reference. All parts are owned; digest is
 * unset where there is none.
 */
struct sb_reference {
	char *registry;   /* "docker.io", "127.0.0.1:5000" */
	char *repository; /* "library/alpine" */
	char *tag;        /* "latest" unless a digest alone was given, then NULL */
	struct sb_digest digest;
};

int sb_reference_parse(
	const char *text, struct sb_reference *out, struct sb_error *err) SB_MUST_USE;
void sb_reference_release(struct sb_reference *ref);
/* Whole: "docker.io/library/alpine:latest[@sha256:…]". Caller frees. This is the name an image has
 * in the store. */
char *sb_reference_format(const struct sb_reference *ref);
/* As people say it: "alpine:latest". Caller frees. */
char *sb_reference_familiar(const struct sb_reference *ref);

#endif
