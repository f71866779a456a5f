/* SPDX-License-Identifier: BSD-3-Clause */
/* Every bit of a slot's replicated words, flipped once on either side. On the standby it is found
 * and put right within a cycle. On the active it is found as well: what is held twice is put right
 * (session_mend), all else is the truth by now and is copied. Where the record no longer hangs
 * together (the address is of another shard, or another session's), the standby refuses it or
 * cannot match it, says so, and the alarm follows. Next hops, policers, `dirty`, `seq` and their
 * like are local: no digest covers them. handle[], bitmaps and indexes are derived: nothing here
 * covers them either. */
#include <stddef.h>
#include <stdlib.h>

#include "sim_flow.h"

enum { CYCLE = 20000, SESSIONS = 1024, QUIET = 12 * CYCLE };

/* What may become of it on the active: a value is copied; what is held twice is put right, unless
 * it can be copied; a name of the slot may be neither, but is told. */
enum kind { VALUE, TWICE, NAME };

// clang-format off
#define FIELD(name, kind, free) \
	{ #name, offsetof(struct session_slot, name), sizeof(((struct session_slot *)0)->name), \
		kind, free }

static const struct {
	const char *text;
	size_t at, size;
	enum kind kind;
	bool free; /* of a free slot too */
} fields[] = {
	FIELD(teid, TWICE, true), FIELD(gen, TWICE, true), FIELD(ue4, NAME, false),
	FIELD(pool, NAME, false), FIELD(last_ue4, NAME, true), FIELD(key, VALUE, false),
	FIELD(msisdn, VALUE, false), FIELD(apn, VALUE, false), FIELD(pdp_type, VALUE, false),
	FIELD(charging_id, VALUE, false), FIELD(created_s, VALUE, false),
	FIELD(up_pkts, VALUE, false), FIELD(up_bytes, VALUE, false),
	FIELD(dn_pkts, VALUE, false), FIELD(dn_bytes, VALUE, false), FIELD(other, VALUE, false),
	FIELD(peer_usr_teid, VALUE, true), FIELD(peer_usr4, TWICE, true),
	FIELD(peer_ctl, VALUE, true), FIELD(peer_usr, VALUE, true),
	FIELD(peer_ctl_teid, VALUE, true), FIELD(flags, VALUE, true),
	FIELD(req_src4, VALUE, true), FIELD(req_port, VALUE, true), FIELD(req_seq, VALUE, true),
	FIELD(req_type, VALUE, true), FIELD(recovery, TWICE, true), FIELD(qos_len, TWICE, false),
	FIELD(qos, TWICE, false),
};
// clang-format on

static void steps(usec_t us)
{
	for (usec_t end = w.now + us; w.now < end;)
		bed_step();
}

/* Until all matches and the two slots are equal; false: not within so long. */
static bool healed(struct session_slot *s[2], usec_t most)
{
	for (usec_t end = w.now + most; w.now < end;) {
		bed_step();
		if (audit_unmatched(w.node[1].audit) == 0 && bed_same(s[0], s[1]))
			return true;
	}
	return false;
}

static struct flips {
	unsigned int flipped, repaired, copied, mended, told, missed, stuck;
	usec_t longest;
} n;

static void one(
	struct session_slot *s[2], unsigned int side, unsigned int f, size_t byte, unsigned int bit)
{
	uint8_t *at = (uint8_t *)s[side] + fields[f].at + byte, mask = (uint8_t)(1 << bit),
		was = *at;
	usec_t began = w.now;
	bool good;

	*at ^= mask;
	n.flipped++;
	good = healed(s, CYCLE + 5000);
	if (good && side == 1 && *at == was) {
		n.repaired++;
	} else if (good && side == 0 && *at != was) {
		n.copied++;
	} else if (good && side == 0 && fields[f].kind == TWICE) {
		n.mended++;
	} else if (!good && side == 0 && fields[f].kind == NAME &&
		   audit_unmatched(w.node[1].audit) > 0) {
		n.told++; /* it cannot be copied, and the pair says that it is not in sync */
	} else {
		n.missed++;
		printf("%s, byte %zu, bit %u of the %s: %s\n", fields[f].text, byte, bit,
			side == 0 ? "active" : "standby", good ? "not seen" : "not repaired");
	}
	if (good)
		n.longest = RTE_MAX(n.longest, w.now - began);
	*at = side == 0 ? was : *at;
	if (!healed(s, QUIET) && n.stuck++ == 0)
		printf("%s, byte %zu, bit %u: it does not come back\n", fields[f].text, byte, bit);
}

bool flip_all(void)
{
	struct session_slot *live[2], *dead[2];
	unsigned int worker;
	uint32_t handle;

	bed_start(SESSIONS, 0);
	w.audit_us = CYCLE;
	live[0] = bed_any(&worker);
	do
		dead[0] = bed_any(&worker);
	while (dead[0] == live[0]);
	handle = dead[0]->teid;
	dead[1] = session_slot_of(w.node[1].t, handle);
	live[1] = session_slot_of(w.node[1].t, live[0]->teid);
	bed_count(live[0], 0);
	session_free(w.node[0].t, (uint8_t)worker, handle, 0);
	bed_join();
	steps(10 * CYCLE);
	for (unsigned int side = 0; side < 2; side++)
		for (unsigned int f = 0; f < RTE_DIM(fields); f++)
			for (unsigned int k = 0; k < fields[f].size * 8; k++) {
				if (fields[f].at == offsetof(struct session_slot, flags) && k > 0)
					break; /* the others are local */
				if (fields[f].at != offsetof(struct session_slot, last_ue4))
					one(live, side, f, k / 8, k % 8);
				if (fields[f].free)
					one(dead, side, f, k / 8, k % 8);
			}
	bed_stop();
	printf("flipped bits: %u; standby's repaired %u; active's copied %u, put right %u, told "
	       "%u; missed %u, stuck %u; found and put right within %llu us of a cycle of %u\n",
		n.flipped, n.repaired, n.copied, n.mended, n.told, n.missed, n.stuck,
		(unsigned long long)n.longest, CYCLE);
	return n.missed == 0 && n.stuck == 0;
}
