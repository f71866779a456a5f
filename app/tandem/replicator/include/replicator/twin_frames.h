/* SPDX-License-Identifier: BSD-3-Clause */
/* twin_frames: the kernel's frames on the replication port: those that come in go to the control
 * core, which gives them to the port's twin, and what the twin sends goes out. It is no part of the
 * stream and knows nothing of it. A port has one reader: this object, unless a transport of the
 * stream shares the port, reads it and punts from it. `process` makes it. */
#ifndef TANDEM_REPLICATOR_TWIN_FRAMES_H
#define TANDEM_REPLICATOR_TWIN_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "replicator/counters.h"

struct flow;
struct rte_mbuf;
struct rte_ring;
struct twin_frames;

/* Control core, before the cores run and after. port: DPDK's; punt: frames for the control core;
 * out: frames of the control core's. Both rings outlive the object. NULL: there is no memory. */
struct twin_frames *twin_frames_create(uint16_t port, struct rte_ring *punt, struct rte_ring *out);
void twin_frames_destroy(struct twin_frames *f);
/* Control core, before the cores run: somebody else reads the port from now on, and punts. */
void twin_frames_share(struct twin_frames *f);

/* Replication core. Gives a frame to the control core; it is freed and counted if there is no room.
 * The buffer is the caller's no more. */
void twin_frames_punt(struct twin_frames *f, struct rte_mbuf *m);
/* Replication core, once a turn: at most one burst either way; whether there was anything. What is
 * sent counts against the rate of `flow`, and never waits for it. */
bool twin_frames_turn(struct twin_frames *f, struct flow *flow);

/* Any core may read it (counter_get); what concerns the stream stays 0. */
const struct replicator_port_counters *twin_frames_count(const struct twin_frames *f);

#endif
