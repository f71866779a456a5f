/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "options.h"

/* Values of options without a short form. */
enum { OPTION_LIMIT = 256, OPTION_FORCE, OPTION_NEXT_WORDS };

static const struct option_row {
	const char *name, *value; /* value: the help's word for it; NULL: it takes none */
	int key;                  /* the short form, if it is a character */
	const char *complete;     /* what completion offers as its value */
	const char *help;         /* NULL: it is not for people */
} option_rows[] = {
	{ "socket", "SOCKET", 's', "<file>",
		"the control socket of the daemon, by default /run/tandem/control.sock" },
	{ "name", "NAME", 'n', "<name>", "short for -s /run/tandem/NAME.sock" },
	{ "json", NULL, 'j', NULL, "print the data as JSON" },
	{ "all", NULL, 'a', NULL, "print counters that are zero as well" },
	{ "watch", "SECONDS", 'w', NULL,
		"ask again every SECONDS, and print how much counters grow per second" },
	{ "timeout", "SECONDS", 't', NULL, "how long to wait for the answer, by default 30" },
	{ "limit", "N", OPTION_LIMIT, NULL, "how many rows to show at most" },
	{ "force", NULL, OPTION_FORCE, NULL, "another way to write the word force" },
	{ "help", NULL, 'h', NULL,
		"print this text, or the commands that begin with the given words" },
	{ "next-words", NULL, OPTION_NEXT_WORDS, NULL, NULL },
};

enum { OPTIONS_N = sizeof(option_rows) / sizeof(option_rows[0]) };

static bool option_is_short(const struct option_row *r)
{
	return r->key < OPTION_LIMIT;
}

bool options_number(const char *text, long min, long max, long *to)
{
	char *end;

	errno = 0;
	*to = strtol(text, &end, 10);
	return isdigit((unsigned char)*text) && *end == '\0' && errno == 0 && *to >= min &&
	       *to <= max;
}

static bool option_seconds(const char *text, double *to)
{
	char *end;

	*to = strtod(text, &end);
	return isdigit((unsigned char)*text) && *end == '\0' && *to >= 0.1 && *to <= 3600;
}

static int option_refused(const char *why)
{
	fprintf(stderr, "tandemctl: %s\n", why);
	return -EINVAL;
}

static int option_take(struct options *o, int key)
{
	long v;

	switch (key) {
	case 's':
		snprintf(o->socket, sizeof(o->socket), "%s", optarg);
		return 0;
	case 'n':
		if (strchr(optarg, '/') != NULL)
			return option_refused("--name: expected a name, not a path");
		snprintf(o->socket, sizeof(o->socket), "/run/tandem/%s.sock", optarg);
		return 0;
	case 't':
		if (!options_number(optarg, 1, 3600, &v))
			return option_refused("--timeout: expected seconds, 1 to 3600");
		o->timeout_s = (unsigned int)v;
		return 0;
	case 'w':
		if (!option_seconds(optarg, &o->every_s))
			return option_refused("--watch: expected seconds, 0.1 to 3600");
		return 0;
	case 'a':
		o->all = true;
		return 0;
	case OPTION_LIMIT:
		if (!options_number(optarg, 1, INT32_MAX, &o->limit))
			return option_refused("--limit: expected a number of at least 1");
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case OPTION_FORCE:
		o->force = true;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	case OPTION_NEXT_WORDS:
		o->next = true;
		return 0;
	default:
		return -EINVAL; /* getopt has reported it */
	}
}

int options_read(int argc, char **argv, struct options *o)
{
	struct option long_options[OPTIONS_N + 1] = { 0 };
	char short_options[2 * OPTIONS_N + 1] = "";
	size_t used = 0;
	int key;

	*o = (struct options){ .socket = "/run/tandem/control.sock", .timeout_s = 30, .limit = -1 };
	for (int i = 0; i < OPTIONS_N; i++) {
		const struct option_row *r = &option_rows[i];

		long_options[i] = (struct option){ r->name,
			r->value != NULL ? required_argument : no_argument, NULL, r->key };
		if (option_is_short(r))
			used += (size_t)snprintf(short_options + used, sizeof(short_options) - used,
				"%c%s", r->key, r->value != NULL ? ":" : "");
	}
	while ((key = getopt_long(argc, argv, short_options, long_options, NULL)) >= 0)
		if (option_take(o, key) < 0)
			return -EINVAL;
	return 0;
}

void options_help(FILE *to)
{
	for (int i = 0; i < OPTIONS_N; i++) {
		const struct option_row *r = &option_rows[i];
		char line[64];

		if (r->help == NULL)
			continue;
		snprintf(line, sizeof(line), "%c%c%s --%s%s%s", option_is_short(r) ? '-' : ' ',
			option_is_short(r) ? r->key : ' ', option_is_short(r) ? "," : " ", r->name,
			r->value != NULL ? " " : "", r->value != NULL ? r->value : "");
		fprintf(to, "  %-21s %s\n", line, r->help);
	}
}

/* The option that this word is the whole of, so that its value, if it takes one, is the next. */
static const struct option_row *option_named(const char *word)
{
	for (int i = 0; i < OPTIONS_N; i++) {
		const struct option_row *r = &option_rows[i];

		if (strncmp(word, "--", 2) == 0
				? strcmp(word + 2, r->name) == 0
				: option_is_short(r) && word[1] == r->key && word[2] == '\0')
			return r;
	}
	return NULL;
}

void options_complete(char **words, int n, FILE *to)
{
	int plain = 0; /* words of the command, which are moved to the front */

	for (int i = 0; i + 1 < n; i++) {
		const struct option_row *r = words[i][0] == '-' ? option_named(words[i]) : NULL;

		if (words[i][0] != '-') {
			words[plain++] = words[i];
		} else if (r != NULL && r->value != NULL && ++i + 1 == n) {
			fprintf(to, "%s", r->complete != NULL ? r->complete : "");
			fputc('\n', to);
			return;
		}
	}
	if (n > 0 && words[n - 1][0] == '-') {
		for (int i = 0; i < OPTIONS_N; i++)
			if (option_rows[i].help != NULL)
				fprintf(to, "--%s\n", option_rows[i].name);
	} else {
		command_next(words, plain, to);
	}
}
