/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of fields (session/fields.h) as the dissector's table and as that of lib/repl/WIRE.md.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "repl_golden.h"
#include "session/session.h"
#include "wire.h"

static const struct row {
	const char *name, *type;
	unsigned int bytes, no, shortest;
} rows[] = {
#define ROW(name, type, bytes, group, set, end, line, view)                                        \
	{ #name, #type, bytes, SESSION_NO_##group, GROUP_BYTES_##type(bytes) },
	SESSION_FIELDS(ROW) SESSION_COMMON_FIELDS(ROW) SESSION_BEARER_FIELDS(ROW)
		SESSION_PFCP_FIELDS(ROW)
};

static const struct group {
	const char *name;
	unsigned int no;
} groups[] = {
	{ "IDENTITY", SESSION_NO_IDENTITY },
	{ "TUNNEL", SESSION_NO_TUNNEL },
	{ "QOS", SESSION_NO_QOS },
	{ "REQUEST", SESSION_NO_REQUEST },
	{ "CHARGING", SESSION_NO_CHARGING },
	{ "ADDR6", SESSION_NO_ADDR6 },
	{ "ACCESS", SESSION_NO_ACCESS },
	{ "AAA", SESSION_NO_AAA },
	{ "ACCT", SESSION_NO_ACCT },
	{ "AMBR", SESSION_NO_AMBR },
	{ "BEARER", SESSION_NO_BEARER },
	{ "PFCP", SESSION_NO_PFCP },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), GROUPS = sizeof(groups) / sizeof(groups[0]) };

/* What the dissector makes of a row: how it is read, and its shape. */
static bool is(const struct row *r, const char *type)
{
	return strcmp(r->type, type) == 0;
}

static bool has_head(const struct row *r)
{
	return is(r, "HEAD") || is(r, "NIBBLE");
}

static bool is_address(const struct row *r)
{
	return is(r, "ADDR") || is(r, "UE");
}

/* How the dissector reads a row, and its shape. */
static void lua_row(const struct row *r)
{
	const char *how = has_head(r)       ? "head"
			  : is(r, "FLAG")   ? "flag"
			  : is_address(r)   ? "address"
			  : is(r, "OCTETS") ? "octets"
			  : is(r, "TAIL")   ? "tail"
					    : "plain";
	char number[8];

	snprintf(number, sizeof(number), "%c%u", is(r, "HEX") ? 'x' : 'd', 8 * r->bytes);
	printf("        { \"session.%s\", \"%s\", \"%s\", %u },\n", r->name, how,
		is_address(r)                      ? "ipv6"
		: is(r, "OCTETS") || is(r, "TAIL") ? "bytes"
		: has_head(r) || is(r, "FLAG")     ? "d8"
						   : number,
		r->bytes);
}

static void lua(void)
{
	puts("local rows = {");
	for (unsigned int g = 0; g < GROUPS; g++) {
		printf("    %s = {\n", groups[g].name);
		for (unsigned int i = 0; i < ROWS; i++)
			if (rows[i].no == groups[g].no)
				lua_row(&rows[i]);
		puts("    },");
	}
	puts("}");
}

static void markdown_row(const struct row *r, bool first)
{
	printf("%s%s", first ? "" : ", ", r->name);
	if (is_address(r))
		printf(" 4/16");
	else if (is(r, "FLAG"))
		printf(" (bit 4 of the head)");
	else if (has_head(r))
		printf(" (head)");
	else if (is(r, "OCTETS"))
		printf(" %u octets", r->bytes);
	else if (is(r, "TAIL"))
		printf(" as many octets, <= %u", r->bytes);
	else
		printf(" u%u", 8 * r->bytes);
}

static void markdown(void)
{
	puts("| bit, or id in EXTRA | group | bytes | fields |\n|---|---|---|---|");
	for (unsigned int g = 0; g < GROUPS; g++) {
		unsigned int no = groups[g].no, bytes = 0, n = 0;

		for (unsigned int i = 0; i < ROWS; i++)
			bytes += rows[i].no == no ? rows[i].shortest : 0;
		if (no > SESSION_IN_EXTRA)
			printf("| id %u", no - SESSION_IN_EXTRA);
		else
			printf("| bit %d", __builtin_ctz(no));
		printf(" | %s | %u | ", groups[g].name, bytes);
		for (unsigned int i = 0; i < ROWS; i++)
			if (rows[i].no == no)
				markdown_row(&rows[i], n++ == 0);
		puts(" |");
	}
}

int golden_fields(const char *form)
{
	if (strcmp(form, "lua") == 0)
		lua();
	else
		markdown();
	return 0;
}
