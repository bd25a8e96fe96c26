/* SPDX-License-Identifier: MIT */
#include "sys/interrupt.h"

#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/fd.h"

/* Whoever sees a signal first takes it from the signalfd; so it is passed on to the eventfd, which
 * stays readable, for the threads that wait for it with poll. */
struct sb_interrupt {
	int signal_fd;
	int event_fd;
	int poll_fd; /* epoll: readable when one of the two is */
	_Atomic bool is_pending;
	_Atomic bool is_raised;
	sigset_t old_mask;
};

static int watch(struct sb_interrupt *interrupt, int fd, struct sb_error *err)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(interrupt->poll_fd, EPOLL_CTL_ADD, fd, &event) < 0
		       ? sb_fail_errno(err, "watch signals")
		       : 0;
}

static int open_fds(struct sb_interrupt *interrupt, const sigset_t *watched, struct sb_error *err)
{
	interrupt->signal_fd = signalfd(-1, watched, SFD_CLOEXEC | SFD_NONBLOCK);
	interrupt->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	interrupt->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (interrupt->signal_fd < 0 || interrupt->event_fd < 0 || interrupt->poll_fd < 0)
		return sb_fail_errno(err, "watch signals");
	return watch(interrupt, interrupt->signal_fd, err) < 0
		       ? -1
		       : watch(interrupt, interrupt->event_fd, err);
}

static void close_fds(struct sb_interrupt *interrupt)
{
	sb_fd_closep(&interrupt->poll_fd);
	sb_fd_closep(&interrupt->event_fd);
	sb_fd_closep(&interrupt->signal_fd);
}

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

	interrupt->signal_fd = interrupt->event_fd = interrupt->poll_fd = -1;
	if (sigprocmask(SIG_BLOCK, &blocked, &interrupt->old_mask) < 0)
		return sb_fail_errno(err, "block signals");
	if (open_fds(interrupt, &watched, err) < 0) {
		close_fds(interrupt);
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
	if (interrupt->signal_fd >= 0) {
		close_fds(interrupt);
		(void)sigprocmask(SIG_SETMASK, &interrupt->old_mask, NULL);
	}
	free(interrupt);
}

int sb_interrupt_fd(const struct sb_interrupt *interrupt)
{
	return interrupt->poll_fd;
}

static void tell_others(const struct sb_interrupt *interrupt)
{
	const uint64_t one = 1;

	(void)!write(interrupt->event_fd, &one, sizeof(one));
}

bool sb_interrupt_is_signalled(struct sb_interrupt *interrupt)
{
	struct signalfd_siginfo info;

	if (interrupt == NULL)
		return false;
	/* All that came: one left over would be delivered when the signals are let through again.
	 */
	while (interrupt->signal_fd >= 0 &&
		read(interrupt->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		interrupt->is_pending = true;
		tell_others(interrupt);
	}
	return interrupt->is_pending;
}

bool sb_interrupt_is_pending(struct sb_interrupt *interrupt)
{
	return sb_interrupt_is_signalled(interrupt) || (interrupt != NULL && interrupt->is_raised);
}

void sb_interrupt_raise(struct sb_interrupt *interrupt)
{
	interrupt->is_raised = true;
	tell_others(interrupt);
}

void sb_interrupt_lower(struct sb_interrupt *interrupt)
{
	uint64_t count = 0;

	interrupt->is_raised = false;
	(void)!read(interrupt->event_fd, &count, sizeof(count));
	if (interrupt->is_pending)
		tell_others(interrupt);
}

int sb_interrupt_check(struct sb_interrupt *interrupt, struct sb_error *err)
{
	if (sb_interrupt_is_pending(interrupt))
		return sb_fail(err, SB_E_CANCELLED, "interrupted");
	return 0;
}
