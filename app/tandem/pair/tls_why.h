/* SPDX-License-Identifier: BSD-3-Clause */
/* tls_why: what an operator does about a TLS connection that failed. Control core. */
#ifndef TANDEM_TLS_WHY_H
#define TANDEM_TLS_WHY_H

#include <openssl/ssl.h>

#include "pair/tls.h"

/* Reads OpenSSL's error queue, which the caller cleared before the call that failed. */
void tls_why(SSL *ssl, bool psk, const char *peer_name, char why[TLS_WHY]);

#endif
