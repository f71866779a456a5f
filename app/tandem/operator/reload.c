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
#include "save.h"

_Static_assert((int)RELOAD_WHY >= (int)SAVE_WHY, "why takes what either says");

struct disk_work {
	struct work work; /* first: reload_work_of() */
	bool reload;
	bool (*keys_good)(const struct config *next, char why[RELOAD_WHY]);
	char path[PATH_MAX];
	char *text; /* to be saved */
	size_t len;
	/* w: the thread, r: control after the event */
	int ret;
	char why[RELOAD_WHY];
	struct config next;
	struct config_report report;
};

struct operator_reload {
	struct operator_reload_settings s;
	struct disk_work *disk; /* a save or reload that a thread works on, NULL: none */
	bool hangup;            /* SIGHUP came, and the file is not being read for it yet */
};

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

/* A path was chosen by somebody, and may have been cut within a character: neither JSON nor a log
 * takes such a thing. */
static void reload_plain(char *text)
{
	for (char *p = text; *p != '\0'; p++)
		if (*p != '\n' && (*p < ' ' || *p > '~'))
			*p = '?';
}

static json_t *reload_refuse(const char *reason)
{
	return json_pack("{s:b,s:s}", "ok", 0, "error", reason);
}

/* ---- the thread ---- */

/* The files of keys are tried as well: they are used from the next SRP connection on, and then it
 * is late to say what is wrong with them. */
static void reload_load(struct disk_work *w)
{
	w->ret = config_load(w->path, &w->next, &w->report);
	if (w->ret < 0 || w->next.srp.insecure)
		return;
	if (!w->keys_good(&w->next, w->why))
		w->ret = -EINVAL;
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

static void reload_work_free(struct disk_work *w)
{
	if (w == NULL)
		return;
	config_report_free(&w->report);
	free(w->text);
	free(w);
}

/* ---- what a reload found ---- */

struct reload {
	json_t *changed, *restart;
	FILE *lines; /* of those that need a restart */
};

static void reload_note(void *ctx, const struct config_change *ch)
{
	struct reload *r = ctx;

	json_array_append_new(ch->live ? r->changed : r->restart,
		json_pack("{s:s,s:s,s:s}", "key", ch->key, "from", ch->from, "to", ch->to));
	if (!ch->live)
		fprintf(r->lines, "\n%s: %s -> %s", ch->key, ch->from, ch->to);
}

static void reload_log_lines(bool refused, const char *text)
{
	char line[LOG_VALUE];

	for (const char *p = text; p != NULL && *p != '\0';) {
		int len = (int)strcspn(p, "\n");

		snprintf(line, sizeof(line), "%.*s", len, p);
		if (refused)
			LOG(ERR,
				"the reload was refused and changed nothing: the text says why "
				"text=%s",
				LOG_TEXT(line));
		else
			LOG(WARNING,
				"the configuration was reloaded with a warning: see the text "
				"text=%s",
				LOG_TEXT(line));
		p += len + (p[len] == '\n');
	}
}

/* Two lists of whole lines: what is wrong, or what needs a restart, and that nothing was
 * changed. */
static json_t *reload_refused(const char *what, const char *lines)
{
	char *text = NULL;
	json_t *r;

	if (asprintf(&text, "nothing was changed: %s:%s%.*s", what, lines[0] == '\n' ? "" : "\n",
		    (int)strlen(lines) - (lines[0] != '\0' && lines[strlen(lines) - 1] == '\n'),
		    lines) < 0)
		return NULL;
	reload_plain(text);
	reload_log_lines(true, text);
	r = reload_refuse(text);
	free(text);
	return r;
}

static json_t *reload_file_refused(const struct disk_work *w)
{
	char what[64];

	snprintf(what, sizeof(what), "%u error%s in the file", w->report.errors,
		w->report.errors == 1 ? "" : "s");
	if (w->why[0] != '\0')
		return reload_refused("a file of certificates or keys cannot be used", w->why);
	return reload_refused(w->report.errors > 0 ? what : "the file cannot be read",
		w->report.text != NULL ? w->report.text : strerror(-w->ret));
}

/* 0, or -errno and why nothing was changed. */
static int reload_apply(struct operator_reload *r, const struct config *next, const json_t *changed,
	usec_t now, char *why, size_t len)
{
	uint32_t was = log_level(r->s.conf->log.level), level = log_level(next->log.level);
	const json_t *ch;
	size_t i;
	int ret;

	if (settings_holder(r->s.settings) != NULL) {
		snprintf(why, len, "%s has not finished with the settings before the last reload",
			settings_holder(r->s.settings));
		return -EBUSY;
	}
	ret = r->s.agree(r->s.ctx, next, now);
	if (ret < 0) {
		snprintf(why, len, ret == -EBUSY ? "the role is changing" : "there is no memory");
		return ret;
	}
	ret = r->s.publish(r->s.ctx, next);
	if (ret < 0) {
		r->s.agree(r->s.ctx, r->s.conf, now);
		snprintf(why, len, "the cores cannot be given their settings: %s", strerror(-ret));
		return ret;
	}
	config_take_live(r->s.conf, next);
	/* a level that the command line set goes on until the key itself changes */
	if (level != was)
		log_level_set(RTE_MAX(level, was));
	json_array_foreach (changed, i, ch)
		LOG(NOTICE, "the reload has changed a key key=%s was=%s value=%s",
			LOG_TEXT(json_string_value(json_object_get(ch, "key"))),
			LOG_TEXT(json_string_value(json_object_get(ch, "from"))),
			LOG_TEXT(json_string_value(json_object_get(ch, "to"))));
	if (level != was)
		log_level_set(level);
	return 0;
}

static json_t *reload_accepted(
	struct operator_reload *r, const struct disk_work *w, json_t *changed)
{
	char result[80], why[128];
	size_t n = json_array_size(changed);

	if (reload_apply(r, &w->next, changed, clock_us(), why, sizeof(why)) < 0)
		return reload_refused(why, "try again");
	if (n == 0) {
		LOG(NOTICE,
			"the reload has changed nothing: what the file says is in force already "
			"path=%s",
			LOG_TEXT(w->path));
		snprintf(result, sizeof(result),
			"nothing was changed: what the file says is in force already");
	} else {
		snprintf(result, sizeof(result), "%zu key%s changed", n, n == 1 ? "" : "s");
	}
	reload_log_lines(false, w->report.text);
	return json_pack("{s:b,s:{s:s,s:s,s:O,s:[],s:s*}}", "ok", 1, "data", "file", w->path,
		"result", result, "changed", changed, "needs_restart", "warnings", w->report.text);
}

static json_t *reload_answer(struct operator_reload *r, const struct disk_work *w)
{
	struct reload found = { json_array(), json_array(), NULL };
	char *lines = NULL, what[64];
	json_t *answer = NULL;
	size_t size, n;

	if (w->ret < 0) {
		answer = reload_file_refused(w);
		goto end;
	}
	found.lines = open_memstream(&lines, &size);
	if (found.lines == NULL)
		goto end;
	config_changes(r->s.conf, &w->next, reload_note, &found);
	if (fclose(found.lines) != 0)
		goto end;
	n = json_array_size(found.restart);
	if (n == 0) {
		answer = reload_accepted(r, w, found.changed);
		goto end;
	}
	snprintf(what, sizeof(what), "%zu key%s a restart", n, n == 1 ? " needs" : "s need");
	answer = reload_refused(what, lines);
	json_object_set(answer, "needs_restart", found.restart);
	json_object_set(answer, "not_changed", found.changed);
end:
	json_decref(found.changed);
	json_decref(found.restart);
	free(lines);
	return answer;
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

static void reload_on_ended(void *ctx, struct work *work)
{
	struct operator_reload *r = ctx;
	struct disk_work *w = reload_work_of(work);

	r->disk = NULL;
	r->s.answer(r->s.ctx, w->reload ? reload_answer(r, w) : reload_saved(w));
	reload_work_free(w);
}

/* NULL: begun, whoever waits is answered when it has ended. Else why not; w was freed. */
static json_t *reload_work_begin(struct operator_reload *r, struct disk_work *w)
{
	int ret;

	if (r->disk != NULL) {
		reload_work_free(w);
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
	reload_work_free(w);
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

static json_t *reload_begin(struct operator_reload *r)
{
	struct disk_work *w = reload_work_new(r->s.file);

	if (w == NULL)
		return reload_refuse("nothing was done, there is no memory: try again");
	w->reload = true;
	w->keys_good = r->s.keys_good;
	return reload_work_begin(r, w);
}

json_t *act_reload(void *family, json_t *args, usec_t now)
{
	json_t *why = reload_begin(family);

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
		reload_work_free(w);
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

	/* What is read now may be older than the signal, and nobody waits who could be asked to try
	 * again. */
	if (!r->hangup || r->disk != NULL || held)
		return;
	r->hangup = false;
	LOG(NOTICE, "SIGHUP came: the configuration is loaded anew path=%s", LOG_TEXT(r->s.file));
	json_decref(reload_begin(r));
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
		work_close(r->s.reactor, &r->disk->work);
		reload_work_free(r->disk);
	}
	free(r);
}
