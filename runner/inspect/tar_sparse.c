/* SPDX-License-Identifier: MIT */
#include "inspect/tar_sparse.h"

#include "inspect/tar_number.h"

void sb_extents_add_number(struct sb_extents *extents, uint64_t number)
{
	extents->has_half = !extents->has_half;
	if (extents->has_half)
		extents->half = number;
	else
		*SB_ARRAY_ADD(extents) = (struct sb_extent){.at = extents->half, .len = number};
}

bool sb_extents_add_list(struct sb_extents *extents, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		const char *comma = memchr(text + at, ',', len - at);
		const size_t n = comma != NULL ? (size_t)(comma - text) - at : len - at;
		uint64_t number = 0;

		if (!sb_tar_decimal(text + at, n, &number))
			return false;
		sb_extents_add_number(extents, number);
		at += n + 1;
	}
	return !extents->has_half;
}

bool sb_extents_add_gnu(struct sb_extents *extents, const char *pairs, size_t n)
{
	enum { FIELD = 12 };

	for (size_t i = 0; i < n && pairs[i * 2 * FIELD] != '\0'; i++) {
		struct sb_extent extent = {0};

		if (!sb_tar_number(pairs + i * 2 * FIELD, FIELD, &extent.at) ||
			!sb_tar_number(pairs + i * 2 * FIELD + FIELD, FIELD, &extent.len))
			return false;
		*SB_ARRAY_ADD(extents) = extent;
	}
	return true;
}

bool sb_extents_fit(const struct sb_extents *extents, uint64_t stored, uint64_t real)
{
	uint64_t end = 0;
	uint64_t sum = 0;

	if (extents->has_half)
		return false;
	SB_ARRAY_FOREACH (extents, extent) {
		if (extent->at < end || extent->at > real || extent->len > real - extent->at)
			return false;
		end = extent->at + extent->len;
		sum += extent->len;
	}
	return sum == stored;
}
