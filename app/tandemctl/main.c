/* SPDX-License-Identifier: BSD-3-Clause */
/* tandemctl: the operator's command. Exit status: 0 done, 1 refused by the daemon, 2 no daemon or
 * not understood. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "command.h"
#include "options.h"
#include "rates.h"

enum { REFUSED = 1, UNUSABLE = 2 };

static int main_usage(char *const *words, int n, FILE *to)
{
	fputs("usage: tandemctl [OPTIONS] COMMAND\n\n", to);
	if (command_help(words, n, to) == 0) {
		fputs("  no such command; all of them:\n", to);
		command_help(words, 0, to);
	}
	fputs("\nWords may be cut short while they stay unambiguous (sh srp inf).\n", to);
	options_help(to);
	fputs("Exit status: 0 done, 1 refused by the daemon, 2 no daemon or not understood.\n", to);
	return to == stdout ? EXIT_SUCCESS : UNUSABLE;
}

/* What names a session: an address has dots or colons, a TEID at most ten digits or 0x, an IMSI up
 * to fifteen. */
static const char *main_session_kind(const char *id)
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

static bool main_argument(const struct command *c, const char *text, json_t *args)
{
	const char *kind;

	if (c->argument == COMMAND_FILE)
		/* false: no UTF-8 */
		return json_object_set_new(args, "file", json_string(text)) == 0;
	kind = main_session_kind(text);
	if (kind == NULL)
		return false;
	json_object_set_new(args, "id", json_string(text));
	json_object_set_new(args, "kind", json_string(kind));
	return true;
}

static json_t *main_args(const struct command *c, const struct options *o, char *const *rest, int n)
{
	bool force = o->force;
	json_t *args = json_object();
	long count;

	if (n == 1 && c->argument == COMMAND_FORCE &&
		strcmp(rest[0], "force") == 0) { /* as other gateways have it */
		force = true;
		n = 0;
	}
	if ((o->limit > 0 && c->argument != COMMAND_LIMIT) ||
		(o->force && c->argument != COMMAND_FORCE)) {
		fprintf(stderr, "tandemctl: %s does not take %s\n", c->words,
			o->force ? "--force" : "--limit");
		goto bad;
	}
	if (n == 1 && c->argument == COMMAND_COUNT) {
		if (!options_number(rest[0], 1, INT32_MAX, &count)) {
			fprintf(stderr, "tandemctl: %s: expected how many, at least 1, not %s\n",
				c->words, rest[0]);
			goto bad;
		}
		json_object_set_new(args, "limit", json_integer(count));
		return args;
	}
	if (n != (int)command_argument_required(c->argument)) {
		fprintf(stderr, "tandemctl: %s: expected %s%s%s\n", c->words,
			command_argument_required(c->argument) ? command_argument_text(c->argument)
							       : "nothing more",
			n > 0 ? ", not " : "", n > 0 ? rest[n - 1] : "");
		goto bad;
	}
	if (o->limit > 0)
		json_object_set_new(args, "limit", json_integer(o->limit));
	if (force)
		json_object_set_new(args, "force", json_true());
	if (n == 1 && !main_argument(c, rest[0], args)) {
		fprintf(stderr, "tandemctl: %s: expected %s, not %s\n", c->words,
			command_argument_text(c->argument), rest[0]);
		goto bad;
	}
	return args;
bad:
	json_decref(args);
	return NULL;
}

/* The width of the terminal, or what COLUMNS says; 0: the output goes elsewhere, and has no limit.
 */
static int main_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	long n;

	if (columns != NULL && options_number(columns, 20, 10000, &n))
		return (int)n;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void main_show(
	const struct command *c, const struct options *o, json_t *data, json_t *counters)
{
	struct render r = {
		.to = stdout, .width = main_width(), .all = o->all, .counters = counters
	};

	if (!o->json)
		c->render(data, &r);
	else if (data == NULL)
		puts("{}");
	else if (json_dumpf(data, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY) ==
		 0)
		putchar('\n');
}

/* One answer, or the exit status of what went wrong, which was reported. */
static int main_ask(
	const struct command *c, const struct options *o, json_t *args, struct client_answer *a)
{
	int fd = client_open(o->socket, o->timeout_s), ret;
	static char why[65536]; /* a configuration may have many errors */

	if (fd < 0) {
		fprintf(stderr, "tandemctl: cannot reach tandem at %s: %s: is it running?\n",
			o->socket, strerror(-fd));
		return UNUSABLE;
	}
	/* A daemon that closes early may still have said why: the answer is read in any case. */
	client_send(fd, c->words, args);
	ret = client_receive(fd, a, why, sizeof(why));
	if (ret < 0) {
		fprintf(stderr, "tandemctl: %s%s%s\n", ret == -EREMOTE ? "" : o->socket,
			ret == -EREMOTE ? "" : ": ", why);
		return ret == -EREMOTE ? REFUSED : UNUSABLE;
	}
	return EXIT_SUCCESS;
}

static double main_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A line that says when the answer below it was given. */
static void main_head(const struct options *o)
{
	time_t now = time(NULL);
	char text[32];

	if (!o->json && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now)) > 0)
		printf("%s, every %g s\n", text, o->every_s);
}

/* Asks again and again, until the daemon is gone or nobody reads. */
static int main_watch(const struct command *c, const struct options *o, json_t *args)
{
	struct client_answer before = { 0 }, now;
	double at = 0, was;
	json_t *shown;
	int ret;

	while ((ret = main_ask(c, o, args, &now)) == EXIT_SUCCESS) {
		struct timespec wait;
		double next;

		was = at;
		at = main_seconds();
		shown = rates_add(now.data, before.data, now.counters, at - was);
		main_head(o);
		main_show(c, o, shown, now.counters);
		json_decref(shown);
		client_release(&before);
		before = now;
		if (!o->json)
			putchar('\n');
		if (fflush(stdout) != 0) {
			ret = UNUSABLE;
			break;
		}
		next = at + o->every_s;
		wait.tv_sec = (time_t)next;
		wait.tv_nsec = (long)((next - (double)wait.tv_sec) * 1e9);
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wait, NULL) == EINTR)
			;
	}
	client_release(&before);
	return ret;
}

static int main_once_or_watch(const struct command *c, const struct options *o, json_t *args)
{
	struct client_answer a;
	int ret;

	if (o->every_s > 0)
		return main_watch(c, o, args);
	ret = main_ask(c, o, args, &a);
	if (ret != EXIT_SUCCESS)
		return ret;
	main_show(c, o, a.data, a.counters);
	client_release(&a);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : UNUSABLE;
}

int main(int argc, char **argv)
{
	const struct command *c;
	struct options o;
	char why[768];
	json_t *args;
	int used = 0, ret;

	if (options_read(argc, argv, &o) < 0)
		return UNUSABLE;
	argv += optind;
	argc -= optind;
	if (o.next)
		return options_complete(argv, argc, stdout), EXIT_SUCCESS;
	if (argc > 0 && strcmp(argv[0], "help") == 0)
		return main_usage(argv + 1, argc - 1, stdout);
	if (o.help || argc == 0)
		return main_usage(argv, argc, o.help ? stdout : stderr);
	c = command_find(argv, argc, &used, why, sizeof(why));
	if (c == NULL) {
		fprintf(stderr, "tandemctl: %s\n", why);
		return UNUSABLE;
	}
	if (o.every_s > 0 && c->permission != COMMAND_VIEW) {
		fprintf(stderr, "tandemctl: %s does not take --watch: it is not a view\n",
			c->words);
		return UNUSABLE;
	}
	args = main_args(c, &o, argv + used, argc - used);
	if (args == NULL)
		return UNUSABLE;
	ret = main_once_or_watch(c, &o, args);
	json_decref(args);
	return ret;
}
