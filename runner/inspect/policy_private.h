/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_POLICY_PRIVATE_H
#define SB_INSPECT_POLICY_PRIVATE_H

#include "base/strv.h"
#include "inspect/policy.h"

/* What policy.c and policy_read.c share. */
enum sb_budget_kind {
	SB_BUDGET_DEAD_BYTES,
	SB_BUDGET_IMAGE_BYTES,
	SB_BUDGET_LAYER_BYTES,
	SB_BUDGET_LAYERS,
	SB_BUDGET_CACHE_BYTES,
	SB_BUDGET_SETUID_FILES,
	SB_BUDGET_SUSPECTED_SECRETS,
	SB_BUDGET_RUNS_AS_ROOT, /* 0 or 1 */
	SB_N_BUDGETS
};

struct sb_budget {
	bool is_set;
	uint64_t most;
};

struct sb_waiver {
	char *rule;
	char *path;        /* pattern, or NULL */
	char *fingerprint; /* or NULL */
	char *owner;
	char *expires;   /* as it was written */
	char *waived_by; /* "OWNER until DAY: REASON" */
	time_t end;      /* the first second at which it has expired */
};

struct sb_policy {
	char *file; /* where it was read from, or NULL */
	struct sb_strv fail_on;
	bool is_default; /* fail_on holds what nobody said */
	struct sb_budget budgets[SB_N_BUDGETS];
	SB_ARRAY(struct sb_waiver) waivers;
};

bool sb_budget_is_size(enum sb_budget_kind kind);
const char *sb_budget_name(enum sb_budget_kind kind);

#endif
