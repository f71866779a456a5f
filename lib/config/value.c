/* SPDX-License-Identifier: BSD-3-Clause */
/* What each type of knob reads, prints and expects; a row of kinds[] has it all. */
#include <ctype.h>
#include <net/if.h>
#include <stdlib.h>

#include "knob.h"
#include "value.h"

/* bit i: enum config_role */
static const char *const roles[] = { "access", "core", "replication" };

static const char *const ipv4_only = "IPv4 only in this version";

static const void *field_const(const struct knob *k, const void *base)
{
	return (const char *)base + k->at;
}

static unsigned int value_count_of(const struct knob *k, const void *base)
{
	unsigned int n;

	memcpy(&n, (const char *)base + k->n_at, sizeof(n));
	return n;
}

static void value_count_set(const struct knob *k, void *base, unsigned int n)
{
	memcpy((char *)base + k->n_at, &n, sizeof(n));
}

static bool value_int_of(const struct knob *k, const config_setting_t *s, long long *v)
{
	if (config_setting_type(s) != CONFIG_TYPE_INT &&
		config_setting_type(s) != CONFIG_TYPE_INT64)
		return false;
	*v = config_setting_get_int64(s);
	return *v >= k->min && *v <= k->max;
}

static bool value_read_u32(const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	long long v;

	if (!value_int_of(k, s, &v))
		return false;
	*(uint32_t *)value_field(k, base) = (uint32_t)v;
	return true;
}

static void value_print_u32(const struct knob *k, const void *base, FILE *to)
{
	fprintf(to, "%u", *(const uint32_t *)field_const(k, base));
}

static void value_expect_u32(const struct knob *k, char *to, size_t size)
{
	snprintf(to, size, "an integer, %lld to %lld%s%s", (long long)k->min, (long long)k->max,
		k->unit != NULL ? " " : "", k->unit != NULL ? k->unit : "");
}

static bool value_read_bool(const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		return false;
	*(bool *)value_field(k, base) = config_setting_get_bool(s) != 0;
	return true;
}

static void value_print_bool(const struct knob *k, const void *base, FILE *to)
{
	fputs(*(const bool *)field_const(k, base) ? "true" : "false", to);
}

static void value_expect_bool(const struct knob *k, char *to, size_t size)
{
	snprintf(to, size, "true or false");
}

static int value_choice_of(const struct knob *k, const char *text)
{
	for (int i = 0; k->choices[i] != NULL; i++)
		if (strcmp(k->choices[i], text) == 0)
			return i;
	return -1;
}

static bool value_read_choice(
	const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	const char *text = config_setting_get_string(s);
	int i = text != NULL ? value_choice_of(k, text) : -1;

	if (i >= 0)
		*(bool *)value_field(k, base) = i != 0;
	return i >= 0;
}

static void value_print_choice(const struct knob *k, const void *base, FILE *to)
{
	fprintf(to, "\"%s\"", k->choices[*(const bool *)field_const(k, base) ? 1 : 0]);
}

static bool value_read_word(const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	const char *text = config_setting_get_string(s);

	if (text == NULL || value_choice_of(k, text) < 0)
		return false;
	snprintf(value_field(k, base), k->size, "%s", text);
	return true;
}

static void value_expect_choice(const struct knob *k, char *to, size_t size)
{
	size_t used = 0;

	for (int i = 0; k->choices[i] != NULL && used < size; i++)
		used += (size_t)snprintf(to + used, size - used, "%s\"%s\"",
			i == 0                      ? ""
			: k->choices[i + 1] != NULL ? ", "
						    : " or ",
			k->choices[i]);
}

static bool value_read_mac(const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	const char *text = config_setting_get_string(s);
	uint8_t *mac = value_field(k, base);
	unsigned int b[6];
	int end = 0;

	if (text == NULL || strspn(text, "0123456789abcdefABCDEF:") != 17 || text[17] != '\0' ||
		sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
			&end) != 6 ||
		end != 17)
		return false;
	for (unsigned int i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
	return true;
}

static void value_print_mac(const struct knob *k, const void *base, FILE *to)
{
	const uint8_t *m = field_const(k, base);

	fprintf(to, "\"%02x:%02x:%02x:%02x:%02x:%02x\"", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void value_expect_mac(const struct knob *k, char *to, size_t size)
{
	snprintf(to, size, "a MAC address like \"02:00:00:00:00:01\"");
}

static bool value_read_roles(const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	uint8_t set = 0;

	if (!config_setting_is_list(s) && !config_setting_is_array(s))
		return false;
	for (int i = 0; i < config_setting_length(s); i++) {
		const char *text = config_setting_get_string_elem(s, i);
		unsigned int r = 0;

		while (text != NULL && r < 3 && strcmp(text, roles[r]) != 0)
			r++;
		if (text == NULL || r == 3 || set & 1U << r) {
			snprintf(why, KNOB_WHY,
				"expected each of \"access\", \"core\", \"replication\" at most "
				"once, not %s",
				value_said(config_setting_get_elem(s, (unsigned int)i),
					(char[KNOB_SAID]){ 0 }));
			return false;
		}
		set |= (uint8_t)(1U << r);
	}
	*(uint8_t *)value_field(k, base) = set;
	return set != 0;
}

static void value_print_roles(const struct knob *k, const void *base, FILE *to)
{
	uint8_t set = *(const uint8_t *)field_const(k, base);
	const char *comma = "";

	fputc('[', to);
	for (unsigned int r = 0; r < 3; r++) {
		if ((set & 1U << r) == 0)
			continue;
		fprintf(to, "%s\"%s\"", comma, roles[r]);
		comma = ", ";
	}
	fputc(']', to);
}

static void value_expect_roles(const struct knob *k, char *to, size_t size)
{
	snprintf(to, size, "a list like [\"access\", \"core\"] or [\"replication\"]");
}

static bool value_read_lcore(const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	long long v;

	if (!value_int_of(k, s, &v))
		return false;
	*(int *)value_field(k, base) = (int)v;
	return true;
}

static void value_print_lcore(const struct knob *k, const void *base, FILE *to)
{
	fprintf(to, "%d", *(const int *)field_const(k, base));
}

/* A list of at most as many elements as the field has room for. */
static bool value_list_of(
	const struct knob *k, const config_setting_t *s, size_t element, char *why)
{
	unsigned int max = (unsigned int)(k->size / element);

	if (!config_setting_is_list(s) && !config_setting_is_array(s))
		return false;
	if ((unsigned int)config_setting_length(s) > max)
		snprintf(why, KNOB_WHY, "expected at most %u, not %d", max,
			config_setting_length(s));
	return (unsigned int)config_setting_length(s) <= max;
}

static bool value_element_wrong(
	const struct knob *k, const config_setting_t *s, unsigned int i, char *why)
{
	char expected[KNOB_WHY - KNOB_SAID - 40], said[KNOB_SAID];

	knob_expected(k, expected, sizeof(expected));
	if (why[0] == '\0')
		snprintf(why, KNOB_WHY, "expected %s; element %u is %s", expected, i,
			value_said(config_setting_get_elem(s, i), said));
	return false;
}

static bool value_read_lcores(
	const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	int *to = value_field(k, base);
	unsigned int n;

	if (!value_list_of(k, s, sizeof(*to), why))
		return false;
	for (n = 0; n < (unsigned int)config_setting_length(s); n++) {
		long long v;

		if (!value_int_of(k, config_setting_get_elem(s, n), &v))
			return value_element_wrong(k, s, n, why);
		to[n] = (int)v;
	}
	value_count_set(k, base, n);
	return true;
}

static void value_print_lcores(const struct knob *k, const void *base, FILE *to)
{
	const int *v = field_const(k, base);

	fputc('[', to);
	for (unsigned int i = 0; i < value_count_of(k, base); i++)
		fprintf(to, "%s%d", i > 0 ? ", " : "", v[i]);
	fputc(']', to);
}

static void value_expect_lcores(const struct knob *k, char *to, size_t size)
{
	snprintf(to, size, "a list of lcores, %lld to %lld, like [1, 2]", (long long)k->min,
		(long long)k->max);
}

/* value_addr_of and its callers: one address of text, with an own message for the family that is
 * not there yet. */
static bool value_addr_of(const char *text, bool either, struct ip_addr *a, char *why)
{
	if (text == NULL || ip_addr_parse(text, a) < 0)
		return false;
	if (either)
		return true;
	if (!ip_addr_is_v4(a) || strchr(text, ':') != NULL) {
		snprintf(why, KNOB_WHY, "%s", ipv4_only);
		return false;
	}
	return true;
}

static bool value_read_addr(const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	struct ip_addr a;

	if (!value_addr_of(config_setting_get_string(s), k->max > 0, &a, why) || ip_addr_is_any(&a))
		return false;
	*(struct ip_addr *)value_field(k, base) = a;
	return true;
}

static void value_print_addr(const struct knob *k, const void *base, FILE *to)
{
	char text[IP_ADDR_TEXT];

	fprintf(to, "\"%s\"", ip_addr_print(field_const(k, base), text));
}

static void value_expect_addr(const struct knob *k, char *to, size_t size)
{
	snprintf(to, size, "an IPv4 %saddress like \"10.8.0.100\"%s", k->max > 0 ? "or IPv6 " : "",
		k->max > 0 ? " or \"2001:db8::1\"" : "");
}

static bool value_read_addrs(const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	struct ip_addr *to = value_field(k, base);
	unsigned int n;

	if (!value_list_of(k, s, sizeof(*to), why))
		return false;
	for (n = 0; n < (unsigned int)config_setting_length(s); n++)
		if (!value_addr_of(config_setting_get_string_elem(s, (int)n), false, &to[n], why))
			return value_element_wrong(k, s, n, why);
	value_count_set(k, base, n);
	return true;
}

static void value_print_addrs(const struct knob *k, const void *base, FILE *to)
{
	const struct ip_addr *a = field_const(k, base);
	char text[IP_ADDR_TEXT];

	fputc('[', to);
	for (unsigned int i = 0; i < value_count_of(k, base); i++)
		fprintf(to, "%s\"%s\"", i > 0 ? ", " : "", ip_addr_print(&a[i], text));
	fputc(']', to);
}

static void value_expect_addrs(const struct knob *k, char *to, size_t size)
{
	snprintf(to, size, "a list of at most %u IPv4 addresses, like [\"10.9.0.1\"]",
		(unsigned int)(k->size / sizeof(struct ip_addr)));
}

static bool value_prefix_of(const config_setting_t *s, struct ip_prefix *p, char *why)
{
	const char *text = config_setting_get_string(s),
		   *slash = text != NULL ? strchr(text, '/') : NULL;
	char addr[IP_ADDR_TEXT], *end;
	long len;

	if (slash == NULL || (size_t)(slash - text) >= sizeof(addr) ||
		!isdigit((unsigned char)slash[1]))
		return false;
	snprintf(addr, sizeof(addr), "%.*s", (int)(slash - text), text);
	len = strtol(slash + 1, &end, 10);
	if (!value_addr_of(addr, false, &p->addr, why) || *end != '\0' ||
		len > ip_addr_bits(&p->addr))
		return false;
	p->len = (uint8_t)len;
	return true;
}

static bool value_read_ifaddr(
	const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	struct ip_prefix p = { 0 };

	if (!value_prefix_of(s, &p, why) || p.len == 0 || ip_addr_is_any(&p.addr))
		return false;
	*(struct ip_prefix *)value_field(k, base) = p;
	return true;
}

static bool value_read_prefix(
	const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	struct ip_prefix p = { 0 };
	char text[IP_PREFIX_TEXT];

	if (!value_prefix_of(s, &p, why) || p.len < k->min || p.len > k->max)
		return false;
	if (!ip_prefix_valid(&p)) {
		p = ip_prefix_around(&p.addr, p.len);
		snprintf(why, KNOB_WHY, "expected \"%s\": %s has host bits set",
			ip_prefix_print(&p, text), value_said(s, (char[KNOB_SAID]){ 0 }));
		return false;
	}
	*(struct ip_prefix *)value_field(k, base) = p;
	return true;
}

static void value_print_prefix(const struct knob *k, const void *base, FILE *to)
{
	const struct ip_prefix *p = field_const(k, base);
	char text[IP_PREFIX_TEXT];

	fprintf(to, "\"%s\"", ip_prefix_print(p, text));
}

static void value_expect_prefix(const struct knob *k, char *to, size_t size)
{
	snprintf(to, size, "an IPv4 prefix of /%lld to /%lld like \"172.20.0.0/16\"",
		(long long)k->min, (long long)k->max);
}

static void value_expect_ifaddr(const struct knob *k, char *to, size_t size)
{
	snprintf(to, size, "an IPv4 address with its prefix length, like \"10.8.0.11/24\"");
}

static const struct {
	bool (*read)(const struct knob *k, const config_setting_t *s, void *base, char *why);
	void (*print)(const struct knob *k, const void *base, FILE *to);
	void (*expect)(const struct knob *k, char *to, size_t size);
} kinds[KNOB_TYPES] = {
	[KNOB_U32] = { value_read_u32, value_print_u32, value_expect_u32 },
	[KNOB_BOOL] = { value_read_bool, value_print_bool, value_expect_bool },
	[KNOB_NAME] = { value_read_name, value_print_text, value_expect_name },
	[KNOB_APN] = { value_read_apn, value_print_text, value_expect_apn },
	[KNOB_TEXT] = { value_read_text, value_print_text, value_expect_text },
	[KNOB_CHOICE] = { value_read_choice, value_print_choice, value_expect_choice },
	[KNOB_WORD] = { value_read_word, value_print_text, value_expect_choice },
	[KNOB_ADDR] = { value_read_addr, value_print_addr, value_expect_addr },
	[KNOB_ADDRS] = { value_read_addrs, value_print_addrs, value_expect_addrs },
	[KNOB_IFADDR] = { value_read_ifaddr, value_print_prefix, value_expect_ifaddr },
	[KNOB_PREFIX] = { value_read_prefix, value_print_prefix, value_expect_prefix },
	[KNOB_MAC] = { value_read_mac, value_print_mac, value_expect_mac },
	[KNOB_ROLES] = { value_read_roles, value_print_roles, value_expect_roles },
	[KNOB_LCORE] = { value_read_lcore, value_print_lcore, value_expect_u32 },
	[KNOB_LCORES] = { value_read_lcores, value_print_lcores, value_expect_lcores },
	[KNOB_PREFIXES] = { value_read_prefixes, value_print_prefixes, value_expect_prefixes },
	[KNOB_PORTS] = { value_read_ports, value_print_ports, value_expect_ports },
};

bool knob_read(const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	char expected[KNOB_WHY - KNOB_SAID - 32], said[KNOB_SAID];

	why[0] = '\0';
	if (kinds[k->type].read(k, s, base, why))
		return true;
	if (why[0] == '\0') {
		knob_expected(k, expected, sizeof(expected));
		snprintf(why, KNOB_WHY, "expected %s, not %s", expected, value_said(s, said));
	}
	return false;
}

void knob_print(const struct knob *k, const void *base, FILE *to)
{
	kinds[k->type].print(k, base, to);
}

void knob_expected(const struct knob *k, char *to, size_t size)
{
	kinds[k->type].expect(k, to, size);
}

void knob_default(const struct knob *k, void *base)
{
	if (k->type == KNOB_U32)
		*(uint32_t *)value_field(k, base) = (uint32_t)k->def;
	else if (k->type == KNOB_LCORE)
		*(int *)value_field(k, base) = (int)k->def;
	else if (k->type == KNOB_BOOL || k->type == KNOB_CHOICE)
		*(bool *)value_field(k, base) = k->def != 0;
	else if (k->type == KNOB_WORD)
		snprintf(value_field(k, base), k->size, "%s", k->choices[k->def]);
	else if (k->def_text != NULL)
		snprintf(value_field(k, base), k->size, "%s", k->def_text);
}

bool knob_is_set(const struct knob *k, const void *base)
{
	static const uint8_t nothing[sizeof(struct ip_prefix)];

	switch (k->type) {
	case KNOB_NAME:
	case KNOB_APN:
	case KNOB_TEXT:
		return *(const char *)field_const(k, base) != '\0';
	case KNOB_ADDR:
	case KNOB_MAC:
	case KNOB_PREFIX:
		return memcmp(field_const(k, base), nothing, k->size) != 0;
	case KNOB_IFADDR:
		return ((const struct ip_prefix *)field_const(k, base))->len > 0;
	case KNOB_PREFIXES:
		return ((const struct config_gtp_range *)field_const(k, base))->n > 0;
	case KNOB_PORTS:
		return *(const uint8_t *)field_const(k, base) != 0;
	case KNOB_ADDRS:
	case KNOB_LCORES:
		return value_count_of(k, base) > 0;
	default:
		return true;
	}
}
