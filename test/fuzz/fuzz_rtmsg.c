/* SPDX-License-Identifier: BSD-3-Clause */
/* A datagram of rtnetlink messages: every one is read as each kind that there is. */
#include <stdlib.h>
#include <string.h>

#include "rtmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one(const struct nlmsghdr *h)
{
	struct rtmsg_route r;
	struct rtmsg_neigh n;
	struct rtmsg_link l;
	struct ip_addr own;

	if (rtmsg_route(h, &r) == 0 && (!ip_prefix_valid(&r.to) || r.n_hops > RTMSG_HOPS))
		abort();
	rtmsg_neigh(h, &n);
	rtmsg_link(h, &l);
	rtmsg_addr(h, &own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct nlmsghdr *h;
	uint8_t *copy = malloc(size > 0 ? size : 1); /* aligned as a receive buffer is */
	const uint8_t *p = copy;
	size_t left = size;
	bool bad = false;

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	while ((h = rtmsg_next(&p, &left, &bad)) != NULL)
		one(h);
	free(copy);
	return 0;
}
