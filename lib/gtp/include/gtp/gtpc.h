/* SPDX-License-Identifier: BSD-3-Clause */
/* gtpc: GTPv1-C as a GGSN speaks it (3GPP TS 29.060): decode of requests to plain structs with the
 * cause to answer when something is wrong, encode of responses and of our own requests. Pure; owns
 * nothing; any core. */
#ifndef TANDEM_GTPC_H
#define TANDEM_GTPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/counters.h"
#include "common/cursor.h"
#include "common/siphash.h"
#include "common/usec.h"

enum {
	GTPC_PORT = 2123,
	/* TS 29.060 7.7.34: the octet of the ARP, and octets 3 to 22 of TS 24.008 10.5.6.5, whose
	 * last ones say rates above 256 Mbit/s; longer profiles are cut there on decode */
	GTPC_QOS_MAX = 21,
	GTPC_APN_MAX = 101, /* text, dots, terminating zero included */
	GTPC_PCO_MAX = 253,
	GTPC_MSG_MAX = 1024,
	GTPC_T3_US = 3000000, /* T3-RESPONSE */
	GTPC_N3 = 5,          /* N3-REQUESTS */
};

enum gtpc_type { /* TS 29.060 table 1 */
	GTPC_ECHO_REQUEST = 1,
	GTPC_ECHO_RESPONSE = 2,
	GTPC_VERSION_NOT_SUPPORTED = 3,
	GTPC_CREATE_REQUEST = 16,
	GTPC_CREATE_RESPONSE = 17,
	GTPC_UPDATE_REQUEST = 18,
	GTPC_UPDATE_RESPONSE = 19,
	GTPC_DELETE_REQUEST = 20,
	GTPC_DELETE_RESPONSE = 21,
	GTPC_SUPPORTED_EXTENSION_HEADERS = 31,
};

enum { /* TS 29.060 7.7.81 */
	GTPC_DIRECT_TUNNEL_DTI = 1 << 0,
	GTPC_DIRECT_TUNNEL_GCSI = 1 << 1,
	GTPC_DIRECT_TUNNEL_EI = 1 << 2, /* an RNC knows no such tunnel any more */
};

enum gtpc_cause { /* TS 29.060 table 38 */
	GTPC_REQUEST_ACCEPTED = 128,
	GTPC_NON_EXISTENT = 192,
	GTPC_INVALID_MESSAGE_FORMAT = 193,
	GTPC_NO_RESOURCES = 199,
	GTPC_SERVICE_NOT_SUPPORTED = 200,
	GTPC_MANDATORY_IE_INCORRECT = 201,
	GTPC_MANDATORY_IE_MISSING = 202,
	GTPC_OPTIONAL_IE_INCORRECT = 203,
	GTPC_SYSTEM_FAILURE = 204,
	GTPC_USER_AUTHENTICATION_FAILED = 209,
	GTPC_CONTEXT_NOT_FOUND = 210,
	GTPC_ALL_ADDRESSES_OCCUPIED = 211,
	GTPC_NO_MEMORY = 212,
	GTPC_UNKNOWN_APN = 219,
	GTPC_UNKNOWN_PDP_TYPE = 220,
};

// clang-format off
#define GTPC_COUNTERS(X) \
	X(rx, COUNTER, "messages", \
		"GTP-C messages were received, those that were dropped included.") \
	X(tx, COUNTER, "messages", \
		"GTP-C messages were given to the kernel or to an access port to be sent.") \
	X(tx_dropped, COUNTER, "messages", \
		"GTP-C messages were dropped because this chassis must not answer now, or the " \
		"kernel refused them.") \
	X(echo_requests, COUNTER, "messages", \
		"Echo Requests were received.") \
	X(echo_responses, COUNTER, "messages", \
		"Echo Responses were sent.") \
	X(create_requests, COUNTER, "messages", \
		"Create PDP Context Requests were received, without repetitions that this " \
		"process remembers.") \
	X(create_accepted, COUNTER, "messages", \
		"Create PDP Context Requests were accepted.") \
	X(update_requests, COUNTER, "messages", \
		"Update PDP Context Requests were received, without repetitions that this " \
		"process remembers.") \
	X(update_accepted, COUNTER, "messages", \
		"Update PDP Context Requests were accepted.") \
	X(delete_requests, COUNTER, "messages", \
		"Delete PDP Context Requests were received, without repetitions that this " \
		"process remembers.") \
	X(delete_accepted, COUNTER, "messages", \
		"Delete PDP Context Requests were accepted.") \
	X(retransmissions, COUNTER, "messages", \
		"Requests came again that were answered before, or that were being worked on.") \
	X(rejected_missing_ie, COUNTER, "messages", \
		"Requests were rejected because a mandatory information element was missing.") \
	X(rejected_bad_ie, COUNTER, "messages", \
		"Requests were rejected because an information element was incorrect.") \
	X(rejected_format, COUNTER, "messages", \
		"Requests were rejected because the format of the message was invalid.") \
	X(rejected_unknown_apn, COUNTER, "messages", \
		"Requests were rejected because their APN is missing or not configured.") \
	X(rejected_pdp_type, COUNTER, "messages", \
		"Requests were rejected because their PDP type or service is not supported.") \
	X(rejected_no_addresses, COUNTER, "messages", \
		"Requests were rejected because all addresses of the pool were occupied.") \
	X(rejected_no_resources, COUNTER, "messages", \
		"Requests were rejected because there were no resources for them.") \
	X(rejected_no_memory, COUNTER, "messages", \
		"Requests were rejected because there was no memory for all that they bring.") \
	X(rejected_not_found, COUNTER, "messages", \
		"Requests were rejected because there is no such PDP context.") \
	X(rejected_authentication, COUNTER, "messages", \
		"Requests were rejected because the user was not authenticated.") \
	X(rejected_system_failure, COUNTER, "messages", \
		"Requests were rejected for a cause that has no counter of its own, such as a " \
		"system failure.") \
	X(version_not_supported, COUNTER, "messages", \
		"Messages of another GTP version were answered with Version Not Supported.") \
	X(extension_not_supported, COUNTER, "messages", \
		"Messages with an unknown extension header were answered with the list of those " \
		"that are known.") \
	X(drop_short, COUNTER, "messages", \
		"Messages were dropped because they are too short for a header, or have no " \
		"sequence number.") \
	X(drop_length, COUNTER, "messages", \
		"Messages were dropped because their length field does not fit the datagram.") \
	X(drop_unknown_type, COUNTER, "messages", \
		"Messages were dropped because their type is not served.") \
	X(drop_not_gtp, COUNTER, "messages", \
		"Messages were dropped because they are not GTP, or no request of another GTP " \
		"version.") \
	X(drop_response_unmatched, COUNTER, "messages", \
		"Responses were dropped because they are malformed or no request waits for " \
		"them.") \
	X(drop_not_active, COUNTER, "messages", \
		"Messages were dropped because this chassis answers no SGSN now.") \
	X(drop_held, COUNTER, "messages", \
		"Requests were dropped because a switchover was on its way.") \
	X(sgsn_restarts, COUNTER, "restarts", \
		"An SGSN's Recovery value changed: it restarted.") \
	X(own_requests, COUNTER, "messages", \
		"Requests were sent to SGSNs, without repetitions.") \
	X(own_retries, COUNTER, "messages", \
		"Requests to SGSNs were sent again because no response came.") \
	X(own_unanswered, COUNTER, "messages", \
		"Requests to SGSNs were given up because no response came.")
// clang-format on
COUNTERS_DEFINE(gtpc_counters, GTPC_COUNTERS);

struct gtpc_header {
	uint8_t version, type;
	bool protocol_type; /* PT: 1 GTP */
	bool has_seq, has_npdu, has_ext;
	/* of a request that is answered with GTPC_INVALID_MESSAGE_FORMAT: its decode says so */
	bool bad_length;
	uint32_t teid;
	uint16_t seq;
	const uint8_t *ies; /* behind header and extension headers */
	size_t ies_len;
};

struct gtpc_create {
	uint64_t key; /* IMSI BCD << 4 | NSAPI, as session_rec.key; no IMSI (secondary): all 0xf */
	uint8_t nsapi, linked_nsapi; /* linked: 0xff none (then a primary context) */
	bool has_recovery;
	uint8_t recovery;
	uint8_t selection_mode;
	uint32_t peer_usr_teid, peer_ctl_teid; /* ctl 0: not given (secondary) */
	uint16_t charging_characteristics;
	uint8_t pdp_type_org, pdp_type; /* ETSI 0/PPP 1, IETF 1/0x21 IPv4, 0x57 IPv6, 0x8d IPv4v6 */
	struct ip_addr ue;              /* all zero: dynamic */
	char apn[GTPC_APN_MAX];         /* lower case */
	uint8_t pco[GTPC_PCO_MAX];
	uint8_t pco_len;
	struct ip_addr peer_ctl, peer_usr;
	uint8_t msisdn[8]; /* digits, 0xff padded */
	uint8_t qos_len, qos[GTPC_QOS_MAX];
};

struct gtpc_update {
	uint8_t nsapi;
	bool has_imsi, has_recovery, has_qos, has_ctl_teid, has_ctl_addr;
	uint64_t key; /* with has_imsi */
	uint8_t recovery;
	uint32_t peer_usr_teid, peer_ctl_teid;
	struct ip_addr peer_ctl, peer_usr;
	uint8_t qos_len, qos[GTPC_QOS_MAX];
};

struct gtpc_delete {
	uint8_t nsapi;
	bool teardown;
};

/* What is to be done with a message. */
enum gtpc_verdict {
	GTPC_OK,
	GTPC_DROP_SHORT,
	GTPC_DROP_NOT_GTP,
	GTPC_DROP_LENGTH,
	GTPC_DROP_UNKNOWN_TYPE,
	GTPC_ANSWER_VERSION,   /* answer Version Not Supported */
	GTPC_ANSWER_EXTENSION, /* answer Supported Extension Headers Notification */
};

/* Header, extension headers and length (TS 29.060 6, 11.1.1-11.1.6). A Create, Update or Delete
 * Request whose length is not the datagram's is GTPC_OK with bad_length, all others are dropped.
 * Known types lack no sequence number. */
enum gtpc_verdict gtpc_decode_header(const uint8_t *p, size_t len, struct gtpc_header *h);
/* IEs of requests (TS 29.060 7.3, 11.1.7-11.1.13: unknown IEs skipped, order tolerated, first of
 * repeated ones counts). 0, or the cause to answer; *out then still has the numbers that could be
 * read (peer_ctl_teid, nsapi, recovery). */
enum gtpc_cause gtpc_decode_create(const struct gtpc_header *h, struct gtpc_create *out);
enum gtpc_cause gtpc_decode_update(const struct gtpc_header *h, struct gtpc_update *out);
enum gtpc_cause gtpc_decode_delete(const struct gtpc_header *h, struct gtpc_delete *out);
/* What the SGSN answers to an Update of ours (TS 29.060 7.3.4). What the message does not bring
 * stays as it is. */
struct gtpc_updated {
	uint8_t cause, recovery;
	bool has_recovery, has_usr_teid, has_usr_addr, has_qos;
	uint32_t peer_usr_teid;
	struct ip_addr peer_usr; /* the one address that there is: for user traffic */
	uint8_t qos_len, qos[GTPC_QOS_MAX];
};
/* 0; -EBADMSG: it has no cause or cannot be read, or one of its values can be nobody's. */
int gtpc_decode_updated(const struct gtpc_header *h, struct gtpc_updated *out);
/* Cause and Recovery of a response to us (Echo, Delete). has_recovery says whether it was there;
 * cause 0: none. */
int gtpc_decode_response(
	const struct gtpc_header *h, uint8_t *cause, bool *has_recovery, uint8_t *recovery);

/* What an accepted Create or Update is answered with. */
struct gtpc_accept {
	uint32_t peer_ctl_teid; /* header TEID */
	uint16_t seq;
	uint8_t nsapi;
	uint8_t recovery;            /* ours: the pair's restart counter */
	uint32_t ctl_teid, usr_teid; /* ours; 0: left out (Update) */
	uint32_t charging_id;
	struct ip_addr ue;
	struct ip_addr ctl, usr; /* our addresses */
	struct ip_addr dns[2];   /* all zero: none */
	const uint8_t *pco;      /* the request's, to be answered; NULL: none */
	size_t pco_len;
	uint8_t qos_len;
	const uint8_t *qos;
};

/* Each returns the length written to buf (GTPC_MSG_MAX bytes), 0 if it does not fit. */
size_t gtpc_encode_echo_request(uint8_t *buf, uint16_t seq);
size_t gtpc_encode_echo_response(uint8_t *buf, uint16_t seq, uint8_t recovery);
size_t gtpc_encode_version_not_supported(uint8_t *buf, uint16_t seq);
size_t gtpc_encode_supported_extension_headers(uint8_t *buf, uint16_t seq);
size_t gtpc_encode_create_response(uint8_t *buf, const struct gtpc_accept *a);
size_t gtpc_encode_update_response(uint8_t *buf, const struct gtpc_accept *a);
/* Refusals of any of the three, and the accepted Delete. */
size_t gtpc_encode_cause_response(uint8_t *buf, enum gtpc_type type, uint32_t peer_ctl_teid,
	uint16_t seq, enum gtpc_cause cause, uint8_t recovery, bool with_recovery);
/* An Update of ours (TS 29.060 7.3.3): IMSI and NSAPI of key (as session_rec.key), and the Direct
 * Tunnel Flags (GTPC_DIRECT_TUNNEL_*) unless they are 0. */
size_t gtpc_encode_own_update(
	uint8_t *buf, uint32_t peer_ctl_teid, uint16_t seq, uint64_t key, uint8_t direct_tunnel);
size_t gtpc_encode_delete_request(
	uint8_t *buf, uint32_t peer_ctl_teid, uint16_t seq, uint8_t nsapi, bool teardown);

/* ---- the other side: as an SGSN speaks (gtpc_sgsn.c) ---- */

/* What a Create or Update PDP Context Request says (TS 29.060 7.3.1, 7.3.3). PDP type IPv4, dynamic
 * address. */
struct gtpc_ask {
	uint32_t teid; /* header: 0 of a Create, the GGSN's control TEID of an Update */
	uint16_t seq;
	uint64_t key; /* IMSI BCD << 4 | NSAPI */
	bool has_recovery;
	uint8_t recovery;
	uint32_t ctl_teid, usr_teid; /* the SGSN's own */
	struct ip_addr ctl, usr;
	const char *apn; /* text with dots */
	uint8_t qos_len;
	const uint8_t *qos;
};

/* What a response of the GGSN holds. What was not in the message is 0. */
struct gtpc_reply {
	uint8_t cause, recovery;
	bool has_recovery;
	uint32_t ctl_teid, usr_teid; /* the GGSN's */
	struct ip_addr ue, ctl, usr;
};

/* Length written to buf (GTPC_MSG_MAX bytes), 0 if it does not fit, or the APN is none. The MSISDN
 * is made of the IMSI. */
size_t gtpc_encode_create_request(uint8_t *buf, const struct gtpc_ask *a);
size_t gtpc_encode_update_request(uint8_t *buf, const struct gtpc_ask *a);
/* Of a Create, Update or Delete PDP Context Response; 0 or -EBADMSG, also when an accepted Create
 * Response lacks what a context needs: both TEIDs, both addresses, the subscriber's IPv4 address.
 */
int gtpc_decode_reply(const struct gtpc_header *h, struct gtpc_reply *t);

/* Answers a Protocol Configuration Options IE (TS 24.008 10.5.6.3): DNS by IPCP (RFC 1877) and by
 * container 000DH. PAP and CHAP are accepted. Returns bytes written, 0 none. */
size_t gtpc_pco_answer(
	const uint8_t *req, size_t req_len, const struct ip_addr dns[2], uint8_t *out, size_t room);

/* ---- retransmission: our requests (T3, N3) and the answers to others' (TS 29.060 7.6) ---- */

enum { GTPC_PENDING_MAX = 4096, GTPC_ANSWERED_MAX = 4096 };

struct gtpc_peer {
	struct ip_addr addr;
	uint16_t port;
};

/* The hash by which a table finds a request: peers choose all that tells requests apart, and who
 * does not know the secret cannot make many meet in one bucket. digest: of what it says. */
uint64_t gtpc_request_hash(const struct siphash_secret *secret, const struct gtpc_peer *from,
	uint8_t type, uint16_t seq, uint32_t digest);

/* Our requests that wait for a response: a bounded number, with a retransmission timer each. */
struct gtpc_pending;
/* Makes a set without requests. NULL + errno. */
struct gtpc_pending *gtpc_pending_create(void);
/* Frees the set and its requests. */
void gtpc_pending_destroy(struct gtpc_pending *p);
/* Other values than T3 (GTPC_T3_US) and N3 (GTPC_N3); while nothing waits. */
void gtpc_pending_times(struct gtpc_pending *p, usec_t t3, unsigned int n3);
/* The sequence number of the next request. */
uint16_t gtpc_pending_seq(struct gtpc_pending *p);
/* Remembers a request (copied) that was just sent with a number of gtpc_pending_seq(). 0; -ENOSPC;
 * -EMSGSIZE; -EEXIST: a request of that number waits already. */
int gtpc_pending_add(struct gtpc_pending *p, const struct gtpc_peer *to, uint16_t seq,
	const uint8_t *msg, size_t len, uint64_t cookie, usec_t now);
/* A response came: true and *cookie if it matches one, which is then forgotten. */
bool gtpc_pending_answered(
	struct gtpc_pending *p, const struct gtpc_peer *from, uint16_t seq, uint64_t *cookie);
/* The next request that is due again (msg/len valid until the next call), or has run out of tries
 * (len 0: forgotten). */
bool gtpc_pending_due(struct gtpc_pending *p, usec_t now, struct gtpc_peer *to, const uint8_t **msg,
	size_t *len, uint64_t *cookie);
/* Forgets all requests. */
void gtpc_pending_clear(struct gtpc_pending *p);

// clang-format off
#define GTPC_ANSWERED_COUNTERS(X) \
	X(answers_full, COUNTER, "answers", \
		"Answers to GTP-C requests were forgotten before their time to make room for " \
		"newer ones.") \
	X(answers_collided, COUNTER, "answers", \
		"Answers to GTP-C requests were forgotten because too many met in one bucket of " \
		"their table.")
// clang-format on
COUNTERS_DEFINE(gtpc_answered_counters, GTPC_ANSWERED_COUNTERS);

/* The last answers, for requests that come again: a bounded number, the oldest of which goes first,
 * each for `ttl` us. Peers choose what tells requests apart: the hash has a secret, and a bucket
 * has 16 of them at most, of which the oldest goes, too. */
struct gtpc_answered;
/* Makes a set without answers; the secret is copied. NULL + errno. */
struct gtpc_answered *gtpc_answered_create(usec_t ttl, const struct siphash_secret *secret);
/* Frees the set and its answers. */
void gtpc_answered_destroy(struct gtpc_answered *a);
/* Forgets all answers. */
void gtpc_answered_clear(struct gtpc_answered *a);
/* digest: of the request's content. A repetition is the same message (7.6): a peer that restarted
 * begins to count anew, and its first request must not get what its earlier life was answered. */
void gtpc_answered_put(struct gtpc_answered *a, const struct gtpc_peer *to, uint8_t type,
	uint16_t seq, uint32_t digest, const uint8_t *msg, size_t len, usec_t now);
/* The answer given to the request (type: the request's); NULL if unknown or too old. */
const uint8_t *gtpc_answered_get(struct gtpc_answered *a, const struct gtpc_peer *from,
	uint8_t type, uint16_t seq, uint32_t digest, size_t *len, usec_t now);
/* What went too early; of the set, until it is destroyed. */
const struct gtpc_answered_counters *gtpc_answered_count(const struct gtpc_answered *a);

#endif
