/* SPDX-License-Identifier: BSD-3-Clause */
/* settings_rooms: what each room is given of the configuration: `start` is what a restart alone
 * changes, `live` what a reload changes too. Only the process and the operator know struct config;
 * each room's header has these types. Lists are not copied: `start` points into the configuration,
 * which stays where it is, and no reload changes a list but those of APNs and pools, whose items
 * have their places in struct config_placed; it stays where it is as well. The control core calls
 * these; where nothing else is said, they do not block. */
#ifndef TANDEM_PROCESS_SETTINGS_ROOMS_H
#define TANDEM_PROCESS_SETTINGS_ROOMS_H

#include "config/config.h"
#include "config/placed.h"
#include "cores/settings.h"
#include "kernel/kernel.h"
#include "monitors/monitors.h"
#include "operator/families.h"
#include "pair/settings.h"
#include "replicator/ethernet.h"
#include "replicator/replicator.h"
#include "signalling/signalling.h"
#include "switchover/switchover.h"

/* What the cores read, as a snapshot that is not numbered yet (cores/settings.h). After
 * clock_init(). 0, or -ERANGE: see police_rate_set(). */
int settings_of(const struct config *c, const struct config_placed *p, struct settings *s);

/* Who may speak GTP, as the cores look it up; the caller holds it, and it has no numbers yet. It
 * takes long where there are many prefixes. 0 or -ENOMEM. Any thread. */
int settings_peers(const struct config *c, struct peers **to);

/* Each of the following fills in what one room reads at its start, or may change while it runs. */

void settings_ethernet_start(const struct config *c, struct ethernet_start *s);
void settings_replicator_start(const struct config *c, struct replicator_start *s);
void settings_replicator_live(const struct config *c, struct replicator_live *l);
void settings_kernel_start(
	const struct config *c, const struct config_placed *p, struct kernel_start *s);
void settings_signalling_start(
	const struct config *c, const struct config_placed *p, struct signalling_start *s);
void settings_signalling_live(
	const struct config *c, const struct config_placed *p, struct signalling_live *l);
void settings_monitors_start(const struct config *c, struct monitors_start *s);
void settings_monitors_live(const struct config *c, struct monitors_live *l);
void settings_switchover_start(const struct config *c, struct switchover_start *s);
void settings_switchover_live(const struct config *c, struct switchover_live *l);
void settings_pair_start(
	const struct config *c, const struct config_placed *p, struct pair_start *s);
void settings_operator_start(
	const struct config *c, const struct config_placed *p, struct operator_start *s);
/* 0 or -ENOMEM. Its lines are freed by settings_pair_live_end(). */
int settings_pair_live(const struct config *c, struct pair_live *l);
/* Frees the lines that settings_pair_live() made. */
void settings_pair_live_end(struct pair_live *l);
/* Whether the files of keys and certificates can be used; if not, `why` says what to do. It reads
 * them, and may wait for the disk. Any thread. */
bool settings_keys_good(const struct config *c, char why[TLS_WHY]);

#endif
