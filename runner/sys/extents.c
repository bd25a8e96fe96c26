/* SPDX-License-Identifier: MIT */
#include "sys/extents.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/size.h"

/* (uid_t)-1 is no id, so this is how many there are. */
static const uint64_t n_ids = UINT32_MAX;

void sb_extents_release(struct sb_extents *list)
{
	SB_ARRAY_RELEASE(list);
}

void sb_extents_parse_map(const char *text, struct sb_extents *out)
{
	sb_autofree char *copy = sb_strdup(text);

	for (char *saved = NULL, *line = strtok_r(copy, "\n", &saved); line != NULL;
		line = strtok_r(NULL, "\n", &saved)) {
		unsigned long long inside = 0;
		unsigned long long outside = 0;
		unsigned long long len = 0;

		/* The kernel's own text: its numbers fit. NOLINTNEXTLINE(cert-err34-c) */
		if (sscanf(line, "%llu %llu %llu", &inside, &outside, &len) == 3)
			*SB_ARRAY_ADD(out) = (struct sb_extent){inside, outside, len};
	}
}

static bool is_usable(const struct sb_extents *list, uint64_t first, uint64_t len)
{
	if (first == 0 || len == 0 || len > n_ids - first)
		return false;
	SB_ARRAY_FOREACH (list, extent)
		if (first < extent->outside + extent->len && extent->outside < first + len)
			return false;
	return true;
}

/* "who:first:len"; false for what is none. */
static bool parse_subid_line(char *line, const char **out_who, struct sb_extent *out)
{
	const char *who = strsep(&line, ":");
	const char *first = strsep(&line, ":");
	const char *len = strsep(&line, ": \t\r");

	*out_who = who;
	*out = (struct sb_extent){0};
	return len != NULL && sb_number_parse(first, 10, n_ids, &out->outside) &&
	       sb_number_parse(len, 10, n_ids, &out->len);
}

void sb_extents_parse_subids(const char *text, const char *name, uid_t uid, struct sb_extents *out)
{
	sb_autofree char *copy = sb_strdup(text);
	sb_autofree char *number = sb_asprintf("%u", uid);

	for (char *saved = NULL, *line = strtok_r(copy, "\n", &saved); line != NULL;
		line = strtok_r(NULL, "\n", &saved)) {
		const char *who = NULL;
		struct sb_extent extent;

		if (parse_subid_line(line, &who, &extent) &&
			((name != NULL && strcmp(who, name) == 0) || strcmp(who, number) == 0) &&
			is_usable(out, extent.outside, extent.len))
			*SB_ARRAY_ADD(out) = extent;
	}
}

uint64_t sb_extents_subids_end(const char *text)
{
	sb_autofree char *copy = sb_strdup(text);
	uint64_t end = 0;

	for (char *saved = NULL, *line = strtok_r(copy, "\n", &saved); line != NULL;
		line = strtok_r(NULL, "\n", &saved)) {
		const char *who = NULL;
		struct sb_extent extent;

		if (parse_subid_line(line, &who, &extent) && extent.outside + extent.len > end)
			end = extent.outside + extent.len;
	}
	return end;
}

uint64_t sb_extents_total(const struct sb_extents *list)
{
	uint64_t total = 0;

	SB_ARRAY_FOREACH (list, extent)
		total += extent->len;
	return total;
}

uint64_t sb_extents_mapped_from(const struct sb_extents *map, uint64_t first)
{
	uint64_t end = first;
	bool grew = true;

	while (grew) {
		grew = false;
		SB_ARRAY_FOREACH (map, extent) {
			if (extent->inside <= end && end < extent->inside + extent->len) {
				end = extent->inside + extent->len;
				grew = true;
			}
		}
	}
	return end - first;
}

bool sb_extents_is_initial(const struct sb_extents *map)
{
	return map->len == 1 && map->items[0].inside == 0 && map->items[0].outside == 0 &&
	       map->items[0].len == UINT32_MAX;
}
