/* SPDX-License-Identifier: BSD-3-Clause */
/* The room itself: its life, the mirror's events, what others see of it. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"

#include "kernel_priv.h"

struct kernel_port *kernel_port_of(struct kernel *k, uint16_t id)
{
	for (unsigned int i = 0; i < k->s.n_ports; i++)
		if (k->s.port[i].id == id)
			return &k->s.port[i];
	return NULL;
}

static void kernel_news(void *ctx, struct source *s, uint32_t events)
{
	struct kernel *k = ctx;
	int ret;

	(void)s;
	(void)events;
	ret = net_ops->mirror_process(k->mirror);
	if (ret < 0)
		LOG(ERR,
			"changes of the kernel's routes and neighbours cannot be read: the fast "
			"path may use old ones, see show ports error=%s",
			LOG_TEXT(strerror(-ret)));
}

/* An earlier process may have been killed while active: nothing of ours may answer before we know
 * our role. */
static int kernel_clean(struct kernel *k)
{
	const struct kernel_start *f = &k->s.start;
	struct ip_addr vips[CONFIG_LOOPBACKS];
	int n;

	for (unsigned int i = 0; i < f->n_loopbacks; i++)
		vips[i] = f->loopbacks[i].address;
	n = net_ops->cleanup(k->net, vips, f->n_loopbacks);
	if (n > 0)
		LOG(NOTICE,
			"addresses and routes that an earlier process left in the kernel were "
			"removed count=%d",
			n);
	return n < 0 ? n : 0;
}

static int kernel_vips_open(struct kernel *k)
{
	const struct kernel_settings *s = &k->s;

	k->vips = vips_create(&(struct vips_settings){ .start = s->start,
		.net = k->net,
		.ports = s->port,
		.n_ports = s->n_ports,
		.mbufs = s->mbufs,
		.out = s->out });
	if (k->vips == NULL)
		return -ENOMEM;
	vips_fixed(k->vips);
	return 0;
}

static int kernel_mirror_open(struct kernel *k)
{
	struct net_mirror_conf m = { .fib = k->s.fib,
		.twins = k->twins,
		.n_twins = k->s.n_ports,
		.link = links_changed,
		.ctx = k,
		.secret = k->s.secret };

	for (unsigned int i = 0; i < k->s.n_ports; i++) {
		k->twins[i] = k->s.port[i].twin;
		m.under_ifindex[i] = k->s.port[i].under_ifindex;
	}
	k->mirror = net_ops->mirror_create(&m);
	if (k->mirror == NULL)
		return -errno;
	return reactor_watch(k->s.reactor, &k->mirror_src, net_ops->mirror_fd(k->mirror), EPOLLIN,
		kernel_news, k);
}

static int kernel_open(struct kernel *k)
{
	int ret;

	k->net = net_ops->kernel_open();
	if (k->net == NULL)
		return -errno;
	ret = kernel_clean(k);
	if (ret == 0)
		ret = kernel_vips_open(k);
	return ret == 0 ? kernel_mirror_open(k) : ret;
}

struct kernel *kernel_create(const struct kernel_settings *s)
{
	struct kernel *k = memory_take("kernel", sizeof(*k), 0);
	int ret;

	if (k == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	k->s = *s;
	k->mirror_src.fd = -1;
	ret = kernel_open(k);
	if (ret < 0) {
		kernel_destroy(k);
		errno = -ret;
		return NULL;
	}
	return k;
}

void kernel_destroy(struct kernel *k)
{
	if (k == NULL)
		return;
	vips_destroy(k->vips);
	net_ops->mirror_destroy(k->mirror); /* closes what mirror_src watched */
	net_ops->kernel_close(k->net);
	memory_give(k);
}

void kernel_turn(struct kernel *k, usec_t now)
{
	net_ops->mirror_resolve(k->mirror);
	links_turn(k, now);
}

struct vips *kernel_vips(struct kernel *k)
{
	return k->vips;
}

struct net_mirror *kernel_mirror(struct kernel *k)
{
	return k->mirror;
}

void kernel_view(const struct kernel *k, struct kernel_view *v)
{
	*v = (struct kernel_view){ .to_kernel = k->twin_in,
		.from_kernel = k->twin_out,
		.frames_dropped = k->frames_dropped + k->punts_dropped };
}
