/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_RETRY_H
#define SB_REGISTRY_RETRY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* When and from where a request is tried again. Nothing here does any work of its own. */

/* The waiting time a Retry-After header asks for: seconds, or a date (IMF-fixdate) seen from `now`;
 * a date that has passed is 0. False where it is neither, or value is NULL. */
bool sb_retry_after_parse(const char *value, time_t now, uint64_t *out_ms);

/* An HTTP date (IMF-fixdate), e.g. of Last-Modified, in seconds since 1970. False where it is none,
 * or value is NULL. */
bool sb_http_date_parse(const char *value, time_t *out);

/* How long to wait before another try: what the registry asks for, or first_ms doubled with each
 * failed try (n_failed counts from 1); never more than max_ms. */
uint64_t sb_retry_delay_ms(
	unsigned n_failed, bool has_wish, uint64_t wish_ms, uint64_t first_ms, uint64_t max_ms);

/* Answers that another try may cure: 408, 429, and 500, 502, 503, 504. */
bool sb_status_is_temporary(long status);

/* Content-Range: bytes FIRST-LAST/TOTAL; total is UINT64_MAX where it is '*'. False where it does
 * not parse or contradicts itself. */
struct sb_content_range {
	uint64_t first;
	uint64_t last;
	uint64_t total;
};
bool sb_content_range_parse(const char *value, struct sb_content_range *out);

/* How many bytes a registry has of an upload, by the Range header of its state ("0-LAST", or
 * "bytes=0-LAST"; "0-0" is none). False where it does not parse. */
bool sb_upload_range_parse(const char *value, uint64_t *out_bytes);

/* True if the answer to "bytes=START-" of a blob of size bytes continues it there. */
bool sb_content_range_continues(const char *value, uint64_t start, uint64_t size);

#endif
