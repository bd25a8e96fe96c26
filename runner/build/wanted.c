/* SPDX-License-Identifier: MIT */
#include "build/wanted.h"

#include "base/mem.h"
#include "plan/resolve.h"

void sb_wanted_bases_release(struct sb_wanted_bases *list)
{
	SB_ARRAY_FOREACH (list, wanted)
		free(wanted->name);
	SB_ARRAY_RELEASE(list);
}

struct adding {
	struct sb_wanted_bases *list;
	struct sb_platform platform;
};

static void add(const struct sb_base *base, void *data)
{
	const struct adding *adding = data;

	if (base->kind == SB_BASE_IMAGE)
		*SB_ARRAY_ADD(adding->list) = (struct sb_wanted_base){
			.name = sb_strdup(base->name), .platform = adding->platform};
}

int sb_wanted_bases_add(struct sb_wanted_bases *list, const struct sb_plan *plan,
	const struct sb_platform *target, struct sb_error *err)
{
	SB_ARRAY_FOREACH (&plan->stages, stage) {
		struct adding adding = {list, *target};

		if (!stage->is_needed)
			continue;
		/* COPY --from takes the image of the target's platform, whatever the stage's is. */
		if (sb_plan_visit_sources(plan, stage, add, &adding, err) < 0 ||
			(stage->platform != NULL &&
				sb_platform_parse(stage->platform, &adding.platform, err) < 0))
			return -1;
		add(&stage->base, &adding);
	}
	return 0;
}
