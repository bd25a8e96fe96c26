/* SPDX-License-Identifier: MIT */

/*
 * What the search for secrets costs a commit: times, in turns, the layer of a folder being written
 * with no secret known and with two (a token of 40 characters, a private key). See the script
 * `leak` beside it.
 *
 *   bench_leak none|gzip|zstd ROUNDS FOLDER OUT
 *
 * Prints lines "without|with", and microseconds: by the clock, of this thread, which reads,
 * searches and makes the tar, and of the others, which hash and compress.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "layer/write.h"

static const char token[] = "glpat-9vXn3RkQzT7mWb2LcYd8JfHs5PqAeUg41xZ";

static struct sb_secrets *make_secrets(void)
{
	struct sb_secrets *secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char key[1700] = "-----BEGIN PRIVATE KEY-----\n";
	size_t len = strlen(key);
	uint32_t seed = 7;

	for (int i = 0; len < 1600; i++) {
		seed = seed * 1664525 + 1013904223;
		key[len++] =
			i % 65 == 64
				? '\n'
				: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
					  [seed >> 26];
	}
	len += (size_t)snprintf(key + len, sizeof(key) - len, "\n-----END PRIVATE KEY-----\n");
	SB_BUG_ON(sb_secrets_add_bytes(secrets, "token", token, strlen(token), &err) < 0);
	SB_BUG_ON(sb_secrets_add_bytes(secrets, "key", key, len, &err) < 0);
	return secrets;
}

static long now_us(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct times {
	long wall;
	long here;
	long all;
};

static struct times now(void)
{
	return (struct times){now_us(CLOCK_MONOTONIC), now_us(CLOCK_THREAD_CPUTIME_ID),
		now_us(CLOCK_PROCESS_CPUTIME_ID)};
}

static void print(const char *what, struct times start)
{
	const struct times end = now();
	const long here = end.here - start.here;

	(void)printf(
		"%s %ld %ld %ld\n", what, end.wall - start.wall, here, end.all - start.all - here);
}

static int write_layer(int dir_fd, const char *out, enum sb_compression compression,
	struct sb_content_search *search, struct sb_error *err)
{
	__attribute__((cleanup(sb_changes_release))) struct sb_changes changes = {0};
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	const struct sb_diff_options diff = {.lower_fd = -1,
		.upper_fd = dir_fd,
		.ids = {.uid_count = 1 << 30, .gid_count = 1 << 30}};
	struct sb_layer_write_options options = {.upper_fd = dir_fd,
		.compression = compression,
		.source_date_epoch = -1,
		.search = search};
	struct sb_layer_blob blob = {0};
	int rc = 0;

	options.out_fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (options.out_fd < 0)
		return sb_fail_errno(err, "'%s'", out);
	rc = sb_diff(&diff, &changes, &warnings, err);
	if (rc == 0)
		rc = sb_layer_write(&changes, &options, &blob, err);
	(void)close(options.out_fd);
	return rc;
}

static int run(char **argv, struct sb_error *err)
{
	SB_AUTO(sb_secrets) secrets = make_secrets();
	enum sb_compression compression = SB_COMPRESS_NONE;
	const int dir_fd = open(argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0)
		return sb_fail_errno(err, "'%s'", argv[3]);
	if (strcmp(argv[1], "none") != 0 && sb_compression_parse(argv[1], &compression, err) < 0)
		return -1;
	for (int round = 0; round <= atol(argv[2]); round++)
		for (int with = 0; with < 2; with++) {
			const struct times start = now();
			SB_AUTO(sb_scanner) scanner = NULL;
			SB_AUTO(sb_content_search) search = NULL;

			if (with) {
				scanner = sb_scanner_new(secrets);
				search = sb_content_search_new(scanner);
			}
			if (write_layer(dir_fd, argv[4], compression, search, err) < 0)
				return -1;
			if (round > 0) /* the first fills caches */
				print(with ? "with" : "without", start);
		}
	return 0;
}

int main(int argc, char **argv)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (argc != 5) {
		(void)fprintf(stderr, "usage: %s none|gzip|zstd ROUNDS FOLDER OUT\n", argv[0]);
		return 2;
	}
	if (run(argv, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	return 0;
}
