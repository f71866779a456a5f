/* SPDX-License-Identifier: BSD-3-Clause */
/* libconfig 1.5 loses the string that a syntax error stops at; nobody outside can free it. */
#ifndef TANDEM_CONFIG_LEAK_H
#define TANDEM_CONFIG_LEAK_H

const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

#endif
