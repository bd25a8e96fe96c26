/* SPDX-License-Identifier: MIT */
#include "build/await_lock.h"

#include <time.h>

int sb_await_lock(struct sb_build *build, const char *text, sb_take_fn take, void *self,
	int *out_fd, struct sb_error *err)
{
	const struct timespec pause = {.tv_nsec = 50000000};

	for (bool is_told = false;; is_told = true) {
		if (take(self, out_fd, err) < 0)
			return -1;
		if (*out_fd >= 0)
			return 0;
		if (!is_told)
			sb_events_notice(&build->events, text, NULL);
		(void)nanosleep(&pause, NULL);
		sb_events_emit(&build->events, (struct sb_event){.kind = SB_EVENT_TICK});
		if (sb_interrupt_check(build->interrupt, err) < 0)
			return -1;
	}
}
