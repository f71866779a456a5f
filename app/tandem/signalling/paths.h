/* SPDX-License-Identifier: BSD-3-Clause */
/* paths: the SGSNs that were heard, their Recovery and restarts (TS 29.060 11.2, TS 23.007). They
 * are asked by Echo Requests, so that a restart of an SGSN that has nothing else to say is learnt.
 * Control core only. */
#ifndef TANDEM_SIGNALLING_PATHS_H
#define TANDEM_SIGNALLING_PATHS_H

#include "front.h"

enum { PATHS_MAX = 1024 };

/* The cookie of an Echo Request; those of other requests of our own are handles of sessions. */
#define PATHS_COOKIE_ECHO UINT64_MAX

struct path {
	struct ip_addr addr;
	uint8_t recovery;
	bool known;   /* its Recovery is */
	bool checked; /* the slots were compared with it since this chassis became Active */
	bool failed;  /* it does not answer Echo Requests */
	usec_t used, echo_at;
};

struct paths {
	const struct signalling_env *env;
	struct front *front;
	struct path path[PATHS_MAX];
	unsigned int n, echo_next;
};

/* The path of an SGSN, made if there is none. */
struct path *paths_get(struct paths *p, const struct ip_addr *addr, usec_t now);
/* A Recovery was heard: sessions of that SGSN which carry another one are gone with its restart. */
void paths_recovery(struct paths *p, const struct ip_addr *addr, uint8_t value, usec_t now);
/* The slots may have changed hands: each path is to be compared with them again. */
void paths_uncheck(struct paths *p);
/* Sends the Echo Requests that are due. */
void paths_turn(struct paths *p, usec_t now);
/* An Echo Request was answered, or N3 of them were not. */
void paths_echo_result(struct paths *p, const struct ip_addr *addr, bool answered, usec_t now);

#endif
