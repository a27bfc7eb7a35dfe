#include "daemon/door.h"

#include "daemon/cause.h"
#include "daemon/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
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

static enum kws_status failed(const kws_door *l, int code, kws_error *err)
{
	kws_cause cause = { "" };

	return kws_fail(err, KWS_ERR_IO, "socket.path: %s: %s", l->path,
			kws_cause_of(&cause, code, l->path));
}

/* ---- the name ---- */

static bool is_of(const kws_door *l, const struct stat *st)
{
	return l && l->fd >= 0 && st->st_dev == l->dev && st->st_ino == l->ino;
}

/* May we have the name? It is free, our own, or a dead daemon's. */
static enum kws_status look(const kws_door *l, const kws_door *live, kws_error *err)
{
	struct sockaddr_un a = address(l->path);
	struct stat st;
	int fd, code = 0;

	if (lstat(l->path, &st) != 0)
		return errno == ENOENT ? KWS_OK : failed(l, errno, err);
	if (!S_ISSOCK(st.st_mode))
		return kws_fail(err, KWS_ERR_IO, "socket.path: %s: exists and is no socket",
				l->path);
	if (is_of(live, &st))
		return KWS_OK;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return failed(l, errno, err);
	if (connect(fd, (const struct sockaddr *)&a, sizeof a) != 0)
		code = errno;
	close(fd);
	if (code == ECONNREFUSED || code == ENOENT)
		return KWS_OK;
	if (code == 0 || code == EAGAIN || code == EPROTOTYPE)
		return kws_fail(err, KWS_ERR_IO, "socket.path: %s: another process listens there",
				l->path);
	return kws_fail(err, KWS_ERR_IO, "socket.path: %s: cannot tell whether it is in use: %s",
			l->path, kws_strerrno(code));
}

/* Returns the folder, locked; -1: it cannot be read, which is allowed; -2: somebody holds it. */
static int lock_folder(const kws_door *l)
{
	char copy[sizeof l->path];
	int fd;

	memcpy(copy, l->path, sizeof copy);
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

/* A sandbox may forbid chown; what we make is in our own group already, or in that of a setgid folder. */
static enum kws_status give_away(const kws_door *l, const char *name, kws_error *err)
{
	kws_cause cause = { "" };
	struct stat st;
	const bool there = lstat(name, &st) == 0 && st.st_gid == l->gid;

	if (l->gid != (gid_t)-1 && !there && chown(name, (uid_t)-1, l->gid) != 0)
		return kws_fail(err, KWS_ERR_IO, "socket.group: %s: %s", l->group,
				kws_cause_of_group(&cause, errno, l->gid));
	if (chmod(name, l->mode) != 0)
		return kws_fail(err, KWS_ERR_IO, "socket.mode: %s: %s", l->path,
				kws_strerrno(errno));
	return KWS_OK;
}

/* Bind to a name beside the path that nobody has: what is there is never removed for it. */
static bool bind_beside(const kws_door *l, int fd, char *name, size_t n)
{
	static unsigned count;
	unsigned seed = (unsigned)getpid() * 2654435761U ^ (unsigned)(1e9 * kws_clock_mono());

	for (int i = 0; i < 100; i++) {
		snprintf(name, n, "%s.%08x", l->path, seed + 2654435769U * count++);
		struct sockaddr_un a = address(name);
		if (bind(fd, (const struct sockaddr *)&a, sizeof a) == 0)
			return true;
		if (errno != EADDRINUSE)
			break;
	}
	return false;
}

/* Listen under a name beside the path, with owner and mode as they are to be: nobody connects
 * before the rights are right. Returns KWS_OK, or nothing is left behind. */
static enum kws_status listen_beside(kws_door *l, char *name, size_t n, kws_error *err)
{
	enum kws_status status;

	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return failed(l, errno, err);
	if (!bind_beside(l, l->fd, name, n)) {
		status = failed(l, errno, err);
		goto fail;
	}
	status = give_away(l, name, err);
	if (status == KWS_OK && listen(l->fd, BACKLOG) != 0)
		status = failed(l, errno, err);
	if (status == KWS_OK)
		return KWS_OK;
	unlink(name);
fail:
	close(l->fd);
	l->fd = -1;
	return status;
}

static enum kws_status find_group(kws_door *l, kws_error *err)
{
	struct group g, *found = NULL;
	char buf[8192];
	int code;

	l->gid = (gid_t)-1;
	if (!*l->group)
		return KWS_OK;
	code = getgrnam_r(l->group, &g, buf, sizeof buf, &found);
	if (!found)
		return kws_fail(err, KWS_ERR_IO,
				code ? "socket.group: %s: %s"
				     : "socket.group: no group is named %s",
				l->group, kws_strerrno(code));
	l->gid = g.gr_gid;
	return KWS_OK;
}

enum kws_status kws_door_prepare(kws_door *l, const kws_conf_socket *c, const kws_door *live,
				 kws_error *err)
{
	char name[sizeof l->path + SUFFIX];
	enum kws_status status;

	*l = (kws_door){ .mode = (mode_t)c->mode, .fd = -1 };
	snprintf(l->path, sizeof l->path, "%s", c->path);
	snprintf(l->group, sizeof l->group, "%s", c->group);
	status = find_group(l, err);
	if (status == KWS_OK)
		status = look(l, live, err);
	if (status == KWS_OK)
		status = listen_beside(l, name, sizeof name, err);
	if (status != KWS_OK)
		return status;
	unlink(name);
	close(l->fd);
	l->fd = -1;
	return KWS_OK;
}

enum kws_status kws_door_open(kws_door *l, const kws_door *live, kws_error *err)
{
	char name[sizeof l->path + SUFFIX];
	enum kws_status status = listen_beside(l, name, sizeof name, err);
	struct stat st;
	int folder;

	if (status != KWS_OK)
		return status;
	folder = lock_folder(l);
	if (folder == -2)
		status = kws_fail(err, KWS_ERR_IO,
				  "socket.path: %s: another process holds a lock on its folder",
				  l->path);
	else
		status = look(l, live, err);
	if (status == KWS_OK && (lstat(name, &st) != 0 || rename(name, l->path) != 0))
		status = failed(l, errno, err);
	unlock_folder(folder);
	if (status == KWS_OK) {
		l->dev = st.st_dev;
		l->ino = st.st_ino;
		return KWS_OK;
	}
	unlink(name);
	close(l->fd);
	l->fd = -1;
	return status;
}

void kws_door_close(kws_door *l)
{
	struct stat st;
	int folder;

	if (l->fd < 0)
		return;
	folder = lock_folder(l);
	if (lstat(l->path, &st) == 0 && is_of(l, &st))
		unlink(l->path);
	unlock_folder(folder);
	close(l->fd);
	l->fd = -1;
}
