/* SPDX-License-Identifier: BSD-3-Clause */
/* fields: the one list of what is replicated of a session. From a row come the field's place in the
 * record and in the slot, its bytes on the wire, its part of the digest, its clearing and its
 * views; a field that is new is one row more. Constants only; any core. */
#ifndef TANDEM_SESSION_FIELDS_H
#define TANDEM_SESSION_FIELDS_H

// clang-format off
/* X(name, type, bytes, group, set, end, line, view)
 *
 * name   of the member of struct session_rec, and of the slot where the type says nothing else; in
 *        lib/repl/WIRE.md, in captures (scripts/tandem.lua) and in tests
 * type   DEC, HEX  a number of 1, 2, 4 or 8 bytes, and how it is shown
 *        OCTETS    as many octets
 *        HEAD      a number of up to 15 at the beginning of its group. Bits 7 and 6 of its octet
 *                  say that the group's first and second address have 16 octets, bit 4 is a FLAG
 *        NIBBLE    a HEAD of which the slot keeps four bits
 *        FLAG      a bool: a bit of the slot's `flags`, bit 4 of the HEAD
 *        ADDR      a struct ip_addr: 4 octets of IPv4 (zeros: none), else 16
 *        UE        the subscriber's address: the slot has ue4 (0: none)
 *        MS        milliseconds of pair time, of which the slot has the seconds
 * bytes  on the wire, an address' longest form
 * group  within which the rows follow each other on the wire as here (enum session_group, or a
 *        group of EXTRA)
 * set    ONCE: when a session begins; ANY: by updates too
 * end    GONE: zero in a free slot; KEPT: a free slot has the last session's
 * line   of the slot in which the field stands: UP, DOWN or COLD, in the order of rows, or HAND:
 *        struct session_slot writes it itself; ANNEX: in struct session_annex
 * view   its name in `show session`; "": that view has it in a form of its own, or not at all
 *
 * Every row is in the digest: what is replicated and what is compared are the same. */
#define SESSION_FIELDS(X) \
	X(state, NIBBLE, 1, IDENTITY, ONCE, KEPT, HAND, "") \
	X(apn, DEC, 1, IDENTITY, ONCE, GONE, UP, "") \
	X(pool, DEC, 1, IDENTITY, ONCE, KEPT, UP, "") \
	X(pdp_type, HEX, 1, IDENTITY, ONCE, GONE, UP, "") \
	X(key, HEX, 8, IDENTITY, ONCE, GONE, COLD, "") \
	X(msisdn, OCTETS, 8, IDENTITY, ANY, GONE, COLD, "") \
	X(ue, UE, 16, IDENTITY, ONCE, KEPT, HAND, "") \
	X(created_ms, MS, 8, IDENTITY, ONCE, GONE, COLD, "") \
	X(charging_id, DEC, 4, IDENTITY, ANY, GONE, COLD, "charging_id") \
	X(direct_tunnel, HEAD, 1, TUNNEL, ANY, KEPT, DOWN, "direct_tunnel") \
	X(dn_action, DEC, 1, TUNNEL, ANY, KEPT, DOWN, "downlink_action") \
	X(peer_ctl_teid, HEX, 4, TUNNEL, ANY, KEPT, COLD, "sgsn_control_teid") \
	X(peer_usr_teid, HEX, 4, TUNNEL, ANY, KEPT, DOWN, "sgsn_user_teid") \
	X(peer_ctl, ADDR, 16, TUNNEL, ANY, KEPT, COLD, "sgsn_control_address") \
	X(peer_usr, ADDR, 16, TUNNEL, ANY, KEPT, DOWN, "") \
	X(protocol, NIBBLE, 1, REQUEST, ANY, KEPT, HAND, "") \
	X(has_recovery, FLAG, 0, REQUEST, ANY, KEPT, HAND, "") \
	X(req_seq, DEC, 4, REQUEST, ANY, KEPT, COLD, "") \
	X(req_digest, HEX, 4, REQUEST, ANY, KEPT, COLD, "") \
	X(req_port, DEC, 2, REQUEST, ANY, KEPT, COLD, "") \
	X(req_type, DEC, 1, REQUEST, ANY, KEPT, COLD, "") \
	X(recovery, DEC, 1, REQUEST, ANY, KEPT, COLD, "") \
	X(req_src, ADDR, 16, REQUEST, ANY, KEPT, COLD, "") \
	X(qos_len, DEC, 1, QOS, ANY, GONE, COLD, "") \
	X(qos, OCTETS, 21, QOS, ANY, GONE, COLD, "") \
	X(ue6, OCTETS, 8, ADDR6, ANY, KEPT, HAND, "ue_prefix") \
	X(pool6, DEC, 1, ADDR6, ANY, KEPT, UP, "")

/* What few sessions have stands in the annex, whose members these are, and in EXTRA.
 *
 * TAIL   octets, of which the number before them (name_len) says how many there are
 *
 * BEARER (of GTPv2) and PFCP share their place: a session has the one or the other. CLASS and USER
 * NAME (RFC 2865 5.25, 5.1) are no rows: their octets share what is left of the annex. */
#define SESSION_COMMON_FIELDS(X) \
	X(charging, HEX, 2, CHARGING, ANY, GONE, ANNEX, "charging_characteristics") \
	X(rat, DEC, 1, ACCESS, ANY, GONE, ANNEX, "rat") \
	X(selection_mode, DEC, 1, ACCESS, ANY, GONE, ANNEX, "selection_mode") \
	X(time_zone, OCTETS, 2, ACCESS, ANY, GONE, ANNEX, "time_zone") \
	X(serving_plmn, OCTETS, 3, ACCESS, ANY, GONE, ANNEX, "serving_plmn") \
	X(imeisv, OCTETS, 8, ACCESS, ANY, GONE, ANNEX, "imeisv") \
	X(uli_len, DEC, 1, ACCESS, ANY, GONE, ANNEX, "") \
	X(uli, TAIL, 13, ACCESS, ANY, GONE, ANNEX, "user_location") \
	X(aaa_flags, HEX, 1, AAA, ANY, GONE, ANNEX, "") \
	X(interim_s, DEC, 4, AAA, ANY, GONE, ANNEX, "interim_s") \
	X(session_timeout_s, DEC, 4, AAA, ANY, GONE, ANNEX, "session_timeout_s") \
	X(idle_timeout_s, DEC, 4, AAA, ANY, GONE, ANNEX, "idle_timeout_s") \
	X(rate_up_kbps, DEC, 4, AAA, ANY, GONE, ANNEX, "rate_up_kbps") \
	X(rate_dn_kbps, DEC, 4, AAA, ANY, GONE, ANNEX, "rate_down_kbps") \
	X(dns, OCTETS, 8, AAA, ANY, GONE, ANNEX, "") \
	X(acct_state, DEC, 1, ACCT, ANY, GONE, ANNEX, "accounting_state") \
	X(acct_cause, DEC, 1, ACCT, ANY, GONE, ANNEX, "") \
	X(acct_event_s, DEC, 4, ACCT, ANY, GONE, ANNEX, "") \
	X(ambr_up_kbps, DEC, 4, AMBR, ANY, GONE, ANNEX, "ambr_up_kbps") \
	X(ambr_dn_kbps, DEC, 4, AMBR, ANY, GONE, ANNEX, "ambr_down_kbps")
#define SESSION_BEARER_FIELDS(X) \
	X(ebi, DEC, 1, BEARER, ANY, GONE, ANNEX, "") \
	X(qci_arp, OCTETS, 3, BEARER, ANY, GONE, ANNEX, "") \
	X(apn_restriction, DEC, 1, BEARER, ANY, GONE, ANNEX, "")
#define SESSION_PFCP_FIELDS(X) \
	X(cp_seid, HEX, 8, PFCP, ANY, GONE, ANNEX, "") \
	X(association, DEC, 1, PFCP, ANY, GONE, ANNEX, "") \
	X(rule_shape, DEC, 1, PFCP, ANY, GONE, ANNEX, "") \
	X(ur_seqn, DEC, 4, PFCP, ANY, GONE, ANNEX, "")
// clang-format on

/* A group's bit among `groups`, and its number among all groups: the same bit, or the id in EXTRA.
 */
#define SESSION_BIT_IDENTITY SESSION_G_IDENTITY
#define SESSION_BIT_TUNNEL   SESSION_G_TUNNEL
#define SESSION_BIT_QOS      SESSION_G_QOS
#define SESSION_BIT_REQUEST  SESSION_G_REQUEST
#define SESSION_BIT_ADDR6    SESSION_G_EXTRA
#define SESSION_BIT_CHARGING SESSION_G_EXTRA
#define SESSION_BIT_ACCESS   SESSION_G_EXTRA
#define SESSION_BIT_AAA      SESSION_G_EXTRA
#define SESSION_BIT_ACCT     SESSION_G_EXTRA
#define SESSION_BIT_AMBR     SESSION_G_EXTRA
#define SESSION_BIT_BEARER   SESSION_G_EXTRA
#define SESSION_BIT_PFCP     SESSION_G_EXTRA
#define SESSION_NO_IDENTITY  SESSION_G_IDENTITY
#define SESSION_NO_TUNNEL    SESSION_G_TUNNEL
#define SESSION_NO_QOS       SESSION_G_QOS
#define SESSION_NO_REQUEST   SESSION_G_REQUEST
#define SESSION_NO_ADDR6     (SESSION_IN_EXTRA + SESSION_X_ADDR6)
#define SESSION_NO_CHARGING  (SESSION_IN_EXTRA + SESSION_X_CHARGING)
#define SESSION_NO_ACCESS    (SESSION_IN_EXTRA + SESSION_X_ACCESS)
#define SESSION_NO_AAA       (SESSION_IN_EXTRA + SESSION_X_AAA)
#define SESSION_NO_ACCT      (SESSION_IN_EXTRA + SESSION_X_ACCT)
#define SESSION_NO_AMBR      (SESSION_IN_EXTRA + SESSION_X_AMBR)
#define SESSION_NO_BEARER    (SESSION_IN_EXTRA + SESSION_X_BEARER)
#define SESSION_NO_PFCP      (SESSION_IN_EXTRA + SESSION_X_PFCP)
/* The bit of `flags` that a FLAG is. */
#define SESSION_FLAG_has_recovery SESSION_F_RECOVERY

enum {
	SESSION_IN_EXTRA = 0x100,
	SESSION_HEAD_VALUE = 0x0f, /* of a HEAD's octet */
	SESSION_HEAD_FLAG = 0x10,
	SESSION_HEAD_LONG = 0x80, /* of the first address; each further one is a bit lower */
};

/* ---- the members of struct session_rec ---- */

#define SESSION_UINT_1 uint8_t
#define SESSION_UINT_2 uint16_t
#define SESSION_UINT_4 uint32_t
#define SESSION_UINT_8 uint64_t

#define SESSION_REC_DEC(name, bytes)    SESSION_UINT_##bytes name;
#define SESSION_REC_HEX(name, bytes)    SESSION_UINT_##bytes name;
#define SESSION_REC_OCTETS(name, bytes) uint8_t name[bytes];
#define SESSION_REC_HEAD(name, bytes)   uint8_t name;
#define SESSION_REC_NIBBLE(name, bytes) uint8_t name;
#define SESSION_REC_FLAG(name, bytes)   bool name;
#define SESSION_REC_ADDR(name, bytes)   struct ip_addr name;
#define SESSION_REC_UE(name, bytes)     struct ip_addr name;
#define SESSION_REC_MS(name, bytes)     uint64_t name;
#define SESSION_REC_MEMBER(name, type, bytes, group, set, end, line, view)                         \
	SESSION_REC_##type(name, bytes)

#define SESSION_REC_TAIL(name, bytes) uint8_t name[bytes];

/* ---- the members of struct session_slot ---- */

#define SESSION_SLOT_DEC(name, bytes)    SESSION_UINT_##bytes name;
#define SESSION_SLOT_HEX(name, bytes)    SESSION_UINT_##bytes name;
#define SESSION_SLOT_OCTETS(name, bytes) uint8_t name[bytes];
#define SESSION_SLOT_HEAD(name, bytes)   uint8_t name;
#define SESSION_SLOT_NIBBLE(name, bytes)
#define SESSION_SLOT_FLAG(name, bytes)
#define SESSION_SLOT_ADDR(name, bytes) uint8_t name[bytes];
#define SESSION_SLOT_UE(name, bytes)
#define SESSION_SLOT_MS(name, bytes) uint32_t created_s; /* of created_ms */

#define SESSION_UP_UP(member) member
#define SESSION_UP_DOWN(member)
#define SESSION_UP_COLD(member)
#define SESSION_UP_HAND(member)
#define SESSION_DOWN_UP(member)
#define SESSION_DOWN_DOWN(member) member
#define SESSION_DOWN_COLD(member)
#define SESSION_DOWN_HAND(member)
#define SESSION_COLD_UP(member)
#define SESSION_COLD_DOWN(member)
#define SESSION_COLD_COLD(member) member
#define SESSION_COLD_HAND(member)
#define SESSION_UP_MEMBER(name, type, bytes, group, set, end, line, view)                          \
	SESSION_UP_##line(SESSION_SLOT_##type(name, bytes))
#define SESSION_DOWN_MEMBER(name, type, bytes, group, set, end, line, view)                        \
	SESSION_DOWN_##line(SESSION_SLOT_##type(name, bytes))
#define SESSION_COLD_MEMBER(name, type, bytes, group, set, end, line, view)                        \
	SESSION_COLD_##line(SESSION_SLOT_##type(name, bytes))

/* ---- where a row stands in the slot, for digests and tests ---- */

#define SESSION_AT_DEC(name)    name
#define SESSION_AT_HEX(name)    name
#define SESSION_AT_OCTETS(name) name
#define SESSION_AT_HEAD(name)   name
#define SESSION_AT_NIBBLE(name) kind
#define SESSION_AT_FLAG(name)   flags
#define SESSION_AT_ADDR(name)   name
#define SESSION_AT_UE(name)     ue4
#define SESSION_AT_MS(name)     created_s
/* The offset and the size of a row's member of the slot; of a NIBBLE and a FLAG those of their
 * octet, which has others too. */
#define SESSION_ROW_AT(name, type)   offsetof(struct session_slot, SESSION_AT_##type(name))
#define SESSION_ROW_SIZE(name, type) sizeof(((struct session_slot *)0)->SESSION_AT_##type(name))

#endif
