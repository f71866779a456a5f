/* SPDX-License-Identifier: BSD-3-Clause */
/* gtp_golden: the text files of test/golden/gtp, a line each: a name, words, octets in hex. Their
 * folder comes in TANDEM_GOLDEN. For tests only. */
#ifndef TANDEM_GTP_GOLDEN_H
#define TANDEM_GTP_GOLDEN_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GOLDEN_MAX = 1024, GOLDEN_LINE = 4096 };

struct golden {
	/* vectors have no words; malformed ones have plane and verdict */
	char name[64], word[2][64];
	uint8_t msg[GOLDEN_MAX];
	size_t len;
};

static inline size_t golden_hex(const char *text, uint8_t *to, size_t room)
{
	size_t n = 0;

	for (; text[0] != '\0' && text[1] != '\0' && n < room; text += 2) {
		char octet[3] = { text[0], text[1], '\0' };

		to[n++] = (uint8_t)strtoul(octet, NULL, 16);
	}
	return n;
}

static inline FILE *golden_open(const char *file)
{
	const char *folder = getenv("TANDEM_GOLDEN");
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder != NULL ? folder : "test/golden/gtp", file);
	return fopen(path, "r");
}

/* The next line that is not a comment; 0 at the end. with_words: name word hex word, else name
 * hex. */
static inline int golden_next(FILE *f, int with_words, struct golden *g)
{
	static char line[GOLDEN_LINE], hex[GOLDEN_LINE];

	while (fgets(line, sizeof(line), f) != NULL) {
		int n;

		if (line[0] == '#')
			continue;
		if (with_words)
			n = sscanf(line, "%63s %63s %4095s %63s", g->name, g->word[0], hex,
				    g->word[1]) -
			    2;
		else
			n = sscanf(line, "%63s %4095s", g->name, hex);
		if (n != 2)
			return 0;
		g->len = golden_hex(hex, g->msg, sizeof(g->msg));
		return 1;
	}
	return 0;
}

/* The vector of this name; 0 if there is none. */
static inline int golden_find(const char *name, struct golden *g)
{
	FILE *f = golden_open("vectors.txt");
	int found = 0;

	while (f != NULL && !found && golden_next(f, 0, g))
		found = strcmp(g->name, name) == 0;
	if (f != NULL)
		fclose(f);
	return found;
}

#endif
