/* SPDX-License-Identifier: MIT */
#include "inspect/finding.h"

#include <string.h>

#include "base/mem.h"

static const char pattern_why[] =
	"It has the look of a credential. Whoever can pull the image can read it, in whichever "
	"layer it lies and whether or not a later one deletes it.";

static const struct sb_finding_rule own_rules[] = {
	{SB_RULE_KNOWN_SECRET, "a secret that was given is in the image", SB_LEVEL_ERROR,
		"Whoever can pull the image can read it, whether or not a later layer deletes it.",
		"Mount it in the step that needs it (RUN --mount=type=secret), build anew, and "
		"replace the secret: it is no longer one."},
	{SB_RULE_BROKEN_IMAGE, "the image is not what it claims to be", SB_LEVEL_ERROR,
		"A digest, a size, the order of layers or an archive does not fit: engines refuse "
		"such an image, or run something else than was built.",
		"Fetch or export it again; if it stays so, the tool that made it is broken."},
	{SB_RULE_BUDGET, "a budget of the policy is exceeded", SB_LEVEL_ERROR,
		"The policy says what an image may have at most.",
		"Bring it down, or raise the budget where it is set."},
	{SB_RULE_DELETED_SECRET_FILE, "a deleted file is called like a secret", SB_LEVEL_WARNING,
		"Deleting hides a file in later layers; the layer that holds it is pulled and can "
		"be read.",
		"Mount it (RUN --mount=type=secret) instead of copying it; if it was a secret, "
		"replace it."},
	{SB_RULE_RUNS_AS_ROOT, "the program runs as root", SB_LEVEL_WARNING,
		"A hole in the program then gives all that the container may do.",
		"End the Buildfile with USER and a number other than 0."},
	{SB_RULE_PACKAGE_CACHE, "a package cache is in the image", SB_LEVEL_WARNING,
		"It is downloaded with every pull, and nothing uses it.",
		"Mount the folder with RUN --mount=type=cache, or empty it in the RUN that fills "
		"it."},
	{SB_RULE_NOT_SCANNED, "something was not looked at", SB_LEVEL_WARNING,
		"What was not read can't be said to be clean.",
		"Look at it by other means, and waive it with the reason; --strict makes it fail."},
	{SB_RULE_WAIVER_EXPIRED, "a waiver has expired", SB_LEVEL_WARNING,
		"It waives nothing any more.", "Mend what it waived, or give it a new day."},
	{SB_RULE_WAIVER_UNUSED, "a waiver waives nothing", SB_LEVEL_WARNING,
		"What it is for is no longer found, or it is written wrongly.", "Take it out."},
	{SB_RULE_DELETED_FILE, "a deleted or overwritten file can be read", SB_LEVEL_NOTE,
		"A later layer hides it; it is pulled all the same.",
		"Delete it in the RUN that makes it, or do not copy it in."},
	{SB_RULE_PRIVILEGED_FILE, "a file gives rights to whoever runs it", SB_LEVEL_NOTE,
		"setuid, setgid and file capabilities are a way up from another user.",
		"Take the bit away (chmod u-s, setcap -r) in the RUN that installs it, where it is "
		"not needed."},
	{SB_RULE_ODD_IMAGE, "something is odd, but legal", SB_LEVEL_NOTE,
		"Other tools may read the image in another way.", "See whether it is meant."},
};
enum { N_OWN = sizeof(own_rules) / sizeof(own_rules[0]) };

static size_t count_patterns(void)
{
	size_t n = 0;

	while (sb_pattern_rule_at(n) != NULL)
		n++;
	return n;
}

/* Some are clauses. */
static char *sentence(const char *text)
{
	const size_t len = strlen(text);
	char *whole = sb_asprintf("%s%s", text, len > 0 && text[len - 1] != '.' ? "." : "");

	if (whole[0] >= 'a' && whole[0] <= 'z')
		whole[0] = (char)(whole[0] - 'a' + 'A');
	return whole;
}

/* Made at the first call, and kept: the rules are as static as those they are made of. */
static const struct sb_finding_rule *pattern_rule(size_t i)
{
	static const enum sb_finding_level levels[] = {
		[SB_PATTERN_NOTE] = SB_LEVEL_NOTE,
		[SB_PATTERN_WARNING] = SB_LEVEL_WARNING,
		[SB_PATTERN_ERROR] = SB_LEVEL_ERROR,
	};
	static struct sb_finding_rule *rules;
	static size_t n;

	if (rules == NULL) {
		n = count_patterns();
		rules = sb_calloc(n + 1, sizeof(rules[0]));
		for (size_t k = 0; k < n; k++) {
			const struct sb_pattern_rule *pattern = sb_pattern_rule_at(k);

			rules[k] = (struct sb_finding_rule){
				.id = sb_asprintf("%s%s", SB_RULE_PATTERN_PREFIX, pattern->id),
				.title = pattern->title,
				.level = levels[pattern->severity],
				.why = pattern_why,
				.fix = sentence(pattern->fix),
			};
		}
	}
	return i < n ? &rules[i] : NULL;
}

const struct sb_finding_rule *sb_finding_rule_at(size_t i)
{
	return i < N_OWN ? &own_rules[i] : pattern_rule(i - N_OWN);
}

const struct sb_finding_rule *sb_finding_rule_find(const char *id)
{
	const struct sb_finding_rule *rule;

	for (size_t i = 0; (rule = sb_finding_rule_at(i)) != NULL; i++)
		if (strcmp(rule->id, id) == 0)
			return rule;
	return NULL;
}

static size_t rule_number(const struct sb_finding_rule *rule)
{
	return rule >= own_rules && rule < own_rules + N_OWN
		       ? (size_t)(rule - own_rules)
		       : N_OWN + (size_t)(rule - pattern_rule(0));
}

/* Of what comes behind the rule's id, a part that is not there differs from an empty one. */
static void set_fingerprint(struct sb_finding *finding, const char *path, const char *extra)
{
	struct sb_hasher *hasher = sb_hasher_new();
	const char *const parts[] = {finding->rule->id, path, extra};
	struct sb_digest digest;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const char *part = parts[i] != NULL ? parts[i] : "\1";

		sb_hasher_add(hasher, part, strlen(part) + 1);
	}
	sb_hasher_finish(hasher, &digest);
	sb_hasher_free(hasher);
	memcpy(finding->fingerprint, sb_digest_hex(&digest), sizeof(finding->fingerprint) - 1);
}

struct sb_finding *sb_findings_add(struct sb_findings *findings, const char *rule_id, char *message,
	const char *path, const char *extra)
{
	const struct sb_finding_rule *rule = sb_finding_rule_find(rule_id);
	struct sb_finding *finding = SB_ARRAY_ADD(findings);

	SB_BUG_ON(rule == NULL);
	*finding = (struct sb_finding){
		.rule = rule,
		.level = rule->level,
		.message = message,
		.layer = SIZE_MAX,
		.path = sb_strdup_or_null(path),
		.removed_layer = SIZE_MAX,
	};
	set_fingerprint(finding, path, extra);
	return finding;
}

static int by_number(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

static int by_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

static int compare(const void *a, const void *b)
{
	const struct sb_finding *x = a;
	const struct sb_finding *y = b;
	int order = by_number(y->level, x->level);

	if (order == 0)
		order = by_number(rule_number(x->rule), rule_number(y->rule));
	if (order == 0)
		order = by_number(x->layer, y->layer);
	if (order == 0)
		order = by_text(x->path, y->path);
	return order != 0 ? order : by_text(x->message, y->message);
}

void sb_findings_sort(struct sb_findings *findings)
{
	if (findings->len > 0)
		qsort(findings->items, findings->len, sizeof(findings->items[0]), compare);
}

void sb_findings_release(struct sb_findings *findings)
{
	SB_ARRAY_FOREACH (findings, finding) {
		free(finding->message);
		free(finding->path);
	}
	SB_ARRAY_RELEASE(findings);
}
