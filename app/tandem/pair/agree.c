/* SPDX-License-Identifier: BSD-3-Clause */
/* The two chassis' configurations, compared key by key: lib/srp brings the peer's lines, lib/config
 * says what differs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/lines.h"
#include "pair_priv.h"

/* NULL: no memory. */
static char *agree_copy(const struct pair_live *live)
{
	char *lines = malloc(live->lines_len + 1);

	if (lines == NULL)
		return NULL;
	memcpy(lines, live->lines, live->lines_len);
	lines[live->lines_len] = '\0';
	return lines;
}

int agree_open(struct pair *p)
{
	p->agree.lines = agree_copy(&p->live);
	if (p->agree.lines == NULL)
		return -ENOMEM;
	p->live.lines = p->agree.lines;
	return 0;
}

void agree_srp_conf(const struct pair_live *live, struct srp_conf *s)
{
	s->lines = live->lines;
	s->lines_len = live->lines_len;
	s->config_digest = live->digest;
	s->configuration_us = live->configuration_us;
	s->pending_us = live->pending_us;
	s->hello_us = live->hello_us;
	s->dead_us = live->dead_us;
	s->heartbeat_us = live->heartbeat_us;
	s->dead_multiplier = live->dead_multiplier;
}

int pair_reconfigure(struct pair *p, const struct pair_live *live, usec_t now)
{
	struct srp_conf s = p->srp_conf;
	char *lines = agree_copy(live);
	int ret = -ENOMEM;

	if (lines == NULL)
		return ret;
	agree_srp_conf(live, &s);
	s.lines = lines;
	ret = srp_reconfigure(p->srp, &s, now);
	if (ret < 0) {
		free(lines);
		return ret;
	}
	free(p->agree.lines);
	p->agree.lines = lines;
	p->live = *live;
	p->live.lines = lines;
	p->srp_conf = s;
	return 0;
}

enum srp_reload pair_reload(const struct pair *p, uint64_t digest)
{
	return srp_reload(p->srp, digest);
}

int pair_prepare(struct pair *p, const struct pair_live *live, usec_t now)
{
	struct srp_conf s = p->srp_conf;

	agree_srp_conf(live, &s);
	return srp_prepare(p->srp, &s, now);
}

bool pair_next_is_due(const struct pair *p)
{
	return srp_next_is_due(p->srp);
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
	n = config_lines_difference(p->agree.lines, p->live.lines_len, peer, len, to);
	if (fclose(to) != 0 || n < 0) { /* compared again at the next interval */
		free(text);
		return;
	}
	free(p->agree.difference);
	p->agree.difference = text;
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(text, "\n"), text);
	srp_compared(p->srp, (unsigned int)n, first, now);
}
