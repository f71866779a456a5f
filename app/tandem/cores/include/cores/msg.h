/* SPDX-License-Identifier: BSD-3-Clause */
/* msg: what all messages between cores have in common. A message goes through a door, one ring each
 * way between two cores; nothing blocks, and a sender learns that a door is full. There is one
 * header a direction: to_worker.h, from_worker.h, to_replicator.h, from_replicator.h,
 * repl_to_worker.h. Each has a list of rows; from it come the enum of the direction's types, its
 * message, its door and the table of its handlers, all types of their own, so that the compiler
 * refuses a message at another direction's door.
 *
 * A sender has a message made by its constructor, which returns NULL when the pool is empty, and
 * passes it to DIRECTION_send(), which takes NULL as well. The receiver takes it, calls
 * DIRECTION_dispatch() with its table of handlers, and gives it back to the pool. Every message
 * that changes who may write names the term; one of an old term is refused. */
#ifndef TANDEM_CORES_MSG_H
#define TANDEM_CORES_MSG_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "repl/repl.h"

struct rte_mempool;
struct rte_ring;

enum { MSG_BYTES = 640, MSG_ENTRIES = 28, MSG_BODY = 128, MSG_BATCH_ENTRIES = 18 };
enum { MSG_WORKERS = 63 }; /* most workers of a chassis */

/* The first type of each direction: no two directions share a type. */
enum msg_direction {
	MSG_TO_WORKER = 0x20,
	MSG_FROM_WORKER = 0x40,
	MSG_TO_REPLICATOR = 0x60,
	MSG_FROM_REPLICATOR = 0x80,
	MSG_REPL_TO_WORKER = 0xa0,
};

/* What each message begins with. */
struct msg {
	uint8_t type; /* of the enum of its direction */
} __attribute__((aligned(8)));

/* The row of a type: how it is called and which way it goes; no name: there is no such type. */
struct msg_row {
	const char *name;
	enum msg_direction direction;
};
const struct msg_row *msg_row(uint8_t type);

/* Handles of slots, and which commit of each and which groups. */
struct msg_entries {
	uint16_t n;
	repl_entry_t entry[MSG_ENTRIES];
};

/* Sessions that began (a bit in `live`) or ended, in the order in which they did. */
struct msg_batch {
	uint32_t live;
	uint8_t n;
	struct {
		uint64_t key;
		uint32_t handle;
	} __attribute__((packed)) entry[MSG_BATCH_ENTRIES];
};

/* Takes a message and zeroes it; NULL: the pool is empty. Constructors call this. */
struct msg *msg_new(struct rte_mempool *pool, uint8_t type);
void msg_free(struct rte_mempool *pool, void *m);

/* One ring, single consumer; what no door took goes back to `pool`. */
struct door {
	struct rte_ring *ring;
	struct rte_mempool *pool;
};

/* Sends a message. 0, or -ENOBUFS: the door is full, and the message was given back. */
int door_send(const struct door *d, struct msg *m);
/* How many messages it still takes. Of its sender: while that sends none, there is as much room or
 * more. */
unsigned int door_room(const struct door *d);
/* Takes the next message; NULL: there is none. */
struct msg *door_take(const struct door *d);

/* ---- what a list of rows becomes. A row: X(DIRECTION, direction, TYPE, name) ---- */

#define MSG_TYPE(DIR, dir, TYPE, name)    DIR##_##TYPE,
#define MSG_MEMBER(DIR, dir, TYPE, name)  struct dir##_##name name;
#define MSG_HANDLER(DIR, dir, TYPE, name) void (*name)(void *ctx, struct dir##_##name *m);
#define MSG_CASE(DIR, dir, TYPE, name)                                                             \
	case DIR##_##TYPE:                                                                         \
		if (h->name == NULL)                                                               \
			return false;                                                              \
		h->name(ctx, &m->name);                                                            \
		return true;

#define MSG_TYPES(DIR, dir, ROWS)                                                                  \
	enum dir##_type{ DIR##_NONE = MSG_##DIR, ROWS(MSG_TYPE) DIR##_END };                       \
	_Static_assert((int)DIR##_END <= MSG_##DIR + 0x20, "types of two directions meet");

/* `struct DIRECTION`: any message of it; its door, the handlers of whoever receives it, and how it
 * is sent, taken and handled. */
#define MSG_DIRECTION(DIR, dir, ROWS)                                                              \
	struct dir {                                                                               \
		struct msg head;                                                                   \
		union {                                                                            \
			ROWS(MSG_MEMBER)                                                           \
		};                                                                                 \
	};                                                                                         \
	_Static_assert(sizeof(struct dir) <= MSG_BYTES, "a message is ten cache lines");           \
	struct dir##_door {                                                                        \
		struct door door;                                                                  \
	};                                                                                         \
	struct dir##_handlers {                                                                    \
		ROWS(MSG_HANDLER)                                                                  \
	};                                                                                         \
	/* 0; -ENOBUFS: the door is full, the message was given back; -ENOMEM: there is none. */   \
	static inline int dir##_send(const struct dir##_door *d, struct dir *m)                    \
	{                                                                                          \
		return m == NULL ? -ENOMEM : door_send(&d->door, &m->head);                        \
	}                                                                                          \
	static inline struct dir *dir##_take(const struct dir##_door *d)                           \
	{                                                                                          \
		return (struct dir *)door_take(&d->door);                                          \
	}                                                                                          \
	/* False: the type is unknown, or nobody handles it. */                                    \
	static inline bool dir##_dispatch(                                                         \
		const struct dir##_handlers *h, void *ctx, struct dir *m)                          \
	{                                                                                          \
		switch ((enum dir##_type)m->head.type) {                                           \
			ROWS(MSG_CASE)                                                             \
		case DIR##_NONE:                                                                   \
		case DIR##_END:                                                                    \
			break;                                                                     \
		}                                                                                  \
		return false;                                                                      \
	}

#endif
