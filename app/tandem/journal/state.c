/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/dpdk.h"
#include "history_file.h"
#include "journal/state.h"

#define STATE_RESERVE "srp.state"
#define STATE_NUMBERS "numbers.state"

struct state {
	char dir[256], path[300];
	int event;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* under lock */
	bool quit, asked, ended;
	uint64_t reserve, ended_reserve;
	uint8_t restart_counter;
	int error;
	char *text; /* to be added to the history; NULL: nothing */
	size_t text_len;
	bool added;
	int add_error;
	char *numbers; /* to be written; NULL: nothing */
	size_t numbers_len;
	bool numbers_ended;
	int numbers_error;
};

static int state_make_folders(const char *dir)
{
	char path[256];

	snprintf(path, sizeof(path), "%s", dir);
	for (char *p = path + 1;; p++) {
		if (*p != '/' && *p != '\0')
			continue;
		char was = *p;

		*p = '\0';
		if (mkdir(path, 0750) < 0 && errno != EEXIST)
			return -errno;
		*p = was;
		if (was == '\0')
			return 0;
	}
}

static int state_read_file(struct state *s, struct srp_saved *saved)
{
	FILE *f = fopen(s->path, "re");
	unsigned int counter;
	uint64_t reserve;
	int n;

	memset(saved, 0, sizeof(*saved));
	if (f == NULL)
		return errno == ENOENT ? 0 : -errno;
	n = fscanf(f, "tandem-state 1 reserve %" SCNu64 " restart-counter %u", &reserve, &counter);
	fclose(f);
	if (n != 2 || counter > 255)
		return -EBADMSG;
	saved->reserve = reserve;
	saved->restart_counter = (uint8_t)counter;
	return 0;
}

/* The file of that name has either what it had or the text, whenever the machine fails. */
static int state_replace(const struct state *s, const char *name, const char *text, size_t len)
{
	char path[300], temp[300];
	int fd, dir, ret = 0;

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	snprintf(temp, sizeof(temp), "%s/%s.new", s->dir, name);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		ret = errno != 0 ? -errno : -ENOSPC;
	else if (fsync(fd) < 0)
		ret = -errno;
	close(fd);
	if (ret == 0 && rename(temp, path) < 0)
		ret = -errno;
	if (ret < 0) {
		unlink(temp);
		return ret;
	}
	dir = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	if (fsync(dir) < 0)
		ret = -errno;
	close(dir);
	return ret;
}

static int state_write_file(const struct state *s, uint64_t reserve, uint8_t counter)
{
	char text[128];
	int n = snprintf(text, sizeof(text),
		"tandem-state 1 reserve %" PRIu64 " restart-counter %u\n", reserve, counter);

	return state_replace(s, STATE_RESERVE, text, (size_t)n);
}

/* The lock is held before and after, not while the disk works. */
static void state_write(struct state *s)
{
	uint64_t reserve = s->reserve, one = 1;
	uint8_t counter = s->restart_counter;
	int ret;

	s->asked = false;
	pthread_mutex_unlock(&s->lock);
	ret = state_write_file(s, reserve, counter);
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	s->ended_reserve = reserve;
	s->error = ret;
	if (write(s->event, &one, sizeof(one)) < 0)
		return; /* the counter is at its maximum: it is readable all the same */
}

static void state_append(struct state *s)
{
	char *text = s->text;
	size_t len = s->text_len;
	int ret;

	s->text = NULL;
	pthread_mutex_unlock(&s->lock);
	ret = history_file_add(s->dir, text, len);
	free(text);
	pthread_mutex_lock(&s->lock);
	s->added = true;
	s->add_error = ret;
}

static void state_write_numbers(struct state *s)
{
	char *text = s->numbers;
	size_t len = s->numbers_len;
	int ret;

	s->numbers = NULL;
	s->numbers_ended = false; /* of this one it is asked */
	pthread_mutex_unlock(&s->lock);
	ret = state_replace(s, STATE_NUMBERS, text, len);
	free(text);
	pthread_mutex_lock(&s->lock);
	s->numbers_ended = true;
	s->numbers_error = ret;
}

static void *state_run(void *arg)
{
	struct state *s = arg;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		while (!s->asked && s->numbers == NULL && s->text == NULL && !s->quit)
			pthread_cond_wait(&s->wake, &s->lock);
		if (s->asked)
			state_write(s);
		else if (s->numbers != NULL)
			state_write_numbers(s);
		else if (s->text != NULL)
			state_append(s);
		else
			break;
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

struct state *state_open(const char *dir, struct srp_saved *saved)
{
	struct state *s = calloc(1, sizeof(*s));
	int ret;

	if (s == NULL)
		return NULL;
	snprintf(s->dir, sizeof(s->dir), "%s", dir);
	snprintf(s->path, sizeof(s->path), "%s/" STATE_RESERVE, dir);
	s->event = -1;
	ret = state_make_folders(dir);
	if (ret == 0)
		ret = state_read_file(s, saved);
	if (ret == 0) {
		s->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		ret = s->event < 0 ? -errno : 0;
	}
	if (ret == 0) {
		pthread_mutex_init(&s->lock, NULL);
		pthread_cond_init(&s->wake, NULL);
		ret = -abs(dpdk_control_thread(&s->thread, "tandem-journal", state_run, s));
	}
	if (ret < 0) {
		if (s->event >= 0)
			close(s->event);
		free(s);
		errno = -ret;
		return NULL;
	}
	return s;
}

void state_close(struct state *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	s->quit = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	close(s->event);
	free(s);
}

int state_fd(const struct state *s)
{
	return s->event;
}

void state_save(struct state *s, uint64_t reserve, uint8_t restart_counter)
{
	pthread_mutex_lock(&s->lock);
	s->asked = true;
	s->reserve = reserve;
	s->restart_counter = restart_counter;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

bool state_saved(struct state *s, uint64_t *reserve, int *error)
{
	uint64_t drain;
	bool ended;

	if (read(s->event, &drain, sizeof(drain)) < 0 && errno != EAGAIN)
		return false;
	pthread_mutex_lock(&s->lock);
	ended = s->ended;
	s->ended = false;
	*reserve = s->ended_reserve;
	*error = s->error;
	pthread_mutex_unlock(&s->lock);
	return ended;
}

int state_history(struct state *s, struct history *h)
{
	return history_file_read(s->dir, h);
}

void state_add(struct state *s, char *text, size_t len)
{
	char *both;

	pthread_mutex_lock(&s->lock);
	both = s->text != NULL ? realloc(s->text, s->text_len + len) : text;
	if (both != NULL && both != text) {
		memcpy(both + s->text_len, text, len);
		s->text_len += len;
		free(text);
	} else if (both == text) {
		s->text_len = len;
	} else {
		free(text); /* no memory: reported like a disk that does not take it */
		s->added = true;
		s->add_error = -ENOMEM;
	}
	s->text = both != NULL ? both : s->text;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

bool state_added(struct state *s, int *error)
{
	bool added;

	pthread_mutex_lock(&s->lock);
	added = s->added;
	s->added = false;
	*error = s->add_error;
	pthread_mutex_unlock(&s->lock);
	return added;
}

int state_numbers(struct state *s, char *to, size_t room, size_t *len)
{
	char path[300];
	FILE *f;
	int ret = 0;

	*len = 0;
	snprintf(path, sizeof(path), "%s/" STATE_NUMBERS, s->dir);
	f = fopen(path, "re");
	if (f == NULL)
		return errno == ENOENT ? 0 : -errno;
	*len = fread(to, 1, room, f);
	if (ferror(f))
		ret = -EIO;
	else if (*len == room && fgetc(f) != EOF)
		ret = -EFBIG;
	fclose(f);
	return ret;
}

void state_save_numbers(struct state *s, char *text, size_t len)
{
	pthread_mutex_lock(&s->lock);
	free(s->numbers);
	s->numbers = text;
	s->numbers_len = len;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

bool state_numbers_saved(struct state *s, int *error)
{
	bool ended;

	pthread_mutex_lock(&s->lock);
	ended = s->numbers_ended && s->numbers == NULL;
	s->numbers_ended = s->numbers_ended && !ended;
	*error = s->numbers_error;
	pthread_mutex_unlock(&s->lock);
	return ended;
}

const struct disk_ops disk_files = { state_open, state_close, state_fd, state_save, state_saved,
	state_history, state_add, state_added, state_numbers, state_save_numbers,
	state_numbers_saved };

const struct disk_ops *disk_ops = &disk_files;
