/* SPDX-License-Identifier: BSD-3-Clause */
/* commands: the one list of what an operator can ask. The daemon makes its table of handlers from
 * it, telemetry its paths, and tandemctl its parser, help, completion and table of renderers; a
 * program that lacks the handler or the renderer of a row does not compile. Each takes the columns
 * that it needs by an X macro of its own. */
#ifndef TANDEM_COMMANDS_H
#define TANDEM_COMMANDS_H

#include <stddef.h>

/* What may follow the words of a command. */
enum command_argument {
	COMMAND_NOTHING,
	COMMAND_SESSION, /* an address, an IMSI or a TEID; it is required */
	COMMAND_FILE,    /* the path of a file; it is required */
	COMMAND_LIMIT,   /* --limit N: how many rows to show at most */
	COMMAND_COUNT,   /* N: how many of the newest rows to show */
	COMMAND_FORCE    /* force, or --force */
};

/* What a command may do. A view's handler returns the data alone, NULL when nothing matches. The
 * handler of a command that operates returns the whole answer, and each such command is logged with
 * the user who gave it. Only a view has a telemetry path. */
enum command_permission { COMMAND_VIEW, COMMAND_OPERATE };

/* X(words, argument, permission, telemetry path, handler of the daemon, family of handlers that it
 * is of (they share a context), renderer of tandemctl, help) */
// clang-format off
#define COMMANDS(X) \
	X("show srp info", COMMAND_NOTHING, COMMAND_VIEW, \
		"/tandem/srp/info", show_srp_info, srp, render_srp_info, \
		"both chassis, and whether a switchover would lose anything") \
	X("show srp statistics", COMMAND_NOTHING, COMMAND_VIEW, \
		"/tandem/srp/statistics", show_srp_statistics, srp, render_counters, \
		"hellos, heartbeats, switchovers by cause, transitions") \
	X("show srp checkpoint statistics", COMMAND_NOTHING, COMMAND_VIEW, \
		"/tandem/srp/checkpoint", show_srp_checkpoint, srp, render_counters, \
		"checkpoints sent, applied, superseded, refused") \
	X("show srp audit-statistics", COMMAND_NOTHING, COMMAND_VIEW, \
		"/tandem/srp/audit", show_srp_audit, srp, render_counters, \
		"passes of the audit over both tables, and repairs") \
	X("show srp monitor", COMMAND_NOTHING, COMMAND_VIEW, \
		"/tandem/srp/monitor", show_srp_monitor, monitors, render_any, \
		"monitored objects, their states, and the verdict from them") \
	X("show radius statistics", COMMAND_NOTHING, COMMAND_VIEW, \
		"/tandem/radius", show_radius, monitors, render_counters, \
		"probes of AAA servers: requests, replies, refused replies") \
	X("show srp history", COMMAND_COUNT, COMMAND_VIEW, \
		"/tandem/srp/history", show_srp_history, history, render_history, \
		"state changes, cause and term, the newest last") \
	X("show srp call-loss statistics", COMMAND_COUNT, COMMAND_VIEW, \
		"/tandem/srp/call_loss", show_call_loss, history, render_history, \
		"sessions known and lost in each switchover") \
	X("show srp configuration-difference", COMMAND_NOTHING, COMMAND_VIEW, \
		"/tandem/srp/configuration", show_difference, pair, render_any, \
		"keys that must be equal on both chassis and are not") \
	X("show license information", COMMAND_NOTHING, COMMAND_VIEW, \
		"/tandem/license", show_license, pair, render_any, \
		"whether session recovery is licensed, here and on the peer") \
	X("show sessions", COMMAND_LIMIT, COMMAND_VIEW, \
		"/tandem/sessions", show_sessions, table, render_any, \
		"live sessions") \
	X("show session", COMMAND_SESSION, COMMAND_VIEW, \
		"/tandem/session", show_session, table, render_session, \
		"everything about one session") \
	X("show pools", COMMAND_NOTHING, COMMAND_VIEW, \
		"/tandem/pools", show_pools, table, render_any, \
		"address pools and their use") \
	X("show apns", COMMAND_NOTHING, COMMAND_VIEW, \
		"/tandem/apns", show_apns, table, render_any, \
		"access point names, their numbers and limits") \
	X("show ports", COMMAND_NOTHING, COMMAND_VIEW, \
		"/tandem/ports", show_ports, cores, render_counters, \
		"ports, links, packets and drops") \
	X("show workers", COMMAND_NOTHING, COMMAND_VIEW, \
		"/tandem/workers", show_workers, cores, render_counters, \
		"cores and their turns, workers' packets, drops by reason") \
	X("show gtp statistics", COMMAND_NOTHING, COMMAND_VIEW, \
		"/tandem/gtp", show_gtp, gtp, render_counters, \
		"GTP-C procedures, and whether answers wait for the standby") \
	X("show gtp peers", COMMAND_LIMIT, COMMAND_VIEW, \
		"/tandem/gtp_peers", show_gtp_peers, gtp, render_any, \
		"peers that may speak GTP, and what each said") \
	X("show configuration", COMMAND_NOTHING, COMMAND_VIEW, \
		NULL, show_configuration, reload, render_text, \
		"running configuration, defaults included") \
	X("save configuration", COMMAND_FILE, COMMAND_OPERATE, \
		NULL, act_save, reload, render_any, \
		"write the running configuration to a file (absolute path), without comments") \
	X("reload configuration", COMMAND_NOTHING, COMMAND_OPERATE, \
		NULL, act_reload, reload, render_any, \
		"load the file again: take all changes, or none if one needs a restart") \
	X("show alarms", COMMAND_NOTHING, COMMAND_VIEW, \
		"/tandem/alarms", show_alarms, history, render_any, \
		"alarms that are raised, and alarms that were cleared") \
	X("srp resync", COMMAND_NOTHING, COMMAND_OPERATE, \
		NULL, act_audit, audit, render_any, \
		"compare both tables completely now, and repair what differs") \
	X("srp initiate-switchover", COMMAND_FORCE, COMMAND_OPERATE, \
		NULL, act_switchover, pair, render_any, \
		"make the peer Active and this chassis Standby; on the Active only") \
	X("srp initiate-audit auto", COMMAND_NOTHING, COMMAND_OPERATE, \
		NULL, act_audit, audit, render_any, \
		"compare and repair as srp resync does; other gateways know it by this name") \
	X("srp initiate-audit manual-with-sync", COMMAND_NOTHING, COMMAND_OPERATE, \
		NULL, act_audit, audit, render_any, \
		"compare and repair as srp resync does: an audit that repairs") \
	X("srp validate-switchover", COMMAND_NOTHING, COMMAND_OPERATE, \
		NULL, act_validate_switchover, pair, render_any, \
		"check whether a switchover would be refused, and why") \
	X("srp validate-configuration", COMMAND_NOTHING, COMMAND_OPERATE, \
		NULL, act_validate_configuration, pair, render_any, \
		"compare the configuration with the peer's now, key by key") \
	X("srp reset-auth-probe-fail", COMMAND_NOTHING, COMMAND_OPERATE, \
		NULL, act_reset_auth, monitors, render_any, \
		"probe all AAA servers again, whose failure may cause a switchover; on the Active")
// clang-format on

#endif
