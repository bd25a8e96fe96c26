/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_CLEANUP_H
#define SB_BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>

/*
 * Ownership that ends with the scope. Declare with an initial value always, hand over with
 *SB_STEAL:
 *
 *	SB_AUTO(sb_layout) layout = sb_layout_new();      // struct sb_layout *, freed by
 *sb_layout_free sb_autofree char *path = sb_asprintf(…); … *out = SB_STEAL(layout); return 0;
 *
 * SB_DEFINE_FREEP(sb_layout), once after the prototype of sb_layout_free, makes SB_AUTO(sb_layout)
 *possible. Cleanups keep errno.
 */
#define SB_AUTO(name) __attribute__((cleanup(name##_freep))) struct name *

#define SB_DEFINE_FREEP(name) \
	static inline void name##_freep(struct name **p) \
	{ \
		const int saved_errno = errno; \
		name##_free(*p); \
		errno = saved_errno; \
	}

/* For structs that live in place: SB_AUTO_VALUE(sb_buf) b = SB_BUF_INIT(max), released by
 * sb_buf_release. */
#define SB_AUTO_VALUE(name) __attribute__((cleanup(name##_release))) struct name

#define SB_STEAL(p) \
	(__extension__({ \
		__typeof__(p) *sb_stolen_from = &(p); \
		__typeof__(p) sb_stolen = *sb_stolen_from; \
		*sb_stolen_from = NULL; \
		sb_stolen; \
	}))

static inline void sb_cleanup_freep(void *p)
{
	const int saved_errno = errno;

	free(*(void **)p);
	errno = saved_errno;
}

#define sb_autofree __attribute__((cleanup(sb_cleanup_freep)))

#endif
