/* SPDX-License-Identifier: BSD-3-Clause */
/* The two chassis' configurations, compared key by key: lib/srp brings the peer's lines, lib/config
 * says what differs, and here is what operators ask about it. The licence, too, is something that
 * both must have. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

int configuration_open(struct control *c)
{
	FILE *to = open_memstream(&c->lines, &c->lines_len);

	if (to == NULL)
		return -errno;
	config_lines(T.conf, to);
	return fclose(to) == 0 ? 0 : -errno;
}

int configuration_agree(struct control *c, const struct config *next, usec_t now)
{
	struct srp_conf s = c->srp_conf;
	char *lines = NULL;
	size_t len;
	FILE *to = open_memstream(&lines, &len);
	int ret = -ENOMEM;

	if (to == NULL)
		return ret;
	config_lines(next, to);
	if (fclose(to) == 0) {
		s.lines = lines;
		s.lines_len = len;
		s.config_digest = config_digest(next);
		s.configuration_us = next->srp.configuration_interval_s * USEC_PER_SEC;
		s.pending_us = next->srp.pending_timeout_s * USEC_PER_SEC;
		ret = srp_reconfigure(c->srp, &s, now);
	}
	if (ret < 0) {
		free(lines);
		return ret;
	}
	free(c->lines);
	c->lines = lines;
	c->lines_len = len;
	c->srp_conf = s;
	monitors_rules(c->monitors, next);
	return 0;
}

void configuration_close(struct control *c)
{
	free(c->lines);
	free(c->difference);
	c->lines = c->difference = NULL;
}

void configuration_compare(struct control *c, usec_t now)
{
	size_t len = 0, size;
	const char *peer = srp_peer_lines(c->srp, &len);
	char first[SRP_REASON_MAX], *text = NULL;
	FILE *to = peer != NULL ? open_memstream(&text, &size) : NULL;
	int n;

	if (to == NULL)
		return;
	n = config_lines_difference(c->lines, c->lines_len, peer, len, to);
	if (fclose(to) != 0 || n < 0) { /* compared again at the next interval */
		free(text);
		return;
	}
	free(c->difference);
	c->difference = text;
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(text, "\n"), text);
	srp_compared(c->srp, (unsigned int)n, first, now);
}

json_t *show_difference(struct control *c, json_t *args, usec_t now)
{
	const struct srp_info *i = srp_info(c->srp);
	json_t *list = json_array(), *o;

	(void)args;
	for (const char *p = c->difference; p != NULL && *p != '\0';) {
		size_t n = strcspn(p, "\n");

		json_array_append_new(list, json_stringn(p, n));
		p += n + (p[n] == '\n');
	}
	o = json_pack("{s:s,s:s,s:s,s:o}", "peer_configuration_validation", show_validation(i),
		"last_peer_configuration_event",
		i->config_event_text[0] != '\0' ? i->config_event_text : "None",
		"last_peer_configuration_error",
		i->config_error[0] != '\0' ? i->config_error : "None", "differences", list);
	json_object_set_new(o, "last_peer_configuration_event_age_ms",
		i->config_event == USEC_NEVER
			? json_null()
			: json_integer((json_int_t)((now - i->config_event) / 1000)));
	return o;
}

json_t *act_validate_configuration(struct control *c, json_t *args, usec_t now)
{
	char reason[SRP_REASON_MAX] = "";
	int ret = srp_validate_configuration(c->srp, reason, now);

	(void)args;
	LOG(NOTICE, "srp validate-configuration: %s", ret == 0 ? "started" : reason);
	if (ret < 0)
		return json_pack("{s:b,s:s}", "ok", 0, "error", reason);
	return json_pack("{s:b,s:{s:s}}", "ok", 1, "data", "result",
		"comparison started; 'show srp configuration-difference' has the result");
}

static const char *licence(bool known, bool unlicensed)
{
	return !known ? "unknown" : unlicensed ? "Disabled" : "Enabled";
}

json_t *show_license(struct control *c, json_t *args, usec_t now)
{
	const struct srp_info *i = srp_info(c->srp);
	bool known = i->peer.known && i->peer.hello_at != USEC_NEVER;
	bool missing = c->srp_conf.unlicensed || (known && i->peer.unlicensed);

	(void)args;
	(void)now;
	return json_pack("{s:s,s:s,s:s,s:s}", "feature", "Inter-Chassis Session Recovery",
		"this_chassis", licence(true, c->srp_conf.unlicensed), "peer",
		licence(known, i->peer.unlicensed), "session_recovery",
		missing ? "none: set license.inter-chassis-session-recovery = true on both"
		: known ? "licensed"
			: "licensed here; the peer was not heard yet");
}
