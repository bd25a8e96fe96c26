/* SPDX-License-Identifier: MIT */
#include "build/cache_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/size.h"

static const char first_line[] = "safebuild-cache 1";

void sb_cache_record_release(struct sb_cache_record *record)
{
	free(record->created);
	free(record->text);
	SB_ARRAY_RELEASE(&record->blobs);
	*record = (struct sb_cache_record){0};
}

const struct sb_cached_blob *sb_cache_record_blob(
	const struct sb_cache_record *record, enum sb_compression compression, int level)
{
	SB_ARRAY_FOREACH (&record->blobs, blob)
		if (blob->compression == compression && blob->level == level)
			return blob;
	return NULL;
}

static int format_step(
	const struct sb_cache_record *record, struct sb_buf *out, struct sb_error *err)
{
	if (sb_buf_addf(out, err, "diff-id %s\nstate %s\nsize %" PRIu64 "\ncreated %s\ntext %s\n",
		    record->diff_id.text, record->state.text, record->tar_bytes, record->created,
		    record->text) < 0)
		return -1;
	SB_ARRAY_FOREACH (&record->blobs, blob)
		if (sb_buf_addf(out, err, "blob %d %d %s %" PRIu64 "\n", (int)blob->compression,
			    blob->level, blob->digest.text, blob->size_bytes) < 0)
			return -1;
	return 0;
}

int sb_cache_record_format(
	const struct sb_cache_record *record, struct sb_buf *out, struct sb_error *err)
{
	struct sb_digest check;

	if (sb_buf_addf(out, err, "%s\nkey %s\n", first_line, record->key.text) < 0)
		return -1;
	if (sb_digest_is_set(&record->content)
			? sb_buf_addf(out, err, "content %s\n", record->content.text) < 0
			: format_step(record, out, err) < 0)
		return -1;
	sb_digest_of(out->data, out->len, &check);
	return sb_buf_addf(out, err, "check %s\n", check.text);
}

static int fail_broken(struct sb_error *err)
{
	return sb_fail(err, SB_E_INTEGRITY, "the cache's record is broken");
}

/* Cuts the last line off, and compares what is before it with the digest there. */
static int take_check(char *text, struct sb_error *err)
{
	static const char word[] = "\ncheck ";
	struct sb_digest want;
	struct sb_digest got;
	char *line = strstr(text, word);
	char *end = line != NULL ? strchr(line + sizeof(word) - 1, '\n') : NULL;

	if (end == NULL || end[1] != '\0')
		return fail_broken(err);
	*end = '\0';
	if (sb_digest_parse(line + sizeof(word) - 1, &want, err) < 0)
		return -1;
	line[1] = '\0';
	sb_digest_of(text, strlen(text), &got);
	return sb_digest_equal(&want, &got) ? 0 : fail_broken(err);
}

static int parse_blob(const char *value, struct sb_cached_blob *out, struct sb_error *err)
{
	char digest[SB_DIGEST_TEXT_BYTES + 1];
	int compression = 0;

	if (sscanf(value, "%d %d %71s %" SCNu64, &compression, &out->level, digest,
		    &out->size_bytes) != 4 ||
		compression < SB_COMPRESS_GZIP || compression > SB_COMPRESS_NONE)
		return fail_broken(err);
	out->compression = (enum sb_compression)compression;
	return sb_digest_parse(digest, &out->digest, err);
}

static int parse_line(
	const char *word, const char *value, struct sb_cache_record *out, struct sb_error *err)
{
	const struct {
		const char *word;
		struct sb_digest *digest;
	} digests[] = {{"key", &out->key}, {"diff-id", &out->diff_id}, {"state", &out->state},
		{"content", &out->content}};

	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++)
		if (strcmp(word, digests[i].word) == 0)
			return sb_digest_parse(value, digests[i].digest, err);
	if (strcmp(word, "size") == 0)
		return sb_number_parse(value, 10, UINT64_MAX, &out->tar_bytes) ? 0
									       : fail_broken(err);
	if (strcmp(word, "blob") == 0)
		return parse_blob(value, SB_ARRAY_ADD(&out->blobs), err);
	if (strcmp(word, "created") == 0 && out->created == NULL)
		out->created = sb_strdup(value);
	else if (strcmp(word, "text") == 0 && out->text == NULL)
		out->text = sb_strdup(value);
	else
		return fail_broken(err);
	return 0;
}

static bool is_complete(const struct sb_cache_record *record)
{
	if (!sb_digest_is_set(&record->key))
		return false;
	return sb_digest_is_set(&record->content) ||
	       (sb_digest_is_set(&record->diff_id) && sb_digest_is_set(&record->state) &&
		       record->created != NULL && record->text != NULL);
}

int sb_cache_record_parse(
	const char *bytes, size_t len, struct sb_cache_record *out, struct sb_error *err)
{
	sb_autofree char *text = sb_memdup0(bytes, len);
	SB_AUTO_VALUE(sb_cache_record) record = {0};
	char *saved = NULL;

	if (strlen(text) != len || take_check(text, err) < 0)
		return sb_error_is_set(err) ? -1 : fail_broken(err);

	char *line = strtok_r(text, "\n", &saved);

	if (line == NULL || strcmp(line, first_line) != 0)
		return fail_broken(err);
	while ((line = strtok_r(NULL, "\n", &saved)) != NULL) {
		char *value = strchr(line, ' ');

		if (value == NULL)
			return fail_broken(err);
		*value++ = '\0';
		if (parse_line(line, value, &record, err) < 0)
			return -1;
	}
	if (!is_complete(&record))
		return fail_broken(err);
	*out = record;
	record = (struct sb_cache_record){0};
	return 0;
}
