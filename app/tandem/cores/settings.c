/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "cores/settings.h"
#include "peers/peer_numbers.h"

enum { SETTINGS_NOT_READING = 0 }; /* rte_rcu_qsbr's count of a thread that is offline */

static struct settings *settings_copy(const struct settings *from)
{
	struct settings *s =
		aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(sizeof(*s), RTE_CACHE_LINE_SIZE));

	if (s != NULL) {
		*s = *from;
		peers_hold(s->peers);
	}
	return s;
}

static int settings_number(struct settings_board *b, const struct settings *s)
{
	return s->peers != NULL ? peer_numbers_give(b->peer_numbers, s->peers, NULL, NULL) : 0;
}

static void settings_free(const struct settings *s)
{
	if (s != NULL)
		peers_drop(s->peers);
	free((void *)(uintptr_t)s);
}

struct settings_board *settings_create(
	const struct settings *first, const char *const *names, unsigned int n_cores)
{
	size_t size = rte_rcu_qsbr_get_memsize(SETTINGS_CORES);
	struct settings_board *b;
	struct settings *s;

	if (n_cores > SETTINGS_CORES) {
		errno = EINVAL;
		return NULL;
	}
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return NULL;
	b->cores = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(size, RTE_CACHE_LINE_SIZE));
	s = settings_copy(first);
	atomic_store(&b->newest, s);
	b->peer_numbers = peer_numbers_create();
	if (b->cores == NULL || s == NULL || b->peer_numbers == NULL || settings_number(b, s) < 0) {
		settings_destroy(b);
		errno = ENOMEM;
		return NULL;
	}
	s->number = ++b->numbers;
	rte_rcu_qsbr_init(b->cores, SETTINGS_CORES);
	b->n_cores = n_cores;
	for (unsigned int i = 0; i < n_cores; i++)
		snprintf(b->name[i], sizeof(b->name[i]), "%s", names[i]);
	return b;
}

void settings_destroy(struct settings_board *b)
{
	if (b == NULL)
		return;
	settings_free(b->ready);
	settings_free(b->older);
	settings_free(settings_newest(b));
	peer_numbers_destroy(b->peer_numbers);
	free(b->cores);
	free(b);
}

const struct settings *settings_newest(const struct settings_board *b)
{
	return atomic_load_explicit(&b->newest, memory_order_relaxed);
}

void settings_join(struct settings_board *b, unsigned int core)
{
	rte_rcu_qsbr_thread_register(b->cores, core);
	rte_rcu_qsbr_thread_online(b->cores, core);
}

void settings_leave(struct settings_board *b, unsigned int core)
{
	rte_rcu_qsbr_thread_offline(b->cores, core);
	rte_rcu_qsbr_thread_unregister(b->cores, core);
}

/* The core whose report is still to come; n_cores: none. */
static unsigned int settings_awaited(const struct settings_board *b)
{
	unsigned int i;

	for (i = 0; i < b->n_cores; i++) {
		uint64_t seen = __atomic_load_n(&b->cores->qsbr_cnt[i].cnt, __ATOMIC_ACQUIRE);

		if (seen != SETTINGS_NOT_READING && seen < b->token)
			break;
	}
	return i;
}

const char *settings_holder(struct settings_board *b)
{
	if (b->older == NULL)
		return NULL;
	if (rte_rcu_qsbr_check(b->cores, b->token, false) != 1) {
		unsigned int core = settings_awaited(b);

		if (core < b->n_cores)
			return b->name[core];
		/* It has reported between the two looks. */
		if (rte_rcu_qsbr_check(b->cores, b->token, false) != 1)
			return "a core";
	}
	settings_free(b->older);
	b->older = NULL;
	return NULL;
}

int settings_ready(struct settings_board *b, const struct settings *next)
{
	struct settings *copy;

	int ret;

	if (settings_holder(b) != NULL)
		return -EBUSY;
	ret = settings_number(b, next);
	if (ret < 0)
		return ret;
	copy = settings_copy(next);
	if (copy == NULL)
		return -ENOMEM;
	copy->places = settings_newest(b)->places;
	settings_free(b->ready);
	b->ready = copy;
	return 0;
}

void settings_publish(struct settings_board *b)
{
	if (b->ready == NULL)
		return;
	b->ready->number = ++b->numbers;
	b->older = atomic_exchange(&b->newest, b->ready);
	b->ready = NULL;
	b->token = rte_rcu_qsbr_start(b->cores);
}
