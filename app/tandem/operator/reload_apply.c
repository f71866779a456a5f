/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of a configuration that was read: it is refused, it runs, or it waits until the peer
 * has it, too. What runs is always the whole of one file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "base/clock.h"
#include "base/log.h"
#include "cores/settings.h"
#include "reload_priv.h"

void reload_plain(char *text)
{
	for (char *p = text; *p != '\0'; p++)
		if (*p != '\n' && (*p < ' ' || *p > '~'))
			*p = '?';
}

json_t *reload_refuse(const char *reason)
{
	return json_pack("{s:b,s:s}", "ok", 0, "error", reason);
}

enum { RELOAD_AGAIN_US = 250000 /* until a SIGHUP that was put off is tried again */ };

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
	if (w->failed != NULL)
		return reload_refused(w->failed, w->why);
	return reload_refused(w->report.errors > 0 ? what : "the file cannot be read",
		w->report.text != NULL ? w->report.text : strerror(-w->ret));
}

/* It cannot be now, and can be soon: who asked is told to try again, and for SIGHUP the file is
 * read once more. */
static json_t *reload_busy(struct operator_reload *r, const struct disk_work *w, const char *why)
{
	if (!w->hangup)
		return reload_refused(why, "try again");
	if (!r->put_off)
		LOG(NOTICE,
			"the configuration is not loaded yet, and SIGHUP is carried out as soon as "
			"that is over reason=%s",
			LOG_TEXT(why));
	r->hangup = r->put_off = true;
	r->hangup_from = clock_us() + RELOAD_AGAIN_US;
	return reload_refuse(why);
}

static void reload_log_changed(const json_t *changed)
{
	const json_t *ch;
	size_t i;

	json_array_foreach (changed, i, ch)
		LOG(NOTICE, "the reload has changed a key key=%s was=%s value=%s",
			LOG_TEXT(json_string_value(json_object_get(ch, "key"))),
			LOG_TEXT(json_string_value(json_object_get(ch, "from"))),
			LOG_TEXT(json_string_value(json_object_get(ch, "to"))));
}

/* 0, or -errno and why nothing was changed. What may fail comes before anything is told to the
 * peer, which acts on it. */
static int reload_apply(struct operator_reload *r, const struct config *next,
	struct reload_made *made, const json_t *changed, char why[RELOAD_WHY])
{
	usec_t now = clock_us();
	uint32_t was = log_level(r->s.conf->log.level), level = log_level(next->log.level);
	int ret;

	if (settings_holder(r->s.settings) != NULL) {
		snprintf(why, RELOAD_WHY,
			"%s has not finished with the settings before the last reload",
			settings_holder(r->s.settings));
		return -EBUSY;
	}
	ret = r->s.ready(r->s.ctx, next, made, why);
	if (ret < 0)
		return ret;
	ret = r->s.agree(r->s.ctx, next, now);
	if (ret < 0) {
		snprintf(why, RELOAD_WHY,
			ret == -EBUSY ? "the role is changing" : "there is no memory");
		return ret;
	}
	r->s.run(r->s.ctx, next, made, now);
	config_take_live(r->s.conf, next);
	/* a level that the command line set goes on until the key itself changes */
	if (level != was)
		log_level_set(RTE_MAX(level, was));
	reload_log_changed(changed);
	if (level != was)
		log_level_set(level);
	return 0;
}

static json_t *reload_said(const struct disk_work *w, const char *result, json_t *changed)
{
	reload_log_lines(false, w->report.text);
	return json_pack("{s:b,s:{s:s,s:s,s:O,s:[],s:s*}}", "ok", 1, "data", "file", w->path,
		"result", result, "changed", changed, "needs_restart", "warnings", w->report.text);
}

void reload_forget_next(struct operator_reload *r)
{
	free(r->next);
	r->next = NULL;
	r->s.end(r->s.ctx, r->next_made);
	r->next_made = NULL;
	r->hindered = false;
}

static json_t *reload_now(struct operator_reload *r, struct disk_work *w, json_t *changed)
{
	const char *taken_back = r->next != NULL ? "; what waited for the peer waits no more" : "";
	char result[160], why[RELOAD_WHY];
	size_t n = json_array_size(changed);
	int ret = reload_apply(r, &w->next, w->made, changed, why);

	if (ret == -EBUSY)
		return reload_busy(r, w, why);
	if (ret < 0)
		return reload_refused(why, "try again");
	if (n == 0) {
		LOG(NOTICE,
			"the reload has changed nothing: what the file says is in force already "
			"path=%s",
			LOG_TEXT(w->path));
		snprintf(result, sizeof(result),
			"nothing was changed: what the file says is in force already%s",
			taken_back);
	} else {
		snprintf(result, sizeof(result), "%zu key%s changed%s", n, n == 1 ? "" : "s",
			taken_back);
	}
	reload_forget_next(r);
	return reload_said(w, result, changed);
}

/* The whole of it waits, so that what runs is always one file. */
static json_t *reload_wait(struct operator_reload *r, struct disk_work *w, json_t *changed)
{
	struct config *next;
	char result[160], why[RELOAD_WHY];
	size_t n = json_array_size(changed);
	int ret;

	if (r->s.fits(r->s.ctx, &w->next, why) < 0)
		return reload_refused(why, "try again");
	next = malloc(sizeof(*next));
	ret = next != NULL ? r->s.prepare(r->s.ctx, &w->next, clock_us()) : -ENOMEM;
	if (ret < 0) {
		free(next);
		return ret == -EBUSY ? reload_busy(r, w, "the peer is about to run what waits")
				     : reload_refused(strerror(-ret), "try again");
	}
	*next = w->next;
	reload_forget_next(r);
	r->next = next;
	r->next_made = w->made;
	w->made = NULL;
	LOG(NOTICE,
		"the configuration was loaded, and runs when the peer has loaded the same: reload "
		"there, too path=%s",
		LOG_TEXT(w->path));
	snprintf(result, sizeof(result),
		"%zu key%s when the peer has loaded the same: reload there, too", n,
		n == 1 ? " changes" : "s change");
	return reload_said(w, result, changed);
}

static json_t *reload_accepted(struct operator_reload *r, struct disk_work *w, json_t *changed)
{
	switch (r->s.asks(r->s.ctx, &w->next)) {
	case SRP_RELOAD_NOW:
		return reload_now(r, w, changed);
	case SRP_RELOAD_WAIT:
		return reload_wait(r, w, changed);
	case SRP_RELOAD_BUSY:
		break;
	}
	return reload_busy(
		r, w, "both chassis have the configuration before and are about to run it");
}

json_t *reload_answer(struct operator_reload *r, struct disk_work *w)
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

void reload_run_next(struct operator_reload *r)
{
	struct reload found = { json_array(), json_array(), NULL };
	char why[RELOAD_WHY], *lines = NULL;
	size_t size;

	found.lines = open_memstream(&lines, &size);
	if (found.lines != NULL) {
		config_changes(r->s.conf, r->next, reload_note, &found);
		fclose(found.lines);
		if (reload_apply(r, r->next, r->next_made, found.changed, why) == 0) {
			LOG(NOTICE, "the configuration that waited for the peer runs now");
			reload_forget_next(r);
		} else if (!r->hindered) {
			LOG(INFO,
				"the configuration that waited for the peer is to run now, and is "
				"tried until it can reason=%s",
				LOG_TEXT(why));
			r->hindered = true;
		}
	}
	json_decref(found.changed);
	json_decref(found.restart);
	free(lines);
}
