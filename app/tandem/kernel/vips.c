/* SPDX-License-Identifier: BSD-3-Clause */
/* The VIPs' addresses, routes and announcements. */
#include <errno.h>
#include <net/if.h>
#include <stdatomic.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base/log.h"
#include "base/memory.h"

#include "kernel_priv.h"

enum { VIPS_ANNOUNCEMENTS = 5, VIPS_RETRY_US = 1000000 };

struct vips {
	struct vips_settings s;
	enum vips_state state;
	uint8_t metric;
	bool confirmed[CONFIG_LOOPBACKS];
	bool routed; /* as wanted; or not known to be refused */
	usec_t retry_at;
	bool again; /* what the kernel refuses was logged already */
	unsigned int announce_left;
	usec_t announce_at;
};

struct vips *vips_create(const struct vips_settings *s)
{
	struct vips *v = memory_take("vips", sizeof(*v), 0);

	if (v != NULL)
		v->s = *s;
	return v;
}

void vips_destroy(struct vips *v)
{
	if (v == NULL)
		return;
	vips_withdraw(v);
	memory_give(v);
}

enum vips_state vips_state(const struct vips *v)
{
	return v->state;
}

uint8_t vips_metric(const struct vips *v)
{
	return v->metric;
}

bool vips_confirmed(const struct vips *v, const struct ip_addr *vip)
{
	for (unsigned int i = 0; i < v->s.start.n_loopbacks; i++)
		if (v->confirmed[i] && ip_addr_equal(&v->s.start.loopbacks[i].address, vip))
			return true;
	return false;
}

/* ---- routes ---- */

/* Metric 0: away with it. */
static int vips_route(struct vips *v, const struct ip_prefix *to, uint32_t metric, const char *of)
{
	char text[IP_PREFIX_TEXT];
	int ret = metric == 0 ? net_ops->pool_route_del(v->s.net, to)
			      : net_ops->pool_route_set(v->s.net, to, metric);

	if (ret < 0 && metric != 0 && !v->again)
		LOG(ERR,
			"the route of a pool or loopback cannot be installed, and is tried again "
			"name=%s prefix=%s metric=%u error=%s",
			LOG_TEXT(of), ip_prefix_print(to, text), metric, LOG_TEXT(strerror(-ret)));
	return ret;
}

static int vips_pool_route(struct vips *v, const struct placed_pool *p, uint32_t metric)
{
	if (p->state == PLACED_FREE || !p->conf.srp_activate)
		return 0;
	return vips_route(v, &p->conf.prefix, metric, p->conf.name);
}

/* What a routing daemon redistributes: the pools and, where routers decide, the VIPs. What makes
 * the kernel answer for a VIP has no metric, so each has a host route besides. The kernel looks at
 * its table `local` first: the host route counts only while the VIP is not there, and then what
 * comes for it ends in that route and is answered by nobody. */
static int vips_routes(struct vips *v, uint32_t metric)
{
	const struct kernel_start *f = &v->s.start;
	int ret = 0;

	for (unsigned int i = 0; i < f->placed->n_pools; i++) {
		int err = vips_pool_route(v, &f->placed->pool[i], metric);

		ret = err < 0 ? err : ret;
	}
	for (unsigned int i = 0; i < f->n_loopbacks && !f->l2; i++) {
		const struct config_loopback *l = &f->loopbacks[i];
		struct ip_prefix host = { l->address, ip_addr_bits(&l->address) };
		int err = l->srp_activate ? vips_route(v, &host, metric, l->name) : 0;

		ret = err < 0 ? err : ret;
	}
	v->routed = ret == 0;
	return ret;
}

void vips_pool(struct vips *v, unsigned int at, bool there)
{
	uint32_t metric = there ? v->metric : 0;

	if (v->state == VIPS_DOWN)
		return;
	if (vips_pool_route(v, &v->s.start.placed->pool[at], metric) < 0 && there)
		v->routed = false;
}

int vips_set_metric(struct vips *v, uint8_t metric)
{
	if (v->state != VIPS_UP)
		return 0; /* what a standby advertises is vips_ahead()'s to say */
	v->metric = metric;
	return vips_routes(v, metric);
}

/* ---- addresses ---- */

/* Where a VIP is (net.h says why): on shared subnets an address of lo, or of the twin. */
static unsigned int vips_where(const struct vips *v, const struct config_loopback *l)
{
	if (!v->s.start.l2)
		return NET_VIP_ROUTED;
	for (unsigned int k = 0; k < v->s.n_ports && !ip_addr_is_v4(&l->address); k++)
		if (strcmp(v->s.ports[k].conf->name, l->port) == 0)
			return v->s.ports[k].twin.ifindex;
	return if_nametoindex("lo");
}

static int vips_address(struct vips *v, unsigned int i, bool up)
{
	const struct config_loopback *l = &v->s.start.loopbacks[i];
	char text[IP_ADDR_TEXT];
	int ret = up ? net_ops->vip_add(v->s.net, &l->address, vips_where(v, l))
		     : net_ops->vip_del(v->s.net, &l->address, vips_where(v, l));

	v->confirmed[i] = up && ret == 0;
	if (ret < 0 && up && !v->again)
		LOG(ERR, "the address of a loopback cannot be added%s name=%s address=%s error=%s",
			ip_addr_is_v4(&l->address) ? "" : ", is IPv6 disabled in the kernel?",
			LOG_TEXT(l->name), ip_addr_print(&l->address, text),
			LOG_TEXT(strerror(-ret)));
	return ret;
}

void vips_fixed(struct vips *v)
{
	for (unsigned int i = 0; i < v->s.start.n_loopbacks; i++)
		if (!v->s.start.loopbacks[i].srp_activate)
			vips_address(v, i, true);
}

/* Those that are not there yet. */
static int vips_addresses(struct vips *v)
{
	int ret = 0;

	for (unsigned int i = 0; i < v->s.start.n_loopbacks; i++) {
		bool wanted = v->s.start.loopbacks[i].srp_activate && !v->confirmed[i];
		int err = wanted ? vips_address(v, i, true) : 0;

		ret = err < 0 ? err : ret;
	}
	return ret;
}

static void vips_addresses_away(struct vips *v)
{
	v->announce_left = 0;
	for (unsigned int i = 0; i < v->s.start.n_loopbacks; i++)
		if (v->s.start.loopbacks[i].srp_activate)
			vips_address(v, i, false);
}

/* ---- states ---- */

int vips_up(struct vips *v, uint8_t metric, usec_t now)
{
	int ret, err;

	v->state = VIPS_UP;
	v->retry_at = now + VIPS_RETRY_US;
	ret = vips_addresses(v);
	err = vips_set_metric(v, metric);
	return err < 0 ? err : ret;
}

bool vips_turn(struct vips *v, usec_t now)
{
	bool all = v->routed;

	for (unsigned int i = 0; i < v->s.start.n_loopbacks; i++)
		all &= v->confirmed[i] || !v->s.start.loopbacks[i].srp_activate;
	if (v->state != VIPS_UP || all || now < v->retry_at)
		return false;
	v->again = true;
	all = vips_up(v, v->metric, now) == 0;
	v->again = false;
	if (!all)
		return false;
	LOG(NOTICE, "the kernel has all VIPs and routes now");
	vips_announce_anew(v, now);
	return true;
}

int vips_ahead(struct vips *v, uint8_t metric)
{
	int ret;

	if (v->state == VIPS_UP)
		vips_addresses_away(v);
	if (v->state != VIPS_AHEAD)
		LOG(NOTICE,
			"advertise-in-standby: the routes of VIPs and pools are advertised "
			"metric=%u",
			metric);
	v->state = VIPS_AHEAD;
	v->metric = metric;
	ret = vips_routes(v, metric);
	if (ret < 0) /* what is not known to be the longer path must not stay */
		vips_withdraw(v);
	return ret;
}

void vips_linger(struct vips *v, uint8_t metric)
{
	vips_addresses_away(v);
	v->state = VIPS_LINGERING;
	v->metric = metric;
	if (vips_routes(v, metric) < 0)
		vips_withdraw(v); /* as in vips_ahead() */
}

void vips_withdraw(struct vips *v)
{
	if (v->state == VIPS_DOWN)
		return;
	if (v->state == VIPS_UP)
		vips_addresses_away(v);
	v->state = VIPS_DOWN;
	vips_routes(v, 0);
}

/* ---- announcements ---- */

void vips_announce_anew(struct vips *v, usec_t now)
{
	v->announce_left = VIPS_ANNOUNCEMENTS;
	v->announce_at = now;
}

static void vips_announce_on(struct vips *v, const struct kernel_port *p, const struct ip_addr *vip)
{
	struct rte_mbuf *m = atomic_load(p->up) ? net_announce(v->s.mbufs, &p->mac, vip) : NULL;

	if (m == NULL)
		return;
	m->port = p->id;
	if (rte_ring_enqueue(v->s.out, m) < 0)
		rte_pktmbuf_free(m);
}

void vips_announce(struct vips *v, usec_t now)
{
	static const usec_t gap[VIPS_ANNOUNCEMENTS] = { 2000000, 1000000, 400000, 100000, 30000 };

	if (v->state != VIPS_UP || v->announce_left == 0 || now < v->announce_at)
		return;
	v->announce_left--;
	v->announce_at = now + gap[v->announce_left];
	for (unsigned int i = 0; i < v->s.start.n_loopbacks; i++) {
		const struct config_loopback *l = &v->s.start.loopbacks[i];

		for (unsigned int k = 0; k < v->s.n_ports && v->confirmed[i]; k++)
			if (kernel_vip_on(l, &v->s.ports[k]))
				vips_announce_on(v, &v->s.ports[k], &l->address);
	}
}
