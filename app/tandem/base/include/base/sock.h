/* SPDX-License-Identifier: BSD-3-Clause */
/* sock: socket addresses from and to struct ip_addr, either family. Any core. */
#ifndef TANDEM_SOCK_H
#define TANDEM_SOCK_H

#include <sys/socket.h>

#include "common/addr.h"

/* Fills ss; returns its length. */
socklen_t sock_address(struct sockaddr_storage *ss, const struct ip_addr *a, uint16_t port);
void sock_from(const struct sockaddr_storage *ss, struct ip_addr *a, uint16_t *port);
/* A non-blocking socket, bound to an address that need not be there yet (IP_FREEBIND). fd or
 * -errno. */
int sock_bound(const struct ip_addr *a, uint16_t port, int type);

#endif
