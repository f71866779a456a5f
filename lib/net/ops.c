/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/net.h"

const struct net_ops net_linux = { .twin_from = net_twin_from,
	.twin_to = net_twin_to,
	.kernel_open = net_kernel_open,
	.kernel_close = net_kernel_close,
	.vip_add = net_vip_add,
	.vip_del = net_vip_del,
	.pool_route_set = net_pool_route_set,
	.pool_route_del = net_pool_route_del,
	.cleanup = net_cleanup,
	.link_carrier = net_link_carrier,
	.mirror_create = net_mirror_create,
	.mirror_destroy = net_mirror_destroy,
	.mirror_fd = net_mirror_fd,
	.mirror_process = net_mirror_process,
	.mirror_resolve = net_mirror_resolve,
	.mirror_want = net_mirror_want,
	.mirror_keep = net_mirror_keep,
	.mirror_watch = net_mirror_watch,
	.mirror_present = net_mirror_present,
	.mirror_link = net_mirror_link,
	.mirror_count = net_mirror_count };

const struct net_ops *net_ops = &net_linux;
