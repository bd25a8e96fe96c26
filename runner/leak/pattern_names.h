/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_PATTERN_NAMES_H
#define SB_LEAK_PATTERN_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Is the variable named like one that holds a secret? By its last words, between signs or capitals:
 * DB_PASS, PGPASSWORD, apiToken, CREDENTIALS_JSON, but not AUTH_MODE, API_KEY_FILE, PUBLIC_KEY.
 */
bool sb_name_is_secret(const char *name, size_t len);
/* Can the value of such a variable be the secret itself? Not a placeholder, a path, a number, an
 * address without a password, a fingerprint. */
bool sb_value_can_be_secret(const char *value, size_t len);

#endif
