/* SPDX-License-Identifier: BSD-3-Clause */
/* shim: stands in front of every file of app/tandem that `sim` is built from (cc -include). The
 * daemon's sources are the real ones; what they take from the machine (clock, cores' ids, ports,
 * memory, sockets, abort) comes from the simulation, and `T`, the one process, is whichever
 * chassis' turn it is. Test code only. */
#ifndef TANDEM_SIM_SHIM_H
#define TANDEM_SIM_SHIM_H

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_ip.h>
#include <rte_ip_frag.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_lpm.h>
#include <rte_malloc.h>
#include <rte_mempool.h>
#include <rte_meter.h>
#include <rte_pause.h>
#include <rte_ring.h>
#include <rte_udp.h>

#include "gtp/gtpc.h"
#include "repl/keys.h"
#include "cores/msg.h"
#include "repl/repl.h"
#include "session/session.h"

struct tandem;
extern struct tandem *sim_tandem;
#define T (*sim_tandem)

/* sim_node.c */
void sim_abort(void) __attribute__((noreturn));
unsigned int sim_lcore(void);
struct rte_hash *sim_hash_create(const struct rte_hash_parameters *p);
int sim_door_send(const struct door *d, struct msg *m);

/* sim_check_role.c: an answer that is kept for repetitions is one that was just given */
void sim_answered_put(struct gtpc_answered *a, const struct gtpc_peer *to, uint8_t type,
	uint16_t seq, uint32_t digest, const uint8_t *msg, size_t len, usec_t now);

/* sim_door.c: the writers' door to the slots, watched */
int sim_session_create(
	struct session_table *t, uint8_t by, struct session_rec *rec, uint32_t now_s);
int sim_session_update(
	struct session_table *t, uint8_t by, const struct session_rec *rec, uint8_t groups);
int sim_session_free(struct session_table *t, uint8_t by, uint32_t handle, uint32_t now_s);
int sim_session_apply_slot(struct session_table *t, uint8_t by, struct rd *body, uint32_t now_s);
int sim_session_apply_delta(struct session_table *t, uint8_t by, struct rd *body);
int sim_session_apply_usage(struct session_table *t, uint8_t by, struct rd *body);
int sim_session_apply_late(
	struct session_table *t, uint8_t by, uint32_t handle, const struct session_usage *u);

/* sim_crypt.c: what the stream takes in, watched; phases of the keys that end within a run */
void sim_repl_input(struct repl *r, const uint8_t *pkt, size_t len, usec_t now);
int sim_keys_init(struct keys *k, const struct keys_params *p);

#ifndef SIM_PLAIN /* msg.c defines door_send */
#define door_send(d, m) sim_door_send(d, m)
#endif
#define session_create(t, by, rec, now)      sim_session_create(t, by, rec, now)
#define session_update(t, by, rec, groups)   sim_session_update(t, by, rec, groups)
#define session_free(t, by, handle, now)     sim_session_free(t, by, handle, now)
#define session_apply_slot(t, by, body, now) sim_session_apply_slot(t, by, body, now)
#define session_apply_delta(t, by, body)     sim_session_apply_delta(t, by, body)
#define session_apply_usage(t, by, body)     sim_session_apply_usage(t, by, body)
#define session_apply_late(t, by, handle, u) sim_session_apply_late(t, by, handle, u)

#define gtpc_answered_put(a, to, type, seq, digest, msg, len, now)                                 \
	sim_answered_put(a, to, type, seq, digest, msg, len, now)

#define repl_input(r, pkt, len, now) sim_repl_input(r, pkt, len, now)
#define keys_init(k, p)              sim_keys_init(k, p)

#define abort()            sim_abort()
#define prctl(...)         ((void)0)
#define rte_lcore_id()     sim_lcore()
#define rte_hash_create(p) sim_hash_create(p)
#define rte_hash_free(h)   ((void)(h))

#endif
