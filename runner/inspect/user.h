/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_USER_H
#define SB_INSPECT_USER_H

#include <stdbool.h>

/* True where the user (config's User) is uid 0, by the passwd file where it is a name. */
bool sb_user_is_root(const char *user, const char *passwd);
/* Why no container of such a user can start, or NULL. Caller frees. */
char *sb_user_problem(const char *user, const char *passwd, const char *group);

#endif
