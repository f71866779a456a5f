/* SPDX-License-Identifier: BSD-3-Clause */
/* What must be the same on both chassis: the rows that have KNOB_AGREE. Items of lists are matched
 * by their names (the first row of every list), so their order does not matter. */
#include <errno.h>
#include <stdlib.h>

#include "knob.h"
#include "peers/gtp_peers.h"

static bool agree_section_agrees(const struct section *s)
{
	for (unsigned int j = 0; j < s->n_knobs; j++)
		if (s->knobs[j].flags & KNOB_AGREE)
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void agree_print(const struct section *s, const void *item, FILE *to)
{
	for (unsigned int j = 0; j < s->n_knobs; j++) {
		if ((s->knobs[j].flags & KNOB_AGREE) == 0)
			continue;
		fprintf(to, "%s=", s->knobs[j].key);
		if (knob_is_set(&s->knobs[j], item))
			knob_print(&s->knobs[j], item, to);
		fputc('\n', to);
	}
}

/* Items of a list in the order of their names. */
static void agree_section_print(const struct section *s, const struct config *c,
	void (*print)(const struct section *s, const void *item, FILE *to), FILE *to)
{
	const char *names[SECTION_ITEMS];
	unsigned int n = section_items(s, c);

	if (s == &config_sections[SECTION_GTP_PEERS]) {
		gtp_peers_lines(c, to);
		return;
	}
	if (s->item_size == 0) {
		print(s, c, to);
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		names[i] = section_item_name(s, section_item_const(s, c, i));
	qsort(names, n, sizeof(names[0]), by_name);
	for (unsigned int i = 0; i < n; i++)
		print(s, section_item_by_name(s, c, names[i]), to);
}

static void agree_print_all(const struct config *c, FILE *to)
{
	for (unsigned int id = 0; id < SECTIONS; id++) {
		const struct section *s = &config_sections[id];

		/* An empty list is as if it were not known: versions that know it agree with those
		 * that do not. */
		if (!agree_section_agrees(s) || section_items(s, c) == 0)
			continue;
		fprintf(to, "[%s]\n", s->name);
		agree_section_print(s, c, agree_print, to);
	}
}

static ssize_t agree_hash_more(void *cookie, const char *bytes, size_t n)
{
	uint64_t h;

	memcpy(&h, cookie, sizeof(h));
	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001b3);
	memcpy(cookie, &h, sizeof(h));
	return (ssize_t)n;
}

uint64_t config_digest(const struct config *c)
{
	/* FNV-1a: a difference is an accident, not an attack */
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	FILE *to = fopencookie(&h, "w", (cookie_io_functions_t){ .write = agree_hash_more });

	if (to == NULL)
		return 0;
	agree_print_all(c, to);
	fclose(to);
	return h;
}

/* "none" where nothing is set: a key that is there on both compares by its value. */
static void agree_lines_print(const struct section *s, const void *item, FILE *to)
{
	for (unsigned int j = 0; j < s->n_knobs; j++) {
		const struct knob *k = &s->knobs[j];

		if ((k->flags & KNOB_AGREE) == 0)
			continue;
		if (s->item_size > 0)
			fprintf(to, "%s[%s].%s = ", s->name, section_item_name(s, item), k->key);
		else
			fprintf(to, "%s%s%s = ", s->name != NULL ? s->name : "",
				s->name != NULL ? "." : "", k->key);
		if (knob_is_set(k, item))
			knob_print(k, item, to);
		else
			fputs("none", to);
		fputc('\n', to);
	}
}

void config_lines(const struct config *c, FILE *to)
{
	for (unsigned int id = 0; id < SECTIONS; id++) {
		const struct section *s = &config_sections[id];

		if (agree_section_agrees(s))
			agree_section_print(s, c, agree_lines_print, to);
	}
}

static char *agree_lines_of(const struct config *c, size_t *len)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, len);

	if (to == NULL)
		return NULL;
	config_lines(c, to);
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}

int config_difference(const struct config *a, const struct config *b, FILE *to)
{
	size_t a_len, b_len;
	char *in_a = agree_lines_of(a, &a_len), *in_b = agree_lines_of(b, &b_len);
	int n = -ENOMEM;

	if (in_a != NULL && in_b != NULL)
		n = config_lines_difference(in_a, a_len, in_b, b_len, to);
	free(in_a);
	free(in_b);
	return n;
}

static void agree_pair_difference(
	struct findings *fs, const struct config *a, const struct config *b)
{
	char *text = NULL, *save = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL) {
		fs->no_memory = true;
		return;
	}
	if (config_difference(a, b, to) < 0)
		fs->no_memory = true;
	if (fclose(to) != 0) {
		fs->no_memory = true;
		return;
	}
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
		line = strtok_r(NULL, "\n", &save)) {
		char *colon = strstr(line, ": ");

		*colon = '\0';
		finding_add(fs, 0, false, line, "expected the same on both chassis: %s", colon + 2);
	}
	free(text);
}

static void agree_pair_addr(struct findings *fs, const char *key, const struct ip_addr *a,
	const char *of, const struct ip_addr *b)
{
	char text[2][IP_ADDR_TEXT];

	if (!ip_addr_equal(a, b))
		finding_add(fs, 0, false, key, "expected the other chassis' %s, %s, not %s", of,
			ip_addr_print(b, text[0]), ip_addr_print(a, text[1]));
}

static void agree_pair_ports(struct findings *fs, const struct config *a, const struct config *b)
{
	for (unsigned int i = 0; i < a->n_ports; i++)
		for (unsigned int j = 0; j < b->n_ports; j++) {
			char key[KNOB_PATH];

			if (a->ports[i].address.len == 0 || b->ports[j].address.len == 0 ||
				!ip_addr_equal(
					&a->ports[i].address.addr, &b->ports[j].address.addr))
				continue;
			snprintf(key, sizeof(key), "ports[%u].address", i);
			finding_add(fs, 0, false, key,
				"expected another address than the other chassis' "
				"ports[%u].address",
				j);
		}
}

uint8_t config_seat(const struct config *c)
{
	if (strcmp(c->srp.seat, "0") == 0)
		return 0;
	if (strcmp(c->srp.seat, "1") == 0)
		return 1;
	return memcmp(c->srp.bind.b, c->srp.peer.b, sizeof(c->srp.bind.b)) < 0 ? 0 : 1;
}

/* Seats that the addresses give differ where the addresses are right, which is looked at anyway. */
static void agree_pair_seat(struct findings *fs, const struct config *a, const struct config *b)
{
	bool by_address = strcmp(a->srp.seat, "auto") == 0 && strcmp(b->srp.seat, "auto") == 0;

	if (!by_address && config_seat(a) == config_seat(b))
		finding_add(fs, 0, false, "srp.seat",
			"expected the seat that the other chassis has not: both have seat %u",
			config_seat(a));
}

int config_check_pair(const struct config *a, const struct config *b, struct config_report *r)
{
	static const uint8_t none[sizeof(a->chassis.tie_breaker)];
	struct findings fs = { 0 };
	unsigned int errors = r->errors;
	int ret;

	if (strcmp(a->chassis.name, b->chassis.name) == 0)
		finding_add(&fs, 0, false, "chassis.name",
			"expected another name than the other chassis'");
	if (memcmp(a->chassis.tie_breaker, none, sizeof(none)) != 0 &&
		memcmp(a->chassis.tie_breaker, b->chassis.tie_breaker, sizeof(none)) == 0)
		finding_add(&fs, 0, false, "chassis.tie-breaker",
			"expected another one than the other chassis': with equal ones neither "
			"becomes Active");
	agree_pair_addr(&fs, "srp.peer", &a->srp.peer, "srp.bind", &b->srp.bind);
	agree_pair_addr(&fs, "srp.bind", &a->srp.bind, "srp.peer", &b->srp.peer);
	agree_pair_addr(&fs, "srp.stream-peer", &a->srp.stream_peer, "srp.stream-bind",
		&b->srp.stream_bind);
	agree_pair_addr(&fs, "srp.stream-bind", &a->srp.stream_bind, "srp.stream-peer",
		&b->srp.stream_peer);
	agree_pair_seat(&fs, a, b);
	agree_pair_ports(&fs, a, b);
	agree_pair_difference(&fs, a, b);
	ret = findings_report(&fs, a->file, r);
	if (ret == 0 && r->errors > errors)
		ret = -EINVAL;
	return ret;
}
