/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <ctype.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gtp/gtpc.h"
#include "options.h"

enum kind { FLAG, NUMBER, TEXT, ADDRESS, ADDRESSES, MAC };

struct row {
	const char *name, *arg;
	enum kind kind;
	size_t at, has; /* has: of a bool that is set with it, 0 none */
	uint32_t min, max, fallback;
	const char *help;
};

#define AT(field) offsetof(struct options, field)
#define N(name, field, min, max, fallback, help)                                                   \
	{                                                                                          \
		name, "N", NUMBER, AT(field), 0, min, max, fallback, help                          \
	}
#define O(name, arg, kind, field, help)                                                            \
	{                                                                                          \
		name, arg, kind, AT(field), 0, 0, 0, 0, help                                       \
	}
#define SECTION(text)                                                                              \
	{                                                                                          \
		NULL, NULL, FLAG, 0, 0, 0, 0, 0, text                                              \
	}

static const struct row rows[] = {
	SECTION("Who speaks with whom (IPv4 addresses)"),
	O("ggsn", "ADDR", ADDRESS, ggsn4, "the GGSN's address for GTP"),
	O("local", "ADDR[-ADDR][,..]", ADDRESSES, local4,
		"own SGSN addresses, at most 64; sessions take turns on them"),
	O("core", "ADDR", ADDRESS, core4,
		"own address in the core network; without it no user packets are sent"),
	N("core-port", core_port, 1, 65535, 9000, "UDP port of the core address"),
	O("apn", "NAME", TEXT, apn, "access point name (internet)"),
	O("imsi", "DIGITS", TEXT, imsi,
		"IMSI of the first session; the others count up from it (001010000000001)"),
	N("recovery", recovery, 0, 255, 256,
		"own restart counter; another one than in the last run makes the GGSN forget that "
		"run's sessions (from the clock)"),
	SECTION("Kernel sockets"),
	O("access-netns", "NAME", TEXT, access_netns, "network namespace of the SGSN addresses"),
	O("core-netns", "NAME", TEXT, core_netns, "network namespace of the core address"),
	SECTION("DPDK ports (EAL arguments first, then --)"),
	N("access-device", access.port_id, 0, 31, 0,
		"port with the SGSN addresses; it answers ARP for them"),
	N("core-device", core.port_id, 0, 31, 1, "port with the core address; may be the same"),
	O("access-gw", "ADDR", ADDRESS, access_gw4, "next hop to the GGSN (the GGSN itself)"),
	O("core-gw", "ADDR", ADDRESS, core_gw4, "next hop to the subscribers"),
	{ "access-mac", "MAC", MAC, AT(access.mac), AT(access.has_mac), 0, 0, 0,
		"MAC address of access-gw; then ARP is neither asked nor heard" },
	{ "core-mac", "MAC", MAC, AT(core.mac), AT(core.has_mac), 0, 0, 0,
		"MAC address of core-gw; then ARP is neither asked nor heard" },
	SECTION("Sessions"),
	N("sessions", sessions, 1, LOAD_SESSIONS, 1, "PDP contexts to create"),
	N("rate", rate, 0, 10000000, 1000, "creates a second; 0: as fast as they are answered"),
	N("window", window, 1, 65535, 256, "requests that may wait for their answers"),
	N("t3", t3_ms, 10, 60000, 3000, "ms until a request is sent again (T3-RESPONSE)"),
	N("n3", n3, 1, 20, 5, "times that a request is sent at most (N3-REQUESTS)"),
	N("update-rate", update_rate, 0, 1000000, 0,
		"updates a second while there is traffic: each moves a session's user plane to a "
		"new TEID"),
	N("delete-rate", delete_rate, 0, 10000000, 10000001,
		"deletes a second at the end; 0: as fast as they are answered (as --rate)"),
	O("keep", NULL, FLAG, keep, "leave the contexts in the GGSN"),
	SECTION("User packets"),
	N("up", up, 0, 10000000, 1000,
		"packets a second from the subscribers, over all sessions; 0: none"),
	N("down", down, 0, 10000000, 1000, "packets a second to the subscribers"),
	N("size", size, LOAD_SIZE_MIN, LOAD_SIZE_MAX, 100,
		"bytes of a user packet, its IP header included"),
	N("active", active, 0, LOAD_SESSIONS, 0, "sessions that have traffic; 0: all"),
	N("duration", duration_s, 0, 1000000, 10, "seconds of traffic; 0: until SIGINT"),
	N("verify", verify_rate, 0, 10000000, 0,
		"packets a second of a check after the traffic: one each way for every session, up "
		"to five times; a session without an answer is counted dead; 0: no check"),
	N("drain", drain_ms, 0, 60000, 1000,
		"ms to wait for what is still on its way, at the end of traffic"),
	SECTION("Reports"),
	O("output", "FILE", TEXT, output, "file that gets the report (standard output)"),
	O("per-session", "FILE", TEXT, per_session,
		"file that gets a JSON line for each session, at the end"),
	O("interim", NULL, FLAG, interim, "a report at each change of phase too"),
	O("quiet", NULL, FLAG, quiet,
		"no progress line (there is none either when standard error is no terminal)"),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const char about[] =
	"tandem-load: subscribers and SGSNs for any GGSN that speaks GTPv1.\n"
	"\n"
	"  tandem-load --ggsn ADDR --local ADDR --core ADDR [OPTIONS]        kernel sockets\n"
	"  tandem-load EAL-ARGUMENTS -- --ggsn ADDR --local ADDR [OPTIONS]   DPDK ports\n"
	"\n"
	"Creates PDP contexts, sends numbered packets both ways through them, deletes them, and "
	"reports as "
	"JSON.\n"
	"With kernel sockets the addresses must be on interfaces, and the subscribers' routed to "
	"the GGSN.\n"
	"SIGINT ends the traffic, deletes and reports; a second one reports at once. SIGUSR2 "
	"ends the "
	"traffic as its --duration\n"
	"does: --verify comes next. SIGUSR1 asks for a report.\n";

static const char keys[] =
	"\nThe report is one JSON object a line (\"report\": \"final\", or \"interim\" where "
	"asked for):\n"
	"  phase                            create, traffic, verify, delete or end\n"
	"  sessions {asked, up, failed, ended_by_ggsn, dead}\n"
	"                                   dead: those that --verify found without an answer; "
	"null: not "
	"asked for\n"
	"  create, update, delete {sent, retries, accepted, refused, unanswered, per_s, "
	"latency_us}\n"
	"                                   sent: without retries; per_s: accepted, from the "
	"first request "
	"to the last answer;\n"
	"                                   latency_us: from the first request {n, min, p50, "
	"p90, p99, p999, "
	"max}\n"
	"  refused {CAUSE: n}               by cause value (TS 29.060 7.7.1); 0: an answer that "
	"could not be "
	"read\n"
	"  up, down {sent, received, lost, duplicates, reordered, stale, bytes_sent, "
	"bytes_received, per_s, "
	"delay_us,\n"
	"            gap, interval_gap, session_gap_ms}\n"
	"                                   lost: sent and not received so far; stale: more than "
	"64 numbers "
	"late;\n"
	"                                   bytes: of user packets with their IP headers, as a "
	"GGSN counts "
	"them;\n"
	"                                   gap {ms, own_ms, at}: longest time without a packet "
	"of any "
	"session, how much of\n"
	"                                   it tandem-load itself did not run, when it began (s "
	"since "
	"1970);\n"
	"                                   interval_gap: the same since the last report;\n"
	"                                   session_gap_ms: longest gap of each session {n, min, "
	"p50, p90, "
	"p99, p999, max}\n"
	"  stalls {n, longest_ms, total_ms} when tandem-load did not run for more than 2 ms\n"
	"  other {foreign, not_sent, unexpected, old_tunnel, error_indications}\n"
	"  seconds, traffic_seconds, memory_mb\n";

static void options_help(void)
{
	fputs(about, stdout);
	for (unsigned int i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		char left[64];

		if (r->name == NULL) {
			printf("\n%s\n", r->help);
			continue;
		}
		snprintf(left, sizeof(left), "--%s%s%s", r->name, r->arg != NULL ? " " : "",
			r->arg != NULL ? r->arg : "");
		printf("  %-24s %s", left, r->help);
		if (r->kind == NUMBER && r->fallback <= r->max)
			printf(" (%u)", r->fallback);
		putchar('\n');
	}
	fputs("\nAnd\n  --help                   this\n  --version                the version\n",
		stdout);
	fputs(keys, stdout);
}

static bool options_wrong(const char *name, const char *value, const char *what)
{
	fprintf(stderr, "tandem-load: --%s %s: %s\n", name, value, what);
	return false;
}

static bool options_parse_number(const struct row *r, const char *text, uint32_t *to)
{
	char *end, want[64];
	unsigned long long v = strtoull(text, &end, 10);

	if (!isdigit((unsigned char)text[0]) || *end != '\0' || v < r->min || v > r->max) {
		snprintf(want, sizeof(want), "give a number from %u to %u", r->min, r->max);
		return options_wrong(r->name, text, want);
	}
	*to = (uint32_t)v;
	return true;
}

static bool options_parse_address(const char *text, uint32_t *to)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1 || a.s_addr == 0)
		return false;
	*to = ntohl(a.s_addr);
	return true;
}

static bool options_parse_addresses(struct options *o, const char *text)
{
	char copy[2048], *save, *part;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return false;
	for (part = strtok_r(copy, ",", &save); part != NULL; part = strtok_r(NULL, ",", &save)) {
		char *dash = strchr(part, '-');
		uint32_t first, last;

		if (dash != NULL)
			*dash = '\0';
		if (!options_parse_address(part, &first) ||
			!options_parse_address(dash != NULL ? dash + 1 : part, &last) ||
			last < first)
			return false;
		for (; first <= last; first++) {
			if (o->n_local == LOAD_SGSNS)
				return false;
			o->local4[o->n_local++] = first;
		}
	}
	return o->n_local > 0;
}

static bool options_parse_mac(const char *text, uint8_t mac[6])
{
	int n = 0;

	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		       &mac[3], &mac[4], &mac[5], &n) == 6 &&
	       text[n] == '\0';
}

static bool options_set(struct options *o, const struct row *r, const char *text)
{
	void *to = (char *)o + r->at;

	switch (r->kind) {
	case FLAG:
		*(bool *)to = true;
		return true;
	case TEXT:
		*(const char **)to = text;
		return true;
	case NUMBER:
		return options_parse_number(r, text, to);
	case ADDRESS:
		return options_parse_address(text, to) ||
		       options_wrong(r->name, text, "give an IPv4 address like 10.8.0.100");
	case ADDRESSES:
		return options_parse_addresses(o, text) ||
		       options_wrong(r->name, text,
			       "give IPv4 addresses like 10.8.0.1-10.8.0.4,10.8.1.1, at most 64");
	case MAC:
		*(bool *)((char *)o + r->has) = true;
		return options_parse_mac(text, to) ||
		       options_wrong(r->name, text, "give a MAC address like 02:00:00:00:00:01");
	}
	return false;
}

static bool options_complain(const char *what)
{
	fprintf(stderr, "tandem-load: %s\n", what);
	return false;
}

static bool options_check_imsi(struct options *o)
{
	size_t n = strlen(o->imsi);

	if (n != 15 || strspn(o->imsi, "0123456789") != n)
		return options_wrong("imsi", o->imsi, "give 15 digits, like 001010000000001");
	o->imsi_number = strtoull(o->imsi, NULL, 10);
	if (o->imsi_number + o->sessions > 1000000000000000u)
		return options_wrong(
			"imsi", o->imsi, "there are fewer IMSIs behind it than --sessions");
	return true;
}

static bool options_check(struct options *o)
{
	if (o->ggsn4 == 0)
		return options_complain("--ggsn is missing: whose PDP contexts? (see --help)");
	if (o->n_local == 0)
		return options_complain(
			"--local is missing: give at least one SGSN address of your own (see "
			"--help)");
	if (o->window > o->n_local * 4096)
		return options_complain("--window: at most 4096 for each address of --local");
	if (o->apn[0] == '\0' || strlen(o->apn) > GTPC_APN_MAX - 2)
		return options_wrong("apn", o->apn, "give a name of 1 to 99 letters");
	if (!o->kernel && (o->access_netns != NULL || o->core_netns != NULL))
		return options_complain(
			"--access-netns and --core-netns are for kernel sockets: DPDK ports know "
			"no namespaces");
	if (!o->kernel && o->core4 != 0 && o->core_gw4 == 0 && !o->core.has_mac)
		return options_complain(
			"--core-gw is missing: which next hop leads from the core port to the "
			"subscribers?");
	if (o->core4 == 0)
		o->up = o->down = 0;
	if (o->verify_rate > 0 && o->up + o->down == 0)
		return options_complain("--verify needs user packets: --core, and --up or --down");
	if (o->access_gw4 == 0)
		o->access_gw4 = o->ggsn4;
	if (o->delete_rate > 10000000)
		o->delete_rate = o->rate;
	return options_check_imsi(o);
}

uint64_t options_key(const struct options *o, uint32_t i)
{
	uint64_t number = o->imsi_number + i, key = 0;

	for (unsigned int d = 0; d < 15; d++, number /= 10)
		key |= number % 10 << (4 + 4 * d);
	return key | 5; /* the first NSAPI there is */
}

int options_parse(struct options *o, int argc, char **argv, bool kernel)
{
	struct option longs[ROWS + 3] = { 0 };
	unsigned int row_of[ROWS + 3], n = 0;
	int at = 0, c;

	*o = (struct options){ .kernel = kernel, .apn = "internet", .imsi = "001010000000001" };
	for (unsigned int i = 0; i < ROWS; i++) {
		if (rows[i].name == NULL)
			continue;
		if (rows[i].kind == NUMBER)
			*(uint32_t *)((char *)o + rows[i].at) = rows[i].fallback;
		row_of[n] = i;
		longs[n++] = (struct option){ rows[i].name, rows[i].kind != FLAG, NULL, 0 };
	}
	longs[n] = (struct option){ "help", 0, NULL, 'h' };
	longs[n + 1] = (struct option){ "version", 0, NULL, 'v' };
	optind = 1;
	while ((c = getopt_long(argc, argv, "h", longs, &at)) != -1) {
		if (c == 'h') {
			options_help();
			return 0;
		}
		if (c == 'v') {
			puts("tandem-load " TANDEM_VERSION);
			return 0;
		}
		if (c != 0) {
			if (kernel)
				options_complain(
					"EAL arguments end with -- and stand before the others; "
					"see --help");
			return 2;
		}
		if (!options_set(o, &rows[row_of[at]], optarg))
			return 2;
	}
	if (optind < argc) {
		fprintf(stderr,
			"tandem-load: %s: what is this? Options begin with -- (see --help)\n",
			argv[optind]);
		return 2;
	}
	return options_check(o) ? OPTIONS_RUN : 2;
}
