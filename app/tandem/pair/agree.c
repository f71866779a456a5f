/* SPDX-License-Identifier: BSD-3-Clause */
/* The two chassis' configurations, compared key by key: lib/srp brings the peer's lines, lib/config
 * says what differs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "process/control.h"

int configuration_open(struct control *c)
{
	FILE *to = open_memstream(&c->lines, &c->lines_len);

	if (to == NULL)
		return -errno;
	config_lines(T.conf, to);
	return fclose(to) == 0 ? 0 : -errno;
}

int configuration_agree(struct control *c, const struct config *next, usec_t now)
{
	struct srp_conf s = c->srp_conf;
	char *lines = NULL;
	size_t len;
	FILE *to = open_memstream(&lines, &len);
	int ret = -ENOMEM;

	if (to == NULL)
		return ret;
	config_lines(next, to);
	if (fclose(to) == 0) {
		s.lines = lines;
		s.lines_len = len;
		s.config_digest = config_digest(next);
		s.configuration_us = next->srp.configuration_interval_s * USEC_PER_SEC;
		s.pending_us = next->srp.pending_timeout_s * USEC_PER_SEC;
		ret = srp_reconfigure(c->srp, &s, now);
	}
	if (ret < 0) {
		free(lines);
		return ret;
	}
	free(c->lines);
	c->lines = lines;
	c->lines_len = len;
	c->srp_conf = s;
	monitors_rules(c->monitors, next);
	return 0;
}

void configuration_close(struct control *c)
{
	free(c->lines);
	free(c->difference);
	c->lines = c->difference = NULL;
}

void configuration_compare(struct control *c, usec_t now)
{
	size_t len = 0, size;
	const char *peer = srp_peer_lines(c->srp, &len);
	char first[SRP_REASON_MAX], *text = NULL;
	FILE *to = peer != NULL ? open_memstream(&text, &size) : NULL;
	int n;

	if (to == NULL)
		return;
	n = config_lines_difference(c->lines, c->lines_len, peer, len, to);
	if (fclose(to) != 0 || n < 0) { /* compared again at the next interval */
		free(text);
		return;
	}
	free(c->difference);
	c->difference = text;
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(text, "\n"), text);
	srp_compared(c->srp, (unsigned int)n, first, now);
}
