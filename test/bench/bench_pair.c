/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench_pair.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_side.h"

/* What goes through the pipe: the chassis are forks, so a function has the same address in them. */
struct call {
	bench_fn fn;
	uint64_t arg[BENCH_ARGS];
};

static unsigned int cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned int)CPU_COUNT(&set) : 1;
}

const char *bench_pair_cpus(void)
{
	return cpus() > 1 ? "the active's worker and replication core share one CPU, the standby's "
			    "has the other"
			  : "all cores of both chassis share one CPU";
}

int bench_options(int argc, char **argv, struct bench_options *o)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--smoke") == 0)
			o->smoke = true;
		else if (strcmp(argv[i], "--crypto") == 0)
			o->crypto = true;
		else if (strcmp(argv[i], "--huge-dir") == 0 && i + 1 < argc)
			o->huge_dir = argv[++i];
		else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
			o->rounds = (unsigned int)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--sessions") == 0 && i + 1 < argc)
			o->sessions = (uint32_t)strtoul(argv[++i], NULL, 10);
		else {
			fprintf(stderr,
				"usage: %s [--smoke] [--huge-dir DIR] [--rounds N] [--sessions N "
				"(of resync: 1M and 4M)]\n",
				argv[0]);
			return -1;
		}
	}
	o->rounds = o->rounds > 0 ? o->rounds : 1;
	return 0;
}

/* A chassis: opened, then one call after the other, until the pipe is closed. */
static int chassis(struct bench_side *s, int ask, int answer)
{
	struct call c;
	int ret = bench_side_open(s, cpus() > 1 ? s->role : 0);

	while (write(answer, &ret, sizeof(ret)) == sizeof(ret) &&
		read(ask, &c, sizeof(c)) == sizeof(c))
		ret = c.fn(s, c.arg);
	bench_side_close(s);
	return EXIT_SUCCESS;
}

static int start(struct bench_pair *p, unsigned int role)
{
	int ask[2], answer[2];

	if (pipe(ask) < 0 || pipe(answer) < 0)
		return -1;
	fflush(NULL);
	p->side[role].pid = fork();
	if (p->side[role].pid < 0)
		return -1;
	if (p->side[role].pid == 0) {
		struct bench_side s = {
			.role = role, .pair = p, .shared = p->shared, .use = &p->shared->use[role]
		};

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ask[1]);
		close(answer[0]);
		for (unsigned int i = 0; i < role; i++) {
			close(p->side[i].ask);
			close(p->side[i].answer);
		}
		_exit(chassis(&s, ask[0], answer[1]));
	}
	close(ask[0]);
	close(answer[1]);
	p->side[role].ask = ask[1];
	p->side[role].answer = answer[0];
	return 0;
}

static int answer(struct bench_pair *p, unsigned int role)
{
	int ret;

	return read(p->side[role].answer, &ret, sizeof(ret)) == sizeof(ret) ? ret : -EPIPE;
}

int bench_pair_start(struct bench_pair *p)
{
	static const char *const names[] = { "active", "standby" };
	int ret;

	signal(SIGPIPE, SIG_IGN);
	p->shared = mmap(NULL, sizeof(*p->shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->shared == MAP_FAILED)
		return -1;
	for (unsigned int i = 0; i < BENCH_SIDES; i++) {
		/* One after the other: the port's server must listen before its client comes. */
		ret = start(p, i) < 0 ? -errno : answer(p, i);
		if (ret < 0) {
			fprintf(stderr, "the %s chassis does not start: %d\n", names[i], ret);
			return -1;
		}
	}
	return 0;
}

void bench_pair_stop(struct bench_pair *p)
{
	for (unsigned int i = 0; i < BENCH_SIDES; i++) {
		if (p->side[i].pid <= 0)
			continue;
		close(p->side[i].ask);
		waitpid(p->side[i].pid, NULL, 0);
		close(p->side[i].answer);
	}
	if (p->shared != NULL)
		munmap(p->shared, sizeof(*p->shared));
}

int bench_pair_run(
	struct bench_pair *p, bench_fn active, bench_fn standby, const uint64_t arg[BENCH_ARGS])
{
	static const uint64_t nothing[BENCH_ARGS];
	const bench_fn fn[] = { active, standby };
	int ret = 0;

	atomic_store(&p->shared->here, 0);
	atomic_store(&p->shared->over, false);
	atomic_store(&p->shared->taken, 0);
	for (unsigned int i = 0; i < BENCH_SIDES; i++) {
		struct call c = { .fn = fn[i] };

		memcpy(c.arg, arg != NULL ? arg : nothing, sizeof(c.arg));
		if (fn[i] != NULL && write(p->side[i].ask, &c, sizeof(c)) != sizeof(c))
			return -1;
	}
	for (unsigned int i = 0; i < BENCH_SIDES; i++)
		if (fn[i] != NULL && answer(p, i) < 0)
			ret = -1;
	return ret;
}
