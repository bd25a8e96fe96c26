/* SPDX-License-Identifier: MIT */
#include "build/used_steps.h"

#include <pthread.h>

#include "base/mem.h"

struct sb_used_steps {
	pthread_mutex_t lock;
	SB_ARRAY(struct sb_used_step) list;
};

struct sb_used_steps *sb_used_steps_new(void)
{
	struct sb_used_steps *steps = SB_NEW(struct sb_used_steps);

	SB_BUG_ON(pthread_mutex_init(&steps->lock, NULL) != 0);
	return steps;
}

void sb_used_steps_free(struct sb_used_steps *steps)
{
	if (steps == NULL)
		return;
	(void)pthread_mutex_destroy(&steps->lock);
	SB_ARRAY_RELEASE(&steps->list);
	free(steps);
}

void sb_used_steps_add(struct sb_used_steps *steps, const struct sb_used_step *step)
{
	if (steps == NULL)
		return;
	SB_BUG_ON(pthread_mutex_lock(&steps->lock) != 0);
	*SB_ARRAY_ADD(&steps->list) = *step;
	SB_BUG_ON(pthread_mutex_unlock(&steps->lock) != 0);
}

size_t sb_used_steps_count(const struct sb_used_steps *steps)
{
	return steps != NULL ? steps->list.len : 0;
}

void sb_used_steps_cut(struct sb_used_steps *steps, size_t n)
{
	if (steps != NULL && steps->list.len > n)
		steps->list.len = n;
}

const struct sb_used_step *sb_used_steps_all(const struct sb_used_steps *steps, size_t *out_n)
{
	*out_n = steps->list.len;
	return steps->list.items;
}
