/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_BASIC_AUTH_H
#define SB_REGISTRY_BASIC_AUTH_H

#include <stddef.h>

/* The value of an Authorization header, "Basic …" (RFC 7617), for "USER:" and a password of len
 * bytes; caller wipes and frees. */
char *sb_basic_auth(const char *user_and_colon, const void *password, size_t len);

/* For "USER[:PASSWORD]" of an address, decoded. */
char *sb_basic_auth_of(const char *user_info);

/* What "Basic" stands before, decoded (base64, RFC 4648, with or without its padding), ended with a
 * NUL; NULL where it is not base64 or holds a NUL. Caller wipes and frees. */
char *sb_basic_auth_decode(const char *text);

#endif
