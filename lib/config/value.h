/* SPDX-License-Identifier: BSD-3-Clause */
/* value: private to lib/config. The types of knobs that are text, and what a setting says in a
 * message. */
#ifndef TANDEM_CONFIG_VALUE_H
#define TANDEM_CONFIG_VALUE_H

#include "knob.h"

static inline void *value_field(const struct knob *k, void *base)
{
	return (char *)base + k->at;
}

/* The setting as a message names it, in `to` (KNOB_SAID bytes): its value, or what kind of thing it
 * is. */
const char *value_said(const config_setting_t *s, char *to);

bool value_read_name(const struct knob *k, const config_setting_t *s, void *base, char *why);
bool value_read_apn(const struct knob *k, const config_setting_t *s, void *base, char *why);
bool value_read_text(const struct knob *k, const config_setting_t *s, void *base, char *why);
bool value_read_prefixes(const struct knob *k, const config_setting_t *s, void *base, char *why);
bool value_read_ports(const struct knob *k, const config_setting_t *s, void *base, char *why);
void value_print_text(const struct knob *k, const void *base, FILE *to);
void value_print_prefixes(const struct knob *k, const void *base, FILE *to);
void value_print_ports(const struct knob *k, const void *base, FILE *to);
void value_expect_name(const struct knob *k, char *to, size_t size);
void value_expect_apn(const struct knob *k, char *to, size_t size);
void value_expect_text(const struct knob *k, char *to, size_t size);
void value_expect_prefixes(const struct knob *k, char *to, size_t size);
void value_expect_ports(const struct knob *k, char *to, size_t size);

#endif
