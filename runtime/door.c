#include "runtime/door.h"

#include "runtime/cause.h"
#include "runtime/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 64, SUFFIX = 9, LOCK_TRIES = 50 };

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	return a;
}

static enum kws_status failed(const kws_door *d, int code, kws_error *err)
{
	kws_cause cause = { "" };

	return kws_fail(err, KWS_ERR_IO, "[%s] path: %s: %s", d->label, d->path,
			kws_cause_of(&cause, code, d->path));
}

/* ---- the path ---- */

/* All open doors. A reload takes over paths from the running doors. */
static kws_door *open_doors;
static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_of(const kws_door *d, const struct stat *st)
{
	return st->st_dev == d->dev && st->st_ino == d->ino;
}

static bool is_ours(const struct stat *st)
{
	const kws_door *d;

	pthread_mutex_lock(&open_lock);
	for (d = open_doors; d && !is_of(d, st);)
		d = d->next;
	pthread_mutex_unlock(&open_lock);
	return d != NULL;
}

static void enlist(kws_door *d)
{
	pthread_mutex_lock(&open_lock);
	d->next = open_doors;
	open_doors = d;
	pthread_mutex_unlock(&open_lock);
}

static void strike(const kws_door *d)
{
	pthread_mutex_lock(&open_lock);
	for (kws_door **at = &open_doors; *at; at = &(*at)->next)
		if (*at == d) {
			*at = d->next;
			break;
		}
	pthread_mutex_unlock(&open_lock);
}

/* Whether we may use the path: it is free, our own, or a dead daemon's. */
static enum kws_status look(const kws_door *d, kws_error *err)
{
	struct sockaddr_un a = address(d->path);
	struct stat st;
	int fd, code = 0;

	if (lstat(d->path, &st) != 0)
		return errno == ENOENT ? KWS_OK : failed(d, errno, err);
	if (!S_ISSOCK(st.st_mode))
		return kws_fail(err, KWS_ERR_IO, "[%s] path: %s: exists and is no socket", d->label,
				d->path);
	if (is_ours(&st))
		return KWS_OK;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return failed(d, errno, err);
	if (connect(fd, (const struct sockaddr *)&a, sizeof a) != 0)
		code = errno;
	close(fd);
	if (code == ECONNREFUSED || code == ENOENT)
		return KWS_OK;
	if (code == 0 || code == EAGAIN || code == EPROTOTYPE)
		return kws_fail(err, KWS_ERR_IO, "[%s] path: %s: another process listens there",
				d->label, d->path);
	return kws_fail(err, KWS_ERR_IO, "[%s] path: %s: cannot tell whether it is in use: %s",
			d->label, d->path, kws_strerrno(code));
}

/* Lock the folder. Returns its descriptor; -1: it cannot be read, which is allowed; -2: another
 * process holds the lock. */
static int lock_folder(const kws_door *d)
{
	char copy[sizeof d->path];
	int fd;

	memcpy(copy, d->path, sizeof copy);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
		struct timespec t = { .tv_nsec = 10000000L };

		if (i == LOCK_TRIES) {
			close(fd);
			return -2;
		}
		nanosleep(&t, NULL);
	}
	return fd;
}

static void unlock_folder(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* ---- the socket ---- */

/* Set group and mode. A sandbox may forbid chown, so call it only if the group differs: a new file
 * already has our own group, or that of a setgid folder. */
static enum kws_status give_away(const kws_door *d, const char *name, kws_error *err)
{
	kws_cause cause = { "" };
	struct stat st;
	const bool there = lstat(name, &st) == 0 && st.st_gid == d->gid;

	if (d->gid != (gid_t)-1 && !there && chown(name, (uid_t)-1, d->gid) != 0)
		return kws_fail(err, KWS_ERR_IO, "[%s] group: %s: %s", d->label, d->group,
				kws_cause_of_group(&cause, errno, d->gid));
	if (chmod(name, d->mode) != 0)
		return kws_fail(err, KWS_ERR_IO, "[%s] mode: %s: %s", d->label, d->path,
				kws_strerrno(errno));
	return KWS_OK;
}

/* Bind to an unused name next to the path. No existing file is removed for it. */
static bool bind_beside(const kws_door *d, int fd, char *name, size_t n)
{
	static unsigned count;
	unsigned seed =
		(unsigned)getpid() * 2654435761U ^ (unsigned)(uint64_t)(1e9 * kws_clock_mono());

	for (int i = 0; i < 100; i++) {
		snprintf(name, n, "%s.%08x", d->path, seed + 2654435769U * count++);
		struct sockaddr_un a = address(name);
		if (bind(fd, (const struct sockaddr *)&a, sizeof a) == 0)
			return true;
		if (errno != EADDRINUSE)
			break;
	}
	return false;
}

/* Listen under a name next to the path, with the final group and mode: nobody can connect before
 * they are set. On failure nothing is left behind. */
static enum kws_status listen_beside(kws_door *d, char *name, size_t n, kws_error *err)
{
	enum kws_status status;

	d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->fd < 0)
		return failed(d, errno, err);
	if (!bind_beside(d, d->fd, name, n)) {
		status = failed(d, errno, err);
		goto fail;
	}
	status = give_away(d, name, err);
	if (status == KWS_OK && listen(d->fd, BACKLOG) != 0)
		status = failed(d, errno, err);
	if (status == KWS_OK)
		return KWS_OK;
	unlink(name);
fail:
	close(d->fd);
	d->fd = -1;
	return status;
}

static enum kws_status find_group(kws_door *d, kws_error *err)
{
	struct group g, *found = NULL;
	char buf[8192];
	int code;

	d->gid = (gid_t)-1;
	if (!*d->group)
		return KWS_OK;
	code = getgrnam_r(d->group, &g, buf, sizeof buf, &found);
	if (!found)
		return kws_fail(err, KWS_ERR_IO,
				code ? "[%s] group: %s: %s" : "[%s] group: no group is named %s",
				d->label, d->group, kws_strerrno(code));
	d->gid = g.gr_gid;
	return KWS_OK;
}

enum kws_status kws_door_prepare(kws_door *d, const kws_door_config *c, kws_error *err)
{
	char name[sizeof d->path + SUFFIX];
	enum kws_status status;

	*d = (kws_door){ .mode = (mode_t)c->mode, .fd = -1 };
	snprintf(d->label, sizeof d->label, "%s", c->label);
	snprintf(d->path, sizeof d->path, "%s", c->path);
	snprintf(d->group, sizeof d->group, "%s", c->group);
	status = find_group(d, err);
	if (status == KWS_OK)
		status = look(d, err);
	if (status == KWS_OK)
		status = listen_beside(d, name, sizeof name, err);
	if (status != KWS_OK)
		return status;
	unlink(name);
	close(d->fd);
	d->fd = -1;
	return KWS_OK;
}

enum kws_status kws_door_open(kws_door *d, kws_error *err)
{
	char name[sizeof d->path + SUFFIX];
	enum kws_status status = listen_beside(d, name, sizeof name, err);
	struct stat st;
	int folder;

	if (status != KWS_OK)
		return status;
	folder = lock_folder(d);
	if (folder == -2)
		status = kws_fail(err, KWS_ERR_IO,
				  "[%s] path: %s: another process holds a lock on its folder",
				  d->label, d->path);
	else
		status = look(d, err);
	if (status == KWS_OK && (lstat(name, &st) != 0 || rename(name, d->path) != 0))
		status = failed(d, errno, err);
	unlock_folder(folder);
	if (status == KWS_OK) {
		d->dev = st.st_dev;
		d->ino = st.st_ino;
		enlist(d);
		return KWS_OK;
	}
	unlink(name);
	close(d->fd);
	d->fd = -1;
	return status;
}

void kws_door_close(kws_door *d)
{
	struct stat st;
	int folder;

	if (d->fd < 0)
		return;
	strike(d);
	folder = lock_folder(d);
	if (lstat(d->path, &st) == 0 && is_of(d, &st))
		unlink(d->path);
	unlock_folder(folder);
	close(d->fd);
	d->fd = -1;
}
