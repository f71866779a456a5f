/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "bmp_text.h"

#define NAME(table, i) ((size_t)(i) < sizeof(table) / sizeof((table)[0]) ? (table)[i] : NULL)

enum { CEASE = 6 };

void bmp_text_take(char to[BMP_TEXT], const uint8_t *octets, size_t len)
{
	size_t n = len < BMP_TEXT - 1 ? len : BMP_TEXT - 1;

	memset(to, 0, BMP_TEXT);
	for (size_t i = 0; i < n; i++)
		to[i] = (char)(octets[i] >= ' ' && octets[i] <= '~' ? octets[i] : '?');
}

void bmp_text_down(char to[BMP_TEXT], const struct bmp_fact *f)
{
	static const char *const reasons[] = { NULL, "closed by the router", "closed by the router",
		"closed by the peer", "connection lost", "no longer reported by the router",
		"closed by the router" };
	static const char *const codes[] = { NULL, "message header error", "open message error",
		"update message error", "hold timer expired", "state machine error", "cease",
		"route refresh error" };
	static const char *const ceases[] = { NULL, "too many prefixes", "administrative shutdown",
		"peer removed", "administrative reset", "connection rejected",
		"other configuration change", "connection collision", "out of resources",
		"hard reset", "BFD down" };
	const char *reason = NAME(reasons, f->reason), *code = NAME(codes, f->code);
	const char *cease = f->code == CEASE ? NAME(ceases, f->subcode) : NULL;

	if (reason == NULL)
		snprintf(to, BMP_TEXT, "down, reason %u", f->reason);
	else if (cease != NULL)
		snprintf(to, BMP_TEXT, "%s: %s", reason, cease);
	else if (code != NULL)
		snprintf(to, BMP_TEXT, "%s: %s", reason, code);
	else if (f->code != 0)
		snprintf(to, BMP_TEXT, "%s: notification %u/%u", reason, f->code, f->subcode);
	else if (f->event != 0)
		snprintf(to, BMP_TEXT, "%s: event %u", reason, f->event);
	else
		snprintf(to, BMP_TEXT, "%s", reason);
}

void bmp_text_end(char to[BMP_TEXT], uint8_t reason)
{
	static const char *const reasons[] = { "administratively closed", "for no stated reason",
		"out of resources", "a redundant connection",
		"permanently administratively closed" };
	const char *name = NAME(reasons, reason);

	snprintf(to, BMP_TEXT, "ended by the router: %s",
		name != NULL ? name : "for no reason that is known");
}
