/* SPDX-License-Identifier: BSD-3-Clause */
/* Which release a chassis is of: in the test build of the next one (test/next/wire.c) both chassis
 * are of it, one is, or none, by the seed. The other speaks the first version alone. */
#include "sim.h"

static uint8_t version_of(const struct node *n)
{
	return sim.seed >> n->id & 1 ? wire_spoken.version_min : wire_spoken.version_max;
}

uint8_t release_agreed(void)
{
	return RTE_MIN(version_of(&sim.node[0]), version_of(&sim.node[1]));
}

struct repl *__wrap_repl_create(const struct repl_params *p, usec_t now)
{
	struct repl_params mine = *p;

	mine.version_max = version_of(me());
	return __real_repl_create(&mine, now);
}

struct srp *__wrap_srp_create(const struct srp_conf *c, const struct srp_saved *saved, usec_t now)
{
	struct srp_conf mine = *c;

	mine.wire.version_max = version_of(me());
	return __real_srp_create(&mine, saved, now);
}
