/* SPDX-License-Identifier: BSD-3-Clause */
/* explore [--deviations N] [--seconds S] [--profile NAME] [--mutant NAME] [--doubt]
 * [--tell ROUND:DEVIATION:CHASSIS,...]: goes through all there is and says how much that was. Exit
 * status 1 and the way to the first rule that does not hold. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "explore.h"
#include "mutant.h"

enum { MAX_DEVIATIONS = 8 };

struct world *explore_now;
struct round_plan explore_plan;

static bool telling, doubting;

/* The way to where we are: in round `round`, deviation `what` at chassis `who`. */
static struct step {
	uint32_t round;
	unsigned int what;
	int who;
} way[MAX_DEVIATIONS];
static unsigned int n_way;
static const char *profile_name;

static struct {
	unsigned long long states, rounds, courses;
	bool cut_short;
} seen;
static time_t due;

void tell(int i, const char *fmt, ...)
{
	va_list ap;

	if (!telling)
		return;
	printf("%5u %c ", explore_now != NULL ? explore_now->round : 0, 'A' + i);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

void broken(const char *fmt, ...)
{
	va_list ap;

	printf("%s, round %u: ", profile_name, explore_now->round);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	for (unsigned int k = 0; k < n_way; k++)
		printf("  in round %u chassis %c %s\n", way[k].round, 'A' + way[k].who,
			deviations[way[k].what].what);
	printf("  explore --profile %s --tell ", profile_name);
	for (unsigned int k = 0; k < n_way; k++)
		printf("%s%u:%u:%d", k > 0 ? "," : "", way[k].round, way[k].what, way[k].who);
	printf("\n");
	exit(EXIT_FAILURE);
}

/* ---- states that were met: key -> deviations that were left to spend; open addressing ---- */

static struct visit {
	/* left + 1, 0: empty; keys of different `left` differ as well */
	uint64_t key : 60, left : 4;
} * visits;
/* Of each visit, and only while doubting: the key of what follows undisturbed, 0: not known. */
static uint64_t *followers;
static size_t n_visits, room_visits;

static size_t visit_place(uint64_t key)
{
	return (key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (room_visits - 1);
}

static struct visit *visit_find(uint64_t key)
{
	size_t at = visit_place(key);

	for (; visits[at].left != 0 && visits[at].key != key; at = (at + 1) & (room_visits - 1))
		;
	return &visits[at];
}

/* Zeroes, in huge pages where the kernel has them: whatever is looked up is elsewhere. */
static void *visits_room(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

static void visits_make(size_t room)
{
	room_visits = room;
	visits = visits_room(room * sizeof(*visits));
	followers = doubting ? visits_room(room * sizeof(*followers)) : NULL;
}

static void visits_free(struct visit *v, uint64_t *next, size_t room)
{
	munmap(v, room * sizeof(*v));
	if (next != NULL)
		munmap(next, room * sizeof(*next));
}

static void visits_grow(void)
{
	struct visit *old = visits;
	uint64_t *next = followers;
	size_t had = room_visits;

	visits_make(had * 4);
	for (size_t i = 0; i < had; i++) {
		struct visit *v;

		if (old[i].left == 0)
			continue;
		v = visit_find(old[i].key);
		*v = old[i];
		if (doubting)
			followers[v - visits] = next[i];
	}
	visits_free(old, next, had);
}

#define KEY ((UINT64_C(1) << 60) - 1)

/* It will be asked for soon, and is in no cache. */
static void visit_soon(uint64_t key)
{
	__builtin_prefetch(&visits[visit_place(key & KEY)]);
}

/* True if nothing new is to be found from there with that many deviations left. */
static bool visited(uint64_t key, unsigned int left)
{
	struct visit *v;

	if (4 * n_visits >= 3 * room_visits)
		visits_grow();
	key &= KEY;
	v = visit_find(key);
	if (v->left > left)
		return true;
	n_visits += v->left == 0;
	v->key = key;
	v->left = left + 1;
	return false;
}

/* A key that leaves something out which matters would hide states: whatever has the same key goes
 * on alike. */
static void doubt(const struct world *w, uint64_t key, unsigned int left)
{
	static struct world next;
	uint64_t follower = doubting ? followers[visit_find(key & KEY) - visits] : 0;

	if (follower == 0)
		return;
	world_copy(&next, w);
	world_round(&next, NULL, 0);
	if (world_key(&next, left) != follower)
		broken("a state of the same key goes on otherwise");
}

/* ---- the search ---- */

static bool out_of_time(void)
{
	seen.cut_short |= due != 0 && (seen.rounds & 1023) == 0 && time(NULL) >= due;
	return seen.cut_short;
}

static void explore(const struct world *from, unsigned int left);

static void deviate(const struct world *from, unsigned int left)
{
	static struct world next[MAX_DEVIATIONS + 1];

	for (unsigned int d = 0; d < n_deviations; d++)
		for (int who = 0; who < 2; who++) {
			if (!deviations[d].possible(from, who) || out_of_time())
				continue;
			world_copy(&next[left], from);
			way[n_way++] = (struct step){ from->round, d, who };
			world_round(&next[left], &deviations[d], who);
			seen.rounds++;
			explore(&next[left], left - 1);
			n_way--;
		}
}

/* The course under way with so many deviations left, of which there is one at a time. A course is
 * some megabytes, so it is allocated once: a heap that fills what it gives and takes
 * (MALLOC_PERTURB_) would do little else. */
static struct world *course_of(unsigned int left)
{
	static struct world *courses[MAX_DEVIATIONS + 1];

	if (courses[left] == NULL)
		courses[left] = malloc((SETTLE + 1) * sizeof(*courses[left]));
	if (courses[left] == NULL)
		abort();
	return courses[left];
}

/* The undisturbed course first, to its rest or into one that was gone through; then whatever else
 * each state allows. */
static void explore(const struct world *from, unsigned int left)
{
	struct world *course = course_of(left);
	uint64_t keys[SETTLE + 1];
	unsigned int n = 0;

	world_copy(&course[0], from);
	keys[0] = world_key(&course[0], left);
	for (;; n++) {
		visit_soon(keys[n]);
		if (n < SETTLE)
			world_copy(&course[n + 1], &course[n]);
		if (visited(keys[n], left)) {
			doubt(&course[n], keys[n], left);
			for (unsigned int k = 0; k < n; k++)
				if (keys[k] == keys[n]) {
					explore_now = &course[n];
					check_rest(&course[n]);
					seen.courses++;
				}
			break;
		}
		seen.states++;
		if (n == SETTLE)
			broken("no rest after %u rounds without a deviation", SETTLE);
		world_round(&course[n + 1], NULL, 0);
		keys[n + 1] = world_key(&course[n + 1], left);
		if (doubting)
			followers[visit_find(keys[n] & KEY) - visits] = keys[n + 1];
		seen.rounds++;
	}
	for (unsigned int k = 0; k < n && left > 0; k++)
		deviate(&course[k], left);
}

/* ---- what is explored ---- */

#define CONF(s, m, p, mac5)                                                                        \
	{                                                                                          \
		.side = s, .mode = m, .priority = p, .mac = { 2, 0, 0, 0, 0, mac5 },               \
		.capacity = 1000, .hello_us = BEAT * ROUND, .heartbeat_us = BEAT * ROUND,          \
		.dead_us = DEAD * ROUND, .delay_us = ROUND, .pending_us = PENDING * ROUND,         \
		.dead_multiplier = MULTIPLIER                                                      \
	}

static struct profile profiles[] = {
	{ "l2-primary", { CONF(0, SRP_PRIMARY, 125, 1), CONF(1, SRP_BACKUP, 125, 2) } },
	{ "l3-primary", { CONF(0, SRP_BACKUP, 125, 1), CONF(1, SRP_PRIMARY, 125, 2) } },
	{ "l2-equal", { CONF(0, SRP_BACKUP, 125, 1), CONF(1, SRP_BACKUP, 125, 2) } },
	{ "l3-equal", { CONF(0, SRP_PRIMARY, 125, 2), CONF(1, SRP_PRIMARY, 125, 1) } },
	{ "l3-priority", { CONF(0, SRP_BACKUP, 100, 2), CONF(1, SRP_BACKUP, 101, 1) } },
};

static void explore_profile(struct profile *p, unsigned int left)
{
	static struct world begin;

	for (int i = 0; i < 2; i++)
		p->conf[i].l2 = strncmp(p->name, "l2", 2) == 0;
	profile_name = p->name;
	if (visits != NULL)
		visits_free(visits, followers, room_visits);
	/* Two deviations meet some four million states. */
	visits_make(left > 1 ? (size_t)1 << 23 : (size_t)1 << 17);
	n_visits = 0;
	world_create(p);
	world_begin(&begin);
	explore(&begin, left);
}

/* Follows one way, and then its undisturbed course. */
static void follow(struct profile *p, const char *text)
{
	static struct world w;
	struct step s;
	int used = 0;

	telling = true;
	for (int i = 0; i < 2; i++)
		p->conf[i].l2 = strncmp(p->name, "l2", 2) == 0;
	profile_name = p->name;
	world_create(p);
	world_begin(&w);
	while (n_way < MAX_DEVIATIONS &&
		sscanf(text, "%u:%u:%d%n", &s.round, &s.what, &s.who, &used) == 3 &&
		s.what < n_deviations && (s.who == 0 || s.who == 1)) {
		while (w.round < s.round)
			world_round(&w, NULL, 0);
		way[n_way++] = s;
		world_round(&w, &deviations[s.what], s.who);
		text += used;
		text += *text == ',';
	}
	for (unsigned int n = 0; n < SETTLE; n++)
		world_round(&w, NULL, 0);
	check_rest(&w);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "deviations", required_argument, NULL, 'd' },
		{ "seconds", required_argument, NULL, 's' },
		{ "profile", required_argument, NULL, 'p' },
		{ "mutant", required_argument, NULL, 'm' },
		{ "tell", required_argument, NULL, 't' }, { "doubt", no_argument, NULL, 'k' },
		{ 0 } };
	const char *only = NULL, *story = NULL;
	unsigned long left = 2, seconds = 0;
	time_t begun = time(NULL);
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'd')
			left = strtoul(optarg, NULL, 0);
		else if (c == 's')
			seconds = strtoul(optarg, NULL, 0);
		else if (c == 'p')
			only = optarg;
		else if (c == 't')
			story = optarg;
		else if (c == 'k')
			doubting = true;
		else if (c != 'm' || !mutant_set(optarg)) {
			fprintf(stderr,
				"usage: explore [--deviations N] [--seconds S] [--profile NAME] "
				"[--mutant NAME] [--doubt] [--tell ROUND:DEVIATION:CHASSIS,...]\n");
			return 2;
		}
	}
	if (left > MAX_DEVIATIONS)
		left = MAX_DEVIATIONS;
	due = seconds > 0 ? begun + (time_t)seconds : 0;
	for (unsigned int i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		if (only != NULL && strcmp(only, profiles[i].name) != 0)
			continue;
		if (story != NULL)
			follow(&profiles[i], story);
		else
			explore_profile(&profiles[i], (unsigned int)left);
	}
	printf("explored: %llu states, %llu rounds, %llu courses to their rest, %lu deviations%s, "
	       "%ld s\n",
		seen.states, seen.rounds, seen.courses, left, seen.cut_short ? " (cut short)" : "",
		(long)(time(NULL) - begun));
	return EXIT_SUCCESS;
}
