/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_SNIFF_H
#define SB_LAYER_SNIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/*
 * Whether ADD unpacks a file: its content begins with a valid tar header, plain or compressed by
 * gzip, bzip2, xz or zstd. The name is not looked at; an empty file, an empty tar and a zip are
 * not. Reads at most the first entry's header. fd is borrowed, must be seekable, and keeps its
 * offset.
 */
int sb_layer_sniff_tar(int fd, bool *out_is_tar, struct sb_error *err) SB_MUST_USE;

/* The same of a file's first bytes (512, or all that it has), where a compressed one may turn out
 * to be something else. */
bool sb_layer_looks_like_tar(const void *head, size_t len);

#endif
