/* SPDX-License-Identifier: BSD-3-Clause */
/* sim: runs seeds. Each is a process of its own (fork), so that no run can see another, and a
 * daemon that corrupts its memory fails its own seed. */
#include <fcntl.h>
#include <getopt.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <rte_eal.h>
#include <rte_memory.h>

#include "mutant.h"
#include "sim.h"

/* The EAL of a shared build loads all drivers that are installed: hundreds of libraries with all
 * that they need, for each program that starts. Nothing here drives a device, so for the EAL their
 * folder is not there; what its memory pools need is linked. The EAL asks for it by this function,
 * which stands in front of that of libc. */
int stat64(const char *path, struct stat64 *st)
{
	if (strcmp(path, RTE_EAL_PMD_PATH) == 0) {
		errno = ENOENT;
		return -1;
	}
	return fstatat64(AT_FDCWD, path, st, 0);
}

static int eal(void)
{
	char prefix[48];
	const char *args[] = { "sim", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"-m", "96", "-l", "0", "--log-level", "error", "--file-prefix", prefix };
	char *argv[RTE_DIM(args) + 1] = { 0 };

	snprintf(prefix, sizeof(prefix), "sim_%d", (int)getpid());
	for (unsigned int i = 0; i < RTE_DIM(args); i++)
		argv[i] = (char *)(uintptr_t)args[i];
	if (rte_eal_init(RTE_DIM(args), argv) < 0)
		return -1;
	return memory_own();
}

/* The next core that has a turn, and when. */
static usec_t next_turn(int *node, int *core)
{
	usec_t first = USEC_NEVER;

	for (int i = 0; i < 2; i++)
		for (int k = 0; k < CORES && node_runs(&sim.node[i], k); k++) {
			usec_t at = RTE_MAX(sim.node[i].core[k].next, sim.node[i].core[k].stalled);

			if (at < first) {
				first = at;
				*node = i;
				*core = k;
			}
		}
	return first;
}

static void look(void)
{
	if (sim.now < sim.tables_due)
		return;
	if (sim.table_checks % 3 == 0) { /* what is wrong stays wrong */
		check_tables(sim.table_checks % 30 == 0);
		check_in_sync();
	}
	if (!sim.is_case)
		check_flip();
	check_led();
	sim.table_checks++;
	sim.tables_due = sim.now + 20 * MS;
}

void world_run(usec_t end)
{
	while (!sim.failed && !sim.spoilt) {
		int node = 0, core = 0;
		usec_t at = next_turn(&node, &core);

		if (sim.n_heap > 0 && sim.heap[0]->at <= at) {
			if (sim.heap[0]->at >= end)
				break;
			ev_run();
			continue;
		}
		if (at >= end)
			break;
		sim.now = RTE_MAX(at, sim.now);
		digest(sim.now << 4 ^ (uint64_t)node << 3 ^ (uint64_t)core);
		node_turn(node, core);
		look();
	}
}

/* Of the seed itself and of nothing that is drawn: the run of a seed is the same, forced or not. */
static bool secured(uint64_t seed)
{
	return sim.ask == ASK_SEED ? crypt_mix(&seed, 1, 0) & 1 : sim.ask == ASK_SECURE;
}

static bool one(uint64_t seed, bool verbose, bool show)
{
	sim.seed = seed;
	sim.secure = secured(seed);
	sim.random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	sim.aside = ~sim.random | 2;
	for (uint64_t i = 0; i < CHANCES; i++)
		sim.own[i] = crypt_mix(&seed, 1, i + 1) | 1;
	sim.verbose = verbose;
	for (int i = 0; i < 20; i++)
		rnd(2);
	for (int i = 0; i < 20; i++)
		rnd_aside(2);
	profile_run();
	if (show)
		printf("seed %llu: digest %016llx, %llu events, %u boots, %u crashes, %u "
		       "promotions, %u planned (%u given up), %u dual, %u cuts, %u stalls, %u bits "
		       "flipped (%u repaired), %u creates, %u answers (%u protected), %u of %u "
		       "packets forwarded, %u rekeys, %u sealed, %u bad tags, %u expired, %u torn, "
		       "%u false deaths, %llu+%llu bytes again of %llu lost\n",
			(unsigned long long)seed, (unsigned long long)sim.digest,
			(unsigned long long)sim.events, sim.boots, sim.crashes, sim.promotions,
			sim.planned, sim.aborted, sim.dual, sim.cuts, sim.stalls, sim.flips,
			sim.repaired, sim.creates, sim.answers, sim.safe_answers, sim.forwarded,
			sim.n_packets, sim.rekeys, sim.sealed, sim.bad_tags, sim.expired, sim.torn,
			sim.false_deaths, (unsigned long long)sim.node[0].repair,
			(unsigned long long)sim.node[1].repair, (unsigned long long)sim.lost_bytes);
	fflush(stdout);
	return !sim.failed;
}

enum { JOBS = 64 };
static struct {
	pid_t pid;
	uint64_t seed;
} seed_of[JOBS];

/* Waits for a child; true if it was content. */
static bool reap(unsigned int running)
{
	int status = 0;
	pid_t pid = wait(&status);

	for (unsigned int i = 0; i < running; i++) {
		if (seed_of[i].pid != pid)
			continue;
		if (WIFSIGNALED(status))
			fprintf(stderr, "seed %llu: ended by signal %d\n",
				(unsigned long long)seed_of[i].seed, WTERMSIG(status));
		seed_of[i] = seed_of[running - 1];
		break;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* first: the first that fails is enough. */
static unsigned long long range(
	uint64_t from, uint64_t to, unsigned int jobs, bool show, bool first)
{
	unsigned long long failed = 0;
	unsigned int running = 0;

	for (uint64_t seed = from; seed <= to; seed++) {
		pid_t pid;

		if (running == jobs) {
			failed += !reap(running--);
			if (first && failed > 0)
				break;
		}
		pid = fork();
		if (pid < 0)
			return to - from + 1;
		if (pid == 0) {
			rlim_t most = sim.is_case ? 200 : 20;
			struct rlimit cpu = { .rlim_cur = most, .rlim_max = most + 10 };

			setrlimit(RLIMIT_CPU, &cpu); /* a run that does not end is a finding too */
			memory_pages(sim.node, sizeof(sim.node));
			_exit(one(seed, false, show) ? 0 : 1);
		}
		seed_of[running].pid = pid;
		seed_of[running].seed = seed;
		running++;
	}
	while (running > 0)
		failed += !reap(running--);
	return failed;
}

static int usage(void)
{
	fprintf(stderr, "usage: sim [--profile NAME] [--secure | --insecure] [--narrow] "
			"[--seed N | --seeds A..B[,C..D]...] "
			"[-j[JOBS]] [-v: tell the story] [-s: a line a seed] [--mutant NAME] "
			"[--lines: the options of runs are read, a line each]\n");
	profile_names(stderr);
	return 2;
}

/* "1..63,188,839" */
static int sweep(const char *seeds, unsigned int jobs, bool show, bool first)
{
	unsigned long long from, to, all = 0, failed = 0;
	int used = 0;

	for (const char *p = seeds; *p != '\0' && !(first && failed > 0);
		p += used + (p[used] == ',')) {
		if (sscanf(p, "%llu..%llu%n", &from, &to, &used) < 2) {
			if (sscanf(p, "%llu%n", &from, &used) < 1)
				return usage();
			to = from;
		}
		if ((p[used] != ',' && p[used] != '\0') || to < from)
			return usage();
		failed += range(from, to, jobs, show, first);
		all += to - from + 1;
	}
	printf("sim: %llu seeds, %llu failed\n", all, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What a command line asks for. */
struct asked {
	const struct profile *profile;
	const char *seeds;
	unsigned int jobs;
	bool lines, verbose, show, first;
};

/* False: it asks for something that there is not. */
static bool asked_read(int argc, char **argv, struct asked *a)
{
	static const struct option options[] = { { "seed", required_argument, NULL, 's' },
		{ "seeds", required_argument, NULL, 'r' },
		{ "mutant", required_argument, NULL, 'm' }, { "secure", no_argument, NULL, 'e' },
		{ "insecure", no_argument, NULL, 'i' }, { "narrow", no_argument, NULL, 'n' },
		{ "profile", required_argument, NULL, 'p' }, { "lines", no_argument, NULL, 'l' },
		{ 0 } };
	int c;

	*a = (struct asked){ .profile = profile_of("daemon"), .seeds = "1..20", .jobs = 1 };
	optind = 0; /* lines are read one after the other */
	while ((c = getopt_long(argc, argv, "vsj::", options, NULL)) != -1) {
		if ((c == 's' && optarg != NULL) || c == 'r')
			a->seeds = optarg;
		else if (c == 'j')
			a->jobs = optarg != NULL ? (unsigned int)strtoul(optarg, NULL, 10) : 2;
		else if (c == 'e' || c == 'i')
			sim.ask = c == 'e' ? ASK_SECURE : ASK_INSECURE;
		else if (c == 'm' && mutant_set(optarg))
			a->first = true;
		else if (c == 'n')
			sim.narrow = true;
		else if (c == 'p' && profile_of(optarg) != NULL)
			a->profile = profile_of(optarg);
		else if (c == 'l')
			a->lines = true;
		else if (c == 'v')
			a->verbose = true;
		else if (c == 's')
			a->show = true;
		else
			return false;
	}
	return true;
}

static int asked_run(const struct asked *a)
{
	profile_take(a->profile);
	node_setup(0);
	node_setup(1);
	if (a->verbose)
		return one(strtoull(a->seeds, NULL, 0), true, true) ? EXIT_SUCCESS : EXIT_FAILURE;
	return sweep(
		a->seeds, RTE_MIN(RTE_MAX(1u, a->jobs), (unsigned int)JOBS), a->show, a->first);
}

/* The options of a line, which it takes apart. */
static int asked_line(char *line)
{
	char *argv[32] = { "sim" }, *rest = NULL;
	int argc = 1;
	struct asked a;

	for (char *word = strtok_r(line, " \n", &rest); word != NULL;
		word = strtok_r(NULL, " \n", &rest)) {
		if (argc == (int)RTE_DIM(argv) - 1) {
			fprintf(stderr, "sim: the line has more than %d words\n", argc - 1);
			return 2;
		}
		argv[argc++] = word;
	}
	return asked_read(argc, argv, &a) ? asked_run(&a) : usage();
}

/* Each line that comes is a run in a process of its own, as if it had been started with these
 * options; its exit status is told behind what it says, on a line of its own. A start of the EAL
 * takes longer than most runs. */
static int asked_lines(void)
{
	char line[512];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		int status = 0;
		pid_t pid;

		if (strchr(line, '\n') == NULL) {
			fprintf(stderr, "sim: a line is not whole, or longer than %zu octets\n",
				sizeof(line) - 1);
			return 2;
		}
		pid = fork();
		if (pid == 0) {
			status = asked_line(line);
			fflush(stdout);
			_exit(status);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return EXIT_FAILURE;
		printf("\nstatus %d\n",
			WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
		fflush(stdout);
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct asked a;

	if (!asked_read(argc, argv, &a))
		return usage();
	if (eal() < 0) {
		fprintf(stderr, "sim: the EAL did not start\n");
		return 2;
	}
	node_pools(0);
	node_pools(1);
	return a.lines ? asked_lines() : asked_run(&a);
}
