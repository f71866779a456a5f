/* SPDX-License-Identifier: BSD-3-Clause */
/* Entries of the history are kept in memory at once, and the state's thread adds them to the file
 * as soon as that may be. Nothing waits for the disk; what it does not take is offered again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "base/clock.h"
#include "base/log.h"
#include "journal/journal.h"
#include "journal/state.h"

enum {
	JOURNAL_AGAIN_US = 1000000,
	JOURNAL_AT_ONCE = 64,
	JOURNAL_CAUSES = SRP_CAUSE_ABORTED + 1,
	JOURNAL_STATES = SRP_PENDING_STANDBY + 1
};

#define JOURNAL_ALARM_HISTORY "history-not-saved"
#define JOURNAL_ALARM_NUMBERS "numbers-not-saved"

struct journal {
	struct journal_settings set;
	char dir[256];
	struct state *state;
	int reserve_error; /* of the last write of the term reserve, 0 or -errno */
	struct history h;
	bool dirty, adding;              /* an entry is unsaved; the state's thread has some */
	uint64_t going[JOURNAL_AT_ONCE]; /* numbers of those that it has */
	unsigned int n_going;
	usec_t again_at; /* after an error */
	char *numbers;   /* the list, until it is on disk; NULL: it is */
	size_t numbers_len;
	bool numbers_out; /* the state's thread has it */
	usec_t numbers_again_at;
	uint64_t switchovers[JOURNAL_CAUSES], transitions[JOURNAL_STATES];
	uint64_t ends[SESSION_WHY_END];
	bool joined; /* the copy was whole when we began to take over */
	/* The number of the entry whose sessions are being compared, 0 none. */
	uint64_t auditing;
	/* This chassis gave its role up, and begins to apply what the peer says: when, and what the
	 * peer had ended before. */
	usec_t gave_up_at;
	uint64_t ended;
	struct journal_alarm over[JOURNAL_ALARMS];
	unsigned int n_over; /* ever */
};

static const struct alarm_info journal_alarms[] = {
	{ JOURNAL_ALARM_HISTORY,
		"The history of state changes could not be written. It is kept in memory, and "
		"writing is tried again each second.",
		"Make the state directory writable, and free space there.", false },
	{ JOURNAL_ALARM_NUMBERS,
		"The numbers of APNs and pools could not be written. The peer has them too, and "
		"writing is tried again each second.",
		"Make the state directory writable, and free space there.", false },
};

int journal_alarms_register(struct alarms *a)
{
	return alarms_register(a, journal_alarms, RTE_DIM(journal_alarms));
}

/* ---- alarms that are over ---- */

static void journal_over(void *ctx, const struct alarm *was, int64_t cleared_us)
{
	struct journal *j = ctx;
	struct journal_alarm *k = &j->over[j->n_over++ % JOURNAL_ALARMS];

	k->info = was->info;
	k->raised_us = was->wall_us;
	k->cleared_us = cleared_us;
	memcpy(k->text, was->text, sizeof(k->text));
}

const struct journal_alarm *journal_alarm(const struct journal *j, unsigned int k)
{
	unsigned int first = j->n_over > JOURNAL_ALARMS ? j->n_over - JOURNAL_ALARMS : 0;

	return k < j->n_over - first ? &j->over[(first + k) % JOURNAL_ALARMS] : NULL;
}

/* ---- life ---- */

struct journal *journal_open(const struct journal_settings *s, struct srp_saved *saved)
{
	struct journal *j = calloc(1, sizeof(*j));
	int ret;

	if (j == NULL)
		return NULL;
	j->set = *s;
	snprintf(j->dir, sizeof(j->dir), "%s", s->state_dir);
	j->state = disk_ops->open(j->dir, saved);
	if (j->state == NULL) {
		ret = errno;
		free(j);
		errno = ret;
		return NULL;
	}
	ret = disk_ops->history(j->state, &j->h);
	if (ret < 0)
		LOG(ERR,
			"the file of the history of transitions cannot be read, and what it holds "
			"is not shown: make the state directory readable for the daemon path=%s "
			"error=%s",
			LOG_TEXT(j->dir), LOG_TEXT(strerror(-ret)));
	if (j->h.skipped > 0)
		LOG(WARNING,
			"lines of the file srp.history are torn or damaged: they are not shown, "
			"and nothing else is affected path=%s count=%lu",
			LOG_TEXT(j->dir), (unsigned long)j->h.skipped);
	alarms_reader(s->alarms, journal_over, j);
	return j;
}

/* A few lines, oldest first, to be freed; NULL: nothing is to be saved. */
static char *journal_lines(struct journal *j, size_t *len)
{
	char *text = NULL;

	*len = 0;
	j->n_going = 0;
	for (uint64_t i = history_first(&j->h); i < j->h.next && j->n_going < JOURNAL_AT_ONCE;
		i++) {
		struct history_entry *e = history_get(&j->h, i);

		if (e == NULL || !e->unsaved)
			continue;
		if (text == NULL && (text = malloc(JOURNAL_AT_ONCE * HISTORY_LINE)) == NULL)
			return NULL; /* at the next turn */
		*len += history_print(e, text + *len);
		/* again, if it changes meanwhile or the disk does not take it */
		e->unsaved = false;
		j->going[j->n_going++] = i;
	}
	j->dirty = text != NULL;
	return text;
}

void journal_close(struct journal *j)
{
	char *text;
	size_t len;

	if (j == NULL)
		return;
	alarms_reader(j->set.alarms, NULL, NULL);
	text = j->dirty ? journal_lines(j, &len) : NULL;
	if (text != NULL) /* written before the state's thread ends */
		disk_ops->add(j->state, text, len);
	disk_ops->close(j->state);
	free(j->numbers);
	free(j);
}

/* ---- the reserve ---- */

void journal_reserve(struct journal *j, uint64_t reserve, uint8_t restart_counter)
{
	disk_ops->save(j->state, reserve, restart_counter);
}

int journal_fd(const struct journal *j)
{
	return disk_ops->fd(j->state);
}

bool journal_reserved(struct journal *j, uint64_t *reserve, int *error)
{
	if (!disk_ops->saved(j->state, reserve, error))
		return false;
	if (*error < 0 && *error != j->reserve_error) /* it is tried every second */
		LOG(ERR,
			"cannot write the term reserve: make room in the state directory path=%s "
			"error=%s",
			LOG_TEXT(j->dir), LOG_TEXT(strerror(-*error)));
	j->reserve_error = *error;
	return true;
}

/* ---- the numbers ---- */

int journal_numbers(struct journal *j, char *to, size_t room, size_t *len)
{
	int ret = disk_ops->numbers(j->state, to, room, len);

	if (ret < 0)
		LOG(ERR,
			"the file of the numbers of APNs and pools cannot be read, and the peer's "
			"list counts: make the state directory readable for the daemon path=%s "
			"error=%s",
			LOG_TEXT(j->dir), LOG_TEXT(strerror(-ret)));
	return ret;
}

/* The thread frees its own. */
static void journal_write_numbers(struct journal *j, usec_t now)
{
	char *text = malloc(j->numbers_len);

	j->numbers_again_at = now + JOURNAL_AGAIN_US;
	if (text == NULL)
		return;
	memcpy(text, j->numbers, j->numbers_len);
	j->numbers_out = true;
	disk_ops->save_numbers(j->state, text, j->numbers_len);
}

void journal_save_numbers(struct journal *j, const char *text, size_t len)
{
	char *copy = malloc(len);

	if (copy == NULL) { /* the one before is worth more than none */
		LOG(ERR, "the numbers of APNs and pools cannot be saved: there is no memory");
		return;
	}
	memcpy(copy, text, len);
	free(j->numbers);
	j->numbers = copy;
	j->numbers_len = len;
	journal_write_numbers(j, 0);
}

static void journal_turn_numbers(struct journal *j, usec_t now)
{
	char text[ALARM_TEXT];
	int error;

	if (j->numbers_out && disk_ops->numbers_saved(j->state, &error)) {
		j->numbers_out = false;
		j->numbers_again_at = now + JOURNAL_AGAIN_US;
		snprintf(text, sizeof(text),
			"%s: after a restart of both chassis APNs and pools have other numbers: "
			"make state-dir %.120s writable, with room",
			strerror(-error), j->dir);
		alarms_set(j->set.alarms, JOURNAL_ALARM_NUMBERS, error < 0, text, now);
		if (error == 0) {
			free(j->numbers);
			j->numbers = NULL;
		}
	}
	if (j->numbers != NULL && !j->numbers_out && now >= j->numbers_again_at)
		journal_write_numbers(j, now);
}

/* ---- the history ---- */

/* What the peer's table did not know is ended by the time our copy of it is whole. What subscribers
 * ended meanwhile is counted with it: a record does not say why. */
static void journal_compared(struct journal *j)
{
	struct history_entry *e = history_get(&j->h, j->auditing);

	j->auditing = 0;
	if (e == NULL)
		return;
	e->freed = j->set.ops.ended_by_peer(j->set.ctx) - j->ended;
	e->vouched = e->known > e->freed ? e->known - e->freed : 0;
	e->loss = HISTORY_LOSS_KNOWN;
	journal_changed(j, e);
	LOG(NOTICE,
		"both chassis had been Active, and the audit ended the sessions of this chassis "
		"that the Active does not have sessions=%lu ended=%lu",
		(unsigned long)e->known, (unsigned long)e->freed);
}

static void journal_loss(struct journal *j, struct history_entry *e)
{
	e->known = j->set.ops.live(j->set.ctx);
	e->loss = HISTORY_LOSS_KNOWN;
	if (e->to == SRP_ACTIVE) {
		e->vouched = j->joined ? e->known : 0;
	} else if (e->cause == SRP_CAUSE_DUAL_ACTIVE) {
		e->loss = HISTORY_LOSS_COMPARING;
		j->auditing = e->number;
	} else {
		e->vouched = e->known; /* acknowledged, before the peer took over */
	}
}

void journal_role(struct journal *j, const struct srp_action *a, usec_t now)
{
	struct history_entry *e = history_add(&j->h);

	j->dirty = true;
	e->at = now;
	e->wall_us = clock_wall_us();
	e->from = a->from;
	e->to = a->to;
	e->cause = a->cause;
	e->term = a->term;
	e->planned = a->planned;
	j->transitions[a->to]++;
	if (j->auditing != 0) /* the role moves on before the pass of the audit ended */
		journal_compared(j);
	if (a->to == SRP_PENDING_ACTIVE)
		j->joined = j->set.ops.joined(j->set.ctx);
	/* The peer's records may be here before this core hears that it is Standby. */
	if (a->to == SRP_PENDING_STANDBY) {
		j->gave_up_at = now;
		j->ended = j->set.ops.ended_by_peer(j->set.ctx);
	}
	if (!history_is_switchover(e))
		return;
	j->switchovers[a->cause]++;
	journal_loss(j, e);
}

struct history_entry *journal_last(struct journal *j)
{
	return history_get(&j->h, j->h.next - 1);
}

void journal_changed(struct journal *j, struct history_entry *e)
{
	e->unsaved = j->dirty = true;
}

static void journal_added(struct journal *j, int error, usec_t now)
{
	char text[ALARM_TEXT];

	j->adding = false;
	for (unsigned int i = 0; error < 0 && i < j->n_going; i++) {
		struct history_entry *e = history_get(&j->h, j->going[i]);

		if (e != NULL)
			journal_changed(j, e);
	}
	snprintf(text, sizeof(text),
		"%s: transitions are kept in memory alone: make state-dir %.150s writable, with "
		"room",
		strerror(-error), j->dir);
	alarms_set(j->set.alarms, JOURNAL_ALARM_HISTORY, error < 0, text, now);
	if (error < 0)
		j->again_at = now + JOURNAL_AGAIN_US;
}

void journal_turn(struct journal *j, usec_t now)
{
	char *text;
	size_t len;
	int error;

	/* What was ended by records since we let go is known once a pass over the peer's whole
	 * table, begun after that, has matched. */
	if (j->auditing != 0 && j->set.ops.audited_since(j->set.ctx, j->gave_up_at))
		journal_compared(j);
	journal_turn_numbers(j, now);
	if (j->adding && disk_ops->added(j->state, &error))
		journal_added(j, error, now);
	if (!j->dirty || j->adding || now < j->again_at)
		return;
	text = journal_lines(j, &len);
	if (text == NULL)
		return;
	j->adding = true;
	disk_ops->add(j->state, text, len);
}

/* ---- for views ---- */

struct history *journal_history(struct journal *j)
{
	return &j->h;
}

uint64_t journal_switchovers(const struct journal *j, enum srp_cause cause)
{
	return (unsigned int)cause < JOURNAL_CAUSES ? j->switchovers[cause] : 0;
}

void journal_ended(struct journal *j, enum session_why why)
{
	if ((unsigned int)why < SESSION_WHY_END)
		j->ends[why]++;
}

uint64_t journal_ends(const struct journal *j, enum session_why why)
{
	return (unsigned int)why < SESSION_WHY_END ? j->ends[why] : 0;
}

uint64_t journal_transitions(const struct journal *j, enum srp_state to)
{
	return (unsigned int)to < JOURNAL_STATES ? j->transitions[to] : 0;
}
