/* SPDX-License-Identifier: BSD-3-Clause */
/* What operators ask of the pair and order it to do: whether both chassis agree, and a change of
 * roles. The licence, too, is something that both must have. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "command.h"
#include "ctl_request.h"
#include "show.h"

void show_pair(const struct operator_pair *pair, struct operator_pair_view *v, usec_t now)
{
	pair->view(pair->ctx, v, now);
}

static bool show_heard(const struct srp_info *i)
{
	return i->peer.known && i->peer.hello_at != USEC_NEVER;
}

const char *show_validation(const struct srp_info *i)
{
	return !show_heard(i) ? "unknown" : i->agreed ? "Complete" : "Mismatch";
}

json_t *show_difference(void *family, json_t *args, usec_t now)
{
	struct operator_pair_view v;
	json_t *list = json_array(), *o;

	(void)args;
	show_pair(family, &v, now);
	for (const char *p = v.differences; p != NULL && *p != '\0';) {
		size_t n = strcspn(p, "\n");

		json_array_append_new(list, json_stringn(p, n));
		p += n + (p[n] == '\n');
	}
	o = json_pack("{s:s,s:s,s:s,s:o}", "peer_configuration_validation", show_validation(v.srp),
		"last_peer_configuration_event",
		v.srp->config_event_text[0] != '\0' ? v.srp->config_event_text : "None",
		"last_peer_configuration_error",
		v.srp->config_error[0] != '\0' ? v.srp->config_error : "None", "differences", list);
	json_object_set_new(o, "last_peer_configuration_event_age_ms",
		v.srp->config_event == USEC_NEVER
			? json_null()
			: json_integer((json_int_t)((now - v.srp->config_event) / 1000)));
	return o;
}

static const char *show_licence(bool known, bool unlicensed)
{
	return !known ? "unknown" : unlicensed ? "Disabled" : "Enabled";
}

json_t *show_license(void *family, json_t *args, usec_t now)
{
	struct operator_pair_view v;
	bool known, missing;

	(void)args;
	show_pair(family, &v, now);
	known = show_heard(v.srp);
	missing = !v.licensed || (known && v.srp->peer.unlicensed);
	return json_pack("{s:s,s:s,s:s,s:s}", "feature", "Inter-Chassis Session Recovery",
		"this_chassis", show_licence(true, !v.licensed), "peer",
		show_licence(known, v.srp->peer.unlicensed), "session_recovery",
		missing ? "none: set license.inter-chassis-session-recovery = true on both"
		: known ? "licensed"
			: "licensed here; the peer was not heard yet");
}

json_t *act_validate_configuration(void *family, json_t *args, usec_t now)
{
	static const char words[] = "srp validate-configuration";
	const struct operator_pair *pair = family;
	char reason[SRP_REASON_MAX] = "";
	int ret = pair->validate_configuration(pair->ctx, reason, now);

	(void)args;
	if (ret != 0)
		return command_refused(words, reason);
	LOG(NOTICE, "the configurations are compared now, as an operator asked command=%s",
		LOG_TEXT(words));
	return command_answer(0,
		"the two configurations are compared; 'show srp configuration-difference' has "
		"the result");
}

json_t *act_switchover(void *family, json_t *args, usec_t now)
{
	static const char words[] = "srp initiate-switchover";
	const struct operator_pair *pair = family;
	char reason[SRP_REASON_MAX] = "";
	int ret = pair->switchover(pair->ctx, request_force(args), reason, now);

	if (ret != 0)
		return command_refused(words, reason);
	LOG(NOTICE, "the switchover has started, as an operator asked command=%s", LOG_TEXT(words));
	return command_answer(0, "switchover started");
}

json_t *act_validate_switchover(void *family, json_t *args, usec_t now)
{
	const struct operator_pair *pair = family;
	char reason[SRP_REASON_MAX] = "";
	int ret = pair->validate_switchover(pair->ctx, reason, now);

	(void)args;
	return command_answer(ret, ret == 0 ? "the peer is ready to take over" : reason);
}
