/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"

enum { MAX_INPUT_BYTES = 1 << 20 };

/* The input is a heap block of just its size, so that a read past it is seen by the sanitizers. */
static int replay(const char *path)
{
	FILE *file = fopen(path, "rbe");
	sb_autofree uint8_t *buffer = sb_malloc(MAX_INPUT_BYTES);

	if (file == NULL) {
		perror(path);
		return -1;
	}

	const size_t len = fread(buffer, 1, MAX_INPUT_BYTES, file);

	(void)fclose(file);

	sb_autofree uint8_t *input = sb_malloc(len > 0 ? len : 1);

	memcpy(input, buffer, len);
	(void)LLVMFuzzerTestOneInput(input, len);
	return 0;
}

/* Runs every file of one folder; without any, something is wrong with the test. */
int main(int argc, char **argv)
{
	struct dirent **entries;
	int replayed = 0;
	int failed = 0;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}

	const int n = scandir(argv[1], &entries, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.') {
			sb_autofree char *path = sb_asprintf("%s/%s", argv[1], entries[i]->d_name);

			failed += replay(path) < 0;
			replayed++;
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	(void)printf("%d inputs\n", replayed);
	return replayed == 0 || failed != 0 ? 1 : 0;
}
