/* SPDX-License-Identifier: BSD-3-Clause */
/* repl: the replication stream (lib/repl/README.md; bytes: lib/repl/WIRE.md): numbered packets of
 * state records one way, ACK and WANT the other, heartbeats both. Pure: bytes and time in, bytes
 * and callbacks out; no clock, socket, lock or log. One `struct repl` a chassis does both
 * directions; one caller (the replication core). */
#ifndef TANDEM_REPL_H
#define TANDEM_REPL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/counters.h"
#include "common/cursor.h"
#include "common/usec.h"
#include "common/wire.h" /* versions of packets and records that are spoken here */

enum {
	REPL_HEADER = 40,   /* bytes before the records */
	REPL_NUMBER_AT = 4, /* where in it the packet number is, 8 bytes */
	/* bytes behind the records for the AEAD's tag; kept free in plain text too */
	REPL_TAG = 16,
	REPL_WINDOW = 4096,          /* unacknowledged ack-eliciting packets at most */
	REPL_ENTRIES = 64,           /* (slot, groups) entries a packet at most */
	REPL_PACKET_MAX = 9600 - 28, /* the largest MTU, without the headers of IPv4 and UDP */
	REPL_ROOM_LEAST = 1200,      /* a packet of control records may take so much */
	REPL_RECORD_HEAD = 3,        /* kind u8 | length u16 */
	REPL_USAGE_BYTES = 20,
};
enum { REPL_WINDOW_LEAST = 64 }; /* however much is lost, so many may be unacknowledged */

/* Record kinds. Every record is `kind u8 | length u16 | body`; unknown kinds are skipped. */
enum repl_kind {
	REPL_SLOT = 1,   /* session body: whole record */
	REPL_DELTA = 2,  /* session body: some groups */
	REPL_DIGEST = 3, /* audit body */
	REPL_ACK = 4,
	REPL_WANT = 5,      /* audit body */
	REPL_HEARTBEAT = 6, /* time of sending u64 us, pair time u64 ms, then lib/srp's body */
	/* stream u32 (0: none yet), then struct repl_status, all u32 but the first */
	REPL_STATUS = 7,
	REPL_PING = 8,    /* elicits an ACK */
	REPL_ACCOUNT = 9, /* struct repl_received: stream u32, the others u64 each */
	/* session body: usage of many slots, REPL_USAGE_BYTES each, at least one */
	REPL_USAGE = 10,
};

/* A term: number << 1 | side, so that integers compare as terms do. 0: none. */
typedef uint64_t repl_term_t;

/* What a sent packet held: handle 32 | commit 24 (0: not a commit) | groups 8. */
typedef uint64_t repl_entry_t;
static inline repl_entry_t repl_entry(uint32_t handle, uint32_t commit, uint8_t groups)
{
	return (uint64_t)handle << 32 | (uint64_t)(commit & 0xffffff) << 8 | groups;
}
static inline uint32_t repl_entry_handle(repl_entry_t e)
{
	return (uint32_t)(e >> 32);
}
static inline uint32_t repl_entry_commit(repl_entry_t e)
{
	return (uint32_t)(e >> 8) & 0xffffff;
}
static inline uint8_t repl_entry_groups(repl_entry_t e)
{
	return (uint8_t)e;
}

/* What this chassis does with ordered packets of the peer. */
enum repl_receive {
	REPL_RX_NONE,  /* ignored and counted: nothing is acknowledged */
	REPL_RX_APPLY, /* standby: applied in order */
	REPL_RX_LATE,  /* active: only DELTAs of late usage, in the term given or an older one */
};

/* Why a state record was refused; the number is its place in an ACCOUNT. */
enum repl_refused {
	REPL_REFUSED_STALE,     /* -ESTALE: another session has the slot */
	REPL_REFUSED_ABSENT,    /* -ENOENT: no such slot, pool or address here */
	REPL_REFUSED_MALFORMED, /* -EBADMSG */
	REPL_REFUSED_OWNER,     /* -EPERM: the slot is not ours to write */
	REPL_REFUSED_OTHER,
	REPL_REFUSED_REASONS
};

/* State records of one stream that were received, in packets that were taken. */
struct repl_received {
	uint32_t stream; /* 0: none yet */
	/* Every number below this one is decided; 0: not in order (late usage). */
	uint64_t next;
	uint64_t applied, refused[REPL_REFUSED_REASONS];
};

/* State records (entries) of the present stream, or the last, as their sender counts them:
 * sent == acked + superseded + in_flight + abandoned, always. */
struct repl_sent_records {
	uint32_t stream;
	uint64_t sent;
	uint64_t acked; /* applied, or refused and counted, by the peer */
	/* Lost on the way; newer records or the audit brought their content again. */
	uint64_t superseded;
	uint64_t in_flight;
	uint64_t abandoned; /* in flight when the stream ended */
	/* Of acked: no ACK of them came through, but the peer's ACCOUNT counts them. */
	uint64_t acked_by_account;
	/* The peer's ACCOUNT counts fewer than it acknowledged: a bug. */
	bool account_wrong;
	struct repl_received peer; /* as the peer's last ACCOUNT of this stream said */
};

/* As the peer's last STATUS said, and when it came. */
struct repl_status {
	uint64_t in_sync_since_ms; /* pair time; 0 never */
	uint32_t buckets, unmatched;
	uint32_t differing, left; /* as audit_pass() has them */
	usec_t heard;
};

struct repl_ops {
	/* A state record (SLOT, DELTA) to apply. 0 applied; < 0 refused (counted; acknowledged all
	 * the same). -EAGAIN: could not now: the packet is not acknowledged and comes again. late:
	 * a DELTA of an older term (REPL_RX_LATE). USAGE counts as so many DELTAs, is never late,
	 * and returns how many were applied: the others were refused, stale. */
	int (*state)(void *ctx, enum repl_kind kind, struct rd *body, bool late);
	/* DIGEST body, in order. The receiver compares its own slots, now. */
	void (*digest)(void *ctx, struct rd *body, usec_t now);
	/* WANT body from the peer; from an active one to its standby: it is to ask for everything
	 * (AUDIT_WANT_PASS). */
	void (*want)(void *ctx, struct rd *body, usec_t now);
	/* lib/srp's heartbeat body; `fresh`: it is a sign of life. peer_pair_ms: the peer's pair
	 * time at arrival. */
	void (*heartbeat)(
		void *ctx, struct rd *body, bool fresh, uint64_t peer_pair_ms, usec_t now);
	/* Entries of one packet that the peer has applied / that are lost and must be made dirty
	 * again by `owner`. Lost: at most 128 packets a call of repl_input or repl_tick, but all
	 * that is open when a stream is started. */
	void (*acked)(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n);
	void (*lost)(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n);
	/* The peer's incarnation changed (it restarted, or is the first heard): the stream was
	 * started anew, everything unacknowledged was lost. */
	void (*peer_new)(void *ctx, uint32_t incarnation);
	/* A new stream of the peer began while REPL_RX_APPLY (a join or a flap): the audit starts a
	 * pass. */
	void (*stream_new)(void *ctx, uint32_t stream, usec_t now);
	/* As standby, or with a stream of our own. Bytes of due WANT bodies: fills `w` (possibly
	 * nothing); pto: the current probe timeout. */
	void (*want_fill)(void *ctx, struct wr *w, usec_t pto, usec_t now);
	/* STATUS to send while standby. */
	void (*status)(void *ctx, struct repl_status *st);
	void *ctx; /* none may call back into the same repl, but to read; none may be NULL */
};

// clang-format off
#define REPL_COUNTERS(X) \
	X(tx_packets, COUNTER, "packets", \
		"Packets of the replication path were made for the peer.") \
	X(tx_bytes, COUNTER, "bytes", \
		"Bytes were in the packets that were made for the peer, without Ethernet, IP " \
		"and UDP headers.") \
	X(tx_state_packets, COUNTER, "packets", \
		"Packets with session state were made for the peer.") \
	X(tx_entries, COUNTER, "records", \
		"Records of sessions were in the packets that were made for the peer.") \
	X(tx_acks, COUNTER, "acknowledgements", \
		"Acknowledgements were put into packets for the peer.") \
	X(tx_wants, COUNTER, "records", \
		"Records that ask the peer for parts of its table were put into packets.") \
	X(tx_heartbeats, COUNTER, "heartbeats", \
		"Heartbeats were put into packets for the peer.") \
	X(tx_pings, COUNTER, "packets", \
		"Packets that only ask for an acknowledgement were made, because none came.") \
	X(records_acknowledged, COUNTER, "records", \
		"Records of sessions were acknowledged by the peer.") \
	X(records_superseded, GAUGE, "records", \
		"Records of sessions are counted as lost; newer records bring what they said.") \
	X(records_abandoned, COUNTER, "records", \
		"Records of sessions were on their way when their stream ended.") \
	X(records_acknowledged_by_account, COUNTER, "records", \
		"Records that counted as lost had arrived, as the peer's account of the stream " \
		"says.") \
	X(packets_acknowledged, COUNTER, "packets", \
		"Packets with session state were acknowledged before they counted as lost.") \
	X(lost_packets, COUNTER, "packets", \
		"Packets with session state were counted as lost.") \
	X(lost_entries, COUNTER, "records", \
		"Records of sessions were in packets that were counted as lost.") \
	X(spurious_losses, COUNTER, "packets", \
		"Packets that had counted as lost were acknowledged after all.") \
	X(window_full, COUNTER, "packets", \
		"Packets were not sent because as many as may be were waiting for an " \
		"acknowledgement.") \
	X(rx_packets, COUNTER, "packets", \
		"Packets of the replication path were received, those that were refused " \
		"included.") \
	X(rx_bytes, COUNTER, "bytes", \
		"Bytes were in the packets of the replication path that were received.") \
	X(rx_state_packets, COUNTER, "packets", \
		"Packets with session state were received.") \
	X(rx_slots, COUNTER, "records", \
		"Records of whole slots were taken out of packets.") \
	X(rx_deltas, COUNTER, "records", \
		"Records of parts of slots were taken out of packets.") \
	X(rx_digests, COUNTER, "records", \
		"Records with hashes of the peer's table were taken out of packets.") \
	X(rx_wants, COUNTER, "records", \
		"Records with which the peer asks for parts of the table were received.") \
	X(rx_acks, COUNTER, "acknowledgements", \
		"Acknowledgements of the present stream were received.") \
	X(rx_heartbeats, COUNTER, "heartbeats", \
		"Heartbeats of the peer were received.") \
	X(rx_applied, COUNTER, "records", \
		"Records of the peer were applied.") \
	X(rx_refused, COUNTER, "records", \
		"Records of the peer were refused, for whatever reason.") \
	X(rx_refused_stale, COUNTER, "records", \
		"Records of the peer were refused because another session has the slot, or " \
		"none.") \
	X(rx_refused_absent, COUNTER, "records", \
		"Records of the peer were refused because this chassis has no such slot, pool " \
		"or address.") \
	X(rx_refused_malformed, COUNTER, "records", \
		"Records of the peer were refused because they are malformed.") \
	X(rx_refused_not_owner, COUNTER, "records", \
		"Records of the peer were refused because the slot is not the replication " \
		"core's to write.") \
	X(rx_refused_other, COUNTER, "records", \
		"Records of the peer were refused for a reason that has no counter of its own.") \
	X(rx_again, COUNTER, "packets", \
		"Packets were left without an acknowledgement because not all in them could be " \
		"taken now.") \
	X(rx_gaps, COUNTER, "gaps", \
		"Gaps in the order of packets were given up.") \
	X(rx_skipped, COUNTER, "packets", \
		"Packets that were missing were skipped where a gap was given up.") \
	X(rx_late_packets, COUNTER, "packets", \
		"Packets were dropped because they came too late.") \
	X(rx_duplicates, COUNTER, "packets", \
		"Packets were dropped because they had come before.") \
	X(rx_unknown_kind, COUNTER, "records", \
		"Records were skipped because their kind is not known.") \
	X(rx_stale_heartbeats, COUNTER, "heartbeats", \
		"Heartbeats had waited on the way or were overtaken by newer ones, and say " \
		"nothing of now.") \
	X(rx_malformed, COUNTER, "packets", \
		"Packets were refused, or records in them ignored, because they are malformed.") \
	X(rx_version, COUNTER, "packets", \
		"Packets were refused because they are of a version of the stream that is not " \
		"spoken here.") \
	X(rx_old_term, COUNTER, "packets", \
		"Packets were refused because they are of an older term.") \
	X(rx_not_receiving, COUNTER, "packets", \
		"Packets or records were refused because this chassis takes no such stream now.") \
	X(rx_wrong_incarnation, COUNTER, "packets", \
		"Packets were refused because they are from or for a process that is not the " \
		"present one.") \
	X(rx_wrong_stream, COUNTER, "packets", \
		"Packets or reports were refused because they belong to another stream than the " \
		"present one.") \
	X(rx_own, COUNTER, "packets", \
		"Packets were refused because this chassis itself had sent them.") \
	X(rx_bad_key, COUNTER, "packets", \
		"Packets were refused because they are sealed where plain text is expected, or " \
		"not as expected.")
// clang-format on
COUNTERS_DEFINE(repl_counters, REPL_COUNTERS);

struct repl_params {
	uint32_t incarnation; /* random per process start, not 0 */
	usec_t heartbeat_us;  /* 0: none are sent */
	/* a heartbeat delayed by more than this against the quickest is no sign of life */
	usec_t life_us;
	usec_t gap_us;            /* how long a gap is waited for: 1000 */
	unsigned int gap_packets; /* 3 */
	/* packets of higher versions are not taken; 0: the highest that is spoken here */
	uint8_t version_max;
	const struct repl_ops *ops;             /* copied */
	void *(*alloc)(void *ctx, size_t size); /* zeroed; called by repl_create only */
	void (*free)(void *ctx, void *p);
	void *mem_ctx;
};

struct repl;

/* NULL + errno. Starts with REPL_RX_NONE and no stream. */
struct repl *repl_create(const struct repl_params *p, usec_t now);
void repl_destroy(struct repl *r);
/* Every packet is sealed and opened with these keys from now on (keys.h; not owned, same core);
 * NULL, the beginning: plain text. With keys, what repl_seal and repl_poll return counts REPL_TAG
 * bytes behind the records, which the caller fills: it encrypts the records in place with the key
 * of repl_slot, the header as additional data. Nothing is sent without a key that seals. */
struct keys;
void repl_keys(struct repl *r, struct keys *k);
/* The slot of the keys for the packet that repl_seal or repl_poll returned last; -1: plain text. */
int repl_slot(const struct repl *r);

/* Heartbeats follow each other in heartbeat_us from now on, and one that was delayed by more than
 * life_us is no sign of life, as in repl_params; the next is due within the new interval. */
void repl_times(struct repl *r, usec_t heartbeat_us, usec_t life_us, usec_t now);

/* ---- sender ---- */

/* The version that packets are sent in from now on; the least to begin with. Records of a stream
 * are all of one version: call it before a stream is started. */
void repl_version(struct repl *r, uint8_t version);
/* Starts a new stream in `term`: numbers go on, everything unacknowledged is handed to `lost`. */
void repl_stream_start(struct repl *r, repl_term_t term, usec_t now);
/* No more state packets (demotion); unacknowledged ones are forgotten. Acknowledgements of them
 * still count until then. */
void repl_stream_stop(struct repl *r);
/* From now on state packets are sent in this (older) term: late usage of a demoted chassis. */
void repl_stream_late(struct repl *r, repl_term_t term, usec_t now);
/* How many more state packets the window takes now; 0 without a stream, and until the peer was
 * heard. */
unsigned int repl_room(const struct repl *r);
/* The window now: halved by a loss, at most once a round trip; grows again as RFC 9002 section 7.3
 * has it. */
unsigned int repl_window(const struct repl *r);
/* The shortest round trip of this stream; before there is one, the smoothed round trip. */
usec_t repl_min_rtt(const struct repl *r);
/* Completes a packet of records: pkt has REPL_HEADER bytes of room first, then the records; len
 * counts both. Fills the header in and remembers the entries (n <= REPL_ENTRIES; 0 is allowed:
 * digests elicit an ACK too). Returns the number of bytes to send (== len without keys, else
 * REPL_TAG more), or -ENOBUFS: window full, -ENOTCONN: no stream, or no peer heard yet, -ENOKEY,
 * -EKEYEXPIRED: as keys_seal says. */
int repl_seal(struct repl *r, uint8_t *pkt, size_t len, uint8_t owner, const repl_entry_t *e,
	unsigned int n, usec_t now);
/* How many packets are neither acknowledged yet nor lost. */
unsigned int repl_unacked(const struct repl *r);
/* The number of the last state packet that was sealed; 0: there was none. */
uint64_t repl_last_number(const struct repl *r);
/* When the oldest packet that is not acknowledged was sent; USEC_NEVER: there is none. */
usec_t repl_oldest_unacked(const struct repl *r);
/* What became of the records of the own stream. */
void repl_sent_records(const struct repl *r, struct repl_sent_records *s);

/* ---- receiver ---- */

/* late_term: with REPL_RX_LATE the highest term whose late usage is accepted; what is none is not
 * acknowledged. floor: packets of lower terms are ignored. */
void repl_receive(struct repl *r, enum repl_receive mode, repl_term_t floor, repl_term_t late_term);
/* Applies all that is held, gaps skipped, then REPL_RX_NONE. Returns the highest number applied in
 * the stream. */
uint64_t repl_receive_stop(struct repl *r, usec_t now);
/* The highest number that was applied in the stream. */
uint64_t repl_applied(const struct repl *r);
/* The stream (id, term) that is being applied; 0 none. */
uint32_t repl_rx_stream(const struct repl *r);
/* The version of the packets of that stream: what its digests cover. */
uint8_t repl_rx_version(const struct repl *r);
/* What became of the records of that stream. */
const struct repl_received *repl_received(const struct repl *r);

/* ---- both ---- */

/* One packet (UDP payload) from the peer's address. Calls ops. With keys: opened, its tag good and
 * not counted in len. */
void repl_input(struct repl *r, const uint8_t *pkt, size_t len, usec_t now);
/* Timers: loss detection, gap skipping. Call each turn, after the input has been drained. */
void repl_tick(struct repl *r, usec_t now);
/* Builds the next due packet of control records (ACK, WANT, STATUS, heartbeat, PING) into buf (>=
 * REPL_ROOM_LEAST bytes): its length, 0 when nothing is due. Call until it returns 0. */
size_t repl_poll(struct repl *r, uint8_t *buf, size_t room, usec_t now);
/* The time at which tick or poll has something to do, at the latest. */
usec_t repl_due(const struct repl *r);
/* What heartbeats carry from now on (<= 128 bytes; none are sent before the first call) and the
 * term of packets outside a stream. */
void repl_heartbeat(struct repl *r, repl_term_t term, const uint8_t *body, size_t len);
/* Send a heartbeat with the next poll (a role changed). */
void repl_heartbeat_now(struct repl *r);
/* Pair time = now + offset (lib/GLOSSARY.md); the active sets it at promotion, the standby
 * follows heartbeats. */
void repl_pair_time(struct repl *r, int64_t offset_us);
/* Pair time now, in ms. */
uint64_t repl_pair_ms(const struct repl *r, usec_t now);

/* When the last authentic, fresh packet of the peer arrived; USEC_NEVER: never. */
usec_t repl_heard(const struct repl *r);
/* Whether our incarnation came back in the peer's packets: it hears us. */
bool repl_hears_us(const struct repl *r);
/* The incarnation of the peer's process; 0: none was heard. */
uint32_t repl_peer_incarnation(const struct repl *r);
/* The last STATUS of the peer. */
const struct repl_status *repl_peer_status(const struct repl *r);
/* The smoothed round trip (RFC 9002 section 5.3). */
usec_t repl_srtt(const struct repl *r);
/* The probe timeout (RFC 9002 section 6.2). */
usec_t repl_pto(const struct repl *r);
const struct repl_counters *repl_count(const struct repl *r);

#endif
