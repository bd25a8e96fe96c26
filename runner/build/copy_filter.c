/* SPDX-License-Identifier: MIT */
#include "build/copy_filter.h"

#include <string.h>

#include "base/mem.h"

void sb_copy_place_release(struct sb_copy_place *place)
{
	sb_ignore_place_free(place->ignore);
	sb_ignore_place_free(place->exclude);
	free(place->include);
	*place = (struct sb_copy_place){0};
}

void sb_copy_filter_release(struct sb_copy_filter *filter)
{
	sb_glob_free(filter->include);
	*filter = (struct sb_copy_filter){0};
}

int sb_copy_filter_init(struct sb_copy_filter *filter, const struct sb_copy *copy,
	const struct sb_copy_match *match, struct sb_copy_place *out_place, struct sb_error *err)
{
	*filter = (struct sb_copy_filter){.ignore = copy->ignore, .exclude = copy->exclude};
	*out_place = (struct sb_copy_place){0};
	if (match->inner != NULL) {
		filter->include = sb_glob_compile(match->inner, SB_GLOB_IGNORE);
		if (filter->include == NULL)
			return sb_fail(err, SB_E_SYNTAX, "'%s': not a valid wildcard pattern",
				match->inner);
		out_place->include =
			sb_calloc(sb_glob_words(filter->include), sizeof(*out_place->include));
		sb_glob_start(filter->include, out_place->include);
	}
	(void)sb_ignore_judge_path(copy->ignore, match->real, &out_place->ignore);
	out_place->exclude = sb_ignore_root(copy->exclude);
	return 0;
}

/* Is `name` named by the pattern, or could something below it be? Its place is NULL where
 * everything in it is. */
static enum sb_copy_part judge_include(
	const struct sb_glob *glob, const uint64_t *dir, const char *name, uint64_t **out_below)
{
	const size_t n = glob != NULL ? sb_glob_words(glob) : 0;

	if (glob == NULL || dir == NULL)
		return SB_COPY_ALL;

	sb_autofree uint64_t *set = sb_calloc(2 * n, sizeof(*set));

	memcpy(set, dir, n * sizeof(*set));
	if (!sb_glob_read(glob, set, set + n, name, strlen(name)))
		return SB_COPY_NOTHING;
	if (sb_glob_result(glob, set).matches)
		return SB_COPY_ALL;
	if (!sb_glob_read(glob, set, set + n, "/", 1) || !sb_glob_result(glob, set).may_continue)
		return SB_COPY_NOTHING;
	*out_below = SB_STEAL(set);
	return SB_COPY_BELOW;
}

static enum sb_copy_part judge_ignore(const struct sb_ignore *ignore,
	const struct sb_ignore_place *dir, const char *name, enum sb_copy_part partly,
	struct sb_ignore_place **out_below)
{
	const struct sb_ignore_verdict verdict = sb_ignore_judge(ignore, dir, name, out_below);

	if (!verdict.is_excluded)
		return SB_COPY_ALL;
	return verdict.may_include_below ? partly : SB_COPY_NOTHING;
}

enum sb_copy_part sb_copy_filter_judge(const struct sb_copy_filter *filter,
	const struct sb_copy_place *dir, const char *name, struct sb_copy_place *out_below)
{
	enum sb_copy_part least = SB_COPY_ALL;

	*out_below = (struct sb_copy_place){0};
	for (int i = 0; i < 3 && least != SB_COPY_NOTHING; i++) {
		enum sb_copy_part part = SB_COPY_ALL;

		if (i == 0)
			part = judge_include(
				filter->include, dir->include, name, &out_below->include);
		else if (i == 1)
			part = judge_ignore(filter->ignore, dir->ignore, name, SB_COPY_REST,
				&out_below->ignore);
		else
			part = judge_ignore(filter->exclude, dir->exclude, name, SB_COPY_BELOW,
				&out_below->exclude);
		if (part < least)
			least = part;
	}
	return least;
}
