/* SPDX-License-Identifier: BSD-3-Clause */
/* A chassis: its process is made as app/tandem/main.c makes it, its cores get their turns, and it
 * can end anywhere. */
#include <rte_lpm.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "sim.h"

#include "cores/memory.h"
#include "process/boot.h"
#include "srp_pvt.h"

enum { DOOR = 16384, FRAMES = 2048 };

struct node *node_now = &sim.node[0];

static struct rte_lpm *lpm; /* the same routes on both: two /24s */
static struct fib fibs[2];

struct node *node_of(const struct session_table *t)
{
	return &sim.node[t == sim.node[1].t.table];
}

/* ---- what the daemon takes from the machine ---- */

usec_t node_clock(const struct node *n)
{
	return n->clock + sim.now + (usec_t)((int64_t)sim.now * n->drift / 1000000);
}

static uint64_t node_ticks(void)
{
	return node_clock(me());
}

static uint64_t node_hz(void)
{
	return USEC_PER_SEC;
}

/* Some day in 2026. */
static int64_t node_wall_us(void)
{
	return INT64_C(1780000000000000) + (int64_t)node_clock(me());
}

static const struct clock_ops node_clock_ops = { node_ticks, node_hz, node_wall_us };

/* base/log.c has a thread. */
void log_line(struct log_site *site, uint32_t level, const char *format, ...)
{
	char text[512];
	va_list args;

	if (!sim.verbose)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (level <= RTE_LOG_NOTICE)
		story(me()->id, "%s", text);
}

void log_last(const char *const *part, unsigned int n)
{
	char text[512] = "";

	for (unsigned int i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", part[i]);
	if (sim.verbose)
		story(me()->id, "%s", text);
}

/* Control gives up when srp says so, or when another core stands still: never within a drain of
 * srp's actions that srp did not end itself. */
void __wrap_abort(void)
{
	const struct control *c = me()->t.control;

	if (c != NULL && me()->running == CONTROL && c->pair != NULL && c->pair->in_drain &&
		!c->pair->srp->gone)
		broken(15, "chassis %c aborts itself and srp did not ask for it", 'A' + me()->id);
	longjmp(me()->out, 1);
}

/* A process may end between any two messages, but not among the orders that all workers are given
 * at once, nor at what is reported of sessions. */
static bool may_end_at(const struct msg *m)
{
	switch (m->type) {
	case TO_WORKER_OWN:
	case TO_WORKER_LATE:
	case TO_WORKER_RESUME:
	case TO_WORKER_RELEASE:
	case TO_WORKER_PURGE:
	case TO_WORKER_PEER_GONE:
	case FROM_WORKER_EVENT:
	case FROM_REPLICATOR_BATCH:
		return false;
	default:
		return true;
	}
}

int __wrap_door_send(const struct door *d, struct msg *m)
{
	struct node *n = me();

	if (m->type == FROM_WORKER_EVENT) {
		const struct from_worker_event *e = &((const struct from_worker *)m)->event;

		if (e->kind == SESSION_ENDED)
			expiry_ended(n, e->rec.handle, (enum session_why)e->why);
	} else if (m->type == REPL_TO_WORKER_LOST) {
		repair_lost(n, d, &((const struct repl_to_worker *)m)->lost.entries);
	} else if (m->type == FROM_REPLICATOR_COMMITTED) {
		check_acked(n, &((const struct from_replicator *)m)->committed.entries);
	}
	if (n->msgs_left > 0 && may_end_at(m) && --n->msgs_left == 0) {
		if (sim.verbose)
			story(n->id, "the message that is not sent: %s", msg_row(m->type)->name);
		longjmp(n->out, 2);
	}
	return __real_door_send(d, m);
}

/* ---- boot ---- */

static struct rte_ring *ring(unsigned int n, unsigned int flags)
{
	struct rte_ring *r =
		memory_take("ring", (size_t)rte_ring_get_memsize(n), RTE_CACHE_LINE_SIZE);

	if (rte_ring_init(r, "ring", n, flags) < 0)
		exit(2);
	return r;
}

static struct door door(struct node *n)
{
	return (struct door){ ring(DOOR, RING_F_SP_ENQ | RING_F_SC_DEQ), n->t.msgs };
}

static void doors(struct node *n)
{
	struct tandem *t = &n->t;

	for (unsigned int i = 0; i < t->n_workers; i++) {
		t->to_worker[i].door = door(n);
		t->from_worker[i].door = door(n);
		t->repl_to_worker[i].door = door(n);
		t->kernel_out[i] = ring(FRAMES, RING_F_SP_ENQ | RING_F_SC_DEQ);
		t->handover[i] = ring(FRAMES, RING_F_SC_DEQ);
		t->stream_out[i] =
			ring(sim.fifo > 0 ? sim.fifo : STREAM_FIFO, RING_F_SP_ENQ | RING_F_SC_DEQ);
	}
	t->to_repl.door = door(n);
	t->from_repl.door = door(n);
	t->punt = ring(FRAMES, RING_F_SC_DEQ);
	t->repl_port.kernel_out = ring(FRAMES, RING_F_SP_ENQ | RING_F_SC_DEQ);
	session_events_init(
		&t->events, &(const struct session_events_env){ .worker = t->from_worker,
				    .n_workers = t->n_workers,
				    .replicator = &t->from_repl,
				    .pool = t->msgs });
	/* With every fourth seed hardly an event finds room at once. */
	if (sim.seed % 4 == 3) {
		t->events.most = t->events.batch.most = 1;
		t->events.most_ends = 2;
	}
}

static void ports(struct node *n)
{
	struct tandem *t = &n->t;

	t->n_ports = PORTS;
	for (unsigned int i = 0; i < PORTS; i++) {
		struct port *p = &t->port[i];

		p->conf = &n->conf.ports[i];
		p->id = (uint16_t)i;
		p->under_ifindex = i + 1;
		p->mac = fibs[n->id].mac[i];
		p->twin.port = (uint16_t)i;
		p->twin.ifindex = i + 1;
		t->shared.port[i].roles = p->conf->roles;
		t->shared.port[i].bit = (uint8_t)(1U << i);
		t->shared.port[i].mtu = (uint16_t)p->conf->mtu;
		atomic_store(&t->shared.port[i].up, true);
	}
}

/* Some runs have annexes, those of flipped bits (seeds 1 to 4) among them. */
uint16_t node_annex(void)
{
	return sim.seed % 8 < 5 ? 128 : 0;
}

/* As main.c's tables_start(). */
static void tables(struct node *n)
{
	struct tandem *t = &n->t;
	struct pool_conf pool[CONFIG_POOLS] = { 0 };
	struct session_params p = { .capacity = n->conf.table.max_sessions,
		.annex = node_annex(),
		.n_apns = PLACES_MOST,
		.places = &t->shared.places,
		.mem = &memory_rte,
		.side = (uint8_t)n->id,
		.quarantine_s = n->conf.pools[0].quarantine_s };

	t->side = (uint8_t)n->id;
	for (unsigned int i = 0; i < n->conf.n_pools; i++) {
		pool[i].prefix = n->conf.pools[i].prefix;
		pool[i].srp_activate = true;
		memcpy(pool[i].name, n->conf.pools[i].name, sizeof(pool[i].name));
	}
	n->pool_at = node_pool_at(&n->conf);
	t->pools = pool_set_create(pool, n->conf.n_pools, &memory_rte);
	pool_places(t->pools, &t->shared.places);
	pool_hooks(t->pools, &p.hooks);
	p.hooks.event = session_events_notify;
	p.hooks.event_ctx = &t->events;
	t->table = session_table_create(&p);
	if (t->table == NULL)
		exit(2);
	t->shared.table = t->table;
	t->shared.pools = t->pools;
	t->shared.fib = t->fib;
	t->shared.events = &t->events;
	t->shared.gtp4 = VIP_GTP;
	t->shared.n_workers = t->n_workers;
	t->shared.direct = t->mbufs;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		t->shared.worker_of_shard[i] = (uint8_t)(i % t->n_workers);
}

/* Another one at each start of each chassis: the order of what has a secret hash must not show. */
static struct siphash_secret secret(const struct node *n, uint64_t of)
{
	const uint64_t half[2] = { sim.seed ^ of << 63,
		(uint64_t)n->life << 1 | (unsigned int)n->id };
	struct siphash_secret s;

	memcpy(s.octet, half, sizeof(s.octet));
	return s;
}

void node_boot(int id)
{
	struct node *n = &sim.node[id];
	struct tandem *t = &n->t;
	struct tandem kept = { .mbufs = t->mbufs,
		.stream_mbufs = t->stream_mbufs,
		.msgs = t->msgs,
		.fib = &fibs[id],
		.conf = &n->conf };

	*t = kept;
	node_now = n;
	n->life++;
	sim.boots++;
	n->up = true;
	n->died = 0;
	n->booted = sim.now;
	n->msgs_left = n->srp_left = 0;
	n->running = CONTROL;
	t->n_workers = 1 + (unsigned int)rnd(WORKERS);
	t->repl_lcore = REPLICATION;
	for (unsigned int i = 0; i < t->n_workers; i++)
		t->worker_lcore[i] = WORKER + i;
	numbers_boot(n);
	doors(n);
	ports(n);
	tables(n);
	clock_init(&node_clock_ops);
	tandem_pulses_init(t,
		n->conf.srp.heartbeat_interval_ms * USEC_PER_MSEC * n->conf.srp.dead_multiplier,
		n->conf.idle_sleep);
	t->crypt = sim.insecure ? NULL : crypt_ops->create("", 0, NULL);
	t->random.incarnation = (uint32_t)(1 + rnd(UINT32_MAX - 1));
	t->random.secret = secret(n, 0);
	t->random.generations = secret(n, 1);
	sock_reset(n);
	shadow_begin(n);
	n->owned = n->vouched = false;
	n->heard = 0;
	role_init(&t->role);
	n->own_term = 0;
	n->addressed = false;
	n->waits = 0;
	n->n_protected = 0;
	n->state = SRP_INIT;
	if (boot_settings(t) < 0)
		exit(2);
	if (boot_transport(t) < 0)
		exit(2);
	for (unsigned int i = 0; i < t->n_workers; i++)
		t->worker[i] = boot_worker(t, i);
	t->repl = boot_replicator(t);
	t->control = control_create(t);
	n->running = -1;
	if (t->control == NULL) { /* an operator looks at the torn state file and takes it away */
		story(id, "does not start: its state file is not readable");
		n->up = false;
		sock_reset(n);
		n->host.disk_torn = false;
		n->host.disk = (struct srp_saved){ 0 };
		return;
	}
	for (int i = 0; i < CORES; i++)
		n->core[i] = (struct core){ .next = sim.now + rnd(300) };
	story(id, "starts with %u workers", t->n_workers);
}

static void drain(struct rte_ring *r, struct rte_mempool *msgs)
{
	void *m;

	while (r != NULL && rte_ring_dequeue(r, &m) == 0)
		if (msgs != NULL)
			rte_mempool_put(msgs, m);
		else
			rte_pktmbuf_free(m);
}

void node_crash(int id, bool machine, const char *why)
{
	struct node *n = &sim.node[id];
	struct tandem *t = &n->t;

	if (!n->up)
		return;
	story(id, "%s%s", why, machine ? " (the whole machine)" : "");
	sim.crashes++;
	use_crashed(n);
	/* the write that was under way had got there */
	if (n->saving && rnd(2) == 0 && !n->host.disk_full)
		n->host.disk = (struct srp_saved){ n->save_reserve, n->save_counter };
	n->up = false;
	n->life++;
	n->died = machine ? 0 : sim.now;
	settings_destroy(t->settings);
	t->settings = NULL;
	sock_died(n, machine);
	port_flush(n);
	for (unsigned int i = 0; i < t->n_workers; i++) {
		drain(t->to_worker[i].door.ring, t->msgs);
		drain(t->from_worker[i].door.ring, t->msgs);
		drain(t->repl_to_worker[i].door.ring, t->msgs);
		drain(t->kernel_out[i], NULL);
		drain(t->handover[i], NULL);
		drain(t->stream_out[i], NULL);
	}
	drain(t->to_repl.door.ring, t->msgs);
	drain(t->from_repl.door.ring, t->msgs);
	drain(t->punt, NULL);
	drain(t->repl_port.kernel_out, NULL);
	if (machine) {
		n->host.vip[0] = n->host.vip[1] = false;
		n->host.metric[ACCESS] = n->host.metric[CORE] = 0;
	}
	traffic_routes(id, ACCESS);
	traffic_routes(id, CORE);
}

/* ---- turns ---- */

void node_wake(int id, int core, usec_t within)
{
	struct core *c = &sim.node[id].core[core];

	c->next = RTE_MIN(c->next, sim.now + 1 + rnd(within));
}

static bool turn(struct node *n, int core)
{
	switch (core) {
	case CONTROL:
		control_turn(n->t.control);
		return false;
	case REPLICATION:
		return replicator_turn(n->t.repl);
	default:
		return worker_turn(n->t.worker[core - WORKER]);
	}
}

void node_turn(int id, int core)
{
	struct node *n = &sim.node[id];
	int how;

	node_now = n;
	n->running = core;
	how = setjmp(n->out);
	if (how == 0) {
		bool busy = turn(n, core);

		n->core[core].next =
			sim.now + (busy ? 20 + rnd(60) : sim.idle / 2 + rnd(sim.idle / 2));
		if (busy) { /* whoever was written to looks soon */
			node_wake(id, CONTROL, 100);
			for (int i = REPLICATION; i < WORKER + (int)n->t.n_workers; i++)
				if (i != core)
					node_wake(id, i, 100);
		}
	}
	n->running = -1;
	if (how != 0)
		node_crash(
			id, false, how == 1 ? "aborts itself" : "is killed between two messages");
	else if (atomic_load(&n->t.quit))
		node_crash(id, false, "ends as it was told");
	else
		check_turn(n, core);
}

/* ---- once a process ---- */

static void routes(void)
{
	static const struct {
		uint32_t net;
		uint32_t adj;
	} nets[] = { { SGSN_NET, ACCESS }, { SERVER, CORE } };

	lpm = memory_map(sizeof(*lpm));
	for (unsigned int i = 0; i < RTE_DIM(nets); i++)
		lpm->tbl24[nets[i].net >> 8] = (struct rte_lpm_tbl_entry){
			.next_hop = nets[i].adj, .valid = 1, .depth = 24
		};
}

/* Adjacency i is what is behind port i. */
static void neighbours(int id)
{
	struct fib *f = &fibs[id];

	f->lpm[INSTANCE_MAIN] = lpm;
	f->adj = calloc(FIB_ADJ_MAX, sizeof(*f->adj));
	if (f->adj == NULL)
		exit(2);
	for (unsigned int i = 0; i < PORTS; i++) {
		f->mac[i] = (struct mac_addr){ { 2, 0, 0, 0, (uint8_t)(id + 1), (uint8_t)i } };
		atomic_store(&f->adj[i].word,
			UINT64_C(0x0200000000000000) | (uint64_t)(!id + 1) << 24 |
				(uint64_t)i << 16 | (uint64_t)i << 8 | FIB_ADJ_VALID);
	}
}

static const char conf_text[] =
	"chassis = { name = \"chassis\"; mode = \"primary\"; state-dir = \"/nowhere\"; "
	"tie-breaker = "
	"\"02:00:00:00:00:01\"; };\n"
	"ports = ({ name = \"access\"; device = \"a\"; roles = [\"access\"]; twin = \"ta\"; "
	"address = "
	"\"10.8.0.11/24\"; },"
	"{ name = \"core\"; device = \"b\"; roles = [\"core\"]; twin = \"tb\"; address = "
	"\"10.9.0.11/24\"; },"
	"{ name = \"repl\"; device = \"c\"; roles = [\"replication\"]; twin = \"tc\"; address = "
	"\"10.7.0.11/24\"; });\n"
	"loopbacks = ({ name = \"gtp\"; address = \"10.8.0.100\"; port = \"access\"; "
	"srp-activate = true; },"
	"{ name = \"coregw\"; address = \"10.9.0.100\"; port = \"core\"; srp-activate = true; });\n"
	"services = { gtp = \"gtp\"; };\n"
	"gtp-peers = ({ name = \"sgsns\"; control = [\"10.8.1.0/24\"]; });\n"
	"pools = ({ name = \"pool\"; prefix = \"10.10.0.0/20\"; srp-activate = true; quarantine "
	"= 1; });\n"
	"apns = ({ name = \"internet\"; pool = \"pool\"; });\n"
	"srp = { bind = \"10.6.0.11\"; peer = \"10.6.0.12\"; stream-peer = \"10.7.0.12\"; "
	"insecure = true; "
	"};\n"
	"table = { max-sessions = 4096; };\n"
	"idle = \"poll\";\n";

static void configure(struct node *n)
{
	struct config_report r = { 0 };

	if (config_load_text("sim", conf_text, &n->conf, &r) < 0) {
		fputs(r.text != NULL ? r.text : "no configuration\n", stderr);
		exit(2);
	}
	config_report_free(&r);
	n->conf.table.max_sessions = sim.slots;
	n->conf.pools[0].prefix.len = (uint8_t)(32 - sim.pool_bits);
	/* signalling of one goes past its kernel, the other's through it */
	n->conf.gtp_direct = n->id == 0;
	if (n->id == 0)
		return;
	n->conf.chassis.primary = false;
	n->conf.chassis.tie_breaker[5] = 2;
	RTE_SWAP(n->conf.srp.bind, n->conf.srp.peer);
	RTE_SWAP(n->conf.srp.stream_bind, n->conf.srp.stream_peer);
}

/* Before any run: what all runs share. */
void node_setup(int id)
{
	struct node *n = &sim.node[id];

	crypt_ops = &crypt_sim;
	disk_ops = &disk_sim;
	memory_ops = &memory_sim;
	net_ops = &net_sim;
	port_ops = &port_sim;
	sock_ops = &sock_sim;
	tls_ops = &tls_sim;
	if (lpm == NULL)
		routes();
	n->id = id;
	n->running = -1;
	neighbours(id);
	configure(n);
}

/* Of whatever profile. */
void node_pools(int id)
{
	struct node *n = &sim.node[id];
	char name[32];

	snprintf(name, sizeof(name), "mbufs%d", id);
	n->t.mbufs = rte_pktmbuf_pool_create(
		name, 2047, 128, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	snprintf(name, sizeof(name), "stream%d", id);
	n->t.stream_mbufs = rte_pktmbuf_pool_create(name, 2047, 128,
		RTE_ALIGN(sizeof(struct stream_meta), RTE_MBUF_PRIV_ALIGN),
		RTE_PKTMBUF_HEADROOM + 1500, SOCKET_ID_ANY);
	snprintf(name, sizeof(name), "msgs%d", id);
	n->t.msgs = rte_mempool_create(
		name, 16383, MSG_BYTES, 256, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	if (n->t.mbufs == NULL || n->t.stream_mbufs == NULL || n->t.msgs == NULL)
		exit(2);
}
