/* SPDX-License-Identifier: BSD-3-Clause */
/* The peer's configuration, fetched as lines of text that mean nothing here: whoever asked for them
 * compares them and says what came of it. One piece is asked for at a time, so that either side
 * holds one text, answers from what it has, and no queue fills; what is lost with a connection is
 * fetched again over the next. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "srp_pvt.h"

enum { RETRY_US = 1000000 };

static void lines_ask(struct srp *s, usec_t now)
{
	struct srp_lines *l = &s->lines;

	srp_send(s, &(struct srp_msg){ .type = SRP_MSG_WANT_LINES,
			    .digest = l->digest,
			    .offset = (uint32_t)l->have });
	l->asked_at = now;
}

static void lines_begin(struct srp *s, usec_t now)
{
	struct srp_lines *l = &s->lines;

	l->due = s->conf.configuration_us != 0 ? now + s->conf.configuration_us : USEC_NEVER;
	if (!l->told || s->conf.lines == NULL)
		return;
	l->asking = true;
	l->have = l->total = 0;
	l->digest = s->info.peer.config_digest;
	lines_ask(s, now);
}

void srp_lines_connected(struct srp *s)
{
	s->lines.asking = s->lines.met = s->lines.told = false;
}

void srp_lines_hello(struct srp *s, const struct srp_msg *m, usec_t now)
{
	struct srp_lines *l = &s->lines;
	bool first = !l->met,
	     news = l->of != m->incarnation || l->compared_digest != m->config_digest;

	l->met = true;
	l->told = m->tells_lines;
	if (news) {
		l->of = m->incarnation;
		l->compared_digest = m->config_digest;
		l->compared = l->asking = false; /* what was asked for is no more */
		l->n = 0;
		l->first[0] = '\0';
	}
	if (first || news)
		snprintf(s->info.config_event_text, sizeof(s->info.config_event_text), "%s",
			m->config_digest == s->conf.config_digest ? "compared: equal"
			: srp_next_agrees(s) ? "compared: what runs on one is next on the other"
					     : "compared: they differ");
	if (first || news)
		s->info.config_event = now;
	/* What the peer waited for may have been taken back. */
	if (!srp_next_agrees(s) && (first || news || !s->info.differs))
		lines_begin(s, now);
	else if (first)
		l->due =
			s->conf.configuration_us != 0 ? now + s->conf.configuration_us : USEC_NEVER;
}

int srp_reconfigure(struct srp *s, const struct srp_conf *c, usec_t now)
{
	struct srp_lines *l = &s->lines;
	bool news = s->conf.config_digest != c->config_digest;

	if (news && (s->info.state == SRP_PENDING_ACTIVE || s->info.state == SRP_PENDING_STANDBY))
		return -EBUSY;
	srp_next_take(s, c);
	s->hello_due = now; /* which tells it */
	s->conf.config_digest = c->config_digest;
	s->conf.configuration_us = c->configuration_us;
	s->conf.pending_us = c->pending_us;
	s->conf.lines = c->lines;
	s->conf.lines_len = c->lines_len;
	if (!news) {
		srp_settle(s, now);
		return 0;
	}
	l->compared = l->asking = false; /* it was with the old ones */
	l->n = 0;
	l->first[0] = '\0';
	if (s->info.connected && l->met) {
		if (!srp_next_agrees(s))
			lines_begin(s, now);
		srp_judge(s, now);
	}
	srp_settle(s, now);
	return 0;
}

void srp_lines_turn(struct srp *s, usec_t now)
{
	struct srp_lines *l = &s->lines;

	if (!s->info.connected || !l->met)
		return;
	if (srp_reached(s, l->due, now))
		lines_begin(s, now);
	if (l->asking && srp_reached(s, l->asked_at + RETRY_US, now))
		lines_ask(s, now);
	srp_reached(s, l->due, now);
	if (l->asking)
		srp_reached(s, l->asked_at + RETRY_US, now);
}

int srp_on_want_lines(struct srp *s, const struct srp_msg *m)
{
	struct srp_msg piece = { .type = SRP_MSG_LINES, .digest = m->digest, .offset = m->offset };
	size_t len = s->conf.lines_len;

	/* Of a configuration that was: our hello says which is ours now. */
	if (s->conf.lines == NULL || m->digest != s->conf.config_digest)
		return -ESTALE;
	if (m->offset >= len)
		return -EBADMSG;
	piece.total = (uint32_t)len;
	piece.piece = (const uint8_t *)s->conf.lines + m->offset;
	piece.piece_len = (uint16_t)(len - m->offset < SRP_PIECE ? len - m->offset : SRP_PIECE);
	srp_send(s, &piece);
	return 0;
}

static bool lines_room(struct srp_lines *l, size_t total)
{
	char *text;

	if (total <= l->room)
		return true;
	text = realloc(l->text, total);
	if (text == NULL)
		return false;
	l->text = text;
	l->room = total;
	return true;
}

int srp_on_lines(struct srp *s, const struct srp_msg *m, usec_t now)
{
	struct srp_lines *l = &s->lines;

	if (m->total > SRP_LINES_MAX || m->piece_len == 0 || m->offset > m->total ||
		m->piece_len > m->total - m->offset)
		return -EBADMSG;
	if (!l->asking || m->digest != l->digest || m->offset != l->have ||
		(l->have > 0 && m->total != l->total))
		return -ESTALE;
	if (!lines_room(l, m->total)) { /* asked again at the next comparison */
		l->asking = false;
		return 0;
	}
	l->total = m->total;
	memcpy(l->text + l->have, m->piece, m->piece_len);
	l->have += m->piece_len;
	if (l->have < l->total) {
		lines_ask(s, now);
		return 0;
	}
	l->asking = false;
	srp_emit(s, SRP_ACT_LINES);
	return 0;
}

const char *srp_peer_lines(const struct srp *s, size_t *len)
{
	*len = s->lines.have;
	return s->lines.have > 0 && s->lines.have == s->lines.total ? s->lines.text : NULL;
}

void srp_compared(struct srp *s, unsigned int n, const char *first, usec_t now)
{
	struct srp_lines *l = &s->lines;

	if (l->digest != l->compared_digest) /* its hello has named another meanwhile */
		return;
	l->compared = true;
	l->n = n;
	snprintf(l->first, sizeof(l->first), "%s", first);
	if (n == 0)
		snprintf(s->info.config_event_text, sizeof(s->info.config_event_text),
			"compared key by key: equal");
	else
		snprintf(s->info.config_event_text, sizeof(s->info.config_event_text),
			"compared key by key: %u differ", n);
	s->info.config_event = now;
	srp_judge(s, now);
	srp_settle(s, now);
}

int srp_validate_configuration(struct srp *s, char reason[SRP_REASON_MAX], usec_t now)
{
	int ret = 0;

	if (!s->info.connected || !s->lines.met) {
		snprintf(reason, SRP_REASON_MAX,
			"no SRP connection: check the network between srp bind and srp peer");
		ret = -ENOTCONN;
	} else if (!s->lines.told || s->conf.lines == NULL) {
		snprintf(reason, SRP_REASON_MAX,
			"the peer's release does not tell its keys: compare the files with tandem "
			"--check --peer");
		ret = -ENOTSUP;
	} else {
		snprintf(reason, SRP_REASON_MAX, "ok");
		lines_begin(s, now);
	}
	srp_settle(s, now);
	return ret;
}

/* Room for what to do first: of the key and its values what is left. */
static void lines_differs_in(const struct srp_lines *l, char why[SRP_REASON_MAX])
{
	char rest[80];

	snprintf(rest, sizeof(rest),
		l->n > 1 ? "; and %u more: make them equal" : ": make them equal", l->n - 1);
	snprintf(why, SRP_REASON_MAX, "configurations differ: %.*s%s",
		(int)(SRP_REASON_MAX - 1 - strlen("configurations differ: ") - strlen(rest)),
		l->first, rest);
}

bool srp_lines_differ(const struct srp *s, char why[SRP_REASON_MAX])
{
	const struct srp_lines *l = &s->lines;
	bool equal = s->info.peer.config_digest == s->conf.config_digest;

	/* What differs now is what is about to be equal. */
	if (!equal && srp_next_agrees(s))
		return false;
	if (l->compared && l->n > 0)
		lines_differs_in(l, why);
	else if (equal)
		return false;
	else if (l->compared)
		snprintf(why, SRP_REASON_MAX,
			"the configurations differ, but in no key that either knows: run the same "
			"release on both");
	else if (s->conf.lines != NULL && l->met && !l->told)
		snprintf(why, SRP_REASON_MAX,
			"the configurations differ, in keys that the peer's release does not tell: "
			"compare the files with tandem --check --peer");
	else
		snprintf(why, SRP_REASON_MAX,
			"the configurations differ, in keys that the peer was not heard of yet: "
			"make them equal");
	return true;
}
