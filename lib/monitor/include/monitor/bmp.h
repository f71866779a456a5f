/* SPDX-License-Identifier: BSD-3-Clause */
/* bmp: one connection of a router that reports its BGP peers to us (RFC 7854): bytes of TCP in, in
 * pieces of any size, facts out by a callback. Pure; owns its memory, which is fixed; one caller.
 * What reports routes (monitoring, mirroring, statistics) and messages of types that are not known
 * (4.1: to be ignored) are skipped by their length.
 *
 * Whose frames do not add up is not believed any more: the connection ends with a reason. What is
 * odd within a frame that says "peer down" does not matter: the fact is in the frame, and losing it
 * would hide a failure. */
#ifndef TANDEM_BMP_H
#define TANDEM_BMP_H

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/counters.h"

enum {
	BMP_VERSION = 3,
	BMP_COMMON = 6,    /* octets of the common header (4.1) */
	BMP_PER_PEER = 42, /* of the per-peer header (4.2) */
	BMP_KEPT_MAX =
		/* the longest message that is kept until it is whole: two OPENs of 4096 octets, and
		 * TLVs */
	16384,
	BMP_SKIPPED_MAX =
		/* the longest that is skipped; a longer one is taken for a stream out of step */
	1048576,
	BMP_TEXT = 80,
};

enum bmp_type {
	BMP_ROUTE_MONITORING,
	BMP_STATISTICS,
	BMP_PEER_DOWN,
	BMP_PEER_UP,
	BMP_INITIATION,
	BMP_TERMINATION,
	BMP_ROUTE_MIRRORING,
};

/* Reasons of a Peer Down (4.9; 6: RFC 9069 5.3). */
enum bmp_down {
	BMP_DOWN_LOCAL_NOTIFICATION = 1, /* the router closed; what it sent the peer follows */
	BMP_DOWN_LOCAL_EVENT = 2,        /* the router closed, without a notification */
	BMP_DOWN_REMOTE_NOTIFICATION = 3,
	BMP_DOWN_REMOTE = 4,        /* the peer closed, or the connection broke */
	BMP_DOWN_NOT_MONITORED = 5, /* not down: the router will not report it any more */
	BMP_DOWN_LOCAL_TLV = 6,     /* the router closed; information follows */
};

struct bmp_fact {
	enum bmp_type type; /* BMP_PEER_UP, _PEER_DOWN, _INITIATION or _TERMINATION */
	/* 4.2: 0 global, 1 of a route distinguisher, 2 local; others are not reported */
	uint8_t peer_type;
	/* V 0x80, L 0x40 (post-policy), A 0x20, O 0x10 (RFC 8671; ignored with up and down) */
	uint8_t flags;
	uint64_t distinguisher; /* of the VRF; 0: none */
	struct ip_addr addr;
	uint32_t as, bgp_id;
	uint8_t reason;        /* PEER_DOWN: enum bmp_down, or one that is not known */
	uint8_t code, subcode; /* of the notification; 0: none was there */
	uint16_t event;        /* of BMP_DOWN_LOCAL_EVENT */
	/* PEER_DOWN and TERMINATION: why, in words; INITIATION: the router's name */
	char text[BMP_TEXT];
};

typedef void (*bmp_fact_fn)(void *ctx, const struct bmp_fact *f);

// clang-format off
#define BMP_COUNTERS(X) \
	X(messages, COUNTER, "messages", \
		"BMP messages of the router were received.") \
	X(skipped, COUNTER, "messages", \
		"BMP messages were skipped because they are of no use here.") \
	X(skipped_octets, COUNTER, "octets", \
		"Octets were in BMP messages that were skipped.") \
	X(peer_ups, COUNTER, "messages", \
		"Peer Up notifications were received.") \
	X(peer_downs, COUNTER, "messages", \
		"Peer Down notifications were received.") \
	X(not_peers, COUNTER, "messages", \
		"BMP messages were about no BGP peer, such as Loc-RIB, or about one of an " \
		"unknown type.") \
	X(malformed, COUNTER, "messages", \
		"BMP messages were malformed, which ends the connection.")
// clang-format on
COUNTERS_DEFINE(bmp_counters, BMP_COUNTERS);

struct bmp;

/* Makes a parser. NULL + errno. The callback runs within bmp_input and must not destroy. */
struct bmp *bmp_create(bmp_fact_fn fn, void *ctx);
void bmp_destroy(struct bmp *b);
/* The next octets of the connection. 0; -EBADMSG: what came makes no sense, -ESHUTDOWN: the router
 * ended it (4.5). From then on nothing is taken and the same is returned: close the connection. */
int bmp_input(struct bmp *b, const void *octets, size_t len);
/* Why it ended, in words; "" while it has not. */
const char *bmp_reason(const struct bmp *b);
const struct bmp_counters *bmp_count(const struct bmp *b);

#endif
