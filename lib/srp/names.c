/* SPDX-License-Identifier: BSD-3-Clause */
#include "srp/srp.h"

#define NAME(table, i)                                                                             \
	((size_t)(i) < sizeof(table) / sizeof((table)[0]) && (table)[i] != NULL ? (table)[i]       \
										: "unknown")

const char *srp_state_name(enum srp_state st)
{
	static const char *const names[] = { "Init", "Standby", "Pending-Active", "Active",
		"Pending-Standby" };

	return NAME(names, st);
}

const char *srp_cause_name(enum srp_cause c)
{
	static const char *const names[] = {
		[SRP_CAUSE_NONE] = "none",
		[SRP_CAUSE_AAA] = "aaa-failure",
		[SRP_CAUSE_BGP] = "bgp-failure",
		[SRP_CAUSE_BFD] = "bfd-failure",
		[SRP_CAUSE_DIAMETER] = "diameter-failure",
		[SRP_CAUSE_DUAL_ACTIVE] = "dual-active",
		[SRP_CAUSE_DUAL_STANDBY] = "dual-standby",
		[SRP_CAUSE_DEAD_TIMER] = "dead-timer-expiry",
		[SRP_CAUSE_FORCED] = "forced",
		[SRP_CAUSE_MANUAL] = "manual",
		[SRP_CAUSE_ROUTE] = "route-failure",
		[SRP_CAUSE_LINK] = "link-failure",
		[SRP_CAUSE_LOCAL_FAULT] = "local-fault",
		[SRP_CAUSE_STARTUP] = "startup",
		[SRP_CAUSE_SHUTDOWN] = "shutdown",
		[SRP_CAUSE_ABORTED] = "aborted",
	};

	return NAME(names, c);
}

const char *srp_alarm_name(enum srp_alarm a)
{
	static const char *const names[SRP_ALARM_MAX] = {
		[SRP_ALARM_PEER_LOST] = "peer-lost",
		[SRP_ALARM_CONNECTION] = "connection",
		[SRP_ALARM_REPLICATION_PATH] = "replication-path",
		[SRP_ALARM_CONFIG_MISMATCH] = "config-mismatch",
		[SRP_ALARM_TIEBREAK] = "tie-break",
		[SRP_ALARM_RESERVE] = "term-reserve",
		[SRP_ALARM_DUAL_ACTIVE] = "dual-active",
		[SRP_ALARM_ONE_WAY] = "one-way",
		[SRP_ALARM_UNVOUCHED] = "unvouched",
		[SRP_ALARM_REQUEST_REFUSED] = "switchover-refused",
		[SRP_ALARM_AUDIT] = "audit-overdue",
		[SRP_ALARM_VIP_ANSWERED] = "vip-answered",
		[SRP_ALARM_EQUAL_SEATS] = "equal-seats",
		[SRP_ALARM_NEXT_WAITS] = "configuration-waits",
	};

	return NAME(names, a);
}

const char *srp_step_name(enum srp_step s)
{
	static const char *const names[SRP_STEPS] = {
		[SRP_STEP_NONE] = "none",
		[SRP_STEP_CLAIM] = "claim",
		[SRP_STEP_STOP] = "stop",
		[SRP_STEP_OWN] = "own",
		[SRP_STEP_ACTIVATE] = "activate",
		[SRP_STEP_STREAM] = "stream",
		[SRP_STEP_HOLD] = "hold",
		[SRP_STEP_LATE] = "late",
		[SRP_STEP_RESUME] = "resume",
		[SRP_STEP_DEACTIVATE] = "deactivate",
		[SRP_STEP_RELEASE] = "release",
		[SRP_STEP_WRITE] = "write",
	};

	return NAME(names, s);
}
