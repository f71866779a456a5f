/* SPDX-License-Identifier: BSD-3-Clause */
/* net_lab: lib/net against the real kernel: root, in a network namespace of its own (77: not
 * permitted here). Its peer lives in a second one, held by a child:
 *
 *      this namespace                                   the peer's
 *      twin tw0 10.9.0.1/24 = port 0 = g0 ---- veth ---- p0 10.9.0.2/24, 10.9.0.3/24
 *      twin tw1 10.8.0.1/24 = port 1 = g1 ---- veth ---- p1 10.8.0.2/24
 */
#ifndef TANDEM_NET_LAB_H
#define TANDEM_NET_LAB_H

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/rtnetlink.h>
#include <rte_bus_vdev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "net/fib.h"
#include "net/net.h"
#include "ut.h"

enum { WAIT_MS = 5000, PORTS = 2, BURST = 32 };

static __attribute__((unused)) pid_t peer;
static __attribute__((unused)) struct rte_mempool *pool;
static __attribute__((unused)) uint16_t ports[PORTS];
static __attribute__((unused)) struct net_twin twins[PORTS];
static __attribute__((unused)) struct net_kernel *kernel;
static __attribute__((unused)) struct fib *fib;
static __attribute__((unused)) struct net_mirror *mirror;

static inline bool sh(const char *fmt, ...)
{
	char cmd[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	return system(cmd) == 0;
}

static inline bool on_peer(const char *what)
{
	return sh("nsenter -t %d -n %s", peer, what);
}

static inline int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* What a worker and the control core do: frames both ways, netlink, resolving. */
static inline void turn(void)
{
	struct rte_mbuf *m[BURST];
	struct pollfd p = { .fd = mirror != NULL ? net_mirror_fd(mirror) : -1, .events = POLLIN };

	for (unsigned int i = 0; i < PORTS; i++) {
		uint16_t n = rte_eth_rx_burst(ports[i], 0, m, BURST), sent;

		net_twin_to(&twins[i], m, n);
		n = net_twin_from(&twins[i], m, BURST);
		sent = rte_eth_tx_burst(ports[i], 0, m, n);
		rte_pktmbuf_free_bulk(m + sent, n - sent);
	}
	poll(&p, 1, 1);
	if (mirror == NULL)
		return;
	CU_ASSERT_EQUAL(net_mirror_process(mirror), 0);
	net_mirror_resolve(mirror);
}

/* Until the condition holds; what it says at the end. */
#define WAIT(cond)                                                                                 \
	__extension__({                                                                            \
		int64_t due_ = now_ms() + WAIT_MS;                                                 \
		while (!(cond) && now_ms() < due_)                                                 \
			turn();                                                                    \
		(cond);                                                                            \
	})

static inline uint32_t ip(const char *text)
{
	struct ip_addr a = { { 0 } };

	CU_ASSERT_EQUAL(ip_addr_parse(text, &a), 0);
	return ip_addr_to_v4(&a);
}

static inline struct ip_addr addr(const char *text)
{
	struct ip_addr a = { { 0 } };

	CU_ASSERT_EQUAL(ip_addr_parse(text, &a), 0);
	return a;
}

static inline pid_t ping_start(const char *dst)
{
	char pid[16];
	pid_t p = fork();

	if (p != 0)
		return p;
	snprintf(pid, sizeof(pid), "%d", peer);
	if (freopen("/dev/null", "w", stdout) == NULL)
		_exit(1);
	execlp("nsenter", "nsenter", "-t", pid, "-n", "ping", "-c", "5", "-i", "0.01", "-W", "2",
		dst, NULL);
	_exit(1);
}

static inline int ping(const char *dst)
{
	pid_t p = ping_start(dst);
	int status = -1;

	CU_ASSERT_TRUE(WAIT(waitpid(p, &status, WNOHANG) != 0));
	return status;
}

static inline bool lab_up(void)
{
	peer = fork();
	if (peer == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	/* the child is in its own namespace as soon as the links differ */
	for (int i = 0; i < 5000; i++) {
		char a[64] = "", b[64] = "", path[64];

		snprintf(path, sizeof(path), "/proc/%d/ns/net", peer);
		if (readlink(path, a, sizeof(a) - 1) > 0 &&
			readlink("/proc/self/ns/net", b, sizeof(b) - 1) > 0 && strcmp(a, b) != 0)
			break;
		poll(NULL, 0, 1);
	}
	for (int i = 0; i < PORTS; i++)
		if (!sh("ip link add g%d type veth peer name p%d && ip link set p%d netns %d && "
			"ip link set "
			"g%d up &&"
			"sysctl -qw net.ipv6.conf.g%d.disable_ipv6=1; ethtool -K g%d tx off "
			">/dev/null 2>&1;"
			"nsenter -t %d -n ethtool -K p%d tx off >/dev/null 2>&1; nsenter -t %d "
			"-n ip link "
			"set p%d up &&"
			"nft 'add table netdev t%d; add chain netdev t%d i { type filter hook "
			"ingress device "
			"g%d priority 0;"
			" policy drop; }'",
			    i, i, i, peer, i, i, i, peer, i, peer, i, i, i, i))
			return false;
	return sh("ip link set lo up; ip tuntap add tw1 mode tap multi_queue && ip addr add "
		  "10.8.0.1/24 dev tw1") &&
	       on_peer("ip addr add 10.9.0.2/24 dev p0") &&
	       on_peer("ip addr add 10.9.0.3/24 dev p0") &&
	       on_peer("ip addr add 10.8.0.2/24 dev p1");
}

static inline bool port_up(unsigned int i)
{
	struct ip_prefix own = { ip_addr_v4(0x0a090001), i == 0 ? 24 : 0 };
	struct rte_eth_conf conf = { 0 };
	char name[32], args[64], twin[8];

	snprintf(name, sizeof(name), "net_af_packet%u", i);
	snprintf(args, sizeof(args), "iface=g%u,qpairs=1,framesz=2048,blocksz=65536,framecnt=512",
		i);
	snprintf(twin, sizeof(twin), "tw%u", i);
	return rte_vdev_init(name, args) == 0 &&
	       rte_eth_dev_get_port_by_name(name, &ports[i]) == 0 &&
	       rte_eth_dev_configure(ports[i], 1, 1, &conf) == 0 &&
	       rte_eth_rx_queue_setup(ports[i], 0, 64, 0, NULL, pool) == 0 &&
	       rte_eth_tx_queue_setup(ports[i], 0, 64, 0, NULL) == 0 &&
	       rte_eth_dev_start(ports[i]) == 0 &&
	       net_twin_open(&twins[i], ports[i], twin, 1450, &own, pool) == 0;
}

static inline int suite_up(void)
{
	pool = rte_pktmbuf_pool_create(
		"pool", 2047, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	kernel = net_kernel_open();
	fib = fib_create("fib", SOCKET_ID_ANY);
	return pool != NULL && kernel != NULL && fib != NULL && port_up(0) && port_up(1) ? 0 : -1;
}

static inline int suite_down(void)
{
	net_mirror_destroy(mirror);
	mirror = NULL;
	for (unsigned int i = 0; i < PORTS; i++) {
		net_twin_close(&twins[i]);
		rte_eth_dev_stop(ports[i]);
		rte_eth_dev_close(ports[i]);
	}
	fib_destroy(fib);
	net_kernel_close(kernel);
	if (sh("ip link show tw0 >/dev/null 2>&1") || !sh("ip link show tw1 >/dev/null")) {
		fprintf(stderr, "a twin that we made must go, one that we took over must stay\n");
		return -1;
	}
	if (rte_mempool_in_use_count(pool) != 0) {
		fprintf(stderr, "%u mbufs leaked\n", rte_mempool_in_use_count(pool));
		return -1;
	}
	rte_mempool_free(pool);
	return 0;
}

/* The one suite of the program, in the lab. */
static inline int lab_run(const char *name, char *program, CU_TestInfo *tests)
{
	char prefix[48], run_dir[128];
	char *eal[] = { program, "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m",
		"160", prefix, "--log-level=3", "-l", "0", NULL };
	CU_SuiteInfo suites[] = { { (char *)name, suite_up, suite_down, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };
	int ret;

	snprintf(prefix, sizeof(prefix), "--file-prefix=ut_net_%d", getpid());
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0 ||
		access("/dev/net/tun", R_OK | W_OK) != 0) {
		printf("skipped: needs root, network namespaces and /dev/net/tun\n");
		return 77;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!lab_up() || rte_eal_init(RTE_DIM(eal) - 1, eal) < 0)
		return EXIT_FAILURE;
	ret = ut_run(suites);
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
	snprintf(run_dir, sizeof(run_dir), "%s", rte_eal_get_runtime_dir());
	rte_eal_cleanup();
	rmdir(run_dir); /* which EAL leaves behind */
	return ret;
}

#endif
