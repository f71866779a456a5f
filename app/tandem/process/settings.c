/* SPDX-License-Identifier: BSD-3-Clause */
/* What the cores read of the configuration, as snapshots: at boot and at each reload. */
#include <errno.h>
#include <stdio.h>

#include "process/boot.h"
#include "process/settings_rooms.h"
#include "process/start_peers.h"
#include "process/tandem.h"

_Static_assert((int)SETTINGS_CORES > (int)TANDEM_WORKERS, "workers and the replication core");

int boot_settings(struct tandem *t)
{
	char names[SETTINGS_CORES][SETTINGS_NAME];
	const char *name[SETTINGS_CORES];
	struct config_placed placed;
	struct settings first;
	int ret;

	placed_begin(&placed, t->conf);
	ret = settings_of(t->conf, &placed, &first);
	if (ret == 0)
		ret = settings_peers(t->conf, &first.peers);
	if (ret < 0)
		return ret;
	places_init(&t->shared.places);
	first.places = &t->shared.places;
	for (unsigned int i = 0; i <= t->n_workers; i++) {
		snprintf(names[i], sizeof(names[i]), "worker %u", i);
		name[i] = i < t->n_workers ? names[i] : "the replication core";
	}
	t->settings = settings_create(&first, name, t->n_workers + 1);
	ret = t->settings != NULL ? 0 : -errno;
	if (ret == 0)
		start_peers_say(first.peers);
	peers_drop(first.peers); /* the board holds it */
	return ret;
}

void boot_settings_end(struct tandem *t)
{
	settings_destroy(t->settings);
	t->settings = NULL;
}
