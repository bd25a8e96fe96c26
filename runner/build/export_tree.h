/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_EXPORT_TREE_H
#define SB_BUILD_EXPORT_TREE_H

#include "build/build.h"

/* The result's whole file system as one tar: what `docker export` gives, with the owners inside. */
int sb_export_tar(struct sb_build *build, int out_fd, struct sb_error *err) SB_MUST_USE;

/*
 * The same as files in a folder, which belong to the user who asked for them: owners, devices and
 * setuid bits stay inside images. What is in the folder already is replaced where the names meet.
 */
int sb_export_folder(struct sb_build *build, int dir_fd, struct sb_error *err) SB_MUST_USE;

#endif
