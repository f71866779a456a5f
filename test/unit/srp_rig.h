/* SPDX-License-Identifier: BSD-3-Clause */
/* srp_rig: one chassis under test against a scripted peer that speaks on two paths; its other cores
 * and its disk answer at once unless told otherwise, and every action is kept. */
#ifndef TANDEM_SRP_RIG_H
#define TANDEM_SRP_RIG_H

#include "srp_pvt.h"
#include "ut.h"

enum { MS = 1000, LOG = 512, SELF = 0x1111, PEER = 0x2222 };

struct rig {
	struct srp *s;
	struct srp_conf conf;
	usec_t now;
	/* The peer. */
	struct srp_body body;
	bool stream, srp, answers; /* which paths of it work */
	uint32_t capacity;
	struct srp_wire wire;
	struct srp_health health;
	usec_t hello_at, beat_at;
	/* This side's surroundings. */
	bool disk_full;
	enum srp_step withhold, fail;
	uint64_t number; /* what STOP and LATE are answered with */
	struct srp_stream st;
	/* What was seen. */
	struct srp_action log[LOG];
	unsigned int n;
};

void rig_send(struct rig *r, struct srp_msg m);
void rig_hello(struct rig *r);
void rig_beat(struct rig *r);
void rig_drain(struct rig *r);
void rig_run(struct rig *r, usec_t us);
void rig_say(struct rig *r, enum srp_state state, srp_term_t term);
void rig_up(struct rig *r, bool stream, bool srp);
void rig_down(struct rig *r, bool refused);
/* Side 0, backup, priority 125; the peer is side 1 with the same but a lower MAC. */
struct srp_conf rig_conf(void);
/* over: NULL: rig_conf(). On disk: reserve 5, restart counter 40; the peer's is 7. */
void rig_start(struct rig *r, const struct srp_conf *over);
void rig_stop(struct rig *r);
enum srp_state rig_state(const struct rig *r);
bool rig_alarm(const struct rig *r, enum srp_alarm a);
/* What an alarm said when it was raised last; "": it was not. */
const char *rig_alarm_text(const struct rig *r, enum srp_alarm a);
const struct srp_action *rig_find(const struct rig *r, enum srp_action_kind kind);
const struct srp_action *rig_step(const struct rig *r, enum srp_step step);
const struct srp_action *rig_sent(const struct rig *r, enum srp_type type, struct srp_msg *m);
/* The steps asked for since the log was emptied, in order: "stop own activate stream". */
void rig_steps(const struct rig *r, const char *want);
/* Standby of a peer that is Active in term 21 with route modifier 1, both paths up. */
void rig_standby(struct rig *r, bool joined);
/* Active with a Standby that is in sync, both paths up. */
void rig_active(struct rig *r);

#endif
