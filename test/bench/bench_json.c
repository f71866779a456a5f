/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bench_line(const struct bench_line *l)
{
	printf("{\"bench\":\"%s\",\"case\":\"%s\",\"metric\":\"%s\","
	       "\"value\":%.3f,\"unit\":\"%s\",",
		l->bench, l->name, l->metric, l->value, l->unit);
	if (l->flr > 0)
		printf("\"floor\":%.3f,\"ratio\":%.3f,", l->flr, l->ratio);
	else
		printf("\"floor\":null,\"ratio\":null,");
	if (l->aim > 0)
		printf("\"aim\":%g,\"ok\":%s", l->aim, l->ok ? "true" : "false");
	else
		printf("\"aim\":null,\"ok\":true");
	if (l->memory != NULL)
		printf(",\"memory\":\"%s\"", l->memory);
	if (l->cpus != NULL)
		printf(",\"cpus\":\"%s\"", l->cpus);
	printf("}\n");
	fflush(stdout);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_quantile(const double *v, unsigned int n, double q)
{
	double *sorted = malloc(n * sizeof(*v)), m = v[0];

	if (sorted == NULL)
		return m;
	memcpy(sorted, v, n * sizeof(*v));
	qsort(sorted, n, sizeof(*sorted), compare);
	m = sorted[(unsigned int)(q * (n - 1) + 0.5)];
	free(sorted);
	return m;
}

double bench_median(const double *v, unsigned int n)
{
	return bench_quantile(v, n, 0.5);
}
