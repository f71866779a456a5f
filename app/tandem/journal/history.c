/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "journal/history.h"

enum { CRC_TAIL = 13 }; /* " crc=01234567" */

/* The CRC of IEEE 802.3. It needs no table, as a line is short and is written at a switchover. */
static uint32_t history_crc32(const char *p, size_t len)
{
	uint32_t crc = UINT32_MAX;

	while (len-- > 0) {
		crc ^= (uint8_t)*p++;
		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

struct history_entry *history_add(struct history *h)
{
	uint64_t number = h->next != 0 ? h->next : 1;
	struct history_entry *e = &h->entry[number % HISTORY_MOST];

	*e = (struct history_entry){ .number = number, .unsaved = true };
	h->next = number + 1;
	return e;
}

struct history_entry *history_get(struct history *h, uint64_t number)
{
	struct history_entry *e = &h->entry[number % HISTORY_MOST];

	return number != 0 && e->number == number ? e : NULL;
}

uint64_t history_first(const struct history *h)
{
	return h->next > HISTORY_MOST ? h->next - HISTORY_MOST : 1;
}

bool history_is_switchover(const struct history_entry *e)
{
	if (e->cause == SRP_CAUSE_STARTUP || e->cause == SRP_CAUSE_ABORTED)
		return false;
	return (e->from == SRP_PENDING_ACTIVE && e->to == SRP_ACTIVE) ||
	       (e->from == SRP_PENDING_STANDBY && e->to == SRP_STANDBY);
}

size_t history_print(const struct history_entry *e, char to[HISTORY_LINE])
{
	size_t used = (size_t)snprintf(to, HISTORY_LINE,
		"number=%" PRIu64 " time_us=%" PRId64 " from=%s to=%s cause=%s term=%" PRIu64
		" planned=%d timed=%d died=%d took_us=%" PRIu64 " outage_us=%" PRIu64
		" stood_still_us=%" PRIu64 " loss=%d known=%" PRIu64 " vouched=%" PRIu64
		" freed=%" PRIu64 " phases=",
		e->number, e->wall_us, srp_state_name(e->from), srp_state_name(e->to),
		srp_cause_name(e->cause), e->term, e->planned, e->timed, e->died, e->took_us,
		e->outage_us, e->stood_still, (int)e->loss, e->known, e->vouched, e->freed);

	for (unsigned int i = 0; i < e->n_phases; i++)
		used += (size_t)snprintf(to + used, HISTORY_LINE - used, "%s:%" PRIu64 ",",
			e->phase[i].name, e->phase[i].us);
	return used + (size_t)snprintf(to + used, HISTORY_LINE - used, " crc=%08" PRIx32 "\n",
			      history_crc32(to, used));
}

static bool history_parse_state(const char *name, enum srp_state *to)
{
	for (unsigned int i = SRP_INIT; i <= SRP_PENDING_STANDBY; i++)
		if (strcmp(srp_state_name((enum srp_state)i), name) == 0) {
			*to = (enum srp_state)i;
			return true;
		}
	return false;
}

static bool history_parse_cause(const char *name, enum srp_cause *to)
{
	for (unsigned int i = SRP_CAUSE_NONE; i <= SRP_CAUSE_ABORTED; i++)
		if (strcmp(srp_cause_name((enum srp_cause)i), name) == 0) {
			*to = (enum srp_cause)i;
			return true;
		}
	return false;
}

static bool history_parse_phases(const char *p, struct history_entry *e)
{
	for (; *p != '\0'; e->n_phases++) {
		int used = 0;

		if (e->n_phases == HISTORY_PHASES ||
			sscanf(p, "%15[^:,]:%" SCNu64 ",%n", e->phase[e->n_phases].name,
				&e->phase[e->n_phases].us, &used) != 2 ||
			used == 0)
			return false;
		p += used;
	}
	return true;
}

/* A line without its end. The CRC says that it is as it was written; what a later version wrote may
 * still not be understood. */
static bool history_parse(const char *text, size_t len, struct history_entry *e)
{
	char line[HISTORY_LINE], from[24], to[24], cause[32];
	unsigned int planned, timed, died, loss;
	char crc[CRC_TAIL + 1];
	int used = 0;

	if (len <= CRC_TAIL || len >= sizeof(line))
		return false;
	snprintf(crc, sizeof(crc), " crc=%08" PRIx32, history_crc32(text, len - CRC_TAIL));
	if (memcmp(crc, text + len - CRC_TAIL, CRC_TAIL) != 0)
		return false;
	memcpy(line, text, len);
	line[len - CRC_TAIL] = '\0';
	*e = (struct history_entry){ .at = USEC_NEVER };
	if (sscanf(line,
		    "number=%" SCNu64 " time_us=%" SCNd64
		    " from=%23s to=%23s cause=%31s term=%" SCNu64
		    " planned=%1u timed=%1u died=%1u took_us=%" SCNu64 " outage_us=%" SCNu64
		    " stood_still_us=%" SCNu64 " loss=%1u known=%" SCNu64 " vouched=%" SCNu64
		    " freed=%" SCNu64 " phases=%n",
		    &e->number, &e->wall_us, from, to, cause, &e->term, &planned, &timed, &died,
		    &e->took_us, &e->outage_us, &e->stood_still, &loss, &e->known, &e->vouched,
		    &e->freed, &used) != 16 ||
		used == 0)
		return false;
	e->planned = planned != 0;
	e->timed = timed != 0;
	e->died = died != 0;
	e->loss = (enum history_loss)loss;
	return loss <= HISTORY_LOSS_COMPARING && e->number != 0 && e->number < UINT64_MAX / 2 &&
	       history_parse_state(from, &e->from) && history_parse_state(to, &e->to) &&
	       history_parse_cause(cause, &e->cause) && history_parse_phases(line + used, e);
}

void history_read(struct history *h, const char *text, size_t len)
{
	struct history_entry e;

	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end != NULL ? (size_t)(end - text) : len;

		if (end != NULL && history_parse(text, n, &e)) {
			struct history_entry *at = &h->entry[e.number % HISTORY_MOST];

			if (e.number >= at->number)
				*at = e;
			if (e.number >= h->next)
				h->next = e.number + 1;
		} else if (n > 0) { /* an empty line parts what was torn from what came after it */
			h->skipped++;
		}
		n += end != NULL;
		text += n;
		len -= n;
	}
}
