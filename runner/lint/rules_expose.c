/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "lint/rules.h"
#include "lint/scope.h"

typedef void (*port_fn)(struct sb_linter *linter, const struct sb_lint_item *item, const char *word,
	const char *port);

/* Calls `visit` with each port whose value is known. */
static void visit_ports(struct sb_linter *linter, port_fn visit)
{
	SB_LINT_FOREACH_OF(linter, item, SB_INSTR_EXPOSE)
	{
		for (size_t i = 0; i < item->instr->words.len && item->stage >= 0; i++) {
			const char *word = item->instr->words.items[i];
			sb_autofree char *port =
				sb_scope_expand(&linter->stages.items[item->stage].scope, word,
					linter->buildfile->escape);

			if (port != NULL)
				visit(linter, item, word, port);
		}
	}
}

static void check_protocol(struct sb_linter *linter, const struct sb_lint_item *item,
	const char *word, const char *port)
{
	const char *slash = strrchr(port, '/');

	if (slash != NULL && strpbrk(slash, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
		sb_lint_add(linter, item, sb_lint_at_text(item, word),
			"the protocol of '%s' is not in lower case", port);
}

void sb_rule_expose_proto_casing(struct sb_linter *linter)
{
	visit_ports(linter, check_protocol);
}

static void check_format(struct sb_linter *linter, const struct sb_lint_item *item,
	const char *word, const char *port)
{
	if (strchr(port, ':') != NULL)
		sb_lint_add(linter, item, sb_lint_at_text(item, word),
			"'%s' names an address or a port of the host", port);
}

void sb_rule_expose_invalid_format(struct sb_linter *linter)
{
	visit_ports(linter, check_format);
}
