/* SPDX-License-Identifier: BSD-3-Clause */
/* File to struct: every row of every section is looked for, every setting that no row knows is an
 * error. */
#include <errno.h>
#include <stdlib.h>

#include "knob.h"
#include "peers/gtp_peers.h"

enum { FILE_MAX = 1 << 20 };

static bool load_section_knows(const struct section *s, const char *key)
{
	for (unsigned int j = 0; j < s->n_knobs; j++)
		if (strcmp(s->knobs[j].key, key) == 0)
			return true;
	return false;
}

/* "unknown key; expected one of ..." */
static void load_unknown(struct load *l, enum section_id id, unsigned int i, const char *key)
{
	const struct section *s = &config_sections[id];
	char known[768] = "";
	size_t used = 0;

	for (unsigned int j = 0; j < s->n_knobs && used < sizeof(known); j++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
			j > 0 ? ", " : "", s->knobs[j].key);
	load_error(l, id, i, key, "unknown key; expected %s%s", s->n_knobs > 1 ? "one of " : "",
		known);
}

static void load_item_unknown(
	struct load *l, enum section_id id, unsigned int i, const config_setting_t *group)
{
	for (int j = 0; j < config_setting_length(group); j++) {
		const char *key =
			config_setting_name(config_setting_get_elem(group, (unsigned int)j));

		if (key != NULL && !load_section_knows(&config_sections[id], key))
			load_unknown(l, id, i, key);
	}
}

static void load_item(
	struct load *l, enum section_id id, unsigned int i, const config_setting_t *group)
{
	const struct section *s = &config_sections[id];
	void *base = section_item(s, l->c, i);
	char why[KNOB_WHY], expected[KNOB_WHY];

	l->item[id][i] = group;
	if (id == SECTION_GTP_PEERS)
		l->c->gtp_peers[i].nth = (uint16_t)i;
	for (unsigned int j = 0; j < s->n_knobs; j++) {
		const struct knob *k = &s->knobs[j];
		const config_setting_t *v =
			group != NULL ? config_setting_get_member(group, k->key) : NULL;

		knob_default(k, base);
		if (v == NULL && k->flags & KNOB_MUST) {
			knob_expected(k, expected, sizeof(expected));
			load_error(l, id, i, k->key, "missing: expected %s", expected);
		} else if (v != NULL && !knob_read(k, v, base, why)) {
			load_error(l, id, i, k->key, "%s", why);
		} else {
			l->good[id][i] |= UINT64_C(1) << j;
		}
	}
}

static void load_list(struct load *l, enum section_id id, const config_setting_t *list)
{
	const struct section *s = &config_sections[id];
	unsigned int n = list != NULL ? (unsigned int)config_setting_length(list) : 0, i;
	char path[KNOB_PATH];

	if (n > s->max) {
		load_error(l, id, 0, NULL, "expected at most %u entries, not %u", s->max, n);
		n = s->max;
	}
	for (i = 0; i < n; i++) {
		const config_setting_t *group = config_setting_get_elem(list, i);

		if (config_setting_is_group(group)) {
			load_item(l, id, i, group);
			load_item_unknown(l, id, i, group);
			continue;
		}
		snprintf(path, sizeof(path), "%s[%u]", s->name, i);
		finding_add(&l->findings, config_setting_source_line(group), false, path,
			"expected a group like { name = ...; }");
	}
	memcpy((char *)l->c + s->n_at, &n, sizeof(n));
}

static void load_section(struct load *l, enum section_id id, const config_setting_t *root)
{
	const struct section *s = &config_sections[id];
	const config_setting_t *group =
		s->name != NULL ? config_setting_get_member(root, s->name) : root;
	bool list = s->item_size > 0;

	l->group[id] = group;
	if (group != NULL &&
		!(list ? config_setting_is_list(group) : config_setting_is_group(group)) &&
		!(list && config_setting_is_array(group) && config_setting_length(group) == 0)) {
		load_error(l, id, 0, NULL,
			list ? "expected a list of groups: ( { ... }, ... )"
			     : "expected a group: { ... }");
		l->wrong[id] = true;
		return;
	}
	if (list)
		load_list(l, id, group);
	else
		load_item(l, id, 0, group);
	if (!list && group != NULL && s->name != NULL)
		load_item_unknown(l, id, 0, group);
}

static void load_root_unknown(struct load *l, const config_setting_t *root)
{
	char groups[256] = "";
	size_t used = 0;

	for (unsigned int id = 0; id < SECTIONS; id++)
		used += (size_t)snprintf(groups + used, sizeof(groups) - used, "%s%s",
			id > 0 ? ", " : "",
			config_sections[id].name != NULL ? config_sections[id].name
							 : config_sections[id].knobs[0].key);
	for (int j = 0; j < config_setting_length(root); j++) {
		const config_setting_t *v = config_setting_get_elem(root, (unsigned int)j);
		const char *key = config_setting_name(v);
		bool known = load_section_knows(&config_sections[SECTION_TOP], key);

		for (unsigned int id = 0; id < SECTIONS; id++)
			known = known || (config_sections[id].name != NULL &&
						 strcmp(config_sections[id].name, key) == 0);
		if (!known)
			finding_add(&l->findings, config_setting_source_line(v), false, key,
				"unknown key; expected one of %s", groups);
	}
}

static int by_pool_name(const void *a, const void *b)
{
	return strcmp(((const struct config_pool *)a)->name, ((const struct config_pool *)b)->name);
}

static int by_apn_name(const void *a, const void *b)
{
	return strcmp(((const struct config_apn *)a)->name, ((const struct config_apn *)b)->name);
}

/* What follows from other keys; only of a configuration without errors. */
static int load_derive(struct config *c)
{
	qsort(c->pools, c->n_pools, sizeof(c->pools[0]), by_pool_name);
	qsort(c->apns, c->n_apns, sizeof(c->apns[0]), by_apn_name);
	for (unsigned int i = 0; i < c->n_apns; i++)
		for (unsigned int j = 0; j < c->n_pools; j++)
			if (strcmp(c->apns[i].pool, c->pools[j].name) == 0)
				c->apns[i].pool_index = (uint8_t)j;
	return gtp_peers_derive(c);
}

static void load_tree(struct load *l, const char *text)
{
	config_t tree;

	config_init(&tree);
	if (config_read_string(&tree, text) == CONFIG_FALSE) {
		finding_add(&l->findings, (unsigned int)config_error_line(&tree), false, "syntax",
			"%s",
			config_error_text(&tree) != NULL ? config_error_text(&tree)
							 : "not understood");
	} else {
		const config_setting_t *root = config_root_setting(&tree);

		for (unsigned int id = 0; id < SECTIONS; id++)
			load_section(l, id, root);
		load_root_unknown(l, root);
		check_lists(l);
		check_config(l);
	}
	config_destroy(&tree);
}

static unsigned int load_lines_of(const char *text)
{
	unsigned int n = 1;

	for (; *text != '\0'; text++)
		if (*text == '\n' && text[1] != '\0')
			n++;
	return n;
}

int config_load_text(const char *name, const char *text, struct config *c, struct config_report *r)
{
	struct load *l = calloc(1, sizeof(*l));
	int ret;

	memset(c, 0, sizeof(*c));
	memset(r, 0, sizeof(*r));
	if (l == NULL)
		return -ENOMEM;
	snprintf(c->file, sizeof(c->file), "%s", name);
	l->c = c;
	l->last_line = load_lines_of(text);
	if (scan_text(text, &l->findings))
		load_tree(l, text);
	ret = findings_report(&l->findings, name, r);
	free(l);
	if (ret < 0)
		return ret;
	if (r->errors > 0)
		return -EINVAL;
	return load_derive(c);
}

/* The whole file as a string; a zero byte in it, or more than FILE_MAX bytes, is not a
 * configuration. */
static int load_text_read(const char *file, char **text)
{
	FILE *from = fopen(file, "re");
	size_t n;
	int ret = 0;

	if (from == NULL)
		return -errno;
	*text = malloc(FILE_MAX + 1);
	if (*text == NULL) {
		fclose(from);
		return -ENOMEM;
	}
	n = fread(*text, 1, FILE_MAX + 1, from);
	if (ferror(from))
		ret = -errno;
	else if (n > FILE_MAX || memchr(*text, '\0', n) != NULL)
		ret = -EFBIG;
	else
		(*text)[n] = '\0';
	fclose(from);
	if (ret < 0)
		free(*text);
	return ret;
}

int config_load(const char *file, struct config *c, struct config_report *r)
{
	struct findings fs = { 0 };
	char *text = NULL;
	int ret = load_text_read(file, &text), reported;

	if (ret == 0) {
		ret = config_load_text(file, text, c, r);
		free(text);
		return ret;
	}
	memset(c, 0, sizeof(*c));
	memset(r, 0, sizeof(*r));
	if (ret == -ENOMEM)
		return ret;
	finding_add(&fs, 0, false, "file", "%s",
		ret == -EFBIG ? "expected text of at most 1 MiB" : strerror(-ret));
	reported = findings_report(&fs, file, r);
	if (reported < 0)
		return reported;
	return ret == -ENOENT ? ret : -EINVAL;
}
