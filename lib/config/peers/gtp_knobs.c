/* SPDX-License-Identifier: BSD-3-Clause */
/* The types of knobs that only an entry of gtp-peers has: a list of prefixes, and one of ports. */
#include <ctype.h>
#include <stdlib.h>

#include "../value.h"
#include "gtp_peers.h"

const struct config *gtp_peers_around(const struct config_gtp_peer *e)
{
	return (const struct config *)((const char *)(e - e->nth) -
				       offsetof(struct config, gtp_peers));
}

static struct config *gtp_knobs_config(void *base)
{
	return (struct config *)(uintptr_t)gtp_peers_around(base);
}

static const void *gtp_knobs_field(const struct knob *k, const void *base)
{
	return (const char *)base + k->at;
}

static void gtp_knobs_host_bits(const struct ip_prefix *p, char *why)
{
	struct ip_prefix around = ip_prefix_around(&p->addr, p->len);
	char text[2][IP_PREFIX_TEXT];

	snprintf(why, KNOB_WHY, "expected \"%s\": \"%s\" has host bits set",
		ip_prefix_print(&around, text[0]), ip_prefix_print(p, text[1]));
}

bool gtp_prefix_parse(const char *text, struct ip_prefix *p, char *why)
{
	size_t len = strcspn(text, "/");
	char addr[IP_ADDR_TEXT], *end;
	long bits;

	memset(p, 0, sizeof(*p));
	if (len >= sizeof(addr))
		return false;
	snprintf(addr, sizeof(addr), "%.*s", (int)len, text);
	if (ip_addr_parse(addr, &p->addr) < 0)
		return false;
	p->len = ip_addr_bits(&p->addr);
	if (text[len] == '\0')
		return true;
	if (!isdigit((unsigned char)text[len + 1]))
		return false;
	bits = strtol(text + len + 1, &end, 10);
	if (*end != '\0' || bits > p->len)
		return false;
	p->len = (uint8_t)bits;
	if (!ip_prefix_valid(p)) {
		gtp_knobs_host_bits(p, why);
		return false;
	}
	return true;
}

bool gtp_prefix_add(struct config *c, const struct ip_prefix *p, unsigned int use)
{
	if (c->n_gtp_prefixes == CONFIG_GTP_PREFIXES)
		return false;
	c->gtp_prefixes[c->n_gtp_prefixes++] =
		(struct config_gtp_prefix){ .prefix = *p, .use = (uint8_t)use };
	return true;
}

static bool gtp_knobs_element_wrong(
	const struct knob *k, const config_setting_t *s, unsigned int i, char *why)
{
	char expected[KNOB_WHY - KNOB_SAID - 40], said[KNOB_SAID];

	knob_expected(k, expected, sizeof(expected));
	if (why[0] == '\0')
		snprintf(why, KNOB_WHY, "expected %s; element %u is %s", expected, i,
			value_said(config_setting_get_elem(s, i), said));
	return false;
}

bool value_read_prefixes(const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	struct config_gtp_range *to = value_field(k, base);
	struct config *c = gtp_knobs_config(base);

	if (!config_setting_is_list(s) && !config_setting_is_array(s))
		return false;
	to->at = c->n_gtp_prefixes;
	for (unsigned int i = 0; i < (unsigned int)config_setting_length(s); i++) {
		const char *text = config_setting_get_string_elem(s, (int)i);
		struct ip_prefix p;

		if (text == NULL || !gtp_prefix_parse(text, &p, why))
			return gtp_knobs_element_wrong(k, s, i, why);
		if (!gtp_prefix_add(c, &p, (unsigned int)k->def)) {
			snprintf(why, KNOB_WHY, "expected at most %u prefixes in all entries",
				CONFIG_GTP_PREFIXES);
			return false;
		}
		to->n++;
	}
	return true;
}

void value_print_prefixes(const struct knob *k, const void *base, FILE *to)
{
	const struct config_gtp_range *r = gtp_knobs_field(k, base);
	const struct config *c = gtp_peers_around(base);
	char text[IP_PREFIX_TEXT];

	fputc('[', to);
	for (unsigned int i = 0; i < r->n; i++)
		fprintf(to, "%s\"%s\"", i > 0 ? ", " : "",
			ip_prefix_print(&c->gtp_prefixes[r->at + i].prefix, text));
	fputc(']', to);
}

void value_expect_prefixes(const struct knob *k, char *to, size_t size)
{
	snprintf(to, size, "a list of IPv4 or IPv6 prefixes, like [\"10.8.0.0/24\"]");
}

static int gtp_knobs_port(const struct config *c, const char *name)
{
	for (unsigned int i = 0; i < c->n_ports; i++)
		if (strcmp(c->ports[i].name, name) == 0 && c->ports[i].roles & CONFIG_ACCESS)
			return (int)i;
	return -1;
}

bool value_read_ports(const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	uint8_t set = 0;

	if (!config_setting_is_list(s) && !config_setting_is_array(s))
		return false;
	for (unsigned int i = 0; i < (unsigned int)config_setting_length(s); i++) {
		const char *text = config_setting_get_string_elem(s, (int)i);
		int port = text != NULL ? gtp_knobs_port(gtp_knobs_config(base), text) : -1;

		if (port < 0)
			return gtp_knobs_element_wrong(k, s, i, why);
		set |= (uint8_t)(1U << port);
	}
	*(uint8_t *)value_field(k, base) = set;
	return set != 0;
}

void value_print_ports(const struct knob *k, const void *base, FILE *to)
{
	uint8_t set = *(const uint8_t *)gtp_knobs_field(k, base);
	const struct config *c = gtp_peers_around(base);
	const char *comma = "";

	fputc('[', to);
	for (unsigned int i = 0; i < CONFIG_PORTS; i++) {
		if ((set & 1U << i) == 0)
			continue;
		fprintf(to, "%s\"%s\"", comma, c->ports[i].name);
		comma = ", ";
	}
	fputc(']', to);
}

void value_expect_ports(const struct knob *k, char *to, size_t size)
{
	snprintf(to, size, "a list of ports with the role \"access\", like [\"acc\"]");
}
