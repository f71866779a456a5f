/* SPDX-License-Identifier: BSD-3-Clause */
/* The state file, where the product has a thread: writes that take their time, one after the
 * other. */
#include "journal/state.h"
#include "sim.h"

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

static struct state *disk_sim_open(const char *dir, struct srp_saved *saved)
{
	struct node *n = me();

	if (n->host.disk_torn) {
		errno = EBADMSG;
		return NULL;
	}
	*saved = n->host.disk;
	n->saving = n->asked = false;
	n->saved = n->added = n->numbers_saved = 0;
	return (struct state *)n;
}

static void disk_sim_close(struct state *s) {}

static int disk_sim_fd(const struct state *s)
{
	return sock_make(SOCK_STATE);
}

static void disk_sim_save(struct state *s, uint64_t reserve, uint8_t restart_counter)
{
	struct node *n = (struct node *)s;

	n->asked = true;
	n->ask_reserve = reserve;
	n->ask_counter = restart_counter;
	if (!n->saving)
		disk_begin(n);
}

static bool disk_sim_saved(struct state *s, uint64_t *reserve, int *error)
{
	struct node *n = (struct node *)s;

	if (n->saved == 0)
		return false;
	*reserve = n->saved_reserve;
	*error = n->saved < 0 ? n->saved : 0;
	n->saved = 0;
	return true;
}

/* The history. It takes no time here: nothing waits for it, so an event for it would tell nothing
 * and draw numbers. */
static int disk_sim_history(struct state *s, struct history *h)
{
	const struct node *n = (struct node *)s;

	history_read(h, n->host.history, n->host.history_len);
	return 0;
}

static void disk_sim_add(struct state *s, char *text, size_t len)
{
	struct node *n = (struct node *)s;
	struct host *o = &n->host;

	n->added = o->disk_full ? -ENOSPC : 1;
	if (!o->disk_full && len <= sizeof(o->history)) {
		if (o->history_len + len > sizeof(o->history))
			o->history_len = 0;
		memcpy(o->history + o->history_len, text, len);
		o->history_len += len;
	}
	free(text);
}

static bool disk_sim_added(struct state *s, int *error)
{
	struct node *n = (struct node *)s;
	bool added = n->added != 0;

	*error = n->added < 0 ? n->added : 0;
	n->added = 0;
	return added;
}

/* As the history: it takes no time. */
static int disk_sim_numbers(struct state *s, char *to, size_t room, size_t *len)
{
	const struct node *n = (struct node *)s;

	*len = RTE_MIN(n->host.numbers_len, room);
	memcpy(to, n->host.numbers, *len);
	return 0;
}

static void disk_sim_save_numbers(struct state *s, char *text, size_t len)
{
	struct node *n = (struct node *)s;
	struct host *o = &n->host;

	n->numbers_saved = o->disk_full || len > sizeof(o->numbers) ? -ENOSPC : 1;
	if (n->numbers_saved > 0) {
		memcpy(o->numbers, text, len);
		o->numbers_len = len;
	}
	free(text);
}

static bool disk_sim_numbers_saved(struct state *s, int *error)
{
	struct node *n = (struct node *)s;
	bool saved = n->numbers_saved != 0;

	*error = n->numbers_saved < 0 ? n->numbers_saved : 0;
	n->numbers_saved = 0;
	return saved;
}

const struct disk_ops disk_sim = { disk_sim_open, disk_sim_close, disk_sim_fd, disk_sim_save,
	disk_sim_saved, disk_sim_history, disk_sim_add, disk_sim_added, disk_sim_numbers,
	disk_sim_save_numbers, disk_sim_numbers_saved };
