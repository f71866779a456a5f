/* SPDX-License-Identifier: BSD-3-Clause */
/* Probes of the AAA servers: lib/radius' state of each, behind a connected UDP socket of its own in
 * control's epoll. Only the Active probes. Nothing here waits: a socket is read empty, then the
 * probe may find that time ran out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "monitors_priv.h"
#include "reactor/reactor.h"
#include "radius/radius_probe.h"
#include "base/secret.h"
#include "base/sock.h"

enum { DRAIN = 256 /* datagrams a turn: whoever floods does not keep us from the rest */ };

struct server {
	struct source src; /* first: aaa_on_server() */
	const struct config_aaa *conf;
	struct radius_probe *probe;
	int object; /* of the monitors */
};

struct aaa {
	unsigned int n;
	struct server server[CONFIG_AAA];
};

/* ---- configuration ---- */

static enum radius_require aaa_require_of(const char *text)
{
	return strcmp(text, "yes") == 0  ? RADIUS_REQUIRE_YES
	       : strcmp(text, "no") == 0 ? RADIUS_REQUIRE_NO
					 : RADIUS_REQUIRE_AUTO;
}

/* What a probe of a server is made of; to be wiped by the caller. False: its secret cannot be had,
 * `why` says the reason. */
static bool aaa_probe_conf(const struct monitors_start *f, const struct config_aaa *a,
	struct radius_probe_conf *c, char why[SECRET_WHY])
{
	char key[CONFIG_NAME + 40], secret[RADIUS_SECRET_MAX + 1];
	bool good;

	*c = (struct radius_probe_conf){ .method = a->status_server ? RADIUS_METHOD_STATUS_SERVER
								    : RADIUS_METHOD_AUTH,
		.require = aaa_require_of(a->require_message_authenticator),
		.nas = a->source,
		.period = a->period_s * USEC_PER_SEC,
		.timeout = a->timeout_s * USEC_PER_SEC,
		.max_retries = a->max_retries };
	snprintf(c->user, sizeof(c->user), "%s", a->user);
	snprintf(c->nas_id, sizeof(c->nas_id), "%s", f->chassis);
	snprintf(key, sizeof(key), "aaa-servers[%s].secret-file", a->name);
	good = secret_lines(
		key, a->secret_file, secret, sizeof(secret), c->password, sizeof(c->password), why);
	if (good)
		radius_secret_set(&c->secret, secret, strlen(secret));
	OPENSSL_cleanse(secret, sizeof(secret));
	return good;
}

bool monitors_check(const struct monitors_start *s, char why[SECRET_WHY])
{
	struct radius_probe_conf c;
	bool good = true;

	for (unsigned int i = 0; i < s->n_aaa_servers && good; i++)
		good = aaa_probe_conf(s, &s->aaa_servers[i], &c, why);
	OPENSSL_cleanse(&c, sizeof(c));
	return good;
}

static int aaa_server_open(
	struct monitors *m, struct server *s, const struct config_aaa *a, usec_t now)
{
	struct radius_probe_conf conf;
	char why[SECRET_WHY], address[MONITORS_ADDRESS];
	int ret = 0;

	s->conf = a;
	s->src.fd = -1;
	if (!aaa_probe_conf(&m->set.start, a, &conf, why)) {
		LOG(ERR,
			"the secret of an AAA server cannot be used: see its secret-file name=%s "
			"reason=%s",
			LOG_TEXT(a->name), LOG_TEXT(why));
		ret = -EINVAL;
	} else {
		s->probe = radius_probe_create(&conf);
		ret = s->probe != NULL ? 0 : -errno;
	}
	OPENSSL_cleanse(&conf, sizeof(conf));
	if (ret < 0)
		return ret;
	ip_addr_print(&a->address, address);
	snprintf(address + strlen(address), sizeof(address) - strlen(address), " port %u", a->port);
	s->object = monitors_add(m, MONITOR_AAA, a->name, address, a->group, now);
	return s->object < 0 ? s->object : 0;
}

int aaa_open(struct monitors *m, usec_t now)
{
	int ret = 0;

	if (m->set.start.n_aaa_servers == 0)
		return 0;
	m->aaa = calloc(1, sizeof(*m->aaa));
	if (m->aaa == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < m->set.start.n_aaa_servers && ret == 0; i++) {
		ret = aaa_server_open(m, &m->aaa->server[i], &m->set.start.aaa_servers[i], now);
		m->aaa->n = i + 1;
		if (ret < 0)
			LOG(ERR, "an AAA server cannot be probed name=%s error=%s",
				LOG_TEXT(m->set.start.aaa_servers[i].name),
				LOG_TEXT(strerror(-ret)));
	}
	return ret;
}

void aaa_close(struct monitors *m)
{
	struct aaa *a = m->aaa;

	for (unsigned int i = 0; a != NULL && i < a->n; i++) {
		reactor_unwatch(m->set.reactor, &a->server[i].src);
		radius_probe_destroy(a->server[i].probe);
	}
	free(a);
	m->aaa = NULL;
}

/* ---- sockets ---- */

/* Takes what has come. False: there may be more. */
static bool aaa_drain(struct server *s, usec_t now)
{
	uint8_t b[RADIUS_PACKET_MAX + 1];

	for (unsigned int i = 0; i < DRAIN; i++) {
		ssize_t n = sock_ops->recv(s->src.fd, b, sizeof(b), MSG_DONTWAIT);

		if (n >= 0)
			radius_probe_input(s->probe, b, (size_t)n, now);
		else if (errno == EAGAIN)
			return true;
		else if (errno != EINTR) /* ICMP's word on what was sent */
			radius_probe_failed(s->probe, errno);
	}
	return false;
}

static void aaa_report(struct monitors *m, struct server *s, usec_t now)
{
	static const enum monitor_state states[] = {
		[RADIUS_INIT] = MONITOR_INIT, [RADIUS_UP] = MONITOR_UP, [RADIUS_DOWN] = MONITOR_DOWN
	};
	struct radius_probe_info i;
	char why[MONITOR_WHY];

	radius_probe_info(s->probe, &i);
	snprintf(why, sizeof(why), "%s%s%s%s", radius_reason_text(i.reason),
		i.error != 0 ? " (" : "", i.error != 0 ? strerror(i.error) : "",
		i.error != 0 ? ")" : "");
	monitor_report(m->monitor, s->object, states[i.state], why, now);
}

static void aaa_on_server(void *ctx, struct source *src, uint32_t events)
{
	struct monitors *m = ctx;
	struct server *s = (struct server *)src;
	usec_t now = clock_us();

	(void)events;
	aaa_drain(s, now);
	aaa_report(m, s, now);
}

/* A socket towards the server, from the address that the routes of now give it. 0 or -errno. */
static int aaa_connect(struct monitors *m, struct server *s)
{
	const struct config_aaa *a = s->conf;
	struct sockaddr_storage to;
	socklen_t len = sock_address(&to, &a->address, (uint16_t)a->port);
	int fd, ret;

	reactor_unwatch(m->set.reactor, &s->src);
	if (ip_addr_is_none(&a->source)) {
		fd = sock_ops->socket(to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		fd = fd < 0 ? -errno : fd;
	} else {
		fd = sock_bound(&a->source, 0, SOCK_DGRAM);
	}
	if (fd < 0)
		return fd;
	ret = sock_ops->connect(fd, (struct sockaddr *)&to, len) < 0 ? -errno : 0;
	if (ret == 0)
		ret = reactor_watch(m->set.reactor, &s->src, fd, EPOLLIN, aaa_on_server, m);
	if (ret < 0) {
		sock_ops->close(fd);
		s->src.fd = -1;
	}
	return ret;
}

/* ---- rounds ---- */

static void aaa_send(
	struct monitors *m, struct server *s, const uint8_t *bytes, size_t len, bool first)
{
	struct radius_probe_info i;
	int ret = 0;

	radius_probe_info(s->probe, &i);
	/* After a round without an answer the way there may be another one now. */
	if (s->src.fd < 0 || (first && i.state == RADIUS_DOWN))
		ret = aaa_connect(m, s);
	if (ret == 0 && sock_ops->send(s->src.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		ret = -errno;
	if (ret < 0)
		radius_probe_failed(s->probe, -ret);
}

static void aaa_server_turn(struct monitors *m, struct server *s, usec_t now)
{
	uint8_t fresh[RADIUS_AUTHENTICATOR], out[RADIUS_REQUEST_MAX];
	struct radius_probe_info i;
	size_t len;

	if (now < radius_probe_due(s->probe))
		return;
	if (s->src.fd >= 0 && !aaa_drain(s, now))
		return;
	if (now >= radius_probe_due(s->probe) &&
		getrandom(fresh, sizeof(fresh), GRND_NONBLOCK) == (ssize_t)sizeof(fresh)) {
		len = radius_probe_tick(s->probe, now, fresh, out);
		radius_probe_info(s->probe, &i);
		if (len > 0)
			aaa_send(m, s, out, len, i.tries == 1);
		OPENSSL_cleanse(
			/* it has the user's password, hidden by the secret alone */
			out, sizeof(out));
	}
	aaa_report(m, s, now);
}

void aaa_turn(struct monitors *m, usec_t now)
{
	for (unsigned int i = 0; m->aaa != NULL && i < m->aaa->n; i++)
		aaa_server_turn(m, &m->aaa->server[i], now);
}

void aaa_probe(struct monitors *m, bool on, usec_t now)
{
	for (unsigned int i = 0; m->aaa != NULL && i < m->aaa->n; i++) {
		struct server *s = &m->aaa->server[i];

		if (on) {
			radius_probe_start(s->probe, now);
		} else {
			radius_probe_stop(s->probe, now);
			reactor_unwatch(m->set.reactor, &s->src);
		}
	}
}

/* ---- views ---- */

unsigned int monitors_servers(const struct monitors *m)
{
	return m->aaa != NULL ? m->aaa->n : 0;
}

const struct config_aaa *monitors_server(
	const struct monitors *m, unsigned int i, struct radius_probe_info *info)
{
	const struct server *s = &m->aaa->server[i];

	radius_probe_info(s->probe, info);
	return s->conf;
}

static const struct metric aaa_metrics[] = { RADIUS_PROBE_COUNTERS(METRIC) RADIUS_CHECKS(METRIC) };

static void aaa_metrics_read(void *ctx, uint64_t *value, unsigned int n)
{
	const struct server *s = ctx;
	struct radius_probe_info v;

	(void)n;
	radius_probe_info(s->probe, &v);
	memcpy(value, &v.count, sizeof(v.count));
	memcpy(value + radius_probe_counters_n, &v.checks, sizeof(v.checks));
}

static const struct metrics_table aaa_tables[] = { METRICS_TABLE("radius", "server", aaa_metrics) };
const struct metrics_room monitors_metrics = METRICS_ROOM("monitors", aaa_tables);

int monitors_metrics_register(struct metrics *m, struct monitors *o)
{
	int ret = 0;

	for (unsigned int i = 0; i < monitors_servers(o) && ret == 0; i++) {
		struct server *s = &o->aaa->server[i];

		ret = metrics_register(m, &aaa_tables[0], s->conf->name, aaa_metrics_read, s);
	}
	return ret;
}
