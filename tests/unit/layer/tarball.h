/* SPDX-License-Identifier: MIT */
#ifndef SB_TEST_LAYER_TARBALL_H
#define SB_TEST_LAYER_TARBALL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "layer/apply.h"

/* Tar archives made by hand, so that they may be as wrong as a test wants them. */
struct tar_entry {
	const char *name;
	char type;        /* 0: end of a list */
	const char *text; /* content */
	const char *link;
	unsigned mode; /* 0: 0644, or 0755 for folders */
	unsigned uid;
	unsigned gid;
	unsigned mtime;
	unsigned major;
	unsigned minor;
	const char *pax;  /* "NAME=VALUE", a line each */
	const char *attr; /* one attribute whose value may hold any byte */
	const void *value;
	size_t value_len;
};

void tarball_add(struct sb_buf *tar, const struct tar_entry *entry);
void tarball_end(struct sb_buf *tar);

/* A reader that gives the bytes in pieces of at most `piece`. */
struct bytes_reader {
	const char *bytes;
	size_t len;
	size_t piece;
	size_t fail_at; /* fails when this many were given; 0: never */
	size_t given;
};
struct sb_reader bytes_reader(struct bytes_reader *reader);

/* An sb_sink_fn that appends to a struct sb_buf. */
int buf_sink(void *self, const void *bytes, size_t len, struct sb_error *err);

#endif
