/* SPDX-License-Identifier: BSD-3-Clause */
/* direct: the direct way of GTP-C between the access ports and control. Control core only.
 *
 * GTP-C has a plain socket of the kernel, and uses it for all that is not simple; but each message
 * took control through the kernel twice, and at tens of thousands of contexts a second that was
 * most of what control did. Seen with perf in the lab (two shared CPUs): of 9.5 us a Create on
 * control, 7 were system calls: 33 % sending on the socket, 23 % writing to the twin, 10 % reading
 * from it, 6 % receiving on the socket; each frame also raised a signal for the TAP driver, a
 * further 1.6 us on other threads. Past the kernel it is 2 us; with 512 requests in flight 45 k/s
 * became 81 k/s. What a worker punts is looked at once more in control's end of the ring: a whole,
 * undamaged datagram to the VIP's port 2123 is handed to GTP-C there. What GTP-C sends to a peer
 * whose next hop the kernel has resolved (the mirror that the workers' G-PDUs go by) leaves by the
 * worker's door for the twins' frames. No door, thread or state is new; a chassis that is not
 * active, or must not answer, leaves all of it to the kernel, which has no VIP then. What is out of
 * the ordinary goes by the socket: fragments, IP options, other ports, strange sources, next hops
 * that are not resolved, messages beyond the MTU, a full door. ARP, ICMP and path MTU remain the
 * kernel's. The price: nftables rules and captures on the twin do not see these messages.
 * services.gtp-direct = false has all of them go through the kernel. */
#ifndef TANDEM_SIGNALLING_DIRECT_H
#define TANDEM_SIGNALLING_DIRECT_H

#include "gtpc_frame.h"
#include "signalling/signalling.h"

struct direct {
	const struct signalling_env *env;
	struct signalling_direct_counters count;
	uint16_t ip_id;
};

/* Judges a frame that came in on port m->port: *d is the datagram in it when it is ours, and *in
 * that access port. It stays the caller's, whatever it is. */
enum gtpc_frame direct_read(struct direct *t, struct rte_mbuf *m, struct gtpc_datagram *d,
	const struct signalling_port **in);
/* False: the message has to go by the socket. */
bool direct_send(struct direct *t, const struct gtpc_peer *to, const uint8_t *msg, size_t len);

#endif
