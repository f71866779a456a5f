/* SPDX-License-Identifier: BSD-3-Clause */
/* Probes of the AAA servers: lib/radius' state of each, behind a connected UDP socket of its own in
 * control's epoll. Only the Active probes. Nothing here waits: a socket is read empty, then the
 * probe may find that time ran out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "monitors.h"
#include "radius/radius_probe.h"
#include "base/secret.h"
#include "show.h"
#include "base/sock.h"

enum { DRAIN = 256 /* datagrams a turn: whoever floods does not keep us from the rest */ };

struct server {
	struct source src; /* first: on_server() */
	const struct config_aaa *conf;
	struct radius_probe *probe;
	int object; /* of the monitors */
};

struct aaa {
	unsigned int n;
	struct server server[CONFIG_AAA];
};

/* ---- configuration ---- */

static enum radius_require require_of(const char *text)
{
	return strcmp(text, "yes") == 0  ? RADIUS_REQUIRE_YES
	       : strcmp(text, "no") == 0 ? RADIUS_REQUIRE_NO
					 : RADIUS_REQUIRE_AUTO;
}

/* What a probe of a server is made of; to be wiped by the caller. False: its secret cannot be had,
 * `why` tells. */
static bool probe_conf(const struct config *f, const struct config_aaa *a,
	struct radius_probe_conf *c, char why[SECRET_WHY])
{
	char key[CONFIG_NAME + 40], secret[RADIUS_SECRET_MAX + 1];
	bool good;

	*c = (struct radius_probe_conf){ .method = a->status_server ? RADIUS_METHOD_STATUS_SERVER
								    : RADIUS_METHOD_AUTH,
		.require = require_of(a->require_message_authenticator),
		.nas = a->source,
		.period = a->period_s * USEC_PER_SEC,
		.timeout = a->timeout_s * USEC_PER_SEC,
		.max_retries = a->max_retries };
	snprintf(c->user, sizeof(c->user), "%s", a->user);
	snprintf(c->nas_id, sizeof(c->nas_id), "%s", f->chassis.name);
	snprintf(key, sizeof(key), "aaa-servers[%s].secret-file", a->name);
	good = secret_lines(
		key, a->secret_file, secret, sizeof(secret), c->password, sizeof(c->password), why);
	if (good)
		radius_secret_set(&c->secret, secret, strlen(secret));
	OPENSSL_cleanse(secret, sizeof(secret));
	return good;
}

bool aaa_check(const struct config *f, char why[SECRET_WHY])
{
	struct radius_probe_conf c;
	bool good = true;

	for (unsigned int i = 0; i < f->n_aaa_servers && good; i++)
		good = probe_conf(f, &f->aaa_servers[i], &c, why);
	OPENSSL_cleanse(&c, sizeof(c));
	return good;
}

static int server_open(struct control *c, struct server *s, const struct config_aaa *a, usec_t now)
{
	struct radius_probe_conf conf;
	char why[SECRET_WHY], address[MONITORS_ADDRESS];
	int ret = 0;

	s->conf = a;
	s->src.fd = -1;
	if (!probe_conf(T.conf, a, &conf, why)) {
		LOG(ERR, "%s", why);
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
	s->object = monitors_add(c, MONITOR_AAA, a->name, address, a->group, now);
	return s->object < 0 ? s->object : 0;
}

int aaa_open(struct control *c, usec_t now)
{
	int ret = 0;

	if (T.conf->n_aaa_servers == 0)
		return 0;
	c->aaa = calloc(1, sizeof(*c->aaa));
	if (c->aaa == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < T.conf->n_aaa_servers && ret == 0; i++) {
		ret = server_open(c, &c->aaa->server[i], &T.conf->aaa_servers[i], now);
		c->aaa->n = i + 1;
		if (ret < 0)
			LOG(ERR, "AAA server %s: %s", T.conf->aaa_servers[i].name, strerror(-ret));
	}
	return ret;
}

void aaa_close(struct control *c)
{
	struct aaa *a = c->aaa;

	for (unsigned int i = 0; a != NULL && i < a->n; i++) {
		reactor_unwatch(c->reactor, &a->server[i].src);
		radius_probe_destroy(a->server[i].probe);
	}
	free(a);
	c->aaa = NULL;
}

/* ---- sockets ---- */

/* Takes what has come. False: there may be more. */
static bool drain(struct server *s, usec_t now)
{
	uint8_t b[RADIUS_PACKET_MAX + 1];

	for (unsigned int i = 0; i < DRAIN; i++) {
		ssize_t n = recv(s->src.fd, b, sizeof(b), MSG_DONTWAIT);

		if (n >= 0)
			radius_probe_input(s->probe, b, (size_t)n, now);
		else if (errno == EAGAIN)
			return true;
		else if (errno != EINTR) /* ICMP's word on what was sent */
			radius_probe_failed(s->probe, errno);
	}
	return false;
}

static void report(struct control *c, struct server *s, usec_t now)
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
	monitor_report(c->monitor, s->object, states[i.state], why, now);
}

static void on_server(void *ctx, struct source *src, uint32_t events)
{
	struct control *c = ctx;
	struct server *s = (struct server *)src;
	usec_t now = clock_us();

	(void)events;
	drain(s, now);
	report(c, s, now);
}

/* A socket towards the server, from the address that the routes of now give it. 0 or -errno. */
static int connect_to(struct control *c, struct server *s)
{
	static const struct ip_addr any;
	const struct config_aaa *a = s->conf;
	struct sockaddr_storage to;
	socklen_t len = sock_address(&to, &a->address, (uint16_t)a->port);
	int fd, ret;

	reactor_unwatch(c->reactor, &s->src);
	if (ip_addr_equal(&a->source, &any)) {
		fd = socket(to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		fd = fd < 0 ? -errno : fd;
	} else {
		fd = sock_bound(&a->source, 0, SOCK_DGRAM);
	}
	if (fd < 0)
		return fd;
	ret = connect(fd, (struct sockaddr *)&to, len) < 0 ? -errno : 0;
	if (ret == 0)
		ret = reactor_watch(c->reactor, &s->src, fd, EPOLLIN, on_server, c);
	if (ret < 0) {
		close(fd);
		s->src.fd = -1;
	}
	return ret;
}

/* ---- rounds ---- */

static void send_probe(
	struct control *c, struct server *s, const uint8_t *bytes, size_t len, bool first)
{
	struct radius_probe_info i;
	int ret = 0;

	radius_probe_info(s->probe, &i);
	/* After a round without an answer the way there may be another one now. */
	if (s->src.fd < 0 || (first && i.state == RADIUS_DOWN))
		ret = connect_to(c, s);
	if (ret == 0 && send(s->src.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		ret = -errno;
	if (ret < 0)
		radius_probe_failed(s->probe, -ret);
}

static void server_turn(struct control *c, struct server *s, usec_t now)
{
	uint8_t fresh[RADIUS_AUTHENTICATOR], out[RADIUS_REQUEST_MAX];
	struct radius_probe_info i;
	size_t len;

	if (now < radius_probe_due(s->probe))
		return;
	if (s->src.fd >= 0 && !drain(s, now))
		return;
	if (now >= radius_probe_due(s->probe) &&
		getrandom(fresh, sizeof(fresh), GRND_NONBLOCK) == (ssize_t)sizeof(fresh)) {
		len = radius_probe_tick(s->probe, now, fresh, out);
		radius_probe_info(s->probe, &i);
		if (len > 0)
			send_probe(c, s, out, len, i.tries == 1);
		OPENSSL_cleanse(
			/* it has the user's password, hidden by the secret alone */
			out, sizeof(out));
	}
	report(c, s, now);
}

void aaa_turn(struct control *c, usec_t now)
{
	for (unsigned int i = 0; c->aaa != NULL && i < c->aaa->n; i++)
		server_turn(c, &c->aaa->server[i], now);
}

void aaa_probe(struct control *c, bool on, usec_t now)
{
	for (unsigned int i = 0; c->aaa != NULL && i < c->aaa->n; i++) {
		struct server *s = &c->aaa->server[i];

		if (on) {
			radius_probe_start(s->probe, now);
		} else {
			radius_probe_stop(s->probe, now);
			reactor_unwatch(c->reactor, &s->src);
		}
	}
}

/* ---- show ---- */

json_t *show_radius(struct control *c, json_t *args, usec_t now)
{
	json_t *all = json_object();

	(void)args;
	for (unsigned int i = 0; c->aaa != NULL && i < c->aaa->n; i++) {
		const struct server *s = &c->aaa->server[i];
		struct radius_probe_info v;
		char address[IP_ADDR_TEXT];
		json_t *o;

		radius_probe_info(s->probe, &v);
		o = json_pack("{s:s,s:I,s:s,s:s,s:s,s:s}", "address",
			ip_addr_print(&s->conf->address, address), "port",
			(json_int_t)s->conf->port, "probe",
			s->conf->status_server ? "status-server" : "auth", "state",
			(char[]){ radius_state_letter(v.state), '\0' }, "why",
			radius_reason_text(v.reason), "last_reply",
			v.last_reply != 0 ? radius_code_name(v.last_reply) : "none");
		json_object_set_new(o, "last_reply_age_ms",
			v.last_reply_at == USEC_NEVER
				? json_null()
				: json_integer(
					  (json_int_t)((now - v.last_reply_at) / USEC_PER_MSEC)));
		json_object_set_new(o, "round_trip_us",
			v.rtt == USEC_NEVER ? json_null() : json_integer((json_int_t)v.rtt));
		json_object_set_new(o, "replies_must_be_signed",
			v.message_authenticator ? json_true() : json_false());
		show_counters(o, &v.count, radius_probe_counters_names, radius_probe_counters_n);
		show_counters(o, &v.checks, radius_checks_names, radius_checks_n);
		json_object_set_new(all, s->conf->name, o);
	}
	return all;
}
