/* SPDX-License-Identifier: BSD-3-Clause */
/* replay: runs every file of the directories given through the fuzz target that it is linked with, so that a corpus is
 * a test. A file that crashes once stays in the corpus. */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1 << 20 };

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	size_t size;

	if (f == NULL) {
		perror(path);
		return -1;
	}
	data = malloc(FILE_MAX);
	if (data == NULL) {
		fclose(f);
		return -1;
	}
	size = fread(data, 1, FILE_MAX, f);
	fclose(f);

	/* Exactly as long as the input, so that a read past its end is seen. */
	uint8_t *exact = malloc(size > 0 ? size : 1);

	if (exact != NULL) {
		memcpy(exact, data, size);
		LLVMFuzzerTestOneInput(exact, size);
	}
	free(exact);
	free(data);
	return exact != NULL ? 0 : -1;
}

static int replay_all(const char *dir, unsigned int *n)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	char path[PATH_MAX];
	int ret = 0;

	if (d == NULL) {
		perror(dir);
		return -1;
	}
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) >= (int)sizeof(path) ||
			replay(path) < 0)
			ret = -1;
		else
			(*n)++;
	}
	closedir(d);
	return ret;
}

int main(int argc, char **argv)
{
	unsigned int n = 0;
	int ret = 0;

	for (int i = 1; i < argc; i++)
		if (replay_all(argv[i], &n) < 0)
			ret = -1;
	printf("%u inputs\n", n);
	return ret == 0 && n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
