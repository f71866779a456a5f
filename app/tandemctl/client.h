/* SPDX-License-Identifier: BSD-3-Clause */
/* client: one request to the daemon's control socket and its answer: a line of JSON, then lines
 * until it closes. */
#ifndef TANDEMCTL_CLIENT_H
#define TANDEMCTL_CLIENT_H

#include <stddef.h>

#include <jansson.h>

/* The socket, or -errno. */
int client_open(const char *path, unsigned int timeout_s);
/* Sends {"command": words, "args": args}. 0 or -errno. */
int client_send(int fd, const char *words, json_t *args);
/* An answer; to be released by client_release(). */
struct client_answer {
	json_t *data; /* of several answers one object, with lists joined; NULL: there is none */
	json_t *counters; /* an object: its keys name the members of `data` that are counters */
};

/* Takes fd. 0; -EREMOTE: the daemon refused; else -errno: it did not answer. `why` says so; then *a
 * is empty. */
int client_receive(int fd, struct client_answer *a, char *why, size_t size);
void client_release(struct client_answer *a);

#endif
