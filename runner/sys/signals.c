/* SPDX-License-Identifier: MIT */
#include "sys/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/fd.h"

struct sb_signals {
	int fd;
	sigset_t old_mask;
};

int sb_signals_new(const int *numbers, size_t n, struct sb_signals **out, struct sb_error *err)
{
	SB_AUTO(sb_signals) signals = SB_NEW(struct sb_signals);
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < n; i++)
		(void)sigaddset(&set, numbers[i]);
	signals->fd = -1;
	if (sigprocmask(SIG_BLOCK, &set, &signals->old_mask) < 0)
		return sb_fail_errno(err, "block signals");
	signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals->fd < 0) {
		(void)sb_fail_errno(err, "watch signals");
		(void)sigprocmask(SIG_SETMASK, &signals->old_mask, NULL);
		return -1;
	}
	*out = SB_STEAL(signals);
	return 0;
}

void sb_signals_free(struct sb_signals *signals)
{
	if (signals == NULL)
		return;
	if (signals->fd >= 0) {
		while (sb_signals_next(signals) != 0)
			;
		(void)close(signals->fd);
		(void)sigprocmask(SIG_SETMASK, &signals->old_mask, NULL);
	}
	free(signals);
}

int sb_signals_fd(const struct sb_signals *signals)
{
	return signals->fd;
}

int sb_signals_next(struct sb_signals *signals)
{
	struct signalfd_siginfo info;

	return read(signals->fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo
									       : 0;
}
