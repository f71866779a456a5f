/* SPDX-License-Identifier: BSD-3-Clause */
/* Profiles that are told what happens when: a pair on good paths, and what is done to it. The calls
 * of a case run the world on and come back, so that a case reads from above to below. */
#ifndef TANDEM_SIM_CASE_H
#define TANDEM_SIM_CASE_H

#include "sim.h"

/* sim_case.c */
enum { CASE_STEP = 100 };
/* A world of good paths, and how both are configured; beat: ms between heartbeats. */
void case_world(unsigned int beat);
/* Chassis A, Active, with so many sessions. */
void case_begin(uint32_t sessions);
/* Both. */
void case_start(uint32_t sessions, unsigned int beat);
void case_step(usec_t us);
/* Until it is so; false: not within so many us. */
bool case_until(bool (*is)(void), usec_t most);
/* A worker's turn to write: of the session's shard. */
unsigned int case_worker(struct node *n, uint32_t shard);
void case_worker_end(struct node *n);
/* Gives the record the numbers of the first APN and pool; returns the pool's. */
uint8_t case_numbers(const struct node *n, struct session_rec *r);
/* A random session. */
struct session_slot *case_any(const struct node *n);
/* As the fast path counts a packet that it forwards. */
void case_count(struct node *n, struct session_slot *s); /* one, up */
void case_count_some(struct node *n, struct session_slot *s, bool down, uint64_t packets);
/* As signalling changes a session and commits it. */
void case_commit(struct node *n, const struct session_slot *s);
/* In a worker's turn: what was done to that session is committed. */
void case_promise(struct node *n, uint32_t handle);
/* A pass of the audit takes so many us from the next stream on, as none could be configured. */
void case_hurry(struct node *n, usec_t pass);
/* What commits took, us, since case_forget(): of so many of 100; USEC_NEVER: there were none. */
usec_t case_latency(unsigned int per_cent);
unsigned int case_commits(unsigned int *under_way);
usec_t case_oldest(void); /* of those under way; USEC_NEVER: there is none */
/* Of those under way, too. */
void case_forget(void);
/* The stream is on; and the Standby says that all matches. */
bool case_streams(void);
bool case_in_sync(void);
/* The stream's path, both ways: losses, order and time as `like` has them. */
void case_path(const struct wire *like);
/* Says so if n's peer has not been in sync within three passes of the audit. */
void case_check_recent(const struct node *n, usec_t pass);
/* Neither chassis hears the other's stream, for long enough that it ends; or does again. */
void case_leave(void);
void case_join(void);

/* sim_case_*.c */
void case_resync(void);
void case_rate(void);
void case_slow(void);
void case_flips(void);
void case_stream(void);
void case_tables(void);
/* Of `reload`, before and behind a run of `daemon`. */
void case_reload_setup(void);
void case_reload_check(void);

#endif
