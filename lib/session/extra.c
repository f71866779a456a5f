/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "extra.h"

uint8_t *wire_extra_put(uint8_t *p, const struct session_slot *s)
{
#ifdef TANDEM_WIRE_V2
	*p++ = WIRE_EXTRA_CHARGING;
	*p++ = 2;
	*p++ = (uint8_t)(s->charging >> 8);
	*p++ = (uint8_t)s->charging;
#endif
	return p;
}

/* Whether it is known (1) and of its length (else -EBADMSG). */
static int extra_take(uint8_t id, struct rd *value, struct session_rec *rec)
{
#ifdef TANDEM_WIRE_V2
	if (id == WIRE_EXTRA_CHARGING) {
		if (value->left != 2)
			return -EBADMSG;
		rec->charging = rd_u16(value);
		return 1;
	}
#endif
	return 0;
}

int wire_extra_get(struct rd *body, struct session_rec *rec)
{
	int known = 0, ret;

	do {
		uint8_t id = rd_u8(body);
		struct rd value = rd_sub(body, rd_u8(body));

		if (body->bad || id == 0)
			return -EBADMSG;
		ret = extra_take(id, &value, rec);
		if (ret < 0)
			return ret;
		known += ret;
	} while (body->left > 0);
	return known;
}
