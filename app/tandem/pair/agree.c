/* SPDX-License-Identifier: BSD-3-Clause */
/* The two chassis' configurations, compared key by key: lib/srp brings the peer's lines, lib/config
 * says what differs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair_priv.h"

int agree_open(struct pair *p)
{
	FILE *to = open_memstream(&p->agree.lines, &p->agree.lines_len);

	if (to == NULL)
		return -errno;
	config_lines(p->conf, to);
	return fclose(to) == 0 ? 0 : -errno;
}

int pair_reconfigure(struct pair *p, const struct config *next, usec_t now)
{
	struct srp_conf s = p->srp_conf;
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
		ret = srp_reconfigure(p->srp, &s, now);
	}
	if (ret < 0) {
		free(lines);
		return ret;
	}
	free(p->agree.lines);
	p->agree.lines = lines;
	p->agree.lines_len = len;
	p->srp_conf = s;
	return 0;
}

void agree_close(struct pair *p)
{
	free(p->agree.lines);
	free(p->agree.difference);
	p->agree.lines = p->agree.difference = NULL;
}

void agree_compare(struct pair *p, usec_t now)
{
	size_t len = 0, size;
	const char *peer = srp_peer_lines(p->srp, &len);
	char first[SRP_REASON_MAX], *text = NULL;
	FILE *to = peer != NULL ? open_memstream(&text, &size) : NULL;
	int n;

	if (to == NULL)
		return;
	n = config_lines_difference(p->agree.lines, p->agree.lines_len, peer, len, to);
	if (fclose(to) != 0 || n < 0) { /* compared again at the next interval */
		free(text);
		return;
	}
	free(p->agree.difference);
	p->agree.difference = text;
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(text, "\n"), text);
	srp_compared(p->srp, (unsigned int)n, first, now);
}
