/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "inspect/policy.h"

/* What the policy does not take is told with a line that the file has. */
static void check_error(const struct sb_error *err, const char *text, size_t len)
{
	unsigned n_lines = 1;

	for (size_t i = 0; i < len; i++)
		n_lines += text[i] == '\n' ? 1 : 0;
	SB_BUG_ON(err->code != SB_E_SYNTAX && err->code != SB_E_USAGE);
	SB_BUG_ON(err->at.line == 0 || err->at.line > n_lines + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SB_AUTO(sb_policy) policy = sb_policy_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *text = sb_memdup0(data, len);
	struct sb_inspection nothing = {.user = text};
	struct sb_findings findings = {0};

	if (sb_policy_read(policy, "policy", text, len, &err) < 0) {
		check_error(&err, text, len);
		return 0;
	}
	(void)sb_findings_add(
		&findings, SB_RULE_DELETED_FILE, sb_strdup("it is deleted"), "etc/x", NULL);
	(void)sb_findings_add(&findings, SB_RULE_KNOWN_SECRET, sb_strdup("it is there"), "x", NULL);
	sb_policy_apply(policy, &nothing, (time_t)len << 20, &findings);
	SB_ARRAY_FOREACH (&findings, finding) {
		SB_BUG_ON(strcmp(finding->rule->id, SB_RULE_KNOWN_SECRET) == 0 &&
			  finding->waived_by != NULL);
		(void)sb_policy_fails(policy, finding);
	}
	sb_findings_release(&findings);
	return 0;
}
