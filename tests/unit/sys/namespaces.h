/* SPDX-License-Identifier: MIT */
#ifndef SB_TESTS_SYS_NAMESPACES_H
#define SB_TESTS_SYS_NAMESPACES_H

#include "temp.h"

#include <sched.h>

#include "sys/userns.h"

/*
 * Tests that mount: they run in a child, in safebuild's own namespaces. There cmocka's assertions
 * would go on with the parent's next test, so a failure says where it is and ends the child.
 */
#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			(void)fprintf(stderr, "%s:%d: not so: %s (errno %d)\n", __FILE__, \
				__LINE__, #condition, errno); \
			_exit(1); \
		} \
	} while (0)

/* The same for a call with an error object. */
#define CHECK_OK(call, err) \
	do { \
		if ((call) < 0) { \
			(void)fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, \
				(err)->message); \
			_exit(1); \
		} \
	} while (0)

enum { NAMESPACES_REFUSED = 77, NAMESPACES_TIMEOUT_S = 50 };

/* In a child: enters the namespaces, or ends where this host refuses them. */
static inline struct sb_host_ids namespaces_enter(void)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_host_ids ids = {0};

	(void)alarm(NAMESPACES_TIMEOUT_S);
	if (sb_userns_enter(&ids, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.message);
		_exit(err.code == SB_E_DENIED || err.os_errno == ENOSPC || err.os_errno == EINVAL
				? NAMESPACES_REFUSED
				: 1);
	}
	return ids;
}

/* For who does not ask which ids they are. */
static inline void namespaces_just_enter(void)
{
	struct sb_host_ids ids = namespaces_enter();

	sb_host_ids_release(&ids);
}

static inline int namespaces_try(void *data)
{
	(void)data;
	namespaces_just_enter();
	return 0;
}

/* A host that refuses the namespaces skips the test. Before a TEMP, which skipping leaves behind.
 */
static inline void namespaces_need(void)
{
	if (temp_in_child(namespaces_try, NULL) == NAMESPACES_REFUSED)
		skip();
}

/* Runs a function in a child; one that returns NAMESPACES_REFUSED needs more than this host has. */
static inline void namespaces_test(int (*function)(void *), void *data)
{
	const int status = temp_in_child(function, data);

	if (status != NAMESPACES_REFUSED)
		assert_int_equal(status, 0);
}

#endif
