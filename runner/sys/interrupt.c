/* SPDX-License-Identifier: MIT */
#include "sys/interrupt.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/fd.h"

struct sb_interrupt {
	int fd;
	_Atomic bool is_pending;
	sigset_t old_mask;
};

int sb_interrupt_new(struct sb_interrupt **out, struct sb_error *err)
{
	sigset_t watched;
	sigset_t blocked;

	(void)sigemptyset(&watched);
	(void)sigaddset(&watched, SIGINT);
	(void)sigaddset(&watched, SIGTERM);
	(void)sigaddset(&watched, SIGHUP);
	blocked = watched;
	(void)sigaddset(&blocked, SIGPIPE);

	SB_AUTO(sb_interrupt) interrupt = SB_NEW(struct sb_interrupt);

	interrupt->fd = -1;
	if (sigprocmask(SIG_BLOCK, &blocked, &interrupt->old_mask) < 0)
		return sb_fail_errno(err, "block signals");
	interrupt->fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (interrupt->fd < 0) {
		(void)sb_fail_errno(err, "watch signals");
		(void)sigprocmask(SIG_SETMASK, &interrupt->old_mask, NULL);
		return -1;
	}
	*out = SB_STEAL(interrupt);
	return 0;
}

void sb_interrupt_free(struct sb_interrupt *interrupt)
{
	if (interrupt == NULL)
		return;
	(void)sb_interrupt_is_pending(
		interrupt); /* taken here, so that it is not delivered after all */
	if (interrupt->fd >= 0) {
		(void)close(interrupt->fd);
		(void)sigprocmask(SIG_SETMASK, &interrupt->old_mask, NULL);
	}
	free(interrupt);
}

int sb_interrupt_fd(const struct sb_interrupt *interrupt)
{
	return interrupt->fd;
}

bool sb_interrupt_is_pending(struct sb_interrupt *interrupt)
{
	struct signalfd_siginfo info;

	if (interrupt == NULL)
		return false;
	/* All that came: one left over would be delivered when the signals are let through again.
	 */
	while (interrupt->fd >= 0 &&
		read(interrupt->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		interrupt->is_pending = true;
	return interrupt->is_pending;
}

int sb_interrupt_check(struct sb_interrupt *interrupt, struct sb_error *err)
{
	if (sb_interrupt_is_pending(interrupt))
		return sb_fail(err, SB_E_CANCELLED, "interrupted");
	return 0;
}
