/* SPDX-License-Identifier: BSD-3-Clause */
/* What must agree with the peer, as operators see it: the configurations, key by key, and the
 * licence, which both must have. */
#include <string.h>

#include "show.h"

json_t *show_difference(struct control *c, json_t *args, usec_t now)
{
	const struct srp_info *i = pair_srp(c->pair);
	json_t *list = json_array(), *o;
	struct pair_view v;

	(void)args;
	pair_view(c->pair, &v, now);
	for (const char *line = v.differences; *line != '\0';) {
		size_t n = strcspn(line, "\n");

		json_array_append_new(list, json_stringn(line, n));
		line += n + (line[n] == '\n');
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
	int ret = pair_validate_configuration(c->pair, reason, now);

	(void)args;
	LOG(NOTICE, "srp validate-configuration: %s", ret == 0 ? "started" : reason);
	if (ret < 0)
		return json_pack("{s:b,s:s}", "ok", 0, "error", reason);
	return json_pack("{s:b,s:{s:s}}", "ok", 1, "data", "result",
		"comparison started; 'show srp configuration-difference' has the result");
}

static const char *show_licence_state(bool known, bool unlicensed)
{
	return !known ? "unknown" : unlicensed ? "Disabled" : "Enabled";
}

json_t *show_license(struct control *c, json_t *args, usec_t now)
{
	const struct srp_info *i = pair_srp(c->pair);
	bool known = i->peer.known && i->peer.hello_at != USEC_NEVER;
	struct pair_view v;
	bool missing;

	(void)args;
	pair_view(c->pair, &v, now);
	missing = !v.licensed || (known && i->peer.unlicensed);
	return json_pack("{s:s,s:s,s:s,s:s}", "feature", "Inter-Chassis Session Recovery",
		"this_chassis", show_licence_state(true, !v.licensed), "peer",
		show_licence_state(known, i->peer.unlicensed), "session_recovery",
		missing ? "none: set license.inter-chassis-session-recovery = true on both"
		: known ? "licensed"
			: "licensed here; the peer was not heard yet");
}
