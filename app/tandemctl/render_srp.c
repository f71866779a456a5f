/* SPDX-License-Identifier: BSD-3-Clause */
/* show srp info, in the layout that operators know. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "render_pvt.h"

enum { VALUE_MOST = 120 };

static const struct {
	const char *label, *key, *age; /* age: milliseconds, shown behind the value */
} info[] = {
	{ "Context", "context", NULL },
	{ "Local Address", "local_address", NULL },
	{ "Chassis State", "chassis_state", NULL },
	{ "Waits for", "waits_for", NULL },
	{ "Chassis Mode", "chassis_mode", NULL },
	{ "Chassis Priority (higher wins)", "chassis_priority", NULL },
	{ "Local Tiebreaker", "local_tiebreaker", NULL },
	{ "Route-Modifier", "route_modifier", NULL },
	{ "VIP and Pool Routes", "vip_and_pool_routes", NULL },
	{ "Peer Remote Address", "peer_remote_address", NULL },
	{ "Peer State", "peer_state", NULL },
	{ "Peer Mode", "peer_mode", NULL },
	{ "Peer Priority", "peer_priority", NULL },
	{ "Peer Tiebreaker", "peer_tiebreaker", NULL },
	{ "Peer Route-Modifier", "peer_route_modifier", NULL },
	{ "Last Hello Message received", "last_hello_time", "last_hello_age_ms" },
	{ "Peer Configuration Validation", "peer_configuration_validation", NULL },
	{ "Last Peer Configuration Error", "last_peer_configuration_error", NULL },
	{ "Last Peer Configuration Event", "last_peer_configuration_event",
		"last_peer_configuration_event_age_ms" },
	{ "Next Configuration", "next_configuration", "next_configuration_age_ms" },
	{ "Peer Next Configuration", "peer_next_configuration", NULL },
	{ "Last Validate Switchover Status", "last_validate_switchover_status", NULL },
	{ "Connection State", "connection_state", NULL },
	{ "Term", "term", NULL },
	{ "Replication path", "replication_path", NULL },
	{ "In sync since", "in_sync_since", "in_sync_age_ms" },
	{ "Last switchover", "last_switchover", NULL },
};

enum { INFO = sizeof(info) / sizeof(info[0]) };

static void render_info_line(json_t *data, unsigned int i, int width, struct render *r)
{
	json_t *v = json_object_get(data, info[i].key);
	json_t *age = info[i].age != NULL ? json_object_get(data, info[i].age) : NULL;
	char *text = v != NULL ? render_value(v, "") : NULL, line[160];

	if (text != NULL && strlen(text) > VALUE_MOST) {
		text[VALUE_MOST] = '\0';
		render_whole_characters(text);
	}
	if (json_is_object(v) && json_object_size(v) > 0) {
		fprintf(r->to, "%s:\n", info[i].label);
		render_object(v, RENDER_INDENT, r);
	} else {
		snprintf(line, sizeof(line), "%.120s",
			text != NULL && text[0] != '\0' && !json_is_object(v) ? text : "-");
		if (json_is_integer(age) && (v == NULL || json_is_null(v)))
			snprintf(line, sizeof(line), "%" JSON_INTEGER_FORMAT " ms ago",
				json_integer_value(age));
		else if (json_is_integer(age))
			snprintf(line, sizeof(line), "%.120s (%" JSON_INTEGER_FORMAT " ms ago)",
				text != NULL ? text : "-", json_integer_value(age));
		render_line(r, info[i].label, width, line, 0);
	}
	free(text);
}

/* Shown already. */
static bool render_info_has(const char *key)
{
	for (unsigned int i = 0; i < INFO; i++)
		if (strcmp(info[i].key, key) == 0 ||
			(info[i].age != NULL && strcmp(info[i].age, key) == 0))
			return true;
	return false;
}

void render_srp_info(json_t *data, struct render *r)
{
	int width = render_labels_width(data, r);
	const char *key;
	json_t *v;

	for (unsigned int i = 0; i < INFO; i++)
		if (render_width(info[i].label) > width)
			width = render_width(info[i].label);
	for (unsigned int i = 0; i < INFO; i++)
		render_info_line(data, i, width, r);
	json_object_foreach (data, key, v)
		if (!render_info_has(key))
			render_member(data, key, width, 0, r);
}
