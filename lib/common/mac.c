/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/mac.h"

#include <stdio.h>

const char *mac_print(const struct mac_addr *a, char to[MAC_TEXT])
{
	const uint8_t *o = a->octet;

	snprintf(to, MAC_TEXT, "%02X:%02X:%02X:%02X:%02X:%02X", o[0], o[1], o[2], o[3], o[4], o[5]);
	return to;
}
