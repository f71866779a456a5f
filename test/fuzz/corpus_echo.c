/* SPDX-License-Identifier: BSD-3-Clause */
/* A target that prints what it is given, so that corpus_test.py sees what replay.c read. */
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	fputs("input ", stdout);
	for (size_t i = 0; i < size; i++) {
		putchar(digits[data[i] >> 4]);
		putchar(digits[data[i] & 15]);
	}
	putchar('\n');
	return 0;
}
