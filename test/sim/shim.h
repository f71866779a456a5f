/* SPDX-License-Identifier: BSD-3-Clause */
/* shim: stands in front of every file of app/tandem that `sim` is built from (cc -include): `T`,
 * the one process, is whichever chassis' turn it is. Test code only. */
#ifndef TANDEM_SIM_SHIM_H
#define TANDEM_SIM_SHIM_H

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_ip.h>
#include <rte_ip_frag.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_lpm.h>
#include <rte_malloc.h>
#include <rte_mempool.h>
#include <rte_meter.h>
#include <rte_pause.h>
#include <rte_ring.h>
#include <rte_udp.h>

struct tandem;
extern struct tandem *sim_tandem;
#define T (*sim_tandem)

#endif
