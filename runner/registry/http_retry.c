/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "registry/http_exchange.h"
#include "registry/retry.h"

enum {
	/* A try that came further than all before it by this much does not count as failed. */
	WORTHWHILE_BYTES = 1 << 20,
	/* Each is a minute of nothing. */
	MAX_STALLS = 2,
};

static int wait_for_next(struct sb_http *http, unsigned n_failed,
	const struct sb_http_answer *answer, struct sb_error *err)
{
	uint64_t wish_ms = 0;
	const bool has_wish = sb_retry_after_parse(answer->retry_after, time(NULL), &wish_ms);

	return sb_http_wait(http,
		sb_retry_delay_ms(n_failed, has_wish, wish_ms, http->limits.first_delay_ms,
			http->limits.max_delay_ms),
		err);
}

int sb_http_send_with_retries(struct sb_http *http, struct sb_http_request *request,
	struct sb_http_answer *answer, unsigned *out_tries, struct sb_error *err)
{
	unsigned n_failed = 0;
	unsigned n_stalled = 0;
	uint64_t furthest = 0;

	for (;;) {
		SB_AUTO_ERROR failure = SB_ERROR_INIT;
		const int result = sb_http_send(http, request, answer, &failure);

		*out_tries = n_failed + 1;
		if (result == 0 && answer->status == 416 && request->range_start > 0) {
			request->range_start = 0;
			sb_http_answer_release(answer);
			continue;
		}
		if (result == 0 && !sb_status_is_temporary(answer->status))
			return 0;
		if (request->range_start >= furthest + WORTHWHILE_BYTES) {
			furthest = request->range_start;
			n_failed = n_stalled = 0;
		}
		n_failed++;
		n_stalled += answer->is_stalled;
		*out_tries = n_failed;
		if (request->is_once || n_failed >= http->limits.n_tries ||
			n_stalled >= MAX_STALLS || (result < 0 && !answer->is_interrupted)) {
			if (result == 0)
				return 0;
			sb_error_move(err, &failure);
			return -1;
		}
		if (result < 0)
			sb_error_ignore(&failure, "the next try decides");
		if (wait_for_next(http, n_failed, answer, err) < 0)
			return -1;
		sb_http_answer_release(answer);
	}
}
