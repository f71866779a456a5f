/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include <rte_common.h>

#include "base/log.h"
#include "replicator/alarms.h"
#include "replicator/replicator.h"

enum { PERSIST_S = 3, QUIET_S = 10 };

#define REPLICATOR_ALARM_PACKETS "replication-packets-refused"
#define REPLICATOR_ALARM_CRYPTO  "crypto-device"

static const struct alarm_info replicator_alarms[] = {
	{ REPLICATOR_ALARM_PACKETS,
		"For 3 s packets have come from the peer's address that cannot be opened. The "
		"text counts them by reason.",
		"If there is `srp-peer-refused` too, or no SRP connection, mend that first: it "
		"brings the keys. Otherwise look who else is on the replication link. The alarm "
		"ends after 10 s without such packets.",
		false },
	{ REPLICATOR_ALARM_CRYPTO,
		"The crypto device of the replication stream does not answer, and nothing is "
		"replicated.",
		"If this chassis is Active, hand over with `srp initiate-switchover force`; then "
		"restart it. Only a restart ends the alarm.",
		false },
};

int replicator_alarms_register(struct alarms *a)
{
	return alarms_register(a, replicator_alarms, RTE_DIM(replicator_alarms));
}

static uint64_t replicator_refused(const struct keys_counters *k, char *text, size_t size)
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
			" since start: see to the SRP connection, which brings the keys, then who "
			"else is on the replication link");
	return sum;
}

static void replicator_watch_packets(
	struct replicator_watch *w, const struct keys_counters *k, struct alarms *a, usec_t now)
{
	char text[ALARM_TEXT];
	uint64_t n = replicator_refused(k, text, sizeof(text));
	bool more = n != w->refused;

	w->refused_s = more ? w->refused_s + 1 : 0;
	w->quiet_s = more ? 0 : w->quiet_s + 1;
	w->refused = n;
	if (w->refused_s >= PERSIST_S)
		alarms_raise(a, REPLICATOR_ALARM_PACKETS, text, now);
	else if (w->quiet_s >= QUIET_S)
		alarms_clear(a, REPLICATOR_ALARM_PACKETS, now);
}

bool replicator_alarms_turn(
	struct replicator_watch *w, const struct replicator *r, struct alarms *a, usec_t now)
{
	const struct keys_counters *k = replicator_keys_count(r);

	if (now < w->at)
		return false;
	w->at = now + USEC_PER_SEC;
	replicator_watch_packets(w, k, a, now);
	if (atomic_load(&replicator_view(r)->crypt_failed))
		alarms_raise(a, REPLICATOR_ALARM_CRYPTO,
			"the crypto device does not answer, nothing is replicated: `srp "
			"initiate-switchover force` if this chassis is Active, then restart it",
			now);
	if (counter_get(&k->tx_exhausted) == w->exhausted)
		return false;
	w->exhausted = counter_get(&k->tx_exhausted); /* the peer has not followed for 2^24 */
	LOG(WARNING,
		"the key of the replication stream is used up: the SRP connection is made anew, "
		"which makes another key");
	return true;
}
