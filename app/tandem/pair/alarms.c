/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/alarms.h"
#include "pair_priv.h"

/* Names are lib/srp's, filled in at registration. */
static struct alarm_info pair_srp_alarms[SRP_ALARM_MAX] = {
	[SRP_ALARM_PEER_LOST] = { .meaning = "Nothing of the peer is heard on any path.",
		.action = "Look whether the other chassis runs and whether the links between "
			  "both are up." },
	[SRP_ALARM_CONNECTION] = { .meaning = "The SRP connection to the peer is down, while "
					      "the peer is heard on the replication path.",
		.action = "Look at the path between the two SRP addresses; until it is back, "
			  "planned switchovers are refused." },
	[SRP_ALARM_REPLICATION_PATH] = { .meaning = "The replication path to the peer is down, "
						    "while the SRP connection is up.",
		.action = "Look at the replication ports and the link between them; until it is "
			  "back, answers go out unprotected." },
	[SRP_ALARM_CONFIG_MISMATCH] = { .meaning = "The two configurations differ in what must "
						   "agree, or a licence is missing.",
		.action = "See `show srp configuration-difference` and make the two equal; until "
			  "then nothing is replicated." },
	[SRP_ALARM_TIEBREAK] = { .meaning = "Both chassis have the same tie breaker.",
		.action = "Give one of them another chassis.tie-breaker." },
	[SRP_ALARM_RESERVE] = { .meaning = "No reserve of terms could be written to the state "
					   "directory.",
		.action = "Make the state directory writable, with room; until then this chassis "
			  "may be unable to become Active." },
	[SRP_ALARM_DUAL_ACTIVE] = { .meaning = "Both chassis are or were Active at once.",
		.action = "Look at both paths between the chassis; see `show srp call-loss` for "
			  "what it cost." },
	[SRP_ALARM_ONE_WAY] = { .meaning = "The peer is heard, but does not hear this chassis.",
		.action = "Look for a link or a filter that passes one direction only." },
	[SRP_ALARM_UNVOUCHED] = { .meaning = "This chassis would take over, or took over, with a "
					     "copy of the sessions that is not known to be whole.",
		.action = "Bring the other chassis and the replication path back, so that the "
			  "tables are compared." },
	[SRP_ALARM_REQUEST_REFUSED] = { .meaning = "A monitor asks for a switchover, and it is "
						   "refused.",
		.action = "Mend what the text names: the failure here, or what makes the peer "
			  "unfit to take over." },
	[SRP_ALARM_AUDIT] = { .meaning = "The last whole comparison of the two tables is older "
					 "than it may be.",
		.action = "See `show srp audit-statistics`; raise srp.replication-rate or "
			  "srp.audit-interval if the comparison cannot keep up." },
	[SRP_ALARM_VIP_ANSWERED] = { .meaning = "This chassis is alone and not Active, because "
						"somebody answers for one of its VIPs.",
		.action = "Find who answers: the text names the VIP and the MAC address. If it "
			  "is the kernel of a dead chassis, remove the address there." },
};

static const struct alarm_info pair_own_alarms[] = {
	{ PAIR_ALARM_REFUSED, "Somebody at the peer's address cannot prove to be the peer.",
		"Look at the certificates and clocks of both chassis, and at who has the peer's "
		"address.",
		false },
};

int pair_alarms_register(struct alarms *a)
{
	int ret;

	for (unsigned int i = 0; i < SRP_ALARM_MAX; i++) {
		pair_srp_alarms[i].name = srp_alarm_name((enum srp_alarm)i);
		pair_srp_alarms[i].log_changes = true;
	}
	ret = alarms_register(a, pair_srp_alarms, SRP_ALARM_MAX);
	return ret < 0 ? ret : alarms_register(a, pair_own_alarms, 1);
}
