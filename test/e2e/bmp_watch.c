/* SPDX-License-Identifier: BSD-3-Clause */
/* bmp_watch PORT SETTLE_MS CAPTURE PEER...: the BMP station and the monitors' engine behind a real
 * TCP socket of 127.0.0.1. The peers are one group, guard and damping are 0, the chassis is Active.
 * Each edge and each change of what is wished for is a line, with the time of day. CAPTURE: a file
 * for all that a router sent, or "-". */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "monitor/monitor.h"
#include "monitor/station.h"

static struct monitor *engine;
static struct station *station;
static int object[STATION_PEERS];
static usec_t now;
static enum monitor_type wished = MONITOR_NONE;

static usec_t clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (usec_t)ts.tv_sec * USEC_PER_SEC + (usec_t)ts.tv_nsec / 1000;
}

static void line(const char *what, const char *text)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	printf("%lld.%06ld %s %s\n", (long long)ts.tv_sec, ts.tv_nsec / 1000, what, text);
}

static void on_peer(void *ctx, int peer, enum monitor_state state, const char *why)
{
	monitor_report(engine, object[peer], state, why, now);
}

static void tell(void)
{
	struct monitor_verdict v;
	struct monitor_event e;
	enum monitor_type wish;
	char text[MONITOR_TEXT];

	while (monitor_next(engine, &e))
		line(e.object >= 0 ? "state" : e.raised ? "raised" : "cleared", e.text);
	monitor_verdict(engine, now, &v);
	wish = monitor_request(&v, NULL);
	if (wish == wished)
		return;
	wished = wish;
	monitor_text(engine, wish, text);
	line("wish", wish == MONITOR_NONE ? "none" : text);
}

/* One connection's turn; false: it is over. */
static bool turn(int fd, int session, FILE *capture)
{
	char octets[4096], why[BMP_TEXT];
	ssize_t n = recv(fd, octets, sizeof(octets), 0);

	now = clock_us();
	if (n <= 0) {
		station_close(station, session);
		line("session", "lost");
		return false;
	}
	if (capture != NULL) {
		fwrite(octets, 1, (size_t)n, capture);
		fflush(capture);
	}
	if (station_input(station, session, octets, (size_t)n, why, now) == 0)
		return true;
	line("session", why);
	return false;
}

/* Until the next octet or the next thing that is due; < 0: poll failed. */
static int wait_for(struct pollfd *p, nfds_t n)
{
	usec_t due = station_due(station), at = clock_us();
	int ms = due == USEC_NEVER ? -1 : due <= at ? 0 : (int)((due - at) / 1000 + 1);
	int ret = poll(p, n, ms);

	return ret < 0 && errno == EINTR ? 0 : ret;
}

static int run(int listener, FILE *capture)
{
	struct pollfd p[2] = { { .fd = listener, .events = POLLIN },
		{ .fd = -1, .events = POLLIN } };
	int session = -1;

	while (wait_for(p, 2) >= 0) {
		struct sockaddr_in from = { 0 };
		socklen_t len = sizeof(from);

		now = clock_us();
		if (p[1].fd < 0 && (p[0].revents & POLLIN) != 0) {
			struct ip_addr a;

			p[1].fd = accept(listener, (struct sockaddr *)&from, &len);
			a = ip_addr_v4(ntohl(from.sin_addr.s_addr));
			session = p[1].fd >= 0 ? station_open(station, &a, now) : -1;
			line("session", session >= 0 ? "open" : "refused");
		} else if (p[1].fd >= 0 && p[1].revents != 0 && !turn(p[1].fd, session, capture)) {
			close(p[1].fd);
			p[1].fd = -1;
		}
		station_tick(station, now);
		tell();
	}
	return EXIT_FAILURE;
}

static int listen_on(const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
		bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 4) < 0)
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	struct monitor_conf c;
	FILE *capture = NULL;
	int listener;

	if (argc < 5)
		return EXIT_FAILURE;
	setvbuf(stdout, NULL, _IOLBF, 0);
	monitor_conf_default(&c);
	c.type[MONITOR_BGP] = (struct monitor_rule){ .revertible = true };
	now = clock_us();
	engine = monitor_create(&c, now);
	station = station_create(strtoull(argv[2], NULL, 10) * USEC_PER_MSEC, on_peer, NULL);
	listener = listen_on(argv[1]);
	if (engine == NULL || station == NULL || listener < 0)
		return EXIT_FAILURE;
	if (strcmp(argv[3], "-") != 0 && (capture = fopen(argv[3], "wb")) == NULL)
		return EXIT_FAILURE;
	monitor_role(engine, true, MONITOR_NONE, now);
	for (int i = 4; i < argc; i++) {
		struct station_peer p = { .of_vrf = false };
		int peer;

		if (ip_addr_parse(argv[i], &p.addr) < 0 ||
			(peer = station_add(station, &p, now)) < 0)
			return EXIT_FAILURE;
		object[peer] = monitor_add(engine, MONITOR_BGP, argv[i], "default", "far", now);
	}
	line("listening", argv[1]);
	return run(listener, capture);
}
