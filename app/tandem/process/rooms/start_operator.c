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

_Static_assert((int)RELOAD_WHY == (int)TLS_WHY, "settings_keys_good() fills it");

struct start_operator {
	struct metrics *metrics;
	struct views views;
	struct operator_command commands[START_COMMANDS];
};

/* ---- a reload ---- */

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

static int start_operator_ready(void *ctx, const struct config *next)
{
	const struct control *c = ctx;
	struct config_placed placed;
	struct settings s;
	int ret;

	placed_begin(&placed, next);
	ret = settings_of(next, &placed, &s);
	return ret == 0 ? settings_ready(c->t->settings, &s) : ret;
}

static void start_operator_publish(void *ctx)
{
	const struct control *c = ctx;

	settings_publish(c->t->settings);
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
		.ready = start_operator_ready,
		.publish = start_operator_publish,
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
