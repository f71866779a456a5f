/* SPDX-License-Identifier: BSD-3-Clause */
/* sim: two chassis in one process, in virtual time, from a seed. What runs is the daemon itself:
 * every file of app/tandem but main.c, ports.c, lcores.c, state.c and the operator's views is
 * called turn by turn, on top of the real lib/srp, repl, session, pool, gtp and the real fast path.
 * One file a part of the world.
 *
 * Modelled: the network between the chassis and to both sides, path by path and direction by
 * direction (sim_net.c); TCP, UDP and epoll (sim_sock.c); the kernel's VIPs, routes and twins
 * (sim_port.c); an L2 segment that follows announcements and an L3 that follows routes
 * (sim_traffic.c); SGSNs (sim_sgsn.c); disks that fill, forget and tear, clocks, cores that stand
 * still, processes that end at any message to a core or to the peer (sim_node.c, sim_fault.c).
 * About every second seed draws that keys and ciphers are part of it (--secure and --insecure force
 * it): then the connection is TLS (sim_tls.c) and the stream sealed (sim_crypt.c), both without
 * real ciphers; the keys are lib/repl's. Not modelled: ARP requests and ND (a segment learns from
 * announcements alone), NIC faults, memory that runs out, IP fragments, torn words between cores: a
 * turn of a core is atomic, but that a process may end at each message that it sends.
 *
 * A profile (sim_profile.c, `--profile`) says which world a run is of. `daemon` is the above; the
 * others are cases (sim_case.h). */
#ifndef TANDEM_SIM_H
#define TANDEM_SIM_H

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "base/memory.h"
#include "base/port.h"
#include "base/sock.h"
#include "journal/state.h"
#include "net/net.h"
#include "process/control.h"
#include "pair/tls.h"
#include "pair_priv.h"
#include "switchover_priv.h"
#include "replicator/crypt.h"
#include "replicator_priv.h"
#include "signalling_priv.h"
#include "watched.h"
#include "worker_priv.h"

enum {
	CONTROL, /* cores */
	REPLICATION,
	WORKER,
	WORKERS = 3,
	CORES = WORKER + WORKERS,
};
enum { ACCESS, CORE, STREAM, PORTS };
enum { PATH_SRP, PATH_STREAM, PATH_ACCESS, PATH_CORE, PATHS };
enum { TO_0, TO_1, FROM_0, FROM_1, DIRECTIONS }; /* of a path, by chassis */
enum {
	FRAME = 1800,
	INNER = 48, /* bytes of a user packet: IPv4, UDP, and the packet's number in the payload */
	SUBS = 160,
	SGSNS = 3,
	SOCKS = 16,
	CONNS = 512,
	KEPT = 256, /* packets that a direction of a path keeps at most */
	PACKETS = 1 << 15,
	MS = 1000,
	/* how long all has been well when the pair must hand over once more */
	LAST_SWITCH = 2500 * MS,
};
enum { OF_DISKS, OF_PATHS, OF_CRASHES, CHANCES }; /* what draws numbers of its own */
#define VIP_GTP   UINT32_C(0x0a080064)            /* 10.8.0.100 */
#define VIP_CORE  UINT32_C(0x0a090064)            /* 10.9.0.100 */
#define SGSN_NET  UINT32_C(0x0a080100)            /* 10.8.1.0/24 */
#define SERVER    UINT32_C(0xc6336401)            /* 198.51.100.1 */
#define POOL_BASE UINT32_C(0x0a0a0000)            /* 10.10.0.0/20 */

/* ---- what happens when (sim_net.c) ---- */

struct ev {
	usec_t at;
	uint64_t order;
	void (*run)(struct ev *e);
	int node;          /* whom it concerns */
	unsigned int life; /* void if that chassis has another one by now (0: does not matter) */
	uint32_t a, b, c;
	uint64_t number;
	size_t len;
	uint8_t *bytes; /* owned */
	bool flipped;
};

/* One direction of a path. Probabilities are per mille. */
struct wire {
	unsigned int loss, duplicate, reorder, corrupt;
	usec_t delay, jitter;
	unsigned int rate; /* bytes a ms, 0: no limit */
	usec_t busy;       /* until then the line is taken */
	usec_t held;       /* until then it keeps what it is given; 0: it does not */
	usec_t queue;      /* what waits for the line at most; 0: 30 ms */
	/* it keeps what it is given until it is told to let go (wire_let_go()) */
	bool keeps;
	unsigned int n_kept;
	bool cut;
	usec_t good_since;
	uint64_t sent, lost; /* bytes that it was given, and of those what did not get through */
};

/* ---- a chassis and its host ---- */

struct dgram {
	struct dgram *next;
	uint32_t from;
	uint16_t port, len;
	uint8_t bytes[];
};

struct sock {
	enum {
		SOCK_NONE,
		SOCK_NEW,
		SOCK_LISTEN,
		SOCK_CONN,
		SOCK_UDP,
		SOCK_SIGNAL,
		SOCK_STATE,
		SOCK_QUIET
	} kind;
	uint32_t events; /* watched */
	void *ptr;
	uint16_t port;
	int conn, backlog; /* of TCP; backlog: a connection that waits to be accepted, -1 none */
	bool opening, eof;
	int error;
	uint8_t in[16384];
	size_t n_in;
	struct dgram *first, **last;
	unsigned int n_dgrams;
};

struct conn {
	int sock[2]; /* by chassis, -1: closed there */
	unsigned int life[2];
	usec_t last[2]; /* what went towards chassis i before arrives before */
};

struct frames {
	struct rte_mbuf *m[512];
	unsigned int head, n;
};

struct host {               /* what a killed process leaves behind */
	bool vip[2];        /* VIP_GTP, VIP_CORE on lo */
	uint32_t metric[2]; /* of the routes to VIP_GTP and to the pool, 0: none */
	struct srp_saved disk;
	bool disk_full, disk_torn, disk_lost;
	char history[8192]; /* the last lines of it */
	size_t history_len;
	char numbers[4096]; /* the list of numbers */
	size_t numbers_len;
	usec_t fsync; /* how long a write takes */
};

/* What a group of a slot was, write by write, at the chassis that owned it. */
enum { G_IDENTITY, G_TUNNEL, G_QOS, G_REQUEST, G_EXTRA, GROUPS };
struct states {
	uint64_t *state;
	uint32_t n, room;
};

struct core {
	usec_t next, stalled; /* stalled: does not run before */
};

struct node {
	struct tandem t;
	struct config conf;
	struct host host;
	int id;
	bool up, starting;
	unsigned int life;
	jmp_buf out;
	usec_t clock; /* own clock at virtual time 0 */
	int drift;    /* millionths */
	struct core core[CORES];
	int running; /* the core whose turn it is, -1 none */
	usec_t booted;
	usec_t vips_since;      /* its kernel has the addresses */
	unsigned int msgs_left; /* the process ends at that message, 0: it does not */
	unsigned int srp_left;  /* the same of messages to the peer */
	bool srp_sent;          /* and that one is sent before */
	/* host */
	struct sock sock[SOCKS];
	bool saving, asked; /* a write is under way; another waits */
	uint64_t save_reserve, ask_reserve, saved_reserve;
	uint8_t save_counter, ask_counter;
	unsigned int pool_at;            /* place of the subscribers' pool */
	int saved, added, numbers_saved; /* 0 nothing to report, 1 ok, < 0 error */
	struct frames rx[PORTS][WORKERS], twin[PORTS];
	bool term_signal;
	/* what the checks remember */
	repl_term_t own_term; /* of the last ownership that was seen */
	uint64_t n_protected; /* answers */
	/* by slot: sim.slots of each (sim_profile.c) */
	struct states (*history)[GROUPS];
	/* as standby: index in the peer's history of what was applied last */
	uint32_t (*seen)[GROUPS];
	repl_term_t seen_term;
	unsigned int seen_life, seen_author;
	/* as standby: the peer's set, as applied last in that term */
	struct session_usage *applied;
	uint32_t *applied_handle;
	struct session_slot *shadow; /* what the slots should be (sim_shadow.c) */
	bool *is_used;               /* ever written */
	uint32_t *used;
	unsigned int n_used;
	bool owned;
	usec_t silent_since;  /* it owned something until then */
	bool vouched;         /* in sync since it became standby */
	bool addressed;       /* had its VIPs at its last turn */
	usec_t owner_since;   /* promoted, or taken up again what it was about to hand over */
	unsigned int lineage; /* of its table: begins with nothing, goes on by promotions */
	usec_t heard;         /* something of the peer's stream came in whole */
	uint64_t repair;      /* bytes of records that were taken for lost */
	uint64_t again;       /* and what they are as they are sent again */
	usec_t unplanned;     /* it was promoted then and the other did not hand over */
	uint64_t waits;       /* the answer that waits for its commit longest */
	usec_t waits_since;
	usec_t pending_since, died, demoted;
	/* records that its replication core applies a ms, 0: any number; until when it is busy, ns
	 */
	unsigned int pace;
	uint64_t applying;
	/* of the stream: the last number that was sent, and in which life; the peer of which a
	 * packet came as soon as they do; its core's last turn */
	uint64_t number;
	unsigned int number_life;
	uint32_t heard_prompt;
	usec_t replicated;
	usec_t *changed;        /* when a slot was written or counted in last */
	unsigned int histories; /* times that its history began */
	bool late;              /* its late usage is not through yet */
	uint64_t brought;       /* bytes that the stream brought it, but for heartbeats */
	enum srp_state state;
};

/* ---- the world ---- */

/* A subscriber as its SGSN sees it. */
struct sub {
	uint64_t key;
	unsigned int sgsn;
	enum { SUB_IDLE, SUB_CREATE, SUB_UP, SUB_UPDATE, SUB_DELETE } state;
	/* The gateway may have carried out a request that ran out of tries; or it said that it had
	 * restarted, and the session may be there for all that. */
	bool unsure;
	bool told_safe; /* the last answer was protected */
	/* Told of a session that the standby may not have had when it took over; its TEID may have
	 * been given out again, and what is asked for it hits another. */
	bool doubtful;
	bool made_unsafe;     /* no answer was protected yet */
	unsigned int made_at; /* sim.promotions then */
	unsigned int made_by;
	unsigned int lineage; /* of the chassis that made it */
	uint32_t teid_c, teid_u, gw, ue;
	uint16_t seq;
	unsigned int tries;
	usec_t due, told_at;
	size_t len;
	uint8_t msg[256];
};

struct sgsn {
	uint32_t addr;
	uint8_t recovery, gw_recovery;
	bool gw_known;
	uint16_t seq;
	usec_t restarted;
};

/* A session by its handle: what its packets were, whoever forwarded them. */
struct truth {
	uint32_t handle;
	struct session_usage use[2]; /* by side */
	usec_t created, freed;
	/* of the standby that acknowledged a commit of it last, 0: none did */
	unsigned int acked_life;
	/* by itself: the Delete Request may end with its chassis, and an SGSN learns of it by its
	 * next packet */
	bool expired;
	/* when a packet was forwarded last, by anybody and by chassis */
	usec_t last, last_at[2];
	struct session_usage must[2]; /* sim_check_use.c */
	uint32_t at[3]
		   /* index in its owner's history of what create, update and delete made of it
		    * last */
		   [GROUPS];
};

/* What a slot was when an SGSN was told so while protected: an index in the history of each chassis
 * that owns, or did when its lineage began. Two may own at once; whichever wins keeps the promise.
 */
struct promise {
	bool told, valid[2];
	unsigned int life[2], holder; /* of the owners; of the standby that acknowledged it */
	uint32_t at[2][GROUPS];
};

struct packet {
	uint32_t handle;
	bool down;
	uint8_t by; /* the chassis that forwarded it */
	/* in late mode; maybe: counted there and nowhere else when the process ended */
	bool late, maybe;
	usec_t when;
	uint8_t copies; /* as they reach a gateway: the network may double a packet */
	uint8_t out;    /* times forwarded */
	usec_t at;
};

/* By whom it was used, and whether the other knew of it. */
struct term {
	repl_term_t term;
	int node;
	unsigned int life;
	bool heard;
};

struct sim {
	uint64_t seed, random, aside, own[CHANCES], digest, order, events;
	usec_t now, calm_at, end_at, last_fault;
	usec_t tables_due; /* the tables are looked at */
	unsigned int table_checks;
	usec_t last_switch; /* the hand-over when all is well again; 0: not yet */
	bool verbose, failed, calm;
	bool l3, quiet;   /* quiet: planned switchovers only, on good paths */
	unsigned int mix; /* of faults */
	const struct profile *profile;
	/* of the tables, as the profile has it; handles: of sessions in a run, hashed */
	uint32_t per_shard, slots, handles;
	unsigned int handle_bits;
	unsigned int again; /* per mille of records that a standby cannot apply at once */
	unsigned int fifo;  /* packets that a worker has ready at most; 0: as the daemon has it */
	unsigned int pool_bits;  /* of the pool's addresses */
	bool is_case;            /* it is told what happens when; nothing is drawn */
	bool renumber;           /* profile `numbers` */
	unsigned int renumbered; /* starts with another configuration */
	struct node node[2];
	struct wire wire[PATHS][DIRECTIONS];
	struct ev **heap;
	unsigned int n_heap, room_heap;
	struct conn conn[CONNS];
	unsigned int n_conns;
	struct sgsn sgsn[SGSNS];
	struct sub sub[SUBS];
	unsigned int n_subs;
	int learned[2]; /* L2: which chassis has VIP_GTP, VIP_CORE; -1 nobody */
	uint32_t metric
		/* L3: of the routes to the gateway that ACCESS and CORE have, by chassis, 0: none
		 * */
		[2][2];
	usec_t routed
		/* L3: when ACCESS and CORE had a route to the gateway for the first time, 0: never
		 * */
		[2];
	/* in the order in which they were made, and where each is, hashed: its place + 1, 0 none */
	struct truth *truth;
	uint32_t *truth_at, n_truths;
	struct promise *promise; /* by slot */
	usec_t last_stall;
	unsigned int second_faults;
	bool spoilt; /* a flipped bit became the truth: nothing more can be said */
	struct packet packet[PACKETS];
	uint32_t n_packets;
	usec_t idle; /* between turns of a core with nothing to do, at most */
	unsigned int micro_ms;
	enum { ASK_SEED, ASK_SECURE, ASK_INSECURE } ask;
	/* nothing is drawn by rnd_of(): the world in which many seeds of the tests once failed */
	bool narrow;
	bool secure;             /* keys and ciphers are part of the world, as asked or drawn */
	bool insecure;           /* else the connection is TLS and the stream sealed */
	uint64_t phase_packets;  /* numbers a phase of a key lasts; 0: for longer than a run */
	unsigned int key_ids;    /* ids that connections draw from, 0: all there are */
	unsigned int rekeys_due; /* resets to come of a fault that is under way */
	struct {
		bool set;
		int node;
		unsigned int life;
		uint32_t pos;
		usec_t at;
		bool both; /* of the Active: the Standby's copy follows it */
	} flip;
	struct term terms[256];
	unsigned int n_terms;
	/* told at the end */
	uint64_t lost_bytes; /* of the stream, on the wire */
	unsigned int said;   /* looks at a Standby that says that it is in sync */
	usec_t unled;        /* since then not exactly one has been Active */
	unsigned int lineages, expired, false_deaths, crashes, boots, promotions, planned, aborted,
		dual, stalls, cuts, parted, torn, flips, repaired, rekeys, sealed, bad_tags,
		restarts, answers, safe_answers, forwarded, lost, creates;
};

extern struct sim sim;
extern struct node *node_now; /* whose turn it is, or who is made */

static inline struct node *me(void)
{
	return node_now;
}

/* Asked of each core for each turn of any. */
/* The procedures of a chassis. */
static inline struct pdp_view node_pdp(const struct node *n)
{
	struct pdp_view v;

	pdp_view(n->t.control->signalling->pdp, &v);
	return v;
}
static inline bool node_runs(const struct node *n, int core)
{
	return n->up && core < WORKER + (int)n->t.n_workers;
}

/* sim_net.c */
uint64_t rnd(uint64_t below);
/* What came to the world later: drawn beside, so that the seeds that once told of a mistake tell of
 * it still. */
uint64_t rnd_aside(uint64_t below);
/* The same, where each of these draws from numbers of its own: what one draws moves none of the
 * others. Where that comes first it is asked for by widened(): whether the world has it at all. */
bool widened(unsigned int what, uint64_t in);
uint64_t rnd_of(unsigned int what, uint64_t below);
bool chance(unsigned int per_mille);
struct ev *ev_at(usec_t at, int node, void (*run)(struct ev *));
void ev_run(void);
void digest(uint64_t v);
void story(int node, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says what does not hold: the invariant's number, and how it came. */
void broken(int invariant, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sends bytes over one direction: an event that runs when they arrive, or none, or two; how
 * many. */
unsigned int wire_send(unsigned int path, unsigned int direction, const struct ev *like,
	const void *bytes, size_t len);
void wire_cut(unsigned int path, unsigned int direction, bool on);
void wire_let_go(unsigned int path, unsigned int direction);
bool wire_good(unsigned int path, usec_t since);

/* Its VIPs and routes are up. */
static inline bool control_is_up(const struct control *c)
{
	return vips_state(c->vips) == VIPS_UP;
}

/* sim.c: the world goes on until then, or until something is broken. */
void world_run(usec_t end);

/* sim_profile.c */
const struct profile *profile_of(const char *name); /* NULL: there is none of that name */
void profile_names(FILE *to);
/* Before the chassis are set up, and in each seed's own process. */
void profile_take(const struct profile *p);
void profile_run(void);

/* sim_case.c (sim_case.h): commits that were acknowledged; a frame of the stream that came in */
void case_acked(const struct node *n, const struct msg_entries *m, bool there);
void case_arrived(struct node *n, const uint8_t *frame, size_t len);

/* sim_node.c: the pools first, and then, once the profile is taken, all else */
void node_pools(int id);
void node_setup(int id);
/* Bytes of an annex in this run. */
uint16_t node_annex(void);
void node_boot(int id);
/* The process ends: killed (its kernel goes on), or the whole machine. */
void node_crash(int id, bool machine, const char *why);
void node_turn(int id, int core);
void node_wake(int id, int core, usec_t within);
struct node *node_of(const struct session_table *t);
/* Its own clock now. */
usec_t node_clock(const struct node *n);

/* sim_memory.c */
extern const struct memory_ops memory_sim;
/* The EAL's memory is this process' own from now on, and its children's. */
int memory_own(void);
/* Asks for all pages of a piece of memory at once. One by one, as they are touched, each costs a
 * page fault, and a run touches thousands. Where the kernel cannot do it, they come one by one. */
void memory_pages(void *p, size_t len);
/* Zeroes: map: of which few pages are touched. */
void *memory_map(size_t size);
void *memory_zeroes(size_t size, size_t align);

/* sim_crypt.c */
extern const struct crypt_ops crypt_sim;
uint64_t crypt_mix(const uint64_t *w, size_t n, uint64_t h);

/* sim_release.c: the version of the stream that both chassis can speak */
uint8_t release_agreed(void);

/* sim_numbers.c: before a start; where the subscribers' pool and APN stand in a configuration; a
 * live slot, by names */
void numbers_boot(struct node *n);
unsigned int node_pool_at(const struct config *f);
void numbers_check(const struct node *n, uint32_t pos, const struct session_slot *s);
/* The pool of all subscribers. */
static inline struct pool *node_pool(const struct node *n)
{
	return &n->t.pools->p[n->pool_at];
}

/* sim_disk.c */
extern const struct disk_ops disk_sim;

/* sim_tls.c */
extern const struct tls_ops tls_sim;

/* sim_sock.c */
extern const struct sock_ops sock_sim;
ssize_t sock_sim_send(int fd, const void *from, size_t size, int flags);
ssize_t sock_sim_recv(int fd, void *to, size_t size, int flags);
void sock_reset(struct node *n);
int sock_make(int kind);
void sock_died(struct node *n, bool machine);
void sock_deliver(
	struct node *n, uint32_t from, uint16_t port, uint16_t to, const uint8_t *p, size_t len);
void tcp_reset(void);

/* sim_port.c */
extern const struct port_ops port_sim;
extern const struct net_ops net_sim;
ssize_t port_sim_send_to(
	int fd, const void *from, size_t size, int flags, const struct sockaddr *a, socklen_t len);
void port_in(int node, unsigned int port, const uint8_t *bytes, size_t len);
void port_flush(struct node *n);
size_t frame_udp(uint8_t *to, const struct mac_addr *dst, uint32_t src4, uint32_t dst4,
	uint16_t sport, uint16_t dport, const void *p, size_t len);

/* sim_sgsn.c */
void sgsn_setup(void);
void sgsn_input(unsigned int sgsn, const uint8_t *p, size_t len);
void sgsn_error_indication(unsigned int sgsn, uint32_t teid);
void sgsn_restart(unsigned int sgsn);
struct sub *sub_by_gw(uint32_t gw);

/* sim_traffic.c */
void traffic_setup(void);
/* Sends what an access or core network has for the gateway to whom it believes to be it; how often
 * it gets there. */
unsigned int world_to_gateway(unsigned int port, const uint8_t *ip, size_t len);
void traffic_out(int node, unsigned int port, const uint8_t *frame, size_t len);
void traffic_announced(int node, unsigned int port, uint32_t vip);
void traffic_routes(int node, unsigned int port);

/* sim_fault.c */
void fault_setup(void);
/* A bit of the Standby's copy; sim.flip says which. */
void fault_flip(void);

/* sim_calm.c */
void calm_setup(void);
/* -1: there is none */
int node_active(void);
/* Tells it to hand over: 0, or why not. */
int node_hand_over(int id, char reason[SRP_REASON_MAX]);

/* sim_door.c, sim_shadow.c, sim_check*.c */
struct truth *truth_of(uint32_t handle, bool make);
uint32_t pos_of(const struct node *n, uint32_t handle);
void history_push(struct node *n, uint32_t pos);
void history_begin(struct node *n);
uint64_t group_hash(const struct session_rec *r, unsigned int group);
enum { DOOR_CREATE, DOOR_UPDATE, DOOR_FREE };
void shadow_begin(struct node *n);
void shadow_wrote(struct node *n, uint32_t pos, bool count);
void shadow_evicted(struct node *n, uint32_t shard);
void shadow_forwarded(struct node *n, uint32_t handle, bool down, uint64_t packets);
void shadow_check(const struct node *n, uint32_t pos);
void shadow_check_unused(const struct node *n);
bool history_has(
	const struct node *author, uint32_t pos, unsigned int group, uint32_t from, uint64_t state);
void check_emit(struct node *n, unsigned int port, const char *what);
void check_error_indication(const struct node *n);
void check_turn(struct node *n, int core);
void check_acked(const struct node *n, const struct msg_entries *m);
/* What a commit promises is acknowledged: at is where it stands in the history of n. */
void promise_acked(struct node *n, uint32_t handle, const uint32_t at[GROUPS]);
bool promise_missing(const struct node *n, unsigned int life, uint32_t handle);
void use_crashed(const struct node *n);
void use_check(const struct node *n, bool is_promoted, bool joined);
void expiry_ended(const struct node *n, uint32_t handle, enum session_why why);
void expiry_check(const struct node *n, uint32_t handle, const struct truth *t);
void repair_lost(struct node *n, const struct door *to, const struct msg_entries *m);
void repair_check(void);
void check_led(void);
/* sim_check_promotion.c: by a planned switchover or not; what of it must be there; addresses that
 * wait out their quarantine */
void promotion_check(struct node *n, bool planned, bool joined);
/* Into the chassis, as its replication core does. */
void promotion_arrived(struct node *n, struct repl *r, const uint8_t *pkt, size_t len, usec_t now);
void lease_freed(const struct node *n, uint32_t handle, uint32_t ue4);
void lease_acked(const struct node *n, const struct msg_entries *m, bool there);
void lease_check(const struct node *n, const struct session_rec *r);
/* sim_check_teid.c: what a chassis gives out */
void teid_check(const struct node *n, uint32_t handle);
/* sim_check_stream.c */
void stream_sent(struct node *n, const uint8_t *pkt);
void stream_input(struct node *n, struct repl *r, const uint8_t *pkt, size_t len, usec_t now);
void stream_turned(struct node *n);
void check_in_sync(void);
void story_slot(const struct node *n, uint32_t pos);
/* all: the addresses that no slot has, too */
void check_tables(bool all);
/* By the records, where the digests are what is on trial. */
bool check_alike(uint32_t pos);
void check_flip(void);
void check_calm(void);
void check_end(void);
/* Of an Active and its Standby when nothing is under way: both have the same, and all of it. */
void check_pair(const struct node *active, const struct node *standby);
bool check_same(uint32_t pos);

#endif
