/* SPDX-License-Identifier: BSD-3-Clause */
/* placed_what: private to lib/config: reads what placed_what() of config/placed.h writes. Anybody
 * may have sent such a text. Control core. */
#ifndef TANDEM_CONFIG_PLACED_WHAT_H
#define TANDEM_CONFIG_PLACED_WHAT_H

#include "config/items.h"

/* The item of that name and text, whole; 0 or -EBADMSG. */
int placed_read_pool(const char *name, const char *what, struct config_pool *pool);
int placed_read_apn(const char *name, const char *what, struct config_apn *apn);

#endif
