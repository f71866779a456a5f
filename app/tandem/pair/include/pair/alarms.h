/* SPDX-License-Identifier: BSD-3-Clause */
/* The alarms of the pair: those of lib/srp, by srp_alarm_name(), and the SRP connection's own. */
#ifndef TANDEM_PAIR_ALARMS_H
#define TANDEM_PAIR_ALARMS_H

#include "base/alarms.h"

#define PAIR_ALARM_REFUSED "srp-peer-refused"

/* 0 or -errno. Control core, once, before any is raised. */
int pair_alarms_register(struct alarms *a);

#endif
