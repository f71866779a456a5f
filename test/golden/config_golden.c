/* SPDX-License-Identifier: BSD-3-Clause */
/* What a configuration file becomes: config_golden FILE [PEER] prints the report, then the
 * canonical text of FILE if it loads. --knobs prints the table of config/README.md. Exit status 1
 * with errors. */
#include <stdlib.h>

#include "config/config.h"
#include "config_leak.h"

int main(int argc, char **argv)
{
	static struct config c, peer;
	struct config_report r = { 0 }, r_peer = { 0 };
	int ret;

	if (argc == 2 && strcmp(argv[1], "--knobs") == 0) {
		config_print_knobs(stdout);
		return EXIT_SUCCESS;
	}
	if (argc < 2)
		return EXIT_FAILURE;
	ret = config_load(argv[1], &c, &r);
	if (ret == 0 && argc > 2) {
		ret = config_load(argv[2], &peer, &r_peer);
		if (ret == 0)
			ret = config_check_pair(&c, &peer, &r);
		else
			fputs(r_peer.text != NULL ? r_peer.text : "out of memory\n", stdout);
	}
	fputs(r.text != NULL ? r.text : "", stdout);
	if (ret == 0)
		config_print(&c, stdout);
	config_report_free(&r);
	config_report_free(&r_peer);
	return ret == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
