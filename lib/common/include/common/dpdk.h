/* SPDX-License-Identifier: BSD-3-Clause */
/* dpdk: what the releases of DPDK since 22.11 call differently, in one place: the rest of the
 * source is the same for all of them. */
#ifndef TANDEM_COMMON_DPDK_H
#define TANDEM_COMMON_DPDK_H

#include <pthread.h>
#include <stdlib.h>

#include <rte_lcore.h>
#include <rte_version.h>

/* rte_tel_data_add_dict_u64() has another name since 23.03, and is gone in 25.11. */
#if RTE_VERSION < RTE_VERSION_NUM(23, 3, 0, 0)
#define rte_tel_data_add_dict_uint rte_tel_data_add_dict_u64
#endif

#if RTE_VERSION < RTE_VERSION_NUM(23, 11, 0, 0)

/* A thread that the EAL puts on a CPU which no lcore polls, where there is one. 0 or an error of
 * errno.h, of either sign. Whoever calls it joins it, or detaches it. */
static inline int dpdk_control_thread(
	pthread_t *thread, const char *name, void *(*run)(void *), void *arg)
{
	return rte_ctrl_thread_create(thread, name, NULL, run, arg);
}

#else

#include <errno.h>
#include <rte_thread.h>

struct dpdk_thread_start {
	void *(*run)(void *);
	void *arg;
};

static inline uint32_t dpdk_thread_run(void *start)
{
	struct dpdk_thread_start s = *(struct dpdk_thread_start *)start;

	free(start);
	s.run(s.arg);
	return 0;
}

static inline int dpdk_control_thread(
	pthread_t *thread, const char *name, void *(*run)(void *), void *arg)
{
	struct dpdk_thread_start *s = malloc(sizeof(*s));
	rte_thread_t t;
	int ret;

	if (s == NULL)
		return -ENOMEM;
	*s = (struct dpdk_thread_start){ run, arg };
	ret = rte_thread_create_control(&t, name, dpdk_thread_run, s);
	if (ret != 0) {
		free(s);
		return ret;
	}
	*thread = (pthread_t)t.opaque_id; /* on Linux it is the thread's own name */
	return 0;
}

#endif
#endif
