/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry of alarms and the journal, with what the journal asks of other rooms. */
#include <errno.h>
#include <string.h>

#include "process.h"
#include "process/control.h"

static uint64_t records_live(void *ctx)
{
	const struct tandem *t = ctx;
	uint64_t n = 0;

	for (unsigned int k = 0; k < SESSION_SHARDS; k++)
		n += t->table->shard[k].n_live;
	return n;
}

static uint64_t records_ended_by_peer(void *ctx)
{
	const struct tandem *t = ctx;
	uint64_t n = 0;

	for (unsigned int k = 0; k < SESSION_SHARDS; k++)
		n += counter_get(&t->table->shard[k].count.ended_by_peer);
	return n;
}

static bool records_joined(void *ctx)
{
	const struct tandem *t = ctx;

	return atomic_load(&replicator_view(t->repl)->joined);
}

static bool records_audited_since(void *ctx, usec_t since)
{
	const struct tandem *t = ctx;
	const struct replicator_view *v = replicator_view(t->repl);
	usec_t began = atomic_load(&v->pass_began), ended = atomic_load(&v->pass_ended);

	return atomic_load(&v->receiving) && atomic_load(&v->joined) && began != USEC_NEVER &&
	       began >= since && ended != USEC_NEVER && ended >= began;
}

static int (*const records_alarms[])(struct alarms *a) = { pair_alarms_register,
	replicator_alarms_register, journal_alarms_register, monitors_alarms_register };

static int records_register(struct alarms *a)
{
	int ret = 0;

	for (unsigned int i = 0; i < RTE_DIM(records_alarms) && ret == 0; i++)
		ret = records_alarms[i](a);
	return ret;
}

int records_print_alarms(FILE *to)
{
	struct alarms *a = alarms_create();
	int ret = a != NULL ? records_register(a) : -ENOMEM;
	const struct alarm *m;

	for (unsigned int i = 0; ret == 0 && (m = alarms_get(a, i)) != NULL; i++)
		fprintf(to, "| `%s` | %s | %s |\n", m->info->name, m->info->meaning,
			m->info->action);
	alarms_destroy(a);
	return ret;
}

int records_open(struct control *c, struct srp_saved *saved)
{
	struct journal_settings s = { .state_dir = c->t->conf->chassis.state_dir,
		.ops = { records_live, records_ended_by_peer, records_joined,
			records_audited_since },
		.ctx = c->t };
	int ret;

	c->alarms = s.alarms = alarms_create();
	if (c->alarms == NULL)
		return -ENOMEM;
	ret = records_register(c->alarms);
	if (ret < 0) {
		LOG(ERR, "the alarms cannot be registered error=%s", LOG_TEXT(strerror(-ret)));
		return ret;
	}
	c->journal = journal_open(&s, saved);
	if (c->journal == NULL) {
		ret = -errno;
		LOG(ERR,
			"the state directory cannot be used: it must be a directory that can be "
			"written path=%s error=%s",
			LOG_TEXT(s.state_dir), LOG_TEXT(strerror(-ret)));
	}
	return ret;
}

void records_close(struct control *c)
{
	journal_close(c->journal);
	alarms_destroy(c->alarms);
	c->journal = NULL;
	c->alarms = NULL;
}
