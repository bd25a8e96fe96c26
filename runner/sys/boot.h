/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_BOOT_H
#define SB_SYS_BOOT_H

/* Names the time since the kernel was started (/proc/sys/kernel/random/boot_id); "unknown" where
 * it can't be read. What was written but not synced in an earlier one may be gone. Static. */
const char *sb_boot_id(void);

#endif
