/* SPDX-License-Identifier: BSD-3-Clause */
/* What the cores read of the configuration, as snapshots: at boot and at each reload. */
#include <errno.h>
#include <stdio.h>

#include "process/boot.h"
#include "cores/tandem.h"

_Static_assert((int)SETTINGS_APNS == (int)CONFIG_APNS, "a slot names its APN by one number");
_Static_assert((int)SETTINGS_CORES > (int)TANDEM_WORKERS, "workers and the replication core");

int boot_settings_of(const struct config *c, struct settings *s)
{
	*s = (struct settings){ .n_apns = c->n_apns,
		.audit_us = c->srp.audit_interval_s * USEC_PER_SEC,
		.replication_mbps = c->srp.replication_rate_mbps };
	for (unsigned int i = 0; i < c->n_apns; i++) {
		const struct config_apn *from = &c->apns[i];
		struct settings_apn *apn = &s->apn[i];

		apn->session_timeout_s = from->session_timeout_s;
		apn->idle_timeout_s = from->idle_timeout_s;
		if (settings_police(&apn->up, from->ambr_up_kbps) < 0 ||
			settings_police(&apn->down, from->ambr_down_kbps) < 0)
			return -EINVAL;
	}
	return 0;
}

int boot_settings(void)
{
	static char names[SETTINGS_CORES][32];
	const char *name[SETTINGS_CORES];
	struct settings first;
	int ret = boot_settings_of(T.conf, &first);

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
