/* SPDX-License-Identifier: BSD-3-Clause */
/* tandem [EAL options] -- -c FILE [--check [--peer FILE] [--print]] */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process/settings_rooms.h"
#include "process.h"
#include "process/figures.h"

static const char options_usage[] =
	"usage: tandem [EAL options] -- -c FILE [--check [--peer FILE] [--print]]\n"
	"  -c, --config FILE  the chassis' configuration\n"
	"      --check        check it, say everything that is wrong with it, touch no device\n"
	"      --peer FILE    with --check: the other chassis' configuration; what must agree is "
	"compared\n"
	"      --print        with --check: print the configuration, defaults included\n"
	"      --knobs        print the table of all keys (Markdown)\n"
	"      --alarms       print the rows of the table of all alarms (Markdown)\n"
	"      --counters     print the tables of all counters and gauges (Markdown)\n"
	"  -h, --help         this text\n"
	"At least three lcores are needed, e.g. --lcores 0@0,1@1,2@2 (control, workers, "
	"replication).\n";

int options_load(const char *file, struct config *c)
{
	struct config_report r;
	int ret = config_load(file, c, &r);

	if (r.text != NULL)
		fputs(r.text, stderr);
	else if (ret < 0)
		fprintf(stderr, "%s: %s\n", file, strerror(-ret));
	config_report_free(&r);
	return ret;
}

/* The files of secrets are there and can be used. */
static bool options_keys_good(const struct config *c)
{
	char why[TLS_WHY];
	bool good = settings_keys_good(c, why);

	if (!good)
		fprintf(stderr, "%s: %s\n", c->file, why);
	return good;
}

static bool options_secrets_good(const struct config *c)
{
	char why[SECRET_WHY];
	struct monitors_start s;
	bool good;

	settings_monitors_start(c, &s);
	good = monitors_check(&s, why);

	if (!good)
		fprintf(stderr, "%s: %s\n", c->file, why);
	return good;
}

int options_check(const struct options *o)
{
	struct config *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	struct config_report r = { 0 };
	int ret = a == NULL || b == NULL ? -ENOMEM : options_load(o->config, a);

	if (ret == 0 && o->peer != NULL)
		ret = options_load(o->peer, b);
	if (ret == 0 && o->peer != NULL) {
		ret = config_check_pair(a, b, &r);
		if (r.text != NULL)
			fputs(r.text, stderr);
		config_report_free(&r);
	}
	if (ret == 0 && !a->srp.insecure && !options_keys_good(a))
		ret = -EINVAL;
	if (ret == 0 && !options_secrets_good(a))
		ret = -EINVAL;
	if (ret == 0 && o->print)
		config_print(a, stdout);
	if (ret == 0)
		fprintf(stderr, "%s: the configuration is valid\n", o->config);
	free(a);
	free(b);
	return ret == 0 ? EXIT_SUCCESS : PROCESS_EXIT_CONFIG;
}

static int options_refused(const char *why)
{
	fprintf(stderr, "tandem: %s\n%s", why, options_usage);
	return -EINVAL;
}

int options_parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' }, { "peer", required_argument, NULL, 'p' },
		{ "print", no_argument, NULL, 'P' }, { "knobs", no_argument, NULL, 'K' },
		{ "alarms", no_argument, NULL, 'A' }, { "counters", no_argument, NULL, 'C' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	int opt;

	optind = 1;
	while ((opt = getopt_long(argc, argv, "c:h", longs, NULL)) != -1)
		switch (opt) {
		case 'c':
			o->config = optarg;
			break;
		case 'k':
			o->check = true;
			break;
		case 'p':
			o->peer = optarg;
			break;
		case 'P':
			o->print = true;
			break;
		case 'K':
			config_print_knobs(stdout);
			exit(EXIT_SUCCESS);
		case 'A':
			exit(records_print_alarms(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
		case 'C':
			figures_print(stdout);
			exit(EXIT_SUCCESS);
		case 'h':
			fputs(options_usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			fputs(options_usage, stderr);
			return -EINVAL;
		}
	if (o->config == NULL)
		return options_refused("-c FILE is missing");
	if (optind < argc)
		return options_refused("too many arguments");
	if (!o->check && (o->peer != NULL || o->print))
		return options_refused("--peer and --print need --check");
	return 0;
}
