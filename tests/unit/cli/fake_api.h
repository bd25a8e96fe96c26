/* SPDX-License-Identifier: MIT */
#ifndef SB_TEST_FAKE_API_H
#define SB_TEST_FAKE_API_H

#include "safebuild.h"

/* The library as the command line's tests need it: it writes down what it was asked, and answers
 * what the test said. */
struct fake_api {
	/* Answers. */
	enum sb_code fail_with; /* SB_OK: the call succeeds */
	unsigned fail_line;
	enum sb_inspect_verdict inspect_verdict;
	bool host_fails;
	int run_status; /* of the program that sb_run runs */
	bool sends_events;
	unsigned lint_findings; /* bits: an error, a warning, an info */
	bool lint_fails_on_warning;
	/* What came. */
	unsigned n_calls;
	char asked[4096]; /* one line a call */
};

struct fake_api *fake_api(void);
void fake_api_reset(void);

#endif
