/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_JUDGE_H
#define SB_LEAK_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Judges whether a text can be a secret at all. A part of a secret file that turns up in images
 * anyway (a word, an identifier, an address) must not be searched for.
 */

/* One of the values that everybody knows ("password", "changeme", "12345678"), in any case. */
bool sb_judge_is_common(const char *text, size_t len);
/* Few different characters, a repeated piece or a run of neighbours: "aaaaaaaa", "abcdefgh". */
bool sb_judge_is_monotone(const char *text, size_t len);
/*
 * 12 bytes or more without blanks that are as mixed as chance would make them: by the entropy of
 * their characters, against what random text of that length has, and by how often letters, capitals
 * and digits alternate, which tells short random text from identifiers.
 */
bool sb_judge_is_random(const char *text, size_t len);
/* A word, an identifier, a path, a domain, an address for mail: [A-Za-z0-9_.:/@~-] that are not
 * mixed. */
bool sb_judge_is_plain(const char *text, size_t len);
/* A variable's or field's name after which a secret stands: "db_password", "_authToken". */
bool sb_judge_is_secret_name(const char *name, size_t len);
/* Whether the value of this name is secret. The name may be empty. */
bool sb_judge_is_secret_value(const char *name, size_t name_len, const char *value, size_t len);
/* "scheme://…"; *out_password is the password of its userinfo, or NULL. */
bool sb_judge_is_url(
	const char *text, size_t len, const char **out_password, size_t *out_password_len);

#endif
