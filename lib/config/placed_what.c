/* SPDX-License-Identifier: BSD-3-Clause */
/* An item that a peer may have to hold, as text. Writer and reader side by side: what is read is
 * written again, and must be the same. */
#include "config/placed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "knob.h"
#include "placed_what.h"

static void placed_pool_text(const struct config_pool *pool, char what[PLACED_WHAT])
{
	char text[IP_PREFIX_TEXT];

	snprintf(what, PLACED_WHAT, "%s,%d,%u,%u", ip_prefix_print(&pool->prefix, text),
		pool->srp_activate, pool->quarantine_s, pool->id);
}

static void placed_apn_text(const struct config_apn *apn, char what[PLACED_WHAT])
{
	snprintf(what, PLACED_WHAT, "%s,%u,%u,%u,%u,%u", apn->pool, apn->session_timeout_s,
		apn->idle_timeout_s, apn->ambr_up_kbps, apn->ambr_down_kbps, apn->id);
}

void placed_what(const struct config_placed *p, enum places_kind kind, unsigned int at,
	char what[PLACED_WHAT])
{
	if (kind == PLACES_APN)
		placed_apn_text(&p->apn[at].conf, what);
	else
		placed_pool_text(&p->pool[at].conf, what);
}

/* The word up to the next comma, which is stepped over. */
static bool placed_word(const char **from, char *to, size_t room)
{
	size_t n = strcspn(*from, ",");

	if (n == 0 || n >= room)
		return false;
	memcpy(to, *from, n);
	to[n] = '\0';
	*from += n + ((*from)[n] == ',');
	return true;
}

/* A value of a key of that list, which has a range there. */
static bool placed_number(const char **from, enum section_id id, const char *key, uint32_t *to)
{
	const struct section *s = &config_sections[id];
	char word[12], *end;
	unsigned long v;

	if (!placed_word(from, word, sizeof(word)))
		return false;
	v = strtoul(word, &end, 10);
	for (unsigned int i = 0; i < s->n_knobs && *end == '\0'; i++)
		if (strcmp(s->knobs[i].key, key) == 0 && v <= (unsigned long)s->knobs[i].max) {
			*to = (uint32_t)v;
			return true;
		}
	return false;
}

static bool placed_prefix(const char **from, struct ip_prefix *to)
{
	const struct section *s = &config_sections[SECTION_POOLS];
	char word[IP_PREFIX_TEXT], *slash;
	unsigned long len;

	if (!placed_word(from, word, sizeof(word)))
		return false;
	slash = strchr(word, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	len = strtoul(slash + 1, NULL, 10);
	for (unsigned int i = 0; i < s->n_knobs; i++)
		if (s->knobs[i].type == KNOB_PREFIX &&
			(len < (unsigned long)s->knobs[i].min ||
				len > (unsigned long)s->knobs[i].max))
			return false;
	to->len = (uint8_t)len;
	return ip_addr_parse(word, &to->addr) == 0 && ip_addr_is_v4(&to->addr) &&
	       ip_prefix_valid(to);
}

static bool placed_is_name(const char *name, const char *of, char *to, size_t room)
{
	size_t n = strlen(name);

	if (n == 0 || n >= room || name[strspn(name, of)] != '\0')
		return false;
	memcpy(to, name, n + 1);
	return true;
}

static const char placed_lower[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
static const char placed_any[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

int placed_read_pool(const char *name, const char *what, struct config_pool *pool)
{
	char again[PLACED_WHAT];
	const char *from = what;
	char activate[2];

	memset(pool, 0, sizeof(*pool));
	if (!placed_is_name(name, placed_any, pool->name, sizeof(pool->name)) ||
		!placed_prefix(&from, &pool->prefix) ||
		!placed_word(&from, activate, sizeof(activate)) ||
		!placed_number(&from, SECTION_POOLS, "quarantine", &pool->quarantine_s) ||
		!placed_number(&from, SECTION_POOLS, "id", &pool->id))
		return -EBADMSG;
	pool->srp_activate = activate[0] == '1';
	placed_pool_text(pool, again);
	return strcmp(again, what) == 0 ? 0 : -EBADMSG;
}

int placed_read_apn(const char *name, const char *what, struct config_apn *apn)
{
	char again[PLACED_WHAT], pool[CONFIG_NAME];
	const char *from = what;

	memset(apn, 0, sizeof(*apn));
	if (!placed_is_name(name, placed_lower, apn->name, sizeof(apn->name)) ||
		!placed_word(&from, pool, sizeof(pool)) ||
		!placed_is_name(pool, placed_any, apn->pool, sizeof(apn->pool)) ||
		!placed_number(&from, SECTION_APNS, "session-timeout", &apn->session_timeout_s) ||
		!placed_number(&from, SECTION_APNS, "idle-timeout", &apn->idle_timeout_s) ||
		!placed_number(&from, SECTION_APNS, "ambr-up", &apn->ambr_up_kbps) ||
		!placed_number(&from, SECTION_APNS, "ambr-down", &apn->ambr_down_kbps) ||
		!placed_number(&from, SECTION_APNS, "id", &apn->id))
		return -EBADMSG;
	placed_apn_text(apn, again);
	return strcmp(again, what) == 0 ? 0 : -EBADMSG;
}
