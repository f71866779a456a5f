/* SPDX-License-Identifier: BSD-3-Clause */
/* The state file, for app/tandem/state.c, which has a thread: writes that take their time, one after the other. */
#include "sim.h"

static struct node *me(void)
{
	return &sim.node[sim_tandem == &sim.node[1].t];
}

static void disk_begin(struct node *n);

static void disk_done(struct ev *e)
{
	struct node *n = &sim.node[e->node];

	n->saving = false;
	n->saved_reserve = n->save_reserve;
	n->saved = n->host.disk_full ? -ENOSPC : 1;
	if (n->saved > 0)
		n->host.disk = (struct srp_saved){ n->save_reserve, n->save_counter };
	if (n->asked)
		disk_begin(n);
	node_wake(e->node, CONTROL, 100);
}

static void disk_begin(struct node *n)
{
	n->asked = false;
	n->saving = true;
	n->save_reserve = n->ask_reserve;
	n->save_counter = n->ask_counter;
	ev_at(sim.now + n->host.fsync / 2 + rnd(n->host.fsync), n->id, disk_done)->life = n->life;
}

struct state *state_open(const char *dir, struct srp_saved *saved)
{
	struct node *n = me();

	if (n->host.disk_torn) {
		errno = EBADMSG;
		return NULL;
	}
	*saved = n->host.disk;
	n->saving = n->asked = false;
	n->saved = 0;
	return (struct state *)n;
}

void state_close(struct state *s) {}

int state_fd(const struct state *s)
{
	return sock_make(SOCK_STATE);
}

void state_save(struct state *s, uint64_t reserve, uint8_t restart_counter)
{
	struct node *n = (struct node *)s;

	n->asked = true;
	n->ask_reserve = reserve;
	n->ask_counter = restart_counter;
	if (!n->saving)
		disk_begin(n);
}

bool state_saved(struct state *s, uint64_t *reserve, int *error)
{
	struct node *n = (struct node *)s;

	if (n->saved == 0)
		return false;
	*reserve = n->saved_reserve;
	*error = n->saved < 0 ? n->saved : 0;
	n->saved = 0;
	return true;
}
