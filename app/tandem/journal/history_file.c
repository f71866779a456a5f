/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "history_file.h"

enum { PATH = 300 };

static void history_file_path(char path[PATH], const char *dir, const char *suffix)
{
	snprintf(path, PATH, "%s/srp.history%s", dir, suffix);
}

static int history_file_sync_folder(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int history_file_write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Whether the last byte is not the end of a line: a crash, or a write that could not be taken
 * back. */
static bool history_file_is_torn(int fd, off_t size)
{
	char last = '\n';

	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

static int history_file_append(int fd, const char *text, size_t len, off_t *size)
{
	struct stat st;
	int ret;

	if (fstat(fd, &st) < 0)
		return -errno;
	*size = st.st_size;
	ret = history_file_is_torn(fd, st.st_size) ? history_file_write_all(fd, "\n", 1) : 0;
	if (ret == 0)
		ret = history_file_write_all(fd, text, len);
	if (ret == 0 && fsync(fd) < 0)
		ret = -errno;
	if (ret < 0 && ftruncate(fd, st.st_size) < 0)
		return ret; /* the torn end is closed off next time */
	if (ret == 0)
		*size += (off_t)len;
	return ret;
}

int history_file_add(const char *dir, const char *text, size_t len)
{
	char path[PATH], older[PATH];
	off_t size = 0;
	int fd, ret;

	history_file_path(path, dir, "");
	history_file_path(older, dir, ".1");
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	ret = history_file_append(fd, text, len, &size);
	close(fd);
	if (ret < 0)
		return ret;
	if (size >= HISTORY_FILE_BYTES && rename(path, older) < 0)
		return 0; /* the lines are safe; it is tried again after the next ones */
	return (size == (off_t)len || size >= HISTORY_FILE_BYTES) ? history_file_sync_folder(dir)
								  : 0;
}

static int history_file_read_one(const char *path, struct history *h)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;
	struct stat st;
	char *text;
	size_t have = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	text = malloc((size_t)st.st_size + 1);
	if (text == NULL)
		ret = -ENOMEM;
	while (ret == 0 && have < (size_t)st.st_size) {
		ssize_t n = read(fd, text + have, (size_t)st.st_size - have);

		if (n < 0 && errno != EINTR)
			ret = -errno;
		if (n == 0)
			break;
		have += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (ret == 0)
		history_read(h, text, have);
	free(text);
	return ret;
}

int history_file_read(const char *dir, struct history *h)
{
	char path[PATH], older[PATH];
	int ret, err;

	history_file_path(path, dir, "");
	history_file_path(older, dir, ".1");
	err = history_file_read_one(older, h);
	ret = history_file_read_one(path, h);
	return ret < 0 ? ret : err;
}
