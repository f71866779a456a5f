/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "save.h"

/* What the new file is like before it takes the old one's place. */
struct like {
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

static int save_target(const char *path, struct like *l, char why[SAVE_WHY])
{
	struct stat st;

	*l = (struct like){ 0600, geteuid(), getegid() };
	if (path[0] != '/') {
		snprintf(why, SAVE_WHY,
			"%.200s is a relative path: give one that begins with '/' (the daemon's "
			"folder is not yours)",
			path);
		return -EINVAL;
	}
	if (lstat(path, &st) < 0) {
		if (errno == ENOENT)
			return 0;
		snprintf(why, SAVE_WHY, "%.200s: %s", path, strerror(errno));
		return -errno;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(why, SAVE_WHY,
			"%.200s is there and no regular file: give the name of a file, or of one "
			"that is not there yet",
			path);
		return -EINVAL;
	}
	*l = (struct like){ st.st_mode & 0777, st.st_uid, st.st_gid };
	return 0;
}

static int save_fill(int fd, const struct like *l, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, text + at, len - at);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	/* The owner first: a change of it takes bits of the mode away. */
	return fchown(fd, l->uid, l->gid) < 0 || fchmod(fd, l->mode) < 0 || fsync(fd) < 0 ? -errno
											  : 0;
}

static int save_folder_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* The temporary file's name, and the folder that both are in ("/" keeps its slash). */
static int save_names(const char *path, char temp[PATH_MAX], char folder[PATH_MAX])
{
	const char *base = strrchr(path, '/') + 1;
	size_t len = (size_t)(base - path);
	int n = snprintf(temp, PATH_MAX, "%.*s.%s.XXXXXX", (int)len, path, base);

	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	snprintf(folder, PATH_MAX, "%.*s", (int)(len > 1 ? len - 1 : len), path);
	return 0;
}

int save_text(const char *path, const char *text, size_t len, char why[SAVE_WHY])
{
	char temp[PATH_MAX], folder[PATH_MAX];
	struct like l;
	int fd, ret = save_target(path, &l, why);

	if (ret < 0)
		return ret;
	ret = save_names(path, temp, folder);
	fd = ret == 0 ? mkostemp(temp, O_CLOEXEC) : -1;
	if (ret == 0 && fd < 0)
		ret = -errno;
	if (ret < 0) {
		snprintf(why, SAVE_WHY, "cannot make a file beside %.200s: %s", path,
			strerror(-ret));
		return ret;
	}
	ret = save_fill(fd, &l, text, len);
	close(fd);
	if (ret == 0 && rename(temp, path) < 0)
		ret = -errno;
	if (ret < 0) {
		unlink(temp);
		snprintf(why, SAVE_WHY, "cannot write %.200s: %s; what was there is as it was",
			path, strerror(-ret));
		return ret;
	}
	ret = save_folder_sync(folder);
	if (ret < 0)
		snprintf(why, SAVE_WHY,
			"%.200s is written, but its folder is not on the disk yet (%s): save again",
			path, strerror(-ret));
	return ret;
}
