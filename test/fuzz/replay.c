/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs a fuzz target over every file of the folders given, so that a corpus is a test without
 * libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A buffer of exactly the file's size, so that a sanitizer sees a read behind it. */
static int run_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(size > 0 ? size : 1);
	int ok = f != NULL && data != NULL && fread(data, 1, size, f) == size;

	if (ok)
		LLVMFuzzerTestOneInput(data, size);
	free(data);
	if (f != NULL)
		fclose(f);
	return ok ? 0 : -1;
}

/* How many files ran, or -1. */
static int run_folder(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int n = 0;

	if (d == NULL)
		return -1;
	while (n >= 0 && (e = readdir(d)) != NULL) {
		char path[4096];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		n = run_file(path, (size_t)st.st_size) < 0 ? -1 : n + 1;
	}
	closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int n = run_folder(argv[i]);

		printf("%s: %d files\n", argv[i], n);
		if (n <= 0)
			return EXIT_FAILURE;
	}
	return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
