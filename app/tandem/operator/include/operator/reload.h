/* SPDX-License-Identifier: BSD-3-Clause */
/* reload: the running configuration is shown, saved, and loaded anew: its job is the configuration
 * itself, so that it alone below the process knows the whole struct config. What touches the disk
 * is done by a thread that ends with it, one at a time, and its end is an event of the reactor. The
 * control core alone calls these functions; only reload_destroy() blocks: it waits for that thread.
 */
#ifndef TANDEM_OPERATOR_RELOAD_H
#define TANDEM_OPERATOR_RELOAD_H

#include <stdbool.h>

#include <jansson.h>

#include "common/usec.h"
#include "config/config.h"
#include "srp/srp.h"

enum { RELOAD_WHY = 640 };

struct operator_reload;
struct reactor;
struct reload_made;
struct settings_board;

/* It is copied, and what it points at outlives the object. */
struct operator_reload_settings {
	struct config *conf; /* what runs; a reload changes the live keys and lists of it */
	const char *file;    /* that it was loaded from */
	struct settings_board *settings; /* asked which core holds an older snapshot */
	struct reactor *reactor;
	/* Whether the files of keys that `next` names can be used; if not, `why` says what to do.
	 * It is called by the thread that reads the file, and may wait for the disk. */
	bool (*keys_good)(const struct config *next, char why[RELOAD_WHY]);
	/* What a file needs besides (memory of its pools, the look-up of its peers): begun with
	 * what runs, NULL: there is none; made by the thread that has read the file, 0 or -errno;
	 * and ended. Who runs the file has used it up to then. */
	struct reload_made *(*begin)(void *ctx);
	int (*make)(struct reload_made *m, const struct config *next);
	void (*end)(void *ctx, struct reload_made *m);
	/* Whether the lists of `next` can run beside what drains: 0, or -errno and `why`. */
	int (*fits)(void *ctx, const struct config *next, char why[RELOAD_WHY]);
	/* Whether `next` runs now, or waits until the peer has it, too (srp_reload()). */
	enum srp_reload (*asks)(void *ctx, const struct config *next);
	/* It waits: the peer is told. 0 or -errno. */
	int (*prepare)(void *ctx, const struct config *next, usec_t now);
	/* What waits is to run. */
	bool (*is_due)(void *ctx);
	/* The other rooms take what they have of `next`; those of its keys that are not live are
	 * conf's. 0; -EBUSY: a role is changing; -ENOMEM: nothing was taken then. */
	int (*agree)(void *ctx, const struct config *next, usec_t now);
	/* What the cores read of `next` is made ready, as a snapshot, and places for its lists: 0,
	 * or -errno and `why`; and they are given what is ready, and the lists run. */
	int (*ready)(void *ctx, const struct config *next, const struct reload_made *m,
		char why[RELOAD_WHY]);
	void (*run)(void *ctx, const struct config *next, struct reload_made *m, usec_t now);
	/* Takes the answer to the command that act_save() or act_reload() has begun. Nobody may be
	 * there any more who waits. */
	void (*answer)(void *ctx, json_t *answer);
	void *ctx;
};

/* Makes the object. NULL: there is no memory. */
struct operator_reload *reload_create(const struct operator_reload_settings *s);
void reload_destroy(struct operator_reload *r); /* NULL is nothing */
/* SIGHUP: reads the file again; at once, or by reload_turn() as soon as the thread that works now
 * has ended and every core has let go of the settings before the last reload. While a role is
 * changing, or both chassis are about to run the configuration before, it is tried again and
 * again. */
void reload_hangup(struct operator_reload *r);
/* Does what waits; to be called every few milliseconds. */
void reload_turn(struct operator_reload *r);

#endif
