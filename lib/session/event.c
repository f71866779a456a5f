/* SPDX-License-Identifier: BSD-3-Clause */
#include "session/event.h"

#define EVENT_WHY_NAME(VALUE, name, because) [SESSION_WHY_##VALUE] = #name,
static const char *const event_why_names[SESSION_WHY_END] = { [SESSION_WHY_NONE] = "none",
	SESSION_WHYS(EVENT_WHY_NAME) };

const char *session_why_name(enum session_why why)
{
	return event_why_names[(unsigned int)why < SESSION_WHY_END ? why : SESSION_WHY_NONE];
}
