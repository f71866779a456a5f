/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "base/secret.h"

bool secret_file(const char *key, const char *path, char why[SECRET_WHY])
{
	struct stat st;

	if (stat(path, &st) < 0)
		snprintf(why, SECRET_WHY, "%s: %s: %s", key, path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		snprintf(why, SECRET_WHY, "%s: %s is not a file", key, path);
	else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		snprintf(why, SECRET_WHY, "%s: %s has mode %04o, others can reach it: chmod 600 %s",
			key, path, (unsigned int)st.st_mode & 07777, path);
	else
		return true;
	return false;
}

/* False: the line is longer than there is room. */
static bool secret_take_line(const char **at, const char *end, char *to, size_t size)
{
	const char *nl = memchr(*at, '\n', (size_t)(end - *at));
	size_t len = (size_t)((nl != NULL ? nl : end) - *at);

	if (len > 0 && (*at)[len - 1] == '\r')
		len--;
	if (len >= size)
		return false;
	memcpy(to, *at, len);
	to[len] = '\0';
	*at = nl != NULL ? nl + 1 : end;
	return true;
}

bool secret_lines(const char *key, const char *path, char *first, size_t first_size, char *second,
	size_t second_size, char why[SECRET_WHY])
{
	char bytes[1024];
	const char *at = bytes;
	size_t n;
	FILE *f;
	bool good;

	first[0] = second[0] = '\0';
	if (!secret_file(key, path, why))
		return false;
	f = fopen(path, "re");
	if (f == NULL) {
		snprintf(why, SECRET_WHY, "%s: %s: %s", key, path, strerror(errno));
		return false;
	}
	setvbuf(f, NULL, _IONBF, 0); /* no copy of it is left in a buffer that is freed */
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	good = n < sizeof(bytes) && memchr(bytes, '\0', n) == NULL &&
	       secret_take_line(&at, bytes + n, first, first_size) &&
	       secret_take_line(&at, bytes + n, second, second_size) && first[0] != '\0';
	OPENSSL_cleanse(bytes, sizeof(bytes));
	if (!good)
		snprintf(why, SECRET_WHY,
			"%s: %s: expected a line of 1 to %zu bytes, and perhaps a second one of at "
			"most %zu",
			key, path, first_size - 1, second_size - 1);
	return good;
}
