/* SPDX-License-Identifier: BSD-3-Clause */
/* Entries of gtp-peers beside each other, and their files of prefixes: a line has "control PREFIX",
 * "user PREFIX", or a prefix alone, which is both; a comment begins with '#'. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gtp_peers.h"

enum { GTP_FILE_MAX = 4 << 20, GTP_FILE_LINE = 256, GTP_FILE_ERRORS = 20, GTP_FILE_SHOWN = 48 };

static const char file_key[] = "prefixes-file";

struct gtp_file {
	struct load *l;
	unsigned int i; /* the entry */
	const char *path;
	unsigned int line, errors;
};

static void gtp_check_error(struct gtp_file *f, const char *why)
{
	if (++f->errors < GTP_FILE_ERRORS)
		load_error(f->l, SECTION_GTP_PEERS, f->i, file_key, "%s:%u: %s", f->path, f->line,
			why);
	else if (f->errors == GTP_FILE_ERRORS)
		load_error(f->l, SECTION_GTP_PEERS, f->i, file_key,
			"%s:%u: and more errors from here on", f->path, f->line);
}

static void gtp_check_said(const char *text, char *to)
{
	unsigned int n = 0;

	for (; text[n] != '\0' && n < GTP_FILE_SHOWN; n++)
		to[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	to[n] = '\0';
}

/* False: there is no room for more. */
static bool gtp_check_line(struct gtp_file *f, char *line)
{
	static const char space[] = " \t\r";
	char said[GTP_FILE_SHOWN + 1], why[KNOB_WHY] = "", *save = NULL, *word, *more;
	unsigned int use = CONFIG_GTP_CONTROL | CONFIG_GTP_USER;
	struct ip_prefix p;

	line[strcspn(line, "#\n")] = '\0';
	gtp_check_said(line, said);
	word = strtok_r(line, space, &save);
	if (word == NULL)
		return true;
	if (strcmp(word, "control") == 0 || strcmp(word, "user") == 0) {
		use = word[0] == 'c' ? CONFIG_GTP_CONTROL : CONFIG_GTP_USER;
		word = strtok_r(NULL, space, &save);
	}
	more = word != NULL ? strtok_r(NULL, space, &save) : NULL;
	if (word == NULL || more != NULL || !gtp_prefix_parse(word, &p, why)) {
		if (why[0] == '\0')
			snprintf(why, sizeof(why),
				"expected a prefix, or \"control\" or \"user\" and a prefix, not "
				"\"%s\"",
				said);
		gtp_check_error(f, why);
		return true;
	}
	if (gtp_prefix_add(f->l->c, &p, use)) {
		f->l->c->gtp_peers[f->i].file.n++;
		return true;
	}
	snprintf(why, sizeof(why), "expected at most %u prefixes in all entries",
		CONFIG_GTP_PREFIXES);
	gtp_check_error(f, why);
	return false;
}

static void gtp_check_lines(struct gtp_file *f, FILE *from)
{
	char line[GTP_FILE_LINE];

	while (fgets(line, sizeof(line), from) != NULL) {
		f->line++;
		if (strchr(line, '\n') == NULL && !feof(from)) {
			gtp_check_error(f, "expected a line of at most 254 characters of text");
			return;
		}
		if (!gtp_check_line(f, line))
			return;
	}
	if (ferror(from))
		gtp_check_error(f, "cannot be read further");
}

/* What is no file is not waited for. */
static FILE *gtp_check_open(const char *path, const char **why)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	FILE *from;

	*why = strerror(errno);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > GTP_FILE_MAX) {
		*why = "expected a file of at most 4 MiB";
		close(fd);
		return NULL;
	}
	from = fdopen(fd, "r");
	if (from == NULL) {
		*why = strerror(errno);
		close(fd);
	}
	return from;
}

/* False: nothing can be said of what the entry has. */
static bool gtp_check_file(struct load *l, unsigned int i)
{
	struct config_gtp_peer *e = &l->c->gtp_peers[i];
	struct gtp_file f = { l, i, e->prefixes_file, 0, 0 };
	const char *why;
	FILE *from;

	if (!load_good(l, SECTION_GTP_PEERS, i, file_key))
		return false;
	if (e->prefixes_file[0] == '\0')
		return true;
	from = gtp_check_open(f.path, &why);
	if (from == NULL) {
		load_error(l, SECTION_GTP_PEERS, i, file_key, "%s: %s", f.path, why);
		return false;
	}
	e->file.at = l->c->n_gtp_prefixes;
	gtp_check_lines(&f, from);
	fclose(from);
	return f.errors == 0;
}

/* ---- prefixes that belong to one entry ---- */

struct gtp_owned {
	struct config_gtp_prefix p; /* first: gtp_check_by_prefix() */
	uint16_t nth;
	bool from_file;
};

static int gtp_check_by_prefix(const void *a, const void *b)
{
	const struct gtp_owned *one = a, *other = b;
	int d = memcmp(&one->p.prefix, &other->p.prefix, sizeof(one->p.prefix));

	return d != 0 ? d : (one->nth > other->nth) - (one->nth < other->nth);
}

static unsigned int gtp_check_collect(const struct load *l, unsigned int i,
	const struct config_gtp_range *r, struct gtp_owned *to)
{
	unsigned int n = 0;

	for (unsigned int j = 0; j < r->n; j++)
		if (l->c->gtp_prefixes[r->at + j].use & CONFIG_GTP_CONTROL)
			to[n++] = (struct gtp_owned){ l->c->gtp_prefixes[r->at + j], (uint16_t)i,
				r == &l->c->gtp_peers[i].file };
	return n;
}

static void gtp_check_owners(struct load *l)
{
	struct gtp_owned *all = calloc((size_t)l->c->n_gtp_prefixes + 1, sizeof(*all));
	char text[IP_PREFIX_TEXT];
	unsigned int n = 0;

	if (all == NULL) {
		l->findings.no_memory = true;
		return;
	}
	for (unsigned int i = 0; i < l->c->n_gtp_peers; i++) {
		n += gtp_check_collect(l, i, &l->c->gtp_peers[i].control, all + n);
		n += gtp_check_collect(l, i, &l->c->gtp_peers[i].file, all + n);
	}
	qsort(all, n, sizeof(*all), gtp_check_by_prefix);
	for (unsigned int i = 1; i < n; i++)
		if (all[i].nth != all[i - 1].nth &&
			ip_prefix_equal(&all[i].p.prefix, &all[i - 1].p.prefix))
			load_error(l, SECTION_GTP_PEERS, all[i].nth,
				all[i].from_file ? file_key : "control",
				"expected a control prefix of its own: gtp-peers[%u] has %s, too",
				all[i - 1].nth, ip_prefix_print(&all[i].p.prefix, text));
	free(all);
}

static bool gtp_check_has(
	const struct config *c, const struct config_gtp_range *r, unsigned int use, bool whole)
{
	for (unsigned int i = 0; i < r->n; i++)
		if (c->gtp_prefixes[r->at + i].use & use &&
			(!whole || c->gtp_prefixes[r->at + i].prefix.len == 0))
			return true;
	return false;
}

static bool gtp_check_any(const struct config *c, unsigned int i, unsigned int use, bool whole)
{
	const struct config_gtp_peer *e = &c->gtp_peers[i];

	return gtp_check_has(c, &e->control, use, whole) ||
	       gtp_check_has(c, &e->user, use, whole) || gtp_check_has(c, &e->file, use, whole);
}

static void gtp_check_entry(struct load *l, unsigned int i)
{
	static const unsigned int any_use = CONFIG_GTP_CONTROL | CONFIG_GTP_USER;

	if (!gtp_check_file(l, i) || !load_good(l, SECTION_GTP_PEERS, i, "control") ||
		!load_good(l, SECTION_GTP_PEERS, i, "user"))
		return;
	if (!gtp_check_any(l->c, i, CONFIG_GTP_CONTROL, false))
		load_error(l, SECTION_GTP_PEERS, i, "control",
			"missing: expected at least one prefix from which the peer speaks GTP-C, "
			"here or in prefixes-file");
	if (gtp_check_any(l->c, i, any_use, true))
		load_warning(l, SECTION_GTP_PEERS, i, "name",
			"a prefix of length 0: every host that reaches the port is this peer, and "
			"can end and take sessions of it");
}

void check_gtp_peers(struct load *l)
{
	for (unsigned int i = 0; i < l->c->n_gtp_peers; i++)
		gtp_check_entry(l, i);
	gtp_check_owners(l);
}
