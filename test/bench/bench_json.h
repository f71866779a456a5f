/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_json: how every bench says a figure: one JSON object a line on stdout. Any bench may call
 * it; README.md tells what the metrics are. */
#ifndef TANDEM_BENCH_JSON_H
#define TANDEM_BENCH_JSON_H

#include <stdbool.h>

struct bench_line {
	const char *bench, *name, *metric, *unit; /* name: of the case */
	double value;
	double flr, ratio;  /* the floor of the same work in the same run; 0: none */
	double aim;         /* 0: none */
	bool ok;            /* whether the aim is met; without one it is */
	const char *memory; /* hugepages or 4k pages */
	/* how the cores share the machine, where that matters; NULL: nothing to say */
	const char *cpus;
};

void bench_line(const struct bench_line *l);
/* n >= 1; q: 0 the least, 1 the most */
double bench_quantile(const double *v, unsigned int n, double q);
double bench_median(const double *v, unsigned int n);

#endif
