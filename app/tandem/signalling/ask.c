/* SPDX-License-Identifier: BSD-3-Clause */
#include "ask.h"

unsigned int ask_owner(const struct signalling_env *env, uint32_t handle)
{
	return env->worker_of_shard[session_handle_shard(handle)];
}

bool ask_worker(const struct signalling_env *env, const struct ask *a)
{
	struct msg *m = msg_new(env->msgs, a->type);

	if (m == NULL)
		return false;
	m->rec = *a->rec;
	m->groups = a->groups;
	m->cookie = a->cookie;
	m->term = a->term;
	return door_send(&env->to_worker[a->worker], m) == 0;
}

void ask_purge(const struct signalling_env *env, const struct ip_addr *sgsn, uint8_t recovery)
{
	for (unsigned int i = 0; i < env->n_workers; i++) {
		struct msg *m = msg_new(env->msgs, MSG_PURGE);

		if (m == NULL)
			return;
		m->addr = *sgsn;
		m->recovery = recovery;
		door_send(&env->to_worker[i], m);
	}
}

void ask_peer_gone(const struct signalling_env *env, const struct ip_addr *peer, uint32_t teid)
{
	for (unsigned int i = 0; i < env->n_workers; i++) {
		struct msg *m = msg_new(env->msgs, MSG_PEER_GONE);

		if (m == NULL)
			return;
		m->addr = *peer;
		m->teid = teid;
		door_send(&env->to_worker[i], m);
	}
}
