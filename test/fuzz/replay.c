/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs a fuzz target over what is kept for it, so that a corpus is a test without libFuzzer:
 * replay [-v] PATH..., where a PATH is a corpus NAME.txt (its header explains the format;
 * corpus.py writes it), a folder of raw files or one raw file. -v names each input before it runs,
 * so that the last one named has crashed. A line that cannot be read is named and ends the run. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define REPLAY_LONGEST (1U << 20) /* bytes of one input; corpus.py has the same limit */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One line of a corpus while it is read. */
struct replay_line {
	const char *path;
	unsigned number;
	const char *begin, *at, *end;
	size_t size; /* of replay_bytes, so far */
};

static uint8_t replay_bytes[REPLAY_LONGEST];
static bool replay_verbose;

/* A buffer of exactly the input's size, so that a sanitizer sees a read behind it. */
static int replay_give(const uint8_t *bytes, size_t size)
{
	uint8_t *data = malloc(size > 0 ? size : 1);

	if (data == NULL)
		return -1;
	memcpy(data, bytes, size);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

static int replay_refuse(const struct replay_line *l, const char *why)
{
	fprintf(stderr, "%s:%u:%td: %s\n", l->path, l->number, l->at - l->begin + 1, why);
	return -1;
}

static int replay_add(struct replay_line *l, uint8_t byte, size_t times)
{
	if (times > REPLAY_LONGEST - l->size)
		return replay_refuse(l, "The input is too long.");
	memset(replay_bytes + l->size, byte, times);
	l->size += times;
	return 0;
}

/* Two lower-case digits at the cursor, or -1. */
static int replay_hex(const struct replay_line *l)
{
	static const char digits[] = "0123456789abcdef";
	const char *high, *low;

	if (l->end - l->at < 2)
		return -1;
	high = memchr(digits, l->at[0], 16);
	low = memchr(digits, l->at[1], 16);
	return high != NULL && low != NULL ? (int)((high - digits) * 16 + (low - digits)) : -1;
}

/* Behind the opening quotation mark. */
static int replay_text(struct replay_line *l)
{
	for (; l->at < l->end && *l->at != '"'; l->at++) {
		if (*l->at < ' ' || *l->at > '~')
			return replay_refuse(l, "A text has printable ASCII only.");
		if (replay_add(l, (uint8_t)*l->at, 1) < 0)
			return -1;
	}
	if (l->at == l->end)
		return replay_refuse(l, "The text has no end.");
	l->at++;
	return 0;
}

/* Behind the star. */
static int replay_run(struct replay_line *l, uint8_t byte)
{
	size_t times = 0;

	if (l->at == l->end || *l->at < '1' || *l->at > '9')
		return replay_refuse(l, "A run has no number of times.");
	for (; l->at < l->end && *l->at >= '0' && *l->at <= '9'; l->at++) {
		times = times * 10 + (size_t)(*l->at - '0');
		if (times > REPLAY_LONGEST)
			return replay_refuse(l, "The input is too long.");
	}
	return replay_add(l, byte, times);
}

static int replay_word(struct replay_line *l)
{
	int byte, n = 0;

	if (l->at < l->end && *l->at == '"') {
		l->at++;
		return replay_text(l);
	}
	for (; l->at < l->end && *l->at != ' '; n++) {
		byte = replay_hex(l);
		if (byte < 0)
			return replay_refuse(l, "These are not two lower-case hex digits.");
		l->at += 2;
		if (n == 0 && l->at < l->end && *l->at == '*') {
			l->at++;
			return replay_run(l, (uint8_t)byte);
		}
		if (replay_add(l, (uint8_t)byte, 1) < 0)
			return -1;
	}
	return n > 0 ? 0 : replay_refuse(l, "A word is missing.");
}

/* Past `NAME: `, where the line begins so. */
static int replay_name(struct replay_line *l)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_.+-";
	const char *p = l->at;

	/* No punctuation first. */
	while (p < l->end && memchr(allowed, *p, p == l->at ? 62 : sizeof(allowed) - 1) != NULL)
		p++;
	if (p == l->at || p == l->end || *p != ':')
		return 0;
	l->at = p + 1;
	if (l->at == l->end || *l->at != ' ')
		return replay_refuse(l, "A name ends in a colon and a space.");
	l->at++;
	return 0;
}

/* Fills replay_bytes from one line. */
static int replay_decode(struct replay_line *l)
{
	if (replay_name(l) < 0)
		return -1;
	for (;;) {
		if (replay_word(l) < 0)
			return -1;
		if (l->at == l->end)
			return 0;
		if (*l->at != ' ')
			return replay_refuse(l, "A word ends in a space.");
		l->at++;
	}
}

/* How many inputs of a corpus ran, or -1. */
static int replay_corpus(const char *path)
{
	FILE *f = fopen(path, "r");
	struct replay_line l = { .path = path };
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int n = 0;

	if (f == NULL)
		return -1;
	while (n >= 0 && (len = getline(&line, &room, f)) > 0) {
		l = (struct replay_line){ path, l.number + 1, line, line, line + len - 1, 0 };
		if (*l.end != '\n') {
			n = replay_refuse(&l, "The last line has no end.");
			break;
		}
		if (*line == '#')
			continue;
		if (replay_decode(&l) < 0) {
			n = -1;
			break;
		}
		if (replay_verbose)
			fprintf(stderr, "%s:%u\n", path, l.number);
		n = replay_give(replay_bytes, l.size) < 0 ? -1 : n + 1;
	}
	if (ferror(f))
		n = -1;
	free(line);
	fclose(f);
	return n;
}

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t size;
	int ok;

	if (f == NULL)
		return -1;
	if (replay_verbose)
		fprintf(stderr, "%s\n", path);
	size = fread(replay_bytes, 1, sizeof(replay_bytes), f);
	ok = !ferror(f) && (size < sizeof(replay_bytes) || fgetc(f) == EOF);
	fclose(f);
	if (!ok)
		fprintf(stderr, "%s: The input is too long or cannot be read.\n", path);
	return ok && replay_give(replay_bytes, size) == 0 ? 1 : -1;
}

/* How many files ran, or -1. */
static int replay_folder(const char *folder)
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
		n = replay_file(path) < 0 ? -1 : n + 1;
	}
	closedir(d);
	return n;
}

static int replay_path(const char *path)
{
	size_t len = strlen(path);
	struct stat st;

	if (stat(path, &st) < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return replay_folder(path);
	if (len > 4 && strcmp(path + len - 4, ".txt") == 0)
		return replay_corpus(path);
	return replay_file(path);
}

int main(int argc, char **argv)
{
	int first = 1;

	if (argc > 1 && strcmp(argv[1], "-v") == 0) {
		replay_verbose = true;
		first = 2;
	}
	for (int i = first; i < argc; i++) {
		int n = replay_path(argv[i]);

		printf("%s: %d inputs\n", argv[i], n);
		if (n <= 0)
			return EXIT_FAILURE;
	}
	return argc > first ? EXIT_SUCCESS : EXIT_FAILURE;
}
