/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_REPORT_WORDS_H
#define SB_INSPECT_REPORT_WORDS_H

#include "inspect/finding.h"
#include "inspect/inspect.h"

/* The words that all reports have in common. Results without `const` are the caller's to free. */

/* A history line as a person wrote it: without the shell and the builder's marks around it. NULL
 * gives "(no history)". */
char *sb_instruction_text(const char *created_by);

/* The instruction of that layer, as above; "(no history)" past the last. */
char *sb_layer_instruction_text(const struct sb_inspection *inspection, size_t layer);

/* "layer 2: etc/secret.txt", "layer 2", "config", or "the image". Not escaped. */
char *sb_finding_place(const struct sb_finding *finding);

/* The command that prints a file of a layer, ready for a POSIX shell with $'…'; printable whatever
 * the path is. `image` NULL gives IMAGE. */
char *sb_cat_command(const char *image, size_t layer, const char *path);

/* "note", "warning", "error". */
const char *sb_level_word(enum sb_finding_level level);
/* "digest", "size", "diff-id", "order", "packing", "archive", "missing", "other". */
const char *sb_problem_word(enum sb_problem_kind kind);
/* "added", "modified", "removed". */
const char *sb_change_word(enum sb_file_change change);

/* "1 file", "12 files". */
char *sb_count_text(uint64_t n, const char *one);

#endif
