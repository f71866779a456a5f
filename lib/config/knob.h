/* SPDX-License-Identifier: BSD-3-Clause */
/* knob: private to lib/config. A knob is a row; sections are tables of rows; reading, checking,
 * printing, comparing and the table of config/README.md walk the same rows. The tables are
 * constant; a load owns everything else. Control core. */
#ifndef TANDEM_CONFIG_KNOB_H
#define TANDEM_CONFIG_KNOB_H

#include <stddef.h>

#include <libconfig.h>

#include "config/config.h"

enum knob_type {
	KNOB_U32,
	KNOB_BOOL,
	KNOB_NAME,   /* letters, digits, '-', '_', '.' */
	KNOB_APN,    /* labels of an access point name, kept in lower case */
	KNOB_TEXT,   /* any printable ASCII */
	KNOB_CHOICE, /* a bool that has words: choices[0] is false */
	KNOB_WORD,   /* a string that is one of choices */
	KNOB_ADDR,   /* max 1: of either family */
	KNOB_ADDRS,  /* list */
	KNOB_IFADDR, /* an interface's address: host bits belong to it */
	KNOB_PREFIX,
	KNOB_MAC,
	KNOB_ROLES, /* list into a set */
	KNOB_LCORE, /* int; -1: chosen */
	KNOB_LCORES,
	KNOB_PREFIXES, /* of an entry of gtp-peers; def: enum config_gtp_use */
	KNOB_PORTS,    /* access ports of one, into a set */
	KNOB_TYPES,
};

/* AGREE: between the two chassis of a pair. LIVE: a reload changes it while the daemon runs. A row
 * that has LIVE is no lcores. With AGREE besides, the new value waits until the peer has been given
 * the same (lib/srp/README.md section 8). */
enum { KNOB_MUST = 1, KNOB_AGREE = 2, KNOB_LIVE = 4 };

struct knob {
	const char *key;
	enum knob_type type;
	unsigned int flags;
	size_t at, size; /* of the field; of a list: the array */
	size_t n_at;     /* of a list: its count (unsigned int) */
	const char *def_text;
	int64_t def, min, max;
	const char *const *choices; /* ends with NULL; def is the index of the default */
	const char *unit, *help;
};

enum section_id {
	SECTION_CHASSIS,
	SECTION_PORTS,
	SECTION_LOOPBACKS,
	SECTION_SERVICES,
	SECTION_GTP_PEERS,
	SECTION_POOLS,
	SECTION_APNS,
	SECTION_AAA,
	SECTION_BGP_PEERS,
	SECTION_ROUTES,
	SECTION_MONITORS,
	SECTION_SRP,
	SECTION_TABLE,
	SECTION_LICENSE,
	SECTION_LCORES,
	SECTION_TOP, /* knobs outside every group */
	SECTION_TELEMETRY,
	SECTION_LOG,
	SECTIONS,
};

enum {
	SECTION_ITEMS = CONFIG_GTP_PEERS,
	SECTION_KNOBS = 64, /* in one section at most: the bits of load.good */
	KNOB_PATH = 64,
	KNOB_SAID = 80,
	KNOB_WHY = 256
};

/* A group (one item, whose base is struct config), or with item_size a list of groups. lives: of a
 * list whose items may come and go at run time. */
struct section {
	const char *name;
	const struct knob *knobs;
	unsigned int n_knobs;
	size_t at, item_size, n_at;
	unsigned int max;
	bool lives;
};

extern const struct section config_sections[SECTIONS];

unsigned int section_items(const struct section *s, const struct config *c);
void *section_item(const struct section *s, struct config *c, unsigned int i);
const void *section_item_const(const struct section *s, const struct config *c, unsigned int i);
/* Of a list: the name of an item (its first row), and the item of that name or NULL. */
const char *section_item_name(const struct section *s, const void *item);
const void *section_item_by_name(const struct section *s, const struct config *c, const char *name);

void knob_default(const struct knob *k, void *base);
/* Takes the setting's value into the item at base. False: it is not what the row says, and `why`
 * (KNOB_WHY bytes) has the reason. */
bool knob_read(const struct knob *k, const config_setting_t *s, void *base, char *why);
/* Whether there is anything to print: an address that nobody set has no text. */
bool knob_is_set(const struct knob *k, const void *base);
/* The value as the file's syntax has it. */
void knob_print(const struct knob *k, const void *base, FILE *to);
/* "an integer, 1 to 255" */
void knob_expected(const struct knob *k, char *to, size_t size);

/* Findings of one load, sorted into a report at its end. */
struct finding {
	unsigned int line;
	bool warning;
	char *text; /* "KEY: what was expected" */
};

struct findings {
	struct finding *f;
	unsigned int n, room;
	bool no_memory;
};

void finding_add(struct findings *fs, unsigned int line, bool warning, const char *key,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Adds "FILE:LINE: KEY: ..." lines (line 0: no line) to the report in order of lines and frees the
 * findings. 0 or -ENOMEM. */
int findings_report(struct findings *fs, const char *file, struct config_report *r);

/* What the checks need to know about the file: where a key stands, and whether its value can be
 * relied on. */
struct load {
	struct config *c;
	struct findings findings;
	unsigned int last_line;
	const config_setting_t *group[SECTIONS];
	const config_setting_t *item[SECTIONS][SECTION_ITEMS];
	bool wrong[SECTIONS]; /* not even a group or list: reported, and nothing in it was read */
	uint64_t good[SECTIONS][SECTION_ITEMS]; /* bit i: knob i was read */
};

/* Before libconfig sees it: what it would take in silence (numbers that wrap, other files). False:
 * it must not see it. */
bool scan_text(const char *text, struct findings *fs);
/* Rules across keys, after every value was read, before lists are sorted. */
void check_config(struct load *l);
void check_lists(struct load *l);
bool load_good(const struct load *l, enum section_id id, unsigned int i, const char *key);
void load_error(struct load *l, enum section_id id, unsigned int i, const char *key,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void load_warning(struct load *l, enum section_id id, unsigned int i, const char *key,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
