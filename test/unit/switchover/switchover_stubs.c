/* SPDX-License-Identifier: BSD-3-Clause */
#include "switchover_stubs.h"

#include "kernel/kernel.h"
#include "signalling/signalling.h"

struct switchover_stubs switchover_stubs;

/* ---- kernel ---- */

enum vips_state vips_state(const struct vips *v)
{
	return VIPS_DOWN;
}

uint8_t vips_metric(const struct vips *v)
{
	return 0;
}

bool vips_confirmed(const struct vips *v, const struct ip_addr *vip)
{
	return switchover_stubs.confirmed;
}

int vips_up(struct vips *v, uint8_t metric, usec_t now)
{
	return 0;
}

int vips_set_metric(struct vips *v, uint8_t metric)
{
	return 0;
}

int vips_ahead(struct vips *v, uint8_t metric)
{
	return 0;
}

void vips_linger(struct vips *v, uint8_t metric) {}
void vips_withdraw(struct vips *v) {}

bool vips_turn(struct vips *v, usec_t now)
{
	return false;
}

void vips_announce_anew(struct vips *v, usec_t now) {}

void vips_announce(struct vips *v, usec_t now)
{
	switchover_stubs.announced++;
}

/* ---- signalling ---- */

bool signalling_idle(const struct signalling *s)
{
	return true;
}

void signalling_activated(struct signalling *s, uint64_t term, bool planned, usec_t now) {}
void signalling_deactivated(struct signalling *s) {}
void signalling_flush(struct signalling *s) {}
