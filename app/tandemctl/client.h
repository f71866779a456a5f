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
/* Takes fd. *data: the answer's data; of several answers one object, with lists joined. 0;
 * -EREMOTE: the daemon refused; else -errno: it did not answer. `why` tells. */
int client_receive(int fd, json_t **data, char *why, size_t size);

#endif
