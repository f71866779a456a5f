/* SPDX-License-Identifier: BSD-3-Clause */
/* bmp_text: what routers say by numbers, in words. Any caller. */
#ifndef TANDEM_BMP_TEXT_H
#define TANDEM_BMP_TEXT_H

#include "monitor/bmp.h"

/* Octets of a router as text: cut at BMP_TEXT, what is not printable is a '?'. */
void bmp_text_take(char to[BMP_TEXT], const uint8_t *octets, size_t len);
/* Why a peer is down: reason, and the notification or event that came with it (RFC 4271 4.5, 8.1;
 * RFC 4486). */
void bmp_text_down(char to[BMP_TEXT], const struct bmp_fact *f);
/* Why a router ended the session (RFC 7854 4.5). */
void bmp_text_end(char to[BMP_TEXT], uint8_t reason);

#endif
