/* SPDX-License-Identifier: BSD-3-Clause */
/* What the cores read of the configuration, as snapshots: at boot and at each reload. */
#include <errno.h>
#include <stdio.h>

#include "process/boot.h"
#include "process/tandem.h"

_Static_assert((int)SETTINGS_CORES > (int)TANDEM_WORKERS, "workers and the replication core");

int boot_settings(void)
{
	static char names[SETTINGS_CORES][32];
	const char *name[SETTINGS_CORES];
	struct settings first;
	int ret = settings_of(T.conf, &first);

	if (ret < 0)
		return ret;
	for (unsigned int i = 0; i <= T.n_workers; i++) {
		snprintf(names[i], sizeof(names[i]), "worker %u", i);
		name[i] = i < T.n_workers ? names[i] : "the replication core";
	}
	T.settings = settings_create(&first, name, T.n_workers + 1);
	return T.settings != NULL ? 0 : -errno;
}

void boot_settings_end(void)
{
	settings_destroy(T.settings);
	T.settings = NULL;
}
