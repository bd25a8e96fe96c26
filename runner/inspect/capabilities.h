/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_CAPABILITIES_H
#define SB_INSPECT_CAPABILITIES_H

#include <stddef.h>

/* The names of the capabilities that a security.capability attribute gives,
 * "cap_net_admin,cap_net_raw"; "(unreadable)" where it is none, NULL where it gives none. Caller
 * frees. */
char *sb_capabilities_text(const void *value, size_t len);

#endif
