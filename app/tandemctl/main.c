/* SPDX-License-Identifier: BSD-3-Clause */
/* tandemctl: the operator's command. Exit status: 0 done, 1 refused by the daemon, 2 no daemon or
 * not understood. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "command.h"

enum { REFUSED = 1, UNUSABLE = 2 };

struct options {
	char socket[256];
	unsigned int timeout_s;
	bool json, help, next, force;
	long limit; /* -1: not given */
};

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "name", required_argument, NULL, 'n' },
	{ "json", no_argument, NULL, 'j' },
	{ "timeout", required_argument, NULL, 't' },
	{ "limit", required_argument, NULL, 'l' },
	{ "force", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "next-words", no_argument, NULL, 'w' },
	{ NULL, 0, NULL, 0 },
};

static int usage(char *const *words, int n, FILE *to)
{
	fputs("usage: tandemctl [-s SOCKET | --name NAME] [--json] [--timeout SECONDS] COMMAND\n\n",
		to);
	if (command_help(words, n, to) == 0) {
		fputs("  no such command; all of them:\n", to);
		command_help(words, 0, to);
	}
	fputs("\nWords may be cut short while they stay unambiguous (sh srp inf).\n"
	      "  -s, --socket SOCKET   control socket of the daemon, default "
	      "/run/tandem/control.sock\n"
	      "  -n, --name NAME       the same as -s /run/tandem/NAME.sock\n"
	      "  -j, --json            the data as JSON\n"
	      "  -t, --timeout SECONDS how long to wait for the answer, default 30\n"
	      "  -h, --help            this text, for the words given\n"
	      "Exit status: 0 done, 1 refused by the daemon, 2 no daemon or not understood.\n",
		to);
	return to == stdout ? EXIT_SUCCESS : UNUSABLE;
}

static bool number(const char *text, long min, long max, long *to)
{
	char *end;

	errno = 0;
	*to = strtol(text, &end, 10);
	return isdigit((unsigned char)*text) && *end == '\0' && errno == 0 && *to >= min &&
	       *to <= max;
}

static int option_take(struct options *o, int c)
{
	long v;

	switch (c) {
	case 's':
		snprintf(o->socket, sizeof(o->socket), "%s", optarg);
		return 0;
	case 'n':
		if (strchr(optarg, '/') != NULL)
			return fprintf(stderr, "tandemctl: --name: expected a name, not a path\n"),
			       -EINVAL;
		snprintf(o->socket, sizeof(o->socket), "/run/tandem/%s.sock", optarg);
		return 0;
	case 't':
		if (!number(optarg, 1, 3600, &v))
			return fprintf(stderr,
				       "tandemctl: --timeout: expected seconds, 1 to 3600\n"),
			       -EINVAL;
		o->timeout_s = (unsigned int)v;
		return 0;
	case 'l':
		if (!number(optarg, 1, INT32_MAX, &o->limit))
			return fprintf(stderr,
				       "tandemctl: --limit: expected a number of at least 1\n"),
			       -EINVAL;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case 'f':
		o->force = true;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	case 'w':
		o->next = true;
		return 0;
	default:
		return -EINVAL; /* getopt told */
	}
}

/* What names a session: an address has dots or colons, a TEID at most ten digits or 0x, an IMSI up
 * to fifteen. */
static const char *session_kind(const char *id)
{
	size_t n = strlen(id);

	if (strncmp(id, "0x", 2) == 0 && n > 2 && n <= 10 &&
		strspn(id + 2, "0123456789abcdefABCDEF") == n - 2)
		return "teid";
	if (n > 0 && strspn(id, "0123456789") == n)
		return n <= 10 ? "teid" : n <= 15 ? "imsi" : NULL;
	return strpbrk(id, ".:") != NULL && strspn(id, "0123456789abcdefABCDEF.:") == n ? "address"
											: NULL;
}

static bool argument_take(const struct command *c, const char *text, json_t *args)
{
	const char *kind;

	if (strcmp(c->arg, "FILE") == 0)
		/* false: no UTF-8 */
		return json_object_set_new(args, "file", json_string(text)) == 0;
	kind = session_kind(text);
	if (kind == NULL)
		return false;
	json_object_set_new(args, "id", json_string(text));
	json_object_set_new(args, "kind", json_string(kind));
	return true;
}

static json_t *args_of(const struct command *c, const struct options *o, char *const *rest, int n)
{
	bool force = o->force;
	json_t *args = json_object();
	long count;

	if (n == 1 && c->options & COMMAND_FORCE &&
		strcmp(rest[0], "force") == 0) { /* as other gateways have it */
		force = true;
		n = 0;
	}
	if ((o->limit > 0 && !(c->options & COMMAND_LIMIT)) ||
		(o->force && !(c->options & COMMAND_FORCE))) {
		fprintf(stderr, "tandemctl: %s does not take %s\n", c->words,
			o->force ? "--force" : "--limit");
		goto bad;
	}
	if (n == 1 && c->options & COMMAND_COUNT) {
		if (!number(rest[0], 1, INT32_MAX, &count)) {
			fprintf(stderr, "tandemctl: %s: expected how many, at least 1, not %s\n",
				c->words, rest[0]);
			goto bad;
		}
		json_object_set_new(args, "limit", json_integer(count));
		return args;
	}
	if (n != (c->arg != NULL)) {
		fprintf(stderr, "tandemctl: %s: expected %s%s%s\n", c->words,
			c->arg != NULL ? c->arg : "nothing more", n > 0 ? ", not " : "",
			n > 0 ? rest[n - 1] : "");
		goto bad;
	}
	if (o->limit > 0)
		json_object_set_new(args, "limit", json_integer(o->limit));
	if (force)
		json_object_set_new(args, "force", json_true());
	if (n == 1 && !argument_take(c, rest[0], args)) {
		fprintf(stderr, "tandemctl: %s: expected %s, not %s\n", c->words, c->arg, rest[0]);
		goto bad;
	}
	return args;
bad:
	json_decref(args);
	return NULL;
}

static void show(const struct command *c, const struct options *o, json_t *data)
{
	if (!o->json)
		c->render(data, stdout);
	else if (data == NULL)
		puts("{}");
	else if (json_dumpf(data, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY) ==
		 0)
		putchar('\n');
}

static int ask(const struct command *c, const struct options *o, json_t *args)
{
	int fd = client_open(o->socket, o->timeout_s), ret;
	json_t *data = NULL;
	static char why[65536]; /* a configuration may have many errors */

	if (fd < 0) {
		fprintf(stderr, "tandemctl: cannot reach tandem at %s: %s: is it running?\n",
			o->socket, strerror(-fd));
		return UNUSABLE;
	}
	/* A daemon that closes early may still have said why: the answer is read in any case. */
	client_send(fd, c->words, args);
	ret = client_receive(fd, &data, why, sizeof(why));
	if (ret < 0) {
		fprintf(stderr, "tandemctl: %s%s%s\n", ret == -EREMOTE ? "" : o->socket,
			ret == -EREMOTE ? "" : ": ", why);
		return ret == -EREMOTE ? REFUSED : UNUSABLE;
	}
	show(c, o, data);
	json_decref(data);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : UNUSABLE;
}

int main(int argc, char **argv)
{
	struct options o = { .socket = "/run/tandem/control.sock", .timeout_s = 30, .limit = -1 };
	const struct command *c;
	char why[768];
	json_t *args;
	int opt, used = 0, ret;

	while ((opt = getopt_long(argc, argv, "s:n:jt:h", long_options, NULL)) >= 0)
		if (option_take(&o, opt) < 0)
			return UNUSABLE;
	argv += optind;
	argc -= optind;
	if (o.next)
		return command_next(argv, argc, stdout), EXIT_SUCCESS;
	if (o.help || argc == 0)
		return usage(argv, argc, o.help ? stdout : stderr);
	c = command_find(argv, argc, &used, why, sizeof(why));
	if (c == NULL) {
		fprintf(stderr, "tandemctl: %s\n", why);
		return UNUSABLE;
	}
	args = args_of(c, &o, argv + used, argc - used);
	if (args == NULL)
		return UNUSABLE;
	ret = ask(c, &o, args);
	json_decref(args);
	return ret;
}
