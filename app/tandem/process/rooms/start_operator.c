/* SPDX-License-Identifier: BSD-3-Clause */
/* The operator's room, which comes last: the table that says which handler answers a command, and
 * of what. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"
#include "operator/reload.h"
#include "process/control.h"
#include "process/figures.h"
#include "process/settings_rooms.h"
#include "views.h"

enum {
#define ROW(words, argument, permission, path, handler, family, renderer, help) +1
	START_COMMANDS = COMMANDS(ROW)
#undef ROW
};

_Static_assert((int)RELOAD_WHY == (int)TLS_WHY && (int)RELOAD_WHY >= (int)PLACED_WHY,
	"settings_keys_good() and placed_next() fill it");

struct start_operator {
	struct metrics *metrics;
	struct views views;
	struct operator_command commands[START_COMMANDS];
};

/* ---- a reload ---- */

static struct reload_made *start_operator_begin(void *ctx)
{
	return lists_made_begin(ctx);
}

static void start_operator_end_made(void *ctx, struct reload_made *m)
{
	lists_made_end(ctx, m);
}

static int start_operator_fits(void *ctx, const struct config *next, char why[RELOAD_WHY])
{
	return lists_fit(ctx, next, why);
}

static int start_operator_agree(void *ctx, const struct config *next, usec_t now)
{
	return configuration_agree(ctx, next, now);
}

static enum srp_reload start_operator_asks(void *ctx, const struct config *next)
{
	return configuration_asks(ctx, next);
}

static int start_operator_prepare(void *ctx, const struct config *next, usec_t now)
{
	return configuration_prepare(ctx, next, now);
}

static bool start_operator_is_due(void *ctx)
{
	return configuration_is_due(ctx);
}

static int start_operator_ready(
	void *ctx, const struct config *next, const struct reload_made *m, char why[RELOAD_WHY])
{
	return configuration_ready(ctx, next, m, why);
}

static void start_operator_run(
	void *ctx, const struct config *next, struct reload_made *m, usec_t now)
{
	configuration_run(ctx, next, m, now);
}

static void start_operator_answer(void *ctx, json_t *answer)
{
	const struct control *c = ctx;

	operator_answer(c->operator_room, answer);
}

/* ---- the table ---- */

static void start_operator_commands(struct start_operator *s, struct control *c)
{
	struct views *v = &s->views;
	const struct {
		void *srp, *audit, *table, *gtp, *cores, *monitors, *history, *pair, *reload;
	} family = { &v->srp, &v->audit, &v->table, &v->gtp, &v->cores, &v->monitors, &v->history,
		&v->pair, c->reload };
#define ROW(words, argument, permission, path, handler, of, renderer, help)                        \
	{ words, permission, handler, family.of },
	const struct operator_command rows[] = { COMMANDS(ROW) };
#undef ROW

	_Static_assert(sizeof(rows) == sizeof(s->commands), "one row a command");
	memcpy(s->commands, rows, sizeof(rows));
}

int start_operator(struct control *c)
{
	struct tandem *t = c->t;
	struct start_operator *s = calloc(1, sizeof(*s));
	int ret;

	c->start_operator = s;
	if (s == NULL)
		return -ENOMEM;
	s->metrics = figures_create(c);
	if (s->metrics == NULL)
		return -ENOMEM;
	c->reload = reload_create(&(struct operator_reload_settings){ .conf = t->conf,
		.file = t->config_file,
		.settings = t->settings,
		.reactor = c->reactor,
		.keys_good = settings_keys_good,
		.asks = start_operator_asks,
		.prepare = start_operator_prepare,
		.is_due = start_operator_is_due,
		.agree = start_operator_agree,
		.begin = start_operator_begin,
		.make = lists_make,
		.end = start_operator_end_made,
		.fits = start_operator_fits,
		.ready = start_operator_ready,
		.run = start_operator_run,
		.answer = start_operator_answer,
		.ctx = c });
	if (c->reload == NULL)
		return -ENOMEM;
	views_fill(&s->views, c, s->metrics);
	start_operator_commands(s, c);
	c->operator_room = operator_create(&(struct operator_settings){ .reactor = c->reactor,
		.socket_path = t->conf->telemetry.control_socket,
		.commands = s->commands,
		.n_commands = START_COMMANDS });
	if (c->operator_room != NULL)
		return 0;
	ret = -errno;
	LOG(ERR,
		"the control socket cannot be opened: its directory must exist, and no other "
		"chassis may have it path=%s error=%s",
		LOG_TEXT(t->conf->telemetry.control_socket), LOG_TEXT(strerror(-ret)));
	return ret;
}

void start_operator_end(struct control *c)
{
	reload_destroy(c->reload); /* whoever waits for it is answered no more */
	c->reload = NULL;
	operator_destroy(c->operator_room);
	c->operator_room = NULL;
	if (c->start_operator != NULL)
		metrics_destroy(c->start_operator->metrics);
	free(c->start_operator);
	c->start_operator = NULL;
}
