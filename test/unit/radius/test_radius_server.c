/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/radius against a real FreeRADIUS over real sockets: root, in a network namespace of its own
 * (77: not permitted here, or no FreeRADIUS). Its configuration is test/e2e/freeradius. Nothing is
 * waited for by time but silence: the timeouts of probes that shall hear none are short, those of
 * the others long. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "radius/radius_probe.h"
#include "ut.h"

#define FREERADIUS "/usr/sbin/freeradius"
#define SECRET     "testing123"

enum { MS = 1000, WAIT_MS = 20000, SIGNED_PORT = 1814 };

static char dir[] = "/tmp/tandem-radius-XXXXXX";
static pid_t server = -1;
static int server_out = -1;
static char server_log[1 << 16];
static size_t server_log_len;

static usec_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (usec_t)ts.tv_sec * USEC_PER_SEC + (usec_t)ts.tv_nsec / 1000;
}

static bool sh(const char *fmt, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	return system(command) == 0;
}

/* Until the server has said so; what it said before this call counts too, unless the log was
 * cleared. */
static bool server_said(const char *text)
{
	usec_t end = now_us() + WAIT_MS * (usec_t)MS;

	while (strstr(server_log, text) == NULL) {
		struct pollfd f = { .fd = server_out, .events = POLLIN };
		ssize_t n = 0;

		if (now_us() < end && poll(&f, 1, WAIT_MS) > 0)
			n = read(server_out, server_log + server_log_len,
				sizeof(server_log) - 1 - server_log_len);
		if (n <= 0) {
			fprintf(stderr, "FreeRADIUS never said '%s' but:\n%s\n", text, server_log);
			return false;
		}
		server_log_len += (size_t)n;
		server_log[server_log_len] = '\0';
	}
	return true;
}

static bool server_start(void)
{
	int out[2];

	server_log_len = 0;
	server_log[0] = '\0';
	if (pipe(out) < 0 || (server = fork()) < 0)
		return false;
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		close(out[0]);
		close(out[1]);
		execl(FREERADIUS, FREERADIUS, "-f", "-l", "stdout", "-d", dir, "-n", "radiusd",
			NULL);
		_exit(127);
	}
	close(out[1]);
	server_out = out[0];
	return server_said("Ready to process requests");
}

static void server_kill(void)
{
	if (server <= 0)
		return;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	close(server_out);
	server = -1;
}

static int suite_up(void)
{
	const char *from = getenv("TANDEM_FREERADIUS");

	return from != NULL && mkdtemp(dir) != NULL &&
			       sh("sed 's#@DIR@#%s#' %s/radiusd.conf.in >%s/radiusd.conf && cp "
				  "%s/users %s/",
				       dir, from, dir, from, dir) &&
			       server_start()
		       ? 0
		       : -1;
}

static int suite_down(void)
{
	server_kill();
	return sh("rm -rf %s", dir) ? 0 : -1;
}

/* A probe and its socket. */
struct client {
	struct radius_probe *p;
	int fd;
	unsigned int sends;
};

static int connected(const char *from, const char *to, uint16_t port)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) },
			   own = { .sin_family = AF_INET };
	bool v6 = inet_pton(AF_INET6, to, &a6.sin6_addr) == 1;
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0), ret;

	inet_pton(AF_INET, to, &a4.sin_addr);
	if (from != NULL && inet_pton(AF_INET, from, &own.sin_addr) == 1)
		CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	ret = v6 ? connect(fd, (struct sockaddr *)&a6, sizeof(a6))
		 : connect(fd, (struct sockaddr *)&a4, sizeof(a4));
	CU_ASSERT_EQUAL(ret, 0);
	return fd;
}

static struct radius_probe_conf conf_of(enum radius_method method, bool silent)
{
	struct radius_probe_conf c = { .method = method,
		.user = "probe",
		.password = "probe",
		.nas_id = "left",
		.period = silent ? 1000 * MS : 10 * MS,
		.timeout = silent ? 100 * MS : 5000 * MS,
		.max_retries = 3 };

	CU_ASSERT_EQUAL(radius_secret_set(&c.secret, SECRET, strlen(SECRET)), 0);
	CU_ASSERT_EQUAL(ip_addr_parse("127.0.0.1", &c.nas), 0);
	return c;
}

static struct client client_of(const struct radius_probe_conf *c, const char *to, uint16_t port)
{
	struct client l = { .p = radius_probe_create(c), .fd = connected(NULL, to, port) };

	CU_ASSERT_FATAL(l.p != NULL && l.fd >= 0);
	radius_probe_start(l.p, now_us());
	return l;
}

static void client_end(struct client *l)
{
	radius_probe_destroy(l->p);
	close(l->fd);
}

static struct radius_probe_info info_of(const struct client *l)
{
	struct radius_probe_info i;

	radius_probe_info(l->p, &i);
	return i;
}

/* The turn of a control loop: all that has come, then what is due. */
static void turn(struct client *l)
{
	uint8_t bytes[RADIUS_PACKET_MAX], out[RADIUS_REQUEST_MAX], fresh[RADIUS_AUTHENTICATOR];
	ssize_t n;
	size_t len;

	while ((n = recv(l->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) >= 0 || errno != EAGAIN)
		if (n >= 0)
			radius_probe_input(l->p, bytes, (size_t)n, now_us());
		else
			radius_probe_failed(l->p, errno);
	CU_ASSERT_EQUAL(getrandom(fresh, sizeof(fresh), 0), (ssize_t)sizeof(fresh));
	len = radius_probe_tick(l->p, now_us(), fresh, out);
	if (len == 0)
		return;
	l->sends++;
	if (send(l->fd, out, len, 0) < 0)
		radius_probe_failed(l->p, errno);
}

/* Turns until so many rounds are over, with a proven reply or without one. */
static void run(struct client *l, unsigned int rounds)
{
	usec_t end = now_us() + WAIT_MS * (usec_t)MS;

	for (;;) {
		struct radius_probe_info i = info_of(l);
		struct pollfd f = { .fd = l->fd, .events = POLLIN };
		usec_t now = now_us();

		if (i.checks.valid + i.count.rounds_failed >= rounds)
			return;
		if (now >= end) {
			CU_FAIL("nothing came of it in time");
			return;
		}
		turn(l);
		i = info_of(l);
		if (i.checks.valid + i.count.rounds_failed < rounds && i.due > now)
			poll(&f, 1, (int)((i.due - now) / MS + 1));
	}
}

static const struct {
	const char *what, *user, *password, *to;
	uint16_t port;
	enum radius_method method;
	uint8_t want;
} answered[] = {
	{ "accept", "probe", "probe", "127.0.0.1", 1812, RADIUS_METHOD_AUTH, RADIUS_ACCESS_ACCEPT },
	{ "wrong password", "probe", "wrong", "127.0.0.1", 1812, RADIUS_METHOD_AUTH,
		RADIUS_ACCESS_REJECT },
	{ "password of three blocks", "probe", "probeprobeprobeprobeprobeprobeprobeprobe",
		"127.0.0.1", 1812, RADIUS_METHOD_AUTH, RADIUS_ACCESS_REJECT },
	{ "unknown user", "nobody", "probe", "127.0.0.1", 1812, RADIUS_METHOD_AUTH,
		RADIUS_ACCESS_REJECT },
	{ "Status-Server", "", "", "127.0.0.1", 1812, RADIUS_METHOD_STATUS_SERVER,
		RADIUS_ACCESS_ACCEPT },
	{ "Status-Server, accounting", "", "", "127.0.0.1", 1813, RADIUS_METHOD_STATUS_SERVER,
		RADIUS_ACCOUNTING_RESPONSE },
	{ "accept, signed", "probe", "probe", "127.0.0.1", SIGNED_PORT, RADIUS_METHOD_AUTH,
		RADIUS_ACCESS_ACCEPT },
	{ "reject, signed", "probe", "wrong", "127.0.0.1", SIGNED_PORT, RADIUS_METHOD_AUTH,
		RADIUS_ACCESS_REJECT },
	{ "accept, IPv6", "probe", "probe", "::1", 1812, RADIUS_METHOD_AUTH, RADIUS_ACCESS_ACCEPT },
	{ "Status-Server, IPv6, accounting", "", "", "::1", 1813, RADIUS_METHOD_STATUS_SERVER,
		RADIUS_ACCOUNTING_RESPONSE },
};

static void test_answered(void)
{
	for (size_t i = 0; i < sizeof(answered) / sizeof(answered[0]); i++) {
		struct radius_probe_conf c = conf_of(answered[i].method, false);
		struct radius_probe_info in;
		struct client l;

		snprintf(c.user, sizeof(c.user), "%s", answered[i].user);
		snprintf(c.password, sizeof(c.password), "%s", answered[i].password);
		CU_ASSERT_EQUAL(ip_addr_parse(answered[i].to, &c.nas), 0);
		l = client_of(&c, answered[i].to, answered[i].port);
		run(&l, 3); /* rounds with identifiers of their own */
		in = info_of(&l);
		if (in.state != RADIUS_UP || in.last_reply != answered[i].want ||
			in.checks.valid != 3) {
			fprintf(stderr, "%s: %s, %s, %s\n", answered[i].what,
				radius_state_name(in.state), radius_code_name(in.last_reply),
				radius_reason_text(in.reason));
			CU_FAIL("not answered as it should be");
		}
		CU_ASSERT_EQUAL(in.message_authenticator, answered[i].port == SIGNED_PORT);
		CU_ASSERT_EQUAL(in.count.retransmissions, 0);
		CU_ASSERT_TRUE(in.rtt < WAIT_MS * (usec_t)MS);
		client_end(&l);
	}
	/* What the server saw was the password, not only something that it did not like. */
	CU_ASSERT_TRUE(server_said("Login OK: [probe]"));
	CU_ASSERT_TRUE(server_said("Login incorrect"));
}

/* The server says nothing to a request that is signed with another secret: Down, as if it was not
 * there. */
static void test_other_secret(void)
{
	for (unsigned int method = 0; method < 2; method++) {
		struct radius_probe_conf c = conf_of(method, true);
		struct client l;

		c.secret.b[0] ^= 1;
		c.period = 60 * USEC_PER_SEC; /* one round */
		l = client_of(&c, "127.0.0.1", 1812);
		run(&l, 1);
		CU_ASSERT_EQUAL(radius_probe_state(l.p), RADIUS_DOWN);
		CU_ASSERT_EQUAL(info_of(&l).reason, RADIUS_REASON_TIMEOUT);
		CU_ASSERT_EQUAL(l.sends, 3);
		client_end(&l);
	}
	CU_ASSERT_TRUE(server_said("Shared secret is incorrect"));
}

/* The probe's request without its signature, as clients of old send it. Its first attribute is the
 * signature. */
static size_t strip(uint8_t *q, size_t len)
{
	enum { SIGNATURE = 18 };

	CU_ASSERT_EQUAL(q[RADIUS_HEADER], RADIUS_MESSAGE_AUTHENTICATOR);
	memmove(q + RADIUS_HEADER, q + RADIUS_HEADER + SIGNATURE, len - RADIUS_HEADER - SIGNATURE);
	len -= SIGNATURE;
	q[2] = (uint8_t)(len >> 8);
	q[3] = (uint8_t)len;
	return len;
}

/* What becomes of the reply to a stripped request from that address, and what the probe then says.
 * unmatched: there was none when a probe that asked behind it had its own. */
static enum radius_check ask_stripped(const struct radius_probe_conf *c, const char *from,
	bool silent, struct radius_probe_info *in)
{
	struct radius_probe_conf good = conf_of(RADIUS_METHOD_AUTH, false);
	uint8_t out[RADIUS_REQUEST_MAX], bytes[RADIUS_PACKET_MAX], fresh[RADIUS_AUTHENTICATOR];
	enum radius_check check = RADIUS_CHECK_unmatched;
	struct client l = client_of(c, "127.0.0.1", 1812), behind;
	struct pollfd f;
	size_t len;
	ssize_t n;

	close(l.fd);
	l.fd = connected(from, "127.0.0.1", 1812);
	f = (struct pollfd){ .fd = l.fd, .events = POLLIN };
	CU_ASSERT_EQUAL(getrandom(fresh, sizeof(fresh), 0), (ssize_t)sizeof(fresh));
	len = strip(out, radius_probe_tick(l.p, now_us(), fresh, out));
	CU_ASSERT_EQUAL(send(l.fd, out, len, 0), (ssize_t)len);
	if (silent) {
		behind = client_of(&good, "127.0.0.1", 1812);
		run(&behind, 1);
		CU_ASSERT_EQUAL(radius_probe_state(behind.p), RADIUS_UP);
		client_end(&behind);
	}
	if (poll(&f, 1, silent ? 0 : WAIT_MS) == 1 &&
		(n = recv(l.fd, bytes, sizeof(bytes), 0)) >= 0)
		check = radius_probe_input(l.p, bytes, (size_t)n, now_us());
	for (unsigned int i = 0; check != RADIUS_CHECK_valid && i < c->max_retries; i++)
		radius_probe_tick(l.p, radius_probe_due(l.p), fresh, out);
	radius_probe_info(l.p, in);
	client_end(&l);
	return check;
}

static void test_stripped(void)
{
	struct radius_probe_conf c = conf_of(RADIUS_METHOD_AUTH, true);
	struct radius_probe_info in;

	CU_ASSERT_EQUAL(ask_stripped(&c, "127.0.0.1", true, &in), RADIUS_CHECK_unmatched);
	CU_ASSERT_EQUAL(in.state, RADIUS_DOWN);
	CU_ASSERT_EQUAL(in.reason, RADIUS_REASON_TIMEOUT);
	/* Where it need not be signed the very same is accepted: it was the signature that
	 * lacked. */
	CU_ASSERT_EQUAL(ask_stripped(&c, "127.0.0.2", false, &in), RADIUS_CHECK_valid);
	CU_ASSERT_EQUAL(in.last_reply, RADIUS_ACCESS_ACCEPT);
	/* And there another secret is answered, and told from silence. */
	c.secret.b[0] ^= 1;
	CU_ASSERT_EQUAL(ask_stripped(&c, "127.0.0.2", false, &in), RADIUS_CHECK_bad_authenticator);
	CU_ASSERT_EQUAL(in.state, RADIUS_DOWN);
	CU_ASSERT_EQUAL(in.reason, RADIUS_REASON_BAD_AUTHENTICATOR);
}

static void point_at(struct client *l, uint16_t port)
{
	close(l->fd);
	l->fd = connected(NULL, "127.0.0.1", port);
}

/* A server that signed its replies and does so no more is another one. */
static void test_signing(void)
{
	struct radius_probe_conf c = conf_of(RADIUS_METHOD_AUTH, true);
	struct client l = client_of(&c, "127.0.0.1", 1812);
	unsigned int rounds = 0;

	/* this machine may be so busy that an answer takes longer than the short timeouts: then
	 * once more */
	do
		run(&l, ++rounds);
	while (radius_probe_state(l.p) != RADIUS_UP && rounds < 20);
	CU_ASSERT_FALSE(info_of(&l).message_authenticator);
	point_at(&l, SIGNED_PORT);
	do
		run(&l, ++rounds);
	while (!info_of(&l).message_authenticator && rounds < 20);
	CU_ASSERT_TRUE(info_of(&l).message_authenticator);
	point_at(&l, 1812);
	run(&l, ++rounds);
	CU_ASSERT_EQUAL(radius_probe_state(l.p), RADIUS_DOWN);
	CU_ASSERT_EQUAL(info_of(&l).reason, RADIUS_REASON_NO_MESSAGE_AUTHENTICATOR);
	client_end(&l);
	c.require = RADIUS_REQUIRE_YES;
	l = client_of(&c, "127.0.0.1", 1812);
	run(&l, 1);
	CU_ASSERT_EQUAL(info_of(&l).reason, RADIUS_REASON_NO_MESSAGE_AUTHENTICATOR);
	client_end(&l);
}

/* The server dies: ICMP says so, each try waits for its time nevertheless; it comes back: Up. */
static void test_killed(void)
{
	struct radius_probe_conf c = conf_of(RADIUS_METHOD_STATUS_SERVER, true);
	struct client l = client_of(&c, "127.0.0.1", 1812);
	unsigned int rounds = 0;
	usec_t began;

	do
		run(&l, ++rounds);
	while (radius_probe_state(l.p) != RADIUS_UP && rounds < 20);
	CU_ASSERT_EQUAL(radius_probe_state(l.p), RADIUS_UP);
	server_kill();
	l.sends = 0;
	began = now_us();
	run(&l, ++rounds);
	CU_ASSERT_EQUAL(radius_probe_state(l.p), RADIUS_DOWN);
	CU_ASSERT_EQUAL(info_of(&l).reason, RADIUS_REASON_UNREACHABLE);
	CU_ASSERT_EQUAL(info_of(&l).error, ECONNREFUSED);
	CU_ASSERT_TRUE(now_us() - began >= 3 * c.timeout);
	/* the first of the next round, if we were slow */
	CU_ASSERT_TRUE(l.sends == 3 || l.sends == 4);
	CU_ASSERT_TRUE(server_start());
	do
		run(&l, (unsigned int)(info_of(&l).checks.valid + info_of(&l).count.rounds_failed +
				       1));
	while (radius_probe_state(l.p) != RADIUS_UP && ++rounds < 40);
	CU_ASSERT_EQUAL(radius_probe_state(l.p), RADIUS_UP);
	CU_ASSERT_EQUAL(info_of(&l).error, 0);
	client_end(&l);
}

static CU_TestInfo tests[] = {
	{ "answered", test_answered },
	{ "other_secret", test_other_secret },
	{ "stripped", test_stripped },
	{ "signing", test_signing },
	{ "killed", test_killed },
	CU_TEST_INFO_NULL,
};

int main(void)
{
	CU_SuiteInfo suites[] = { { "radius_server", suite_up, suite_down, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	if (access(FREERADIUS, X_OK) != 0 || geteuid() != 0 || unshare(CLONE_NEWNET) < 0 ||
		!sh("ip link set lo up")) {
		printf("skipped: needs FreeRADIUS, root and network namespaces\n");
		return 77;
	}
	return ut_run(suites);
}
