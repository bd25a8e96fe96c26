/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_FILEMODE_H
#define SB_BASE_FILEMODE_H

/* A file's mode as ls shows it: "-rwsr-xr-x". The type is a letter of ls's. */
enum { SB_FILE_MODE_BYTES = 11 };
void sb_file_mode_text(char type, unsigned mode, char out[SB_FILE_MODE_BYTES]);

#endif
