/* SPDX-License-Identifier: MIT */
#ifndef SB_TESTS_EXPLORE_FIXTURE_H
#define SB_TESTS_EXPLORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "explore/source.h"

/* An image of three layers: a base; an application with a secret, and a hard link; then the secret
 * and a folder are removed, the configuration is changed, and a file gives way to a folder. */
#define NEVER SB_EXPLORED_NEVER
#define ADDED SB_EXPLORED_ADDED
#define MODIFIED SB_EXPLORED_MODIFIED
#define REMOVED SB_EXPLORED_REMOVED

static const struct sb_explored_file fixture_base[] = {
	{"bin", 'd', ADDED, 0755, 0, 0, 0, NULL, NEVER, false},
	{"bin/sh", '-', ADDED, 04755, 0, 0, 3000, NULL, NEVER, true},
	{"etc", 'd', ADDED, 0755, 0, 0, 0, NULL, NEVER, false},
	{"etc/passwd", '-', ADDED, 0644, 0, 0, 100, NULL, NEVER, true},
	{"spool", '-', ADDED, 0644, 0, 0, 5, NULL, 2, true},
};
static const struct sb_explored_file fixture_app[] = {
	/* Its folder is listed by no layer. */
	{"app/server", '-', ADDED, 0755, 1000, 1000, 2000, NULL, NEVER, true},
	{"app/config", '-', ADDED, 0644, 1000, 1000, 10, NULL, 2, true},
	{"app/again", '-', ADDED, 0755, 1000, 1000, 2000, "app/server", NEVER, true},
	{"etc/secret.txt", '-', ADDED, 0600, 0, 0, 13, NULL, 2, true},
	{"doc", 'd', ADDED, 0755, 0, 0, 0, NULL, 2, false},
	{"doc/a", '-', ADDED, 0644, 0, 0, 70, NULL, 2, true},
	{"doc/b", '-', ADDED, 0644, 0, 0, 30, NULL, 2, true},
};
static const struct sb_explored_file fixture_clean[] = {
	{"etc/secret.txt", '-', REMOVED, 0, 0, 0, 0, NULL, 2, false},
	{"doc", 'd', REMOVED, 0, 0, 0, 0, NULL, 2, false},
	{"app/config", '-', MODIFIED, 0644, 1000, 1000, 20, NULL, NEVER, true},
	{"app/link", 'l', ADDED, 0777, 0, 0, 0, "server", NEVER, false},
	{"spool/x", '-', ADDED, 0644, 0, 0, 1, NULL, NEVER, true},
	{"no/such", '?', REMOVED, 0, 0, 0, 0, NULL, 2, false},
};

static const struct sb_explored_file *const fixture_files[] = {
	fixture_base, fixture_app, fixture_clean};
static const struct sb_explored_layer fixture_layers[] = {
	{"ADD rootfs.tar /", "sha256:b0", "sha256:d0", 1000, 4000, 5, 5},
	{"COPY app /app", "sha256:b1", "sha256:d1", 500, 3000, 123, 7},
	{"RUN rm /etc/secret.txt && rm -rf /doc", "sha256:b2", "sha256:d2", 10, 2000, 0, 6},
};
static const struct sb_explored_dead fixture_dead[] = {{"doc/a", 1, 70}, {"etc/secret.txt", 1, 13}};
static const struct sb_explored_image fixture_image = {
	.name = "fixture:1",
	.platform = "linux/amd64",
	.user = "",
	.runs_as_root = true,
	.layers = fixture_layers,
	.n_layers = 3,
	.size_bytes = 1510,
	.visible_bytes = 7121,
	.dead_bytes = 128,
	.dead = fixture_dead,
	.n_dead = 2,
	.dive_efficiency = 0.98765,
	.dive_wasted_bytes = 30,
};

static inline void fixture_file(
	const void *self, size_t layer, size_t i, struct sb_explored_file *out)
{
	(void)self;
	*out = fixture_files[layer][i];
}

static const struct sb_explore_source fixture_source = {
	.image = &fixture_image, .file = fixture_file};

#endif
