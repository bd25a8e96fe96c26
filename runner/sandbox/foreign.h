/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_FOREIGN_H
#define SB_SANDBOX_FOREIGN_H

/*
 * For which platform ("linux/arm64") a program is, or the interpreter that its #! line names, where
 * that is another than the one that we are for ourselves; else, and where it can't be told, NULL.
 * Whether the kernel runs it all the same, by itself (x86) or with an emulator (binfmt_misc), only
 * exec tells. Static.
 */
const char *sb_foreign_platform(const char *program);

#endif
