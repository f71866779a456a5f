/* SPDX-License-Identifier: BSD-3-Clause */
/* wire: the versions of the replication stream that this program speaks, and the field groups of a
 * record that came after the first version. It is one constant that is linked in: wire.c says what
 * this release speaks. The test build of the next release is the same objects with another constant
 * (test/next/wire.c). Any core. */
#ifndef TANDEM_COMMON_WIRE_H
#define TANDEM_COMMON_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum {
	WIRE_LATER_BYTES = 2,  /* of the values of all later groups together */
	WIRE_LATER_GROUPS = 4, /* at most */
};

/* Ids of groups: given once, never to another group, not 0; those of the first version are
 * enum session_extra_id. */
enum wire_group_id {
	/* of the test build of the next release alone: charging characteristics u16 */
	WIRE_NEXT = 200,
};

struct wire_group {
	uint8_t id;      /* enum wire_group_id */
	uint8_t version; /* the first that has it */
	/* its value, as on the wire, among those of all later groups: one behind the other */
	uint8_t at, size;
	const char *name; /* in views */
};

struct wire_versions {
	uint8_t version_min, version_max;
	uint8_t groups;
	struct wire_group group[WIRE_LATER_GROUPS]; /* in order of their versions */
};
extern const struct wire_versions wire_spoken;

/* NULL: the versions that are spoken here have no such group. */
static inline const struct wire_group *wire_group(uint8_t id)
{
	for (unsigned int i = 0; i < wire_spoken.groups; i++)
		if (wire_spoken.group[i].id == id)
			return &wire_spoken.group[i];
	return NULL;
}

#endif
