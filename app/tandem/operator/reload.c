/* SPDX-License-Identifier: BSD-3-Clause */
/* The running configuration: shown, saved, loaded anew. What touches the disk is done by a thread
 * of its own that ends with it, one at a time: it has a copy of all it needs and nothing of
 * control's. What it found is taken here, between two turns. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "base/clock.h"
#include "base/log.h"
#include "command.h"
#include "cores/settings.h"
#include "operator/operator.h"
#include "operator/reload.h"
#include "reactor/reactor.h"
#include "reload_priv.h"

static const char comments_lost[] =
	"# The running configuration, defaults included. Comments of the file that it was loaded "
	"from are lost.\n";

/* NULL: no memory. */
static char *reload_running_text(const struct config *conf, const char *first, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	if (f == NULL)
		return NULL;
	fputs(first, f);
	config_print(conf, f);
	return fclose(f) == 0 ? text : NULL;
}

json_t *show_configuration(void *family, json_t *args, usec_t now)
{
	const struct operator_reload *r = family;
	size_t len;
	char *text = reload_running_text(r->s.conf, "", &len);
	json_t *o = text != NULL ? json_pack("{s:s,s:s}", "file", r->s.file, "text", text) : NULL;

	(void)args;
	(void)now;
	free(text);
	return o;
}

/* ---- the thread ---- */

/* The files of keys are tried as well: they are used from the next SRP connection on, and then it
 * is late to say what is wrong with them. */
static void reload_load(struct disk_work *w)
{
	w->ret = config_load(w->path, &w->next, &w->report);
	if (w->ret < 0)
		return;
	if (!w->next.srp.insecure && !w->keys_good(&w->next, w->why)) {
		w->ret = -EINVAL;
		w->failed = "a file of certificates or keys cannot be used";
		return;
	}
	w->ret = w->make(w->made, &w->next);
	if (w->ret < 0) {
		w->failed = "the pools that are new cannot be had";
		snprintf(w->why, sizeof(w->why),
			"%s: give the EAL more memory, or take smaller ones", strerror(-w->ret));
	}
}

static struct disk_work *reload_work_of(struct work *w)
{
	return (struct disk_work *)w;
}

static void reload_work_run(struct work *work)
{
	struct disk_work *w = reload_work_of(work);

	if (w->reload)
		reload_load(w);
	else
		w->ret = save_text(w->path, w->text, w->len, w->why);
}

static void reload_work_free(struct operator_reload *r, struct disk_work *w)
{
	if (w == NULL)
		return;
	r->s.end(r->s.ctx, w->made);
	config_report_free(&w->report);
	free(w->text);
	free(w);
}

static json_t *reload_saved(struct disk_work *w)
{
	if (w->ret < 0) {
		reload_plain(w->why);
		LOG(ERR, "the configuration cannot be saved reason=%s", LOG_TEXT(w->why));
		return reload_refuse(w->why);
	}
	LOG(NOTICE, "the configuration was saved path=%s", LOG_TEXT(w->path));
	return json_pack("{s:b,s:{s:s,s:s,s:I}}", "ok", 1, "data", "result",
		"saved: defaults are in it, comments of the loaded file are not", "file", w->path,
		"bytes", (json_int_t)w->len);
}

/* ---- control's side of the thread ---- */

static void reload_end(struct operator_reload *r)
{
	struct disk_work *w = r->disk;
	json_t *answer;

	r->disk = NULL;
	r->ended = false;
	answer = w->reload ? reload_answer(r, w) : reload_saved(w);
	r->put_off = r->hangup && (r->put_off || w->hangup);
	r->s.answer(r->s.ctx, answer);
	reload_work_free(r, w);
}

/* A file that was read waits for reload_turn(): a core may hold older settings yet, of the last
 * reload or of a pool that has just left. */
static void reload_on_ended(void *ctx, struct work *work)
{
	struct operator_reload *r = ctx;

	r->ended = true;
	if (!reload_work_of(work)->reload)
		reload_end(r);
}

/* NULL: begun, whoever waits is answered when it has ended. Else why not; w was freed. */
static json_t *reload_work_begin(struct operator_reload *r, struct disk_work *w)
{
	int ret;

	if (r->disk != NULL) {
		reload_work_free(r, w);
		return reload_refuse("a save or reload is going on: try again when it has ended");
	}
	w->work.run = reload_work_run;
	w->work.ended = reload_on_ended;
	w->work.ctx = r;
	ret = work_begin(r->s.reactor, &w->work, "tandem-disk");
	if (ret == 0) {
		r->disk = w;
		return NULL;
	}
	reload_work_free(r, w);
	LOG(ERR,
		"the configuration cannot be saved or loaded, as no thread starts: try again "
		"error=%s",
		LOG_TEXT(strerror(-ret)));
	return reload_refuse("nothing was done, no thread starts: see the log, and try again");
}

static struct disk_work *reload_work_new(const char *path)
{
	struct disk_work *w = calloc(1, sizeof(*w));

	if (w != NULL)
		snprintf(w->path, sizeof(w->path), "%s", path);
	return w;
}

static json_t *reload_begin(struct operator_reload *r, bool hangup)
{
	struct disk_work *w = reload_work_new(r->s.file);

	if (w != NULL)
		w->made = r->s.begin(r->s.ctx);
	if (w == NULL || w->made == NULL) {
		reload_work_free(r, w);
		return reload_refuse("nothing was done, there is no memory: try again");
	}
	w->reload = true;
	w->hangup = hangup;
	w->keys_good = r->s.keys_good;
	w->make = r->s.make;
	return reload_work_begin(r, w);
}

json_t *act_reload(void *family, json_t *args, usec_t now)
{
	json_t *why = reload_begin(family, false);

	(void)args;
	(void)now;
	return why != NULL ? why : json_null();
}

json_t *act_save(void *family, json_t *args, usec_t now)
{
	struct operator_reload *r = family;
	const char *path = json_string_value(json_object_get(args, "file"));
	struct disk_work *w;
	json_t *why;

	(void)now;
	if (path == NULL || strlen(path) >= PATH_MAX)
		return reload_refuse("no file is named: give an absolute path");
	w = reload_work_new(path);
	if (w != NULL)
		w->text = reload_running_text(r->s.conf, comments_lost, &w->len);
	if (w == NULL || w->text == NULL) {
		reload_work_free(r, w);
		return reload_refuse("nothing was done, there is no memory: try again");
	}
	why = reload_work_begin(r, w);
	return why != NULL ? why : json_null();
}

void reload_hangup(struct operator_reload *r)
{
	r->hangup = true;
	reload_turn(r);
}

void reload_turn(struct operator_reload *r)
{
	/* Each turn: a snapshot that was replaced is freed as soon as no core holds it. */
	bool held = settings_holder(r->s.settings) != NULL;

	if (!held && r->next != NULL && r->s.is_due(r->s.ctx)) {
		reload_run_next(r);
		held = settings_holder(r->s.settings) != NULL;
	}
	if (!held && r->ended) {
		reload_end(r);
		held = settings_holder(r->s.settings) != NULL;
	}
	/* What is read now may be older than the signal, and nobody waits who could be asked to try
	 * again. */
	if (!r->hangup || r->disk != NULL || held || (r->put_off && clock_us() < r->hangup_from))
		return;
	r->hangup = false;
	if (!r->put_off)
		LOG(NOTICE, "SIGHUP came: the configuration is loaded anew path=%s",
			LOG_TEXT(r->s.file));
	json_decref(reload_begin(r, true));
}

struct operator_reload *reload_create(const struct operator_reload_settings *s)
{
	struct operator_reload *r = calloc(1, sizeof(*r));

	if (r != NULL)
		r->s = *s;
	return r;
}

void reload_destroy(struct operator_reload *r)
{
	if (r == NULL)
		return;
	if (r->disk != NULL) {
		if (!r->ended)
			work_close(r->s.reactor, &r->disk->work);
		reload_work_free(r, r->disk);
	}
	reload_forget_next(r);
	free(r);
}
