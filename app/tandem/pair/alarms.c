/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_common.h>

#include "base/alarms.h"
#include "pair_priv.h"

/* Names are lib/srp's, filled in at registration. */
// clang-format off
static const struct alarm_info pair_srp_alarms[SRP_ALARM_MAX] = {
	[SRP_ALARM_PEER_LOST] = {
		.meaning = "The peer shut down, is silent on both paths, or was never heard by "
			"this Active. There is no standby.",
		.action = "Bring the other chassis back, or the links between both. If it was "
			"never heard and runs, look at `srp.peer` and `srp.seat` of both." },
	[SRP_ALARM_CONNECTION] = {
		.meaning = "The peer is heard in the replication stream, but there has been no "
			"SRP connection for one `hello-interval`. Planned switchovers are refused.",
		.action = "Look at the network between `srp.bind` and `srp.peer`." },
	[SRP_ALARM_REPLICATION_PATH] = {
		.meaning = "The peer is heard over the SRP connection only. Nothing is "
			"replicated, and answers leave unprotected.",
		.action = "Look at the replication ports and the link between them." },
	[SRP_ALARM_CONFIG_MISMATCH] = {
		.meaning = "Something that must be equal on both chassis is not: a key, the table "
			"size, the MTU of the replication ports, the stream version or a licence. "
			"There is no stream, and nothing is replicated. The text names what "
			"differs, with both values.",
		.action = "See `show srp configuration-difference` for all keys that differ, "
			"and make them equal." },
	[SRP_ALARM_TIEBREAK] = {
		.meaning = "Mode, priority and tie-breaker are equal on both chassis, so that "
			"neither becomes Active.",
		.action = "Change one of the three on one chassis." },
	[SRP_ALARM_RESERVE] = {
		.meaning = "The reserve of terms is low and cannot be written to the state "
			"directory. With none left this chassis cannot become Active.",
		.action = "Make the state directory writable, and free space there." },
	[SRP_ALARM_DUAL_ACTIVE] = {
		.meaning = "Both chassis are Active. One of them gives up by itself when they "
			"hear each other.",
		.action = "Mend what cut both paths between the chassis. Afterwards see `show "
			"srp call-loss statistics` for what it cost." },
	[SRP_ALARM_ONE_WAY] = {
		.meaning = "The peer is Active and does not hear this chassis, which gives up the "
			"Active role.",
		.action = "Look at both directions of both paths between the chassis." },
	[SRP_ALARM_UNVOUCHED] = {
		.meaning = "This chassis became Active, or would, with a copy of the sessions "
			"that was not complete, or that is older than a configuration mismatch. "
			"Sessions that the copy lacks are lost.",
		.action = "Bring back the other chassis and the replication path: the alarm "
			"ends when a Standby is in sync. Nothing brings lost sessions back." },
	[SRP_ALARM_REQUEST_REFUSED] = {
		.meaning = "A monitor of this Active failed, and a check forbids the switchover. "
			"The text has the cause and the check.",
		.action = "Mend what failed, or what the check names." },
	[SRP_ALARM_AUDIT] = {
		.meaning = "For more than two `audit-interval`s some part of the session tables "
			"has not been seen to match.",
		.action = "Look at the replication path, then run `srp resync`. If the alarm "
			"stays, raise `srp.replication-rate` or `srp.audit-interval`." },
	[SRP_ALARM_VIP_ANSWERED] = {
		.meaning = "This chassis is alone in Init, and somebody answers for one of its "
			"VIPs. The text names the VIP and the MAC address.",
		.action = "Find out who answers, and end it there. If it is the kernel of a "
			"dead chassis, remove the address from it." },
	[SRP_ALARM_EQUAL_SEATS] = {
		.meaning = "The other chassis is heard in the replication stream and has the same "
			"`srp.seat`: both wait for the other to connect, or both connect and "
			"nobody listens. With TLS it cannot be heard, and there is `peer-lost` "
			"alone.",
		.action = "Set `srp.seat` to \"0\" on one chassis and to \"1\" on the other, and "
			"start the one that was changed again." },
	[SRP_ALARM_NEXT_WAITS] = {
		.meaning = "A configuration was loaded here a minute ago or longer, and does not "
			"run, because the peer has not loaded the same, or is away. Both go on "
			"with the one before. The text says which.",
		.action = "Reload on the other chassis, with a file that says the same. If it is "
			"away, reload here once more: then it runs at once. To take the change "
			"back, put this chassis' file back and reload here." },
};
// clang-format on

static const struct alarm_info pair_own_alarms[] = {
	{ PAIR_ALARM_REFUSED,
		"Somebody at the peer's address could not prove to be the peer. The text says why.",
		"Look at the keys, certificates and clocks of both chassis, and at who has the "
		"peer's address. The alarm ends with the first hello of the real peer.",
		false },
	{ PAIR_ALARM_NUMBERS,
		"An APN or pool has no number that sessions may have, so that none is made with "
		"it; or the Active has sessions of one that cannot be held here, so that this "
		"chassis does not join. The text says which, and why.",
		"Do what the text says: give it another `id`, or none, in the configuration of "
		"both chassis, or look at the SRP connection, or make both files equal.",
		false },
};

int pair_alarms_register(struct alarms *a)
{
	struct alarm_info info[SRP_ALARM_MAX];
	int ret;

	for (unsigned int i = 0; i < SRP_ALARM_MAX; i++) {
		info[i] = pair_srp_alarms[i];
		info[i].name = srp_alarm_name((enum srp_alarm)i);
		info[i].log_changes = true;
	}
	ret = alarms_register(a, info, SRP_ALARM_MAX);
	return ret < 0 ? ret : alarms_register(a, pair_own_alarms, RTE_DIM(pair_own_alarms));
}
