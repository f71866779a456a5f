/* SPDX-License-Identifier: BSD-3-Clause */
/* show session: a page for each session. */
#include <stdlib.h>
#include <string.h>

#include "render_pvt.h"

enum { LABELS = 24 }; /* the widest label below */

/* In the order of the page; a row with a group begins it. */
static const struct session_field {
	const char *group, *label, *key;
} fields[] = {
	{ "Subscriber", "IMSI", "imsi" },
	{ NULL, "MSISDN", "msisdn" },
	{ NULL, "APN", "apn" },
	{ NULL, "APN number", "apn_number" },
	{ NULL, "NSAPI", "nsapi" },
	{ NULL, "Charging ID", "charging_id" },
	{ NULL, "Charging characteristics", "charging_characteristics" },
	{ "Tunnel", "Own TEID", "teid" },
	{ NULL, "SGSN control address", "sgsn_control_address" },
	{ NULL, "SGSN control TEID", "sgsn_control_teid" },
	{ NULL, "SGSN user address", "sgsn_user_address" },
	{ NULL, "SGSN user TEID", "sgsn_user_teid" },
	{ NULL, "SGSN restart counter", "sgsn_restart_counter" },
	{ "Address", "UE address", "ue_address" },
	{ NULL, "Pool", "pool" },
	{ NULL, "Pool number", "pool_number" },
	{ "QoS", "Profile", "qos" },
	{ "Usage", "Up packets", "up_packets" },
	{ NULL, "Up bytes", "up_bytes" },
	{ NULL, "Down packets", "down_packets" },
	{ NULL, "Down bytes", "down_bytes" },
	{ NULL, "Of seat 0", "usage_seat0" },
	{ NULL, "Of seat 1", "usage_seat1" },
	{ "Replication", "Shard", "shard" },
	{ NULL, "Worker", "worker" },
	{ "Times", "Created", "created" },
	{ NULL, "Age", "age_s" },
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static char *render_session_usage(json_t *u)
{
	static const char *const keys[] = { "up_packets", "up_bytes", "down_packets",
		"down_bytes" };
	json_int_t v[4];
	char *text;

	for (int i = 0; i < 4; i++)
		v[i] = json_integer_value(json_object_get(u, keys[i]));
	if (asprintf(&text,
		    "up %" JSON_INTEGER_FORMAT " packets, %" JSON_INTEGER_FORMAT
		    " bytes; down %" JSON_INTEGER_FORMAT " packets, %" JSON_INTEGER_FORMAT " bytes",
		    v[0], v[1], v[2], v[3]) < 0)
		return NULL;
	return text;
}

/* "93784 s (1 d 02:03:04)". */
static char *render_session_age(json_t *v)
{
	json_int_t s = json_integer_value(v);
	char *text;

	if (asprintf(&text,
		    "%" JSON_INTEGER_FORMAT " s (%" JSON_INTEGER_FORMAT " d %02d:%02d:%02d)", s,
		    s / 86400, (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60)) < 0)
		return NULL;
	return text;
}

static char *render_session_text(json_t *session, const char *key)
{
	json_t *v = json_object_get(session, key);

	if (json_is_object(v))
		return render_session_usage(v);
	if (json_is_integer(v) && strcmp(key, "age_s") == 0)
		return render_session_age(v);
	return render_member_text(session, key, "");
}

/* Shown, or said by another line: created_ms is the same moment by the pair's own clock. */
static bool render_session_has(const char *key)
{
	bool has = strcmp(key, "created_ms") == 0;

	for (int i = 0; i < FIELDS && !has; i++)
		has = strcmp(fields[i].key, key) == 0;
	return has;
}

static void render_session_page(json_t *session, struct render *r)
{
	const char *key, *group = NULL;
	bool other = false;
	json_t *v;

	for (int i = 0; i < FIELDS; i++) {
		char *text;

		group = fields[i].group != NULL ? fields[i].group : group;
		v = json_object_get(session, fields[i].key);
		if (v == NULL)
			continue;
		if (group[0] != '\0')
			fprintf(r->to, "%s:\n", group);
		group = "";
		text = render_session_text(session, fields[i].key);
		render_line(r, fields[i].label, LABELS,
			text != NULL && text[0] != '\0' ? text : "-", RENDER_INDENT);
		free(text);
	}
	json_object_foreach (session, key, v) {
		if (render_session_has(key) || render_is_rate(session, key))
			continue;
		if (!other)
			fputs("Other:\n", r->to);
		other = true;
		render_member(session, key, LABELS, RENDER_INDENT, r);
	}
}

void render_session(json_t *data, struct render *r)
{
	json_t *list = json_object_get(data, "sessions"), *session;
	size_t i;

	if (json_array_size(list) == 0) {
		render_any(data, r);
		return;
	}
	json_array_foreach (list, i, session) {
		if (i > 0)
			fputc('\n', r->to);
		if (json_object_size(session) > 0)
			render_session_page(session, r);
		else
			render_any(session, r);
	}
}
