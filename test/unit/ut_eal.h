/* SPDX-License-Identifier: BSD-3-Clause */
/* ut_eal: the EAL of a unit test that shares nothing with other processes: lcore 0 alone. */
#ifndef TANDEM_UT_EAL_H
#define TANDEM_UT_EAL_H

#include <stdio.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>

/* Once, before all else. 0 or -1. */
static inline int ut_eal(const char *name)
{
	char own[64], prefix[64];
	char *argv[] = { own, "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "64",
		"-l", "0", "--log-level", "error", "--file-prefix", prefix };

	snprintf(own, sizeof(own), "%s", name);
	snprintf(prefix, sizeof(prefix), "%s_%d", name, (int)getpid());
	return rte_eal_init(RTE_DIM(argv), argv) < 0 ? -1 : 0;
}

#endif
