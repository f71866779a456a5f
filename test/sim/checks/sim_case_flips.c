/* SPDX-License-Identifier: BSD-3-Clause */
/* Every bit of a slot's replicated words, flipped once on either side. On the standby it is found
 * and put right within a pass. On the active it is found as well: what is held twice is put right
 * (session_mend), all else is the truth by now and is copied. Where the record no longer hangs
 * together (the address is of another shard, or another session's), the standby refuses it or
 * cannot match it, says so, and the alarm follows. Next hops, policers, `dirty`, `seq` and their
 * like are local: no digest covers them. handle[], bitmaps and indexes are derived: check_tables()
 * looks at them. A quarter of the bits by seed. */
#include <stddef.h>

#include "sim_case.h"

enum { AUDIT_US = 20 * MS, SESSIONS = 1024, QUIET = 12 * AUDIT_US, PARTS = 4 };

/* What may become of it on the active: a value is copied; what is held twice is put right, unless
 * it can be copied; a name of the slot, or of an APN that there is not, may be neither, but is
 * told. */
enum kind { VALUE, TWICE, NAME };

/* The slots whose bits are flipped, by their state. */
enum { LIVE, ENDING, DEAD };

// clang-format off
#define FIELD(name, kind, free) \
	{ #name, offsetof(struct session_slot, name), sizeof(((struct session_slot *)0)->name), \
		0xff, kind, free },
#define ROW_GONE false
#define ROW_KEPT true
#define ROW_DEC(name) 0xff
#define ROW_HEX(name) 0xff
#define ROW_OCTETS(name) 0xff
#define ROW_HEAD(name) 0xff
#define ROW_NIBBLE(name) ((#name)[0] == 's' ? 0xf0 : 0x0f)
#define ROW_FLAG(name) SESSION_FLAG_##name
#define ROW_ADDR(name) 0xff
#define ROW_UE(name) 0xff
#define ROW_MS(name) 0xff
#define ROW(name, type, bytes, group, set, end, line, view) \
	{ #name, SESSION_ROW_AT(name, type), SESSION_ROW_SIZE(name, type), ROW_##type(name), \
		VALUE, ROW_##end },

static const struct {
	const char *text;
	size_t at, size;
	uint8_t mask; /* bits of each octet */
	enum kind kind;
	bool free; /* of a free slot too */
} fields[] = {
	SESSION_FIELDS(ROW)
	{ "flags2", offsetof(struct session_slot, flags2), 1, SESSION_A_USED | SESSION_A_PFCP,
		TWICE, false },
	FIELD(teid, TWICE, true) FIELD(gen, TWICE, true)
	FIELD(up_pkts, VALUE, false) FIELD(up_bytes, VALUE, false)
	FIELD(dn_pkts, VALUE, false) FIELD(dn_bytes, VALUE, false) FIELD(other, VALUE, false)
};
// clang-format on

/* Rows that are no mere values. */
static const struct {
	const char *text;
	enum kind kind;
} special[] = { { "ue", NAME }, { "pool", NAME }, { "apn", NAME }, { "state", TWICE },
	{ "direct_tunnel", TWICE }, { "recovery", TWICE }, { "qos_len", TWICE }, { "qos", TWICE } };

static enum kind kind_of(unsigned int f)
{
	for (unsigned int i = 0; i < RTE_DIM(special); i++)
		if (strcmp(fields[f].text, special[i].text) == 0)
			return special[i].kind;
	return fields[f].kind;
}

/* What no digest covers: it is local, or of later versions' groups (unit_session_next). */
#define LOCAL(name)                                                                                \
	{                                                                                          \
		offsetof(struct session_slot, name), sizeof(((struct session_slot *)0)->name)      \
	}

static const struct {
	size_t at, size;
} local[] = { LOCAL(up_tat), LOCAL(active_s), LOCAL(ring_pos), LOCAL(rate), LOCAL(peer_entry),
	LOCAL(usage_hi), LOCAL(dirty), LOCAL(listed), LOCAL(dn_tat), LOCAL(nh_gen), LOCAL(seq),
	LOCAL(freed_s), LOCAL(nh), LOCAL(later), LOCAL(counted_apn) };

static struct node *const a = &sim.node[0], *const b = &sim.node[1];

static struct flips {
	unsigned int seen, flipped, repaired, copied, mended, told;
	usec_t longest;
} n;

static struct session_slot *slot(const struct node *of, uint32_t pos)
{
	return &of->t.table->shard[pos / sim.per_shard].slots[pos % sim.per_shard];
}

static bool whole(void)
{
	return audit_unmatched(b->t.repl->audit) == 0 && check_same(sim.flip.pos);
}

static void begins(uint32_t pos, unsigned int side)
{
	sim.flip.set = true;
	sim.flip.both = side == 0;
	sim.flip.node = (int)side;
	sim.flip.life = sim.node[side].life;
	sim.flip.pos = pos;
	sim.flip.at = sim.now;
	sim.flips++;
	n.flipped++;
}

/* One bit of a field; `at` on that side. */
static void flip(uint32_t pos, unsigned int side, const char *field, enum kind kind, uint8_t *at,
	size_t byte, unsigned int bit)
{
	uint8_t mask = (uint8_t)(1 << bit), was = *at;
	bool good;

	if (sim.failed || n.seen++ % PARTS != sim.seed % PARTS)
		return;
	begins(pos, side);
	*at ^= mask;
	case_step(CASE_STEP);
	good = case_until(whole, AUDIT_US + 5 * MS);
	if (good && side == 1 && *at == was)
		n.repaired++;
	else if (good && side == 0 && *at != was)
		n.copied++;
	else if (good && side == 0 && kind == TWICE)
		n.mended++;
	else if (!good && side == 0 && kind == NAME && audit_unmatched(b->t.repl->audit) > 0)
		n.told++; /* it cannot be copied, and the pair says that it is not in sync */
	else
		broken(12, "%s, byte %zu, bit %u of the %s: %s", field, byte, bit,
			side == 0 ? "active" : "standby", good ? "not seen" : "not repaired");
	if (good)
		n.longest = RTE_MAX(n.longest, sim.now - sim.flip.at);
	if (side == 0)
		*at = was;
	if (!case_until(whole, QUIET))
		broken(12, "%s, byte %zu, bit %u: it does not come back", field, byte, bit);
	sim.flip.set = false;
}

static void one(uint32_t pos, unsigned int side, unsigned int f, size_t byte, unsigned int bit)
{
	flip(pos, side, fields[f].text, kind_of(f),
		(uint8_t *)slot(&sim.node[side], pos) + fields[f].at + byte, byte, bit);
}

/* Lengths and unused octets are put right, all else is copied. What one bit made of the others on
 * the active is put back too. */
static void annexes(uint32_t pos, unsigned int side)
{
	const struct session_table *t = sim.node[side].t.table;
	uint8_t *annex = t->annex + (size_t)pos * t->annex_bytes, was[SESSION_ANNEX_MAX];

	for (unsigned int k = 0; k < 8u * t->annex_bytes; k++) {
		memcpy(was, annex, t->annex_bytes);
		flip(pos, side, "annex", TWICE, annex + k / 8, k / 8, k % 8);
		if (side == 0)
			memcpy(annex, was, t->annex_bytes);
	}
}

static void all(const uint32_t pos[3], unsigned int side)
{
	for (unsigned int f = 0; f < RTE_DIM(fields); f++)
		for (unsigned int k = 0; k < fields[f].size * 8; k++) {
			if (!(fields[f].mask >> k % 8 & 1))
				continue; /* another's, or local */
			one(pos[LIVE], side, f, k / 8, k % 8);
			one(pos[ENDING], side, f, k / 8, k % 8);
			if (fields[f].free)
				one(pos[DEAD], side, f, k / 8, k % 8);
		}
}

/* An octet of the slot that stands in neither list would never be flipped. Spare ones are zero. */
static void covered(const struct session_slot *live)
{
	uint8_t lists[sizeof(struct session_slot)] = { 0 };

	for (unsigned int i = 0; i < RTE_DIM(fields); i++)
		for (size_t k = 0; k < fields[i].size; k++)
			lists[fields[i].at + k] |= fields[i].mask;
	for (unsigned int i = 0; i < RTE_DIM(local); i++)
		for (size_t k = 0; k < local[i].size; k++) {
			if (lists[local[i].at + k] != 0)
				broken(12, "octet %zu of a slot stands in both lists of fields",
					local[i].at + k);
			lists[local[i].at + k] = 0xff;
		}
	for (size_t k = 0; k < sizeof(lists); k++)
		if (lists[k] == 0 && ((const uint8_t *)live)[k] != 0)
			broken(12, "octet %zu of a slot stands in no list of fields", k);
}

static void give_annex(const struct session_slot *s)
{
	struct session_rec r = { .handle = s->teid };
	struct session_annex *x = session_rec_annex(&r);
	unsigned int w = case_worker(a, session_handle_shard(r.handle));

	memset(x, 0x5a, SESSION_ANNEX_FIXED);
	x->uli_len = 7;
	x->class_len = 9;
	x->name_len = 5;
	memset(x->strings, 's', 14);
	r.annex_use |= SESSION_A_PFCP;
	if (session_update(a->t.table, (uint8_t)w, &r, SESSION_G_EXTRA) < 0)
		broken(6, "a session is given no annex");
	case_worker_end(a);
}

/* A session, which carried traffic, in that state. */
static uint32_t made(int state)
{
	struct session_slot *s = case_any(a);
	uint32_t handle = s->teid;
	const struct session_end end = { .why = SESSION_WHY_REQUEST,
		.now_s = (uint32_t)(clock_ticks() / USEC_PER_SEC) };
	unsigned int w;

	if (a->t.table->annex != NULL && state != DEAD)
		give_annex(s);
	case_count(a, s);
	w = case_worker(a, session_handle_shard(handle));
	if (state == ENDING)
		session_end(a->t.table, (uint8_t)w, handle, &end);
	else if (state == DEAD)
		session_free(a->t.table, (uint8_t)w, handle, &end);
	case_worker_end(a);
	return pos_of(a, handle);
}

void case_flips(void)
{
	uint32_t pos[3];

	case_start(SESSIONS, 20);
	sim.idle = 1000;
	case_hurry(a, AUDIT_US);
	/* case_any() finds none that has ended, so the live one comes last */
	pos[DEAD] = made(DEAD);
	pos[ENDING] = made(ENDING);
	pos[LIVE] = made(LIVE);
	covered(slot(a, pos[LIVE]));
	if (sim.failed)
		return;
	node_boot(1);
	if (!case_until(case_in_sync, 10 * USEC_PER_SEC))
		broken(11, "no sync to begin with");
	case_step(4 * USEC_PER_SEC); /* quarantines are over */
	for (unsigned int side = 0; side < 2; side++) {
		all(pos, side);
		if (a->t.table->annex != NULL) {
			annexes(pos[LIVE], side);
			annexes(pos[ENDING], side);
		}
	}
	if (sim.failed)
		return;
	case_step(500 * MS); /* the active hears of it */
	check_pair(a, b);
	printf("flipped bits: %u; standby's repaired %u; active's copied %u, put right %u, told "
	       "%u; found and put right within %llu us of a pass of %u\n",
		n.flipped, n.repaired, n.copied, n.mended, n.told, (unsigned long long)n.longest,
		AUDIT_US);
}
