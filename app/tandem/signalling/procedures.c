/* SPDX-License-Identifier: BSD-3-Clause */
/* What lib/pdp asks, and who answers it: owners are the workers, peers the SGSNs. Their answers
 * come in here, too. */
#include <stdatomic.h>
#include <string.h>

#include "ask.h"
#include "base/log.h"
#include "cores/from_worker.h"
#include "cores/memory.h"
#include "signalling_priv.h"

/* ---- workers ---- */

static bool procedures_order(void *ctx, const struct pdp_order *o)
{
	static const enum to_worker_type type[] = { [PDP_CREATE] = TO_WORKER_CREATE,
		[PDP_UPDATE] = TO_WORKER_UPDATE,
		[PDP_DELETE] = TO_WORKER_DELETE };
	const struct signalling *s = ctx;

	return ask_worker(&s->env, &(struct ask){ .type = type[o->kind],
					   .groups = o->groups,
					   .why = o->why,
					   .worker = o->owner,
					   .cookie = o->cookie,
					   .term = atomic_load(&s->env.role->term),
					   .rec = o->rec });
}

void signalling_answered(struct signalling *s, const struct from_worker_answer *m, usec_t now)
{
	const struct pdp_done d = { .cookie = m->cookie,
		.owner = m->by,
		.error = m->error,
		.commit = m->commit,
		.rec = &m->rec };
	const struct pdp_time t = procedures_time(s, now);

	pdp_answered(s->pdp, &d, &t);
}

static bool procedures_purge(void *ctx, const struct ip_addr *peer, uint8_t recovery)
{
	const struct signalling *s = ctx;

	return ask_purge(&s->env, peer, recovery);
}

static uint8_t procedures_owner_of(void *ctx, uint32_t handle)
{
	const struct signalling *s = ctx;

	return (uint8_t)ask_owner(&s->env, handle);
}

/* ---- the table ---- */

static uint32_t procedures_find(void *ctx, uint64_t key)
{
	const struct signalling *s = ctx;

	return session_index_find(&s->index, key);
}

static void procedures_read(void *ctx, uint32_t handle, struct session_rec *rec)
{
	const struct signalling *s = ctx;

	session_read(s->env.table, session_slot_of(s->env.table, handle), rec);
}

static uint64_t procedures_count(void *ctx)
{
	const struct signalling *s = ctx;
	uint64_t n = 0;

	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		n += s->env.table->shard[i].n_live;
	return n;
}

/* ---- SGSNs ---- */

static void procedures_ask_peer(void *ctx, const struct ip_addr *peer, usec_t now)
{
	const struct gtpc_peer to = { *peer, GTPC_PORT };
	struct signalling *s = ctx;
	uint8_t buf[GTPC_MSG_MAX];
	uint16_t seq = gtpc_pending_seq(s->front.pending);

	front_ask(&s->front, &to, seq, buf, gtpc_encode_echo_request(buf, seq), FRONT_COOKIE_ECHO,
		now);
}

static bool procedures_own(void *ctx, const struct pdp_own *o, usec_t now)
{
	const struct gtpc_peer to = { o->rec->peer_ctl, GTPC_PORT };
	struct signalling *s = ctx;
	uint8_t buf[GTPC_MSG_MAX];
	uint16_t seq = gtpc_pending_seq(s->front.pending);
	size_t len = o->kind == PDP_OWN_UPDATE
			     ? gtpc_encode_own_update(
				       buf, o->rec->peer_ctl_teid, seq, o->rec->key, o->indication)
			     : gtpc_encode_delete_request(buf, o->rec->peer_ctl_teid, seq,
				       (uint8_t)(o->rec->key & 0xf), true);

	return front_ask(&s->front, &to, seq, buf, len, o->cookie, now);
}

/* What the SGSN's answer to an Update brings; nothing of it is a request's that could be repeated.
 */
static struct pdp_request procedures_updated(const struct gtpc_updated *u)
{
	struct pdp_request q = { .kind = PDP_UPDATE,
		.has = (uint8_t)((u->has_usr_teid ? PDP_HAS_USR_TEID : 0) |
				 (u->has_usr_addr ? PDP_HAS_USR_ADDR : 0) |
				 (u->has_qos ? PDP_HAS_QOS : 0) |
				 (u->has_recovery ? PDP_HAS_RECOVERY : 0)),
		.rec = { .peer_usr_teid = u->peer_usr_teid,
			.peer_usr = u->peer_usr,
			.recovery = u->recovery,
			.qos_len = u->qos_len } };

	memcpy(q.rec.qos, u->qos, sizeof(u->qos));
	return q;
}

void procedures_own_ended(
	struct signalling *s, uint64_t cookie, const struct gtpc_updated *u, usec_t now)
{
	const struct pdp_request q = u != NULL ? procedures_updated(u) : (struct pdp_request){ 0 };
	enum pdp_cause ended = u == NULL                           ? PDP_UNANSWERED
			       : u->cause == GTPC_REQUEST_ACCEPTED ? PDP_ACCEPTED
			       : u->cause == GTPC_NON_EXISTENT     ? PDP_NOT_FOUND
								   : PDP_FAILED;

	pdp_own_ended(s->pdp, cookie, ended, ended == PDP_ACCEPTED ? &q : NULL, now);
}

/* Of the ends that the gateway decided, those that the SGSN does not know. One that restarted, or
 * said itself that it knows no such tunnel, needs no notice; nor does the end of what was asked
 * for, replaced or superseded, whose SGSN has a newer one. */
static bool procedures_needs_notice(enum session_why why)
{
	return why == SESSION_WHY_IDLE_TIMEOUT || why == SESSION_WHY_SESSION_TIMEOUT;
}

void signalling_notice(struct signalling *s, const struct from_worker_event *e, usec_t now)
{
	if (e->kind != SESSION_ENDED || !procedures_needs_notice((enum session_why)e->why))
		return;
	if (!role_answers(s->env.role)) /* the session may live on at the peer */
		return;
	pdp_session_ended(s->pdp, &e->rec, now);
}

static void procedures_news(
	void *ctx, enum pdp_news what, const struct ip_addr *addr, uint8_t recovery, uint8_t was)
{
	struct signalling *s = ctx;
	char text[IP_ADDR_TEXT];

	switch (what) {
	case PDP_PEER_RESTARTED:
		s->front.count.sgsn_restarts++;
		LOG(NOTICE,
			"an SGSN restarted: its sessions are removed peer=%s recovery=%u was=%u",
			ip_addr_print(addr, text), recovery, was);
		break;
	case PDP_PEER_SILENT:
		LOG(WARNING,
			"an SGSN does not answer Echo Requests: check the access network; its "
			"sessions are kept peer=%s",
			ip_addr_print(addr, text));
		break;
	case PDP_PEER_BACK:
		LOG(NOTICE, "an SGSN answers Echo Requests again peer=%s",
			ip_addr_print(addr, text));
		break;
	case PDP_PROTECTION_TIMEOUT:
		LOG(WARNING,
			"the standby did not acknowledge in time: answers to SGSNs leave "
			"unprotected until it does, see the replication path timeout_ms=%llu",
			(unsigned long long)(s->env.live.commit_timeout_us / USEC_PER_MSEC));
		break;
	}
}

int procedures_open(struct signalling *s)
{
	const struct pdp_env env = { .ops = { .order = procedures_order,
					     .purge = procedures_purge,
					     .ask_peer = procedures_ask_peer,
					     .own = procedures_own,
					     .answer = response_answer,
					     .news = procedures_news,
					     .find = procedures_find,
					     .read = procedures_read,
					     .owner_of = procedures_owner_of,
					     .count = procedures_count,
					     .ctx = s },
		.mem = memory_rte,
		.secret = s->env.secret,
		.max_sessions = s->env.start.max_sessions,
		.n_owners = (uint8_t)s->env.n_workers,
		.echo_us = s->env.start.echo_us,
		.commit_timeout_us = s->env.live.commit_timeout_us };

	s->pdp = pdp_open(&env);
	return s->pdp != NULL ? 0 : -errno;
}
