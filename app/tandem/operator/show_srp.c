/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_common.h>

#include "base/clock.h"
#include "replicator/replicator.h"
#include "show.h"
#include "signalling/signalling.h"

static void show_set_ms(json_t *o, const char *key, usec_t at, usec_t now)
{
	json_object_set_new(o, key,
		at == USEC_NEVER || at == 0 || at > now
			? json_null()
			: json_integer((json_int_t)((now - at) / 1000)));
}

static void show_set_text(json_t *o, const char *key, const char *text)
{
	json_object_set_new(o, key, json_string(text));
}
static void show_set_int(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}
static void show_set_bool(json_t *o, const char *key, bool v)
{
	json_object_set_new(o, key, json_boolean(v));
}

static void show_set_mac(json_t *o, const char *key, const uint8_t mac[6])
{
	char text[MAC_TEXT];
	struct mac_addr a;

	memcpy(a.octet, mac, 6);
	show_set_text(o, key, mac_print(&a, text));
}

/* A configuration that was loaded at the peer and does not run there yet. */
static const char *show_peer_next(const struct srp_info *i)
{
	if (!i->peer.known || i->peer.next_digest == 0)
		return "none";
	return i->next_since != USEC_NEVER && i->next_digest == i->peer.next_digest
		       ? "the same as here"
		       : "waits for this chassis";
}

static void show_peer(
	const struct operator_srp *f, json_t *o, const struct operator_pair_view *v, usec_t now)
{
	const struct srp_info *i = v->srp;
	char text[IP_ADDR_TEXT];

	show_set_text(o, "peer_remote_address", ip_addr_print(&v->peer_address, text));
	show_set_text(o, "peer_state", i->peer.known ? srp_state_name(i->peer.state) : "unknown");
	show_set_text(o, "peer_mode",
		i->peer.known ? (i->peer.mode == SRP_PRIMARY ? "Primary" : "Backup") : "unknown");
	show_set_int(o, "peer_priority", i->peer.priority);
	show_set_mac(o, "peer_tiebreaker", i->peer.mac);
	show_set_int(o, "peer_route_modifier", i->peer.rm);
	json_object_set_new(o, "last_hello_time", show_time(show_wall_of(i->peer.hello_at, now)));
	show_set_ms(o, "last_hello_age_ms", i->peer.hello_at, now);
	show_set_text(o, "peer_configuration_validation", show_validation(i));
	show_set_text(o, "last_peer_configuration_error",
		i->config_error[0] != '\0' ? i->config_error : "None");
	show_set_text(o, "last_peer_configuration_event",
		i->config_event_text[0] != '\0' ? i->config_event_text : "None");
	show_set_ms(o, "last_peer_configuration_event_age_ms", i->config_event, now);
	show_set_int(o, "dead_window_ms", (json_int_t)(i->window_us / USEC_PER_MSEC));
	show_set_text(o, "next_configuration",
		i->next_since != USEC_NEVER ? "waits for the peer" : "none");
	show_set_ms(o, "next_configuration_age_ms", i->next_since, now);
	show_set_text(o, "peer_next_configuration", show_peer_next(i));
	show_set_int(o, "replication_version", i->stream_version);
	show_set_int(o, "replication_mtu", v->replication_mtu);
	show_set_int(o, "peer_replication_mtu", i->peer.wire.mtu);
}

static void show_security(
	const struct operator_srp *f, json_t *o, const struct operator_pair_view *pair)
{
	const struct replicator_view *v = replicator_view(f->replicator);
	uint32_t id = atomic_load(&v->key_id);

	if (f->start->insecure) {
		show_set_text(o, "replication_security", "plain text (insecure = true)");
		return;
	}
	show_set_text(o, "replication_security",
		pair->pre_shared ? "AES-128-GCM, pre-shared key" : "AES-128-GCM, certificates");
	show_set_text(o, "crypto_device", f->crypto_device);
	json_object_set_new(o, "key_id", id != 0 ? json_integer((json_int_t)id) : json_null());
	show_set_int(o, "key_phase", atomic_load(&v->key_phase));
	show_set_int(o, "keys_open", atomic_load(&v->keys_live));
}

/* The name of the group, so that what is zero in plain text is not mistaken for what was
 * checked. */
static void show_keys(const struct operator_srp *f, json_t *o)
{
	json_t *keys = json_object();

	if (f->start->insecure)
		return;
	show_metrics(f->metrics, keys, show_objects[SHOW_KEYS], NULL);
	json_object_set_new(o, "keys", keys);
}

/* The Standby measures it; the Active knows what the Standby said last. */
static uint32_t show_unmatched(const struct replicator_view *v, bool active)
{
	return active ? atomic_load(&v->peer_unmatched) : atomic_load(&v->unmatched);
}

static void show_sync(
	const struct operator_srp *f, json_t *o, const struct operator_pair_view *view, usec_t now)
{
	const struct replicator_view *v = replicator_view(f->replicator);
	uint64_t since = atomic_load(&v->in_sync_since_ms), pair = pair_time_ms(f->pair_time, now);
	bool active = view->srp->state == SRP_ACTIVE;
	uint32_t unmatched = show_unmatched(v, active);
	usec_t heard = atomic_load(&v->heard);
	struct signalling_view signalling;

	show_set_text(o, "replication_path",
		heard != USEC_NEVER && now - RTE_MIN(heard, now) < view->srp->dead_us ? "up"
										      : "down");
	show_security(f, o, view);
	show_set_ms(o, "replication_heard_age_ms", heard, now);
	show_set_bool(o, "in_sync", since != 0 && unmatched == 0);
	/* The Active has the original: there is nothing that it could join. */
	json_object_set_new(
		o, "joined", active ? json_null() : json_boolean(atomic_load(&v->joined)));
	json_object_set_new(o, "in_sync_since",
		since == 0 || pair < since
			? json_null()
			: show_time(clock_wall_us() - (int64_t)((pair - since) * USEC_PER_MSEC)));
	json_object_set_new(o, "in_sync_age_ms",
		since == 0 || pair < since ? json_null()
					   : json_integer((json_int_t)(pair - since)));
	show_set_int(o, "unmatched_buckets", unmatched);
	show_set_int(o, "unacknowledged_packets", atomic_load(&v->unacked));
	signalling_view(f->signalling, &signalling);
	show_set_text(o, "answers", show_answers(&signalling));
}

json_t *show_srp_info(void *family, json_t *args, usec_t now)
{
	const struct operator_srp *f = family;
	const struct srp_info *i;
	struct operator_pair_view v;
	json_t *o = json_object();
	char text[IP_ADDR_TEXT];

	(void)args;
	show_pair(f->pair, &v, now);
	i = v.srp;
	show_set_text(o, "context", f->start->chassis);
	show_set_text(o, "local_address", ip_addr_print(&f->start->bind, text));
	show_set_text(o, "chassis_state", srp_state_name(i->state));
	show_set_text(o, "waits_for", v.waits_for);
	show_set_text(o, "chassis_mode", f->start->primary ? "Primary" : "Backup");
	show_set_int(o, "chassis_priority", f->start->priority);
	show_set_mac(o, "local_tiebreaker", v.tie_breaker);
	show_set_int(o, "route_modifier", i->rm);
	show_set_text(o, "vip_and_pool_routes", v.routes);
	show_peer(f, o, &v, now);
	show_set_text(o, "last_validate_switchover_status",
		i->validate_status[0] != '\0' ? i->validate_status : "None");
	show_set_text(o, "connection_state", i->connected ? "Connected" : "None");
	json_object_set_new(o, "term", show_term(i->term));
	json_object_set_new(o, "highest_term_seen", show_term(i->highest_term));
	show_set_int(o, "term_reserve", i->reserve);
	show_set_int(o, "restart_counter", i->restart_counter);
	show_set_int(o, "seat", f->side);
	show_sync(f, o, &v, now);
	json_object_set_new(o, "last_switchover", show_last_switchover(f->journal));
	show_set_ms(o, "state_age_ms", i->last_change, now);
	show_set_int(o, "uptime_ms", (now - f->started) / 1000);
	return o;
}

json_t *show_srp_statistics(void *family, json_t *args, usec_t now)
{
	const struct operator_srp *f = family;
	struct operator_pair_view v;
	json_t *o = json_object();

	(void)args;
	show_pair(f->pair, &v, now);
	show_metrics(f->metrics, o, show_objects[SHOW_SRP], NULL);
	show_set_int(o, "heartbeats_sent",
		counter_get(&replicator_stream_count(f->replicator)->tx_heartbeats));
	show_mark_counter(o, "heartbeats_sent");
	show_transitions(f->journal, o);
	show_security(f, o, &v);
	show_set_text(o, "last_handshake_failure", v.refused[0] != '\0' ? v.refused : "None");
	return o;
}

static json_t *show_received(const struct repl_received *a)
{
	static const char *const counters[] = { "applied", "refused_stale", "refused_absent",
		"refused_malformed", "refused_not_owner", "refused_other" };
	json_t *o = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "stream", (json_int_t)a->stream,
		"applied", (json_int_t)a->applied, "refused_stale",
		(json_int_t)a->refused[REPL_REFUSED_STALE], "refused_absent",
		(json_int_t)a->refused[REPL_REFUSED_ABSENT], "refused_malformed",
		(json_int_t)a->refused[REPL_REFUSED_MALFORMED], "refused_not_owner",
		(json_int_t)a->refused[REPL_REFUSED_OWNER], "refused_other",
		(json_int_t)a->refused[REPL_REFUSED_OTHER]);

	show_mark_counters(o, counters, RTE_DIM(counters));
	return o;
}

/* Of the present stream each way: sent == acknowledged + superseded + in flight + abandoned, and
 * acknowledged == applied + refused by the peer's own account. */
static void show_records(const struct replicator *r, json_t *o)
{
	static const char *const counters[] = { "sent", "acknowledged", "abandoned",
		"acknowledged_by_account" };
	struct repl_sent_records s;
	json_t *sent;

	replicator_records(r, &s);
	sent = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s}", "stream", (json_int_t)s.stream,
		"sent", (json_int_t)s.sent, "acknowledged", (json_int_t)s.acked, "superseded",
		(json_int_t)s.superseded, "in_flight", (json_int_t)s.in_flight, "abandoned",
		(json_int_t)s.abandoned, "acknowledged_by_account", (json_int_t)s.acked_by_account,
		"peer_account", s.account_wrong ? "disagrees" : "agrees");
	show_mark_counters(sent, counters, RTE_DIM(counters));
	json_object_set_new(o, "records_sent", sent);
	json_object_set_new(o, "records_at_peer", show_received(&s.peer));
	json_object_set_new(o, "records_received", show_received(replicator_received(r)));
}

json_t *show_srp_checkpoint(void *family, json_t *args, usec_t now)
{
	const struct operator_srp *f = family;
	const struct replicator_view *v = replicator_view(f->replicator);
	struct operator_pair_view pair;
	json_t *o = json_object();

	(void)args;
	show_pair(f->pair, &pair, now);
	show_metrics(f->metrics, o, show_objects[SHOW_CHECKPOINT], NULL);
	json_object_set_new(
		o, "audit", show_audit(f->replicator, pair.srp->state == SRP_ACTIVE, now));
	show_records(f->replicator, o);
	show_set_ms(o, "oldest_unacknowledged_ms", atomic_load(&v->oldest_unacked), now);
	show_security(f, o, &pair);
	show_keys(f, o);
	return o;
}

json_t *show_srp_audit(void *family, json_t *args, usec_t now)
{
	const struct operator_srp *f = family;
	const struct replicator_view *v = replicator_view(f->replicator);
	struct operator_pair_view pair;
	json_t *o = json_object();

	(void)args;
	show_pair(f->pair, &pair, now);
	show_metrics(f->metrics, o, show_objects[SHOW_AUDIT], NULL);
	show_set_int(o, "buckets", atomic_load(&v->buckets));
	show_set_int(o, "unmatched_buckets", show_unmatched(v, pair.srp->state == SRP_ACTIVE));
	show_set_ms(o, "oldest_match_age_ms", atomic_load(&v->in_sync_since), now);
	return o;
}
