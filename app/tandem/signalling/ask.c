/* SPDX-License-Identifier: BSD-3-Clause */
#include "ask.h"

unsigned int ask_owner(const struct signalling_env *env, uint32_t handle)
{
	return env->worker_of_shard[session_handle_shard(handle)];
}

static struct to_worker *ask_message(const struct signalling_env *env, const struct ask *a)
{
	if (a->type == TO_WORKER_CREATE)
		return to_worker_create(env->msgs, a->term, a->cookie, a->rec);
	if (a->type == TO_WORKER_UPDATE)
		return to_worker_update(env->msgs, a->term, a->cookie, a->rec, a->groups);
	return to_worker_delete(env->msgs, a->term, a->cookie, a->rec, a->why);
}

bool ask_worker(const struct signalling_env *env, const struct ask *a)
{
	return to_worker_send(&env->to_worker[a->worker], ask_message(env, a)) == 0;
}

bool ask_purge(const struct signalling_env *env, const struct ip_addr *sgsn, uint8_t recovery)
{
	return to_worker_send_all(env->to_worker, env->n_workers,
		       to_worker_purge(env->msgs, sgsn, recovery)) == 0;
}

void ask_peer_gone(const struct signalling_env *env, const struct ip_addr *peer, uint32_t teid)
{
	to_worker_send_all(
		env->to_worker, env->n_workers, to_worker_peer_gone(env->msgs, peer, teid));
}
