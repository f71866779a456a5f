/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sys/socket.h>

#include <linux/rtnetlink.h>

#include "mirror.h"

enum { STUCK_MS = 2000, TORN_MS = 50, LEFT_OUT_MS = 30000, TURN_WRITES = 256 };

static bool not_dumped(const void *ctx, uint32_t nh, uint32_t stamp)
{
	return stamp != ((const struct net_mirror *)ctx)->stamp;
}

static void dump_request(struct net_mirror *m)
{
	static const struct {
		uint16_t type;
		uint8_t family;
		uint16_t size;
	} what[] = {
		[DUMP_LINK] = { RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg) },
		[DUMP_ADDR] = { RTM_GETADDR, AF_INET, sizeof(struct ifaddrmsg) },
		[DUMP_NEIGH] = { RTM_GETNEIGH, AF_INET, sizeof(struct ndmsg) },
		[DUMP_ROUTE] = { RTM_GETROUTE, AF_INET, sizeof(struct rtmsg) },
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	union net_request r;
	uint8_t *body = net_request_init(&r, what[m->dump].type, NLM_F_DUMP, what[m->dump].size);

	body[0] = what[m->dump].family; /* the first byte of each of them */
	if (m->dump == DUMP_ROUTE)
		((struct rtmsg *)body)->rtm_table = RT_TABLE_MAIN;
	if (m->dump == DUMP_ADDR)
		m->n_own = 0;
	r.nlh.nlmsg_seq = ++m->seq;
	m->progress_ms = mirror_now_ms();
	/* One that does not go out is found by its lack of progress. */
	if (sendto(m->fd, &r, r.nlh.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		m->torn = true;
}

void dump_start(struct net_mirror *m)
{
	if (m->stamp > 0)
		m->count.redumps++;
	m->stamp++;
	m->dump = DUMP_LINK;
	m->again = m->torn = false;
	dump_request(m);
}

static void dump_sweep(struct net_mirror *m)
{
	for (uint8_t t = 0; t < m->c.n_twins; t++) {
		if (m->twin[t].link_stamp != m->stamp)
			mirror_twin_link(m, t, false);
		if (m->twin[t].up_stamp != m->stamp)
			mirror_twin_up(m, t, false);
		adj_sweep(m, t, false);
	}
	m->count.routes_removed += routes_sweep(m->routes, not_dumped, m);
	watch_sweep(m);
	m->whole = m->stamp;
}

static void dump_end(struct net_mirror *m)
{
	if (m->torn) {
		m->again = true;
		m->not_before_ms = mirror_now_ms() + TORN_MS;
		return;
	}
	dump_sweep(m);
	if (m->synced)
		return;
	m->synced = true;
	for (uint8_t t = 0; t < m->c.n_twins && m->c.link != NULL; t++)
		m->c.link(m->c.ctx, m->twin[t].port, m->twin[t].link);
}

static void dump_next(struct net_mirror *m)
{
	if (++m->dump == DUMP_NONE)
		dump_end(m);
	else
		dump_request(m);
}

void mirror_tick(struct net_mirror *m, uint64_t now_ms)
{
	if (m->dump != DUMP_NONE && now_ms - m->progress_ms > STUCK_MS) {
		m->dump = DUMP_NONE; /* its answer was lost */
		m->again = true;
	}
	if (m->left_out && now_ms >= m->retry_ms) {
		m->left_out = false;
		m->retry_ms = now_ms + LEFT_OUT_MS;
		m->again = true;
		routes_choose(m->routes);
	}
	routes_work(m->routes, TURN_WRITES);
	if (m->again && m->dump == DUMP_NONE && now_ms >= m->not_before_ms)
		dump_start(m);
}

int dump_answer(struct net_mirror *m, const struct nlmsghdr *h)
{
	int err = 0;

	if (h->nlmsg_type == NLMSG_ERROR) {
		if (h->nlmsg_len < NLMSG_HDRLEN + sizeof(struct nlmsgerr))
			return -EBADMSG;
		err = ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
	} else if (h->nlmsg_len >= NLMSG_HDRLEN + sizeof(err)) {
		err = *(const int *)NLMSG_DATA(h);
	}
	if (m->dump == DUMP_NONE || h->nlmsg_seq != m->seq)
		return 1;
	m->torn = m->torn || err != 0;
	dump_next(m);
	return 0;
}
