/* SPDX-License-Identifier: BSD-3-Clause */
/* Alarms: those of srp, and the control core's own about who speaks to this chassis. */
#include <string.h>

#include "process/control.h"

enum { PERSIST_S = 3, QUIET_S = 10 };

static const char *const names[] = { "srp-peer-refused", "replication-packets-refused",
	"crypto-device", "history-not-saved" };

const char *control_alarm_name(unsigned int alarm)
{
	if (alarm >= ALARM_MONITOR)
		return monitor_alarm_name((enum monitor_alarm)(alarm - ALARM_MONITOR));
	return alarm < SRP_ALARM_MAX ? srp_alarm_name((enum srp_alarm)alarm)
				     : names[alarm - SRP_ALARM_MAX];
}

static void over(struct control *c, unsigned int alarm, int64_t wall)
{
	struct alarm_cleared *k = &c->cleared[c->n_cleared++ % ALARMS_CLEARED];

	k->alarm = alarm;
	k->raised_us = c->alarm[alarm].wall_us;
	k->cleared_us = wall;
	memcpy(k->text, c->alarm[alarm].text, sizeof(k->text));
}

void control_alarm(struct control *c, unsigned int alarm, bool on, const char *text, usec_t now)
{
	bool was = c->alarm[alarm].on;
	int64_t wall;

	if (!on && !was)
		return;
	/* Other words for what goes on: those of srp are worth a line, the others count up. */
	if (on && was && alarm < SRP_ALARM_MAX && strcmp(c->alarm[alarm].text, text) != 0)
		LOG(WARNING, "alarm %s: %s", control_alarm_name(alarm), text);
	if (on)
		snprintf(c->alarm[alarm].text, sizeof(c->alarm[alarm].text), "%s", text);
	if (on == was)
		return;
	wall = clock_wall_us();
	if (was)
		over(c, alarm, wall);
	c->alarm[alarm].on = on;
	c->alarm[alarm].since = now;
	c->alarm[alarm].wall_us = wall;
	if (on)
		LOG(WARNING, "alarm %s raised: %s", control_alarm_name(alarm), text);
	else
		LOG(NOTICE, "alarm %s cleared", control_alarm_name(alarm));
}

/* Packets of the stream that nothing but a mistake or an attack explains. */
static uint64_t refused(const struct keys_counters *k, char *text, size_t size)
{
	const struct {
		const char *what;
		uint64_t n;
	} reason[] = { { "wrong tag", counter_get(&k->rx_bad_tag) },
		{ "unknown key", counter_get(&k->rx_unknown_key) },
		{ "plain text", counter_get(&k->rx_plaintext) },
		{ "reflected", counter_get(&k->rx_reflected) },
		{ "wrong length", counter_get(&k->rx_length) },
		{ "other version", counter_get(&k->rx_version) } };
	uint64_t sum = 0;
	size_t used;

	used = (size_t)snprintf(text, size, "packets of the peer's address cannot be opened:");
	for (unsigned int i = 0; i < RTE_DIM(reason); i++) {
		sum += reason[i].n;
		if (reason[i].n > 0 && used < size)
			used += (size_t)snprintf(text + used, size - used, " %lu %s,",
				(unsigned long)reason[i].n, reason[i].what);
	}
	if (used < size)
		snprintf(text + used, size - used,
			" since start: look who else is on the replication link");
	return sum;
}

void control_alarms_turn(struct control *c, usec_t now)
{
	const struct keys_counters *k = replicator_keys_count(T.repl);
	char text[SRP_REASON_MAX];
	uint64_t n;

	if (T.conf->srp.insecure || now < c->refused_at)
		return;
	c->refused_at = now + USEC_PER_SEC;
	n = refused(k, text, sizeof(text));
	if (n != c->refused_n) {
		c->refused_for++;
		c->quiet_for = 0;
	} else {
		c->refused_for = 0;
		c->quiet_for++;
	}
	c->refused_n = n;
	if (c->refused_for >= PERSIST_S)
		control_alarm(c, ALARM_PACKETS_REFUSED, true, text, now);
	else if (c->quiet_for >= QUIET_S)
		control_alarm(c, ALARM_PACKETS_REFUSED, false, "", now);
	if (atomic_load(&replicator_view(T.repl)->crypt_failed))
		control_alarm(c, ALARM_CRYPTO, true,
			"the crypto device does not answer, nothing is replicated: `srp "
			"initiate-switchover force` if this chassis is Active, then restart it",
			now);
	if (counter_get(&k->tx_exhausted) !=
		c->exhausted_n) { /* the peer has not followed for 2^24 packets */
		c->exhausted_n = counter_get(&k->tx_exhausted);
		LOG(WARNING, "SRP: the replication key is used up: a new connection makes another");
		link_drop(c, now);
	}
}
