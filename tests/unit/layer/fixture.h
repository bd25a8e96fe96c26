/* SPDX-License-Identifier: MIT */
#ifndef SB_TEST_LAYER_FIXTURE_H
#define SB_TEST_LAYER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/strv.h"
#include "sys/idmap.h"

/*
 * A temporary folder with three folders in it, and what a test says of them in one line of text.
 *
 * A script is a list of commands, one a line:
 *	d NAME            folder                 f NAME TEXT   file
 *	l NAME TARGET     symbolic link          h NAME TARGET hard link
 *	w NAME            whiteout (0/0)         o NAME        makes the folder opaque
 *	p NAME            fifo                   s NAME        socket
 *	m NAME OCTAL      mode                   t NAME SEC [NSEC]
 *	x NAME ATTR TEXT  attribute              u NAME UID GID (image ids)
 * Whatever it makes has the time 1000.
 */
struct fixture {
	char *root; /* path of the temporary folder */
	int root_fd;
	int lower_fd;
	int upper_fd;
	int outside_fd; /* beside the two: nothing may change in it */
	struct sb_idmap ids;
};

/* A user becomes root of a namespace with the ids that the host gives; call it before any thread.
 */
void fixture_enter_namespace(void);
/* Whether the process may give files to other owners. */
bool fixture_has_ids(void);
/* Image ids stand at `base`, as far as the process may change owners; else there is one id. */
struct fixture *fixture_new(uid_t base);
void fixture_free(struct fixture *fixture);
void fixture_run(const struct fixture *fixture, int dir_fd, const char *script);

/*
 * All below a folder, sorted, as "d a; f a/b=TEXT; l c->TARGET; p fifo; w gone; c 1:3 null"; an
 * opaque folder is "d! a". With `meta`, "(MODE UID:GID MTIME)" behind each name.
 */
char *fixture_list(const struct fixture *fixture, int dir_fd, bool meta);

#endif
