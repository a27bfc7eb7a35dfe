/* A Unix socket that any number of readers may connect to; each gets every event as a line from
 * then on.
 *
 * Runs on the main thread, with nothing that waits. A reader has buffer_kb of room: when that is
 * full it loses whole lines, which are counted, and the next line that it gets says how many
 * ("dropped"). What readers send is not read. */
#include "daemon/cause.h"
#include "daemon/log.h"
#include "daemon/sink.h"

#include "daemon/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
	int fd;	   /* -1: free */
	char *buf; /* (room,) a ring of bytes */
	size_t first, n;
	unsigned long lost; /* since the last line it took */
	bool waiting;	    /* for EPOLLOUT */
} reader;

typedef struct {
	kws_sink base;
	kws_conf_socket conf;
	int listener;
	ino_t ino;
	size_t room;
	reader *readers; /* (conf.clients,) */
	unsigned connected;
	unsigned long taken, dropped, refused;
} server;

static void leave(server *s, reader *r)
{
	close(r->fd); /* takes it out of the epoll set, too */
	r->fd = -1;
	r->n = 0;
	s->connected--;
}

static void want_write(server *s, reader *r, bool on)
{
	struct epoll_event e = { .events = on ? EPOLLOUT : 0, .data.ptr = r };

	if (r->waiting != on)
		epoll_ctl(s->base.fd, EPOLL_CTL_MOD, r->fd, &e);
	r->waiting = on;
}

/* Send what fits now. */
static void send_some(server *s, reader *r)
{
	while (r->n) {
		size_t run = s->room - r->first < r->n ? s->room - r->first : r->n;
		ssize_t k = send(r->fd, r->buf + r->first, run, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && errno != EAGAIN) {
			leave(s, r);
			return;
		}
		if (k < 0)
			break;
		r->first = (r->first + (size_t)k) % s->room;
		r->n -= (size_t)k;
	}
	want_write(s, r, r->n > 0);
}

static void offer(server *s, reader *r, const kws_report *report)
{
	kws_report own = *report;
	char line[KWS_REPORT_LINE + 1];

	own.dropped = r->lost;
	size_t n = kws_report_json(&own, line);
	line[n++] = '\n';
	if (s->room - r->n < n) {
		r->lost++;
		s->dropped++;
		return;
	}
	r->lost = 0;
	for (size_t i = 0; i < n; i++)
		r->buf[(r->first + r->n + i) % s->room] = line[i];
	r->n += n;
	send_some(s, r);
}

static void push(kws_sink *sink, const kws_report *report)
{
	server *s = (server *)sink;

	s->taken++;
	for (unsigned i = 0; i < s->conf.clients; i++)
		if (s->readers[i].fd >= 0)
			offer(s, &s->readers[i], report);
}

/* Take one reader in. False: nobody waits at the door. */
static bool welcome(server *s)
{
	int fd = accept(s->listener, NULL, NULL);
	reader *r = NULL;

	if (fd < 0)
		return false;
	for (unsigned i = 0; i < s->conf.clients && !r; i++)
		if (s->readers[i].fd < 0)
			r = &s->readers[i];
	if (!r) {
		if (!s->refused++)
			kws_log(KWS_LOG_WARNING,
				"socket: more than socket.clients = %u readers, refused",
				s->conf.clients);
		close(fd);
		return true;
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	shutdown(fd, SHUT_RD);
	struct epoll_event e = { .events = 0,
				 .data.ptr = r }; /* EPOLLHUP and EPOLLERR always come */
	if (epoll_ctl(s->base.fd, EPOLL_CTL_ADD, fd, &e) != 0) {
		close(fd);
		return true;
	}
	r->fd = fd;
	r->first = r->n = 0;
	r->lost = 0;
	r->waiting = false;
	s->connected++;
	return true;
}

static void serve(kws_sink *sink)
{
	server *s = (server *)sink;
	struct epoll_event e[16];
	int n = epoll_wait(s->base.fd, e, 16, 0);

	for (int i = 0; i < n; i++) {
		reader *r = e[i].data.ptr;

		if (!r)
			for (int k = 0; k < 64 && welcome(s); k++)
				continue;
		else if (r->fd >= 0 && e[i].events & (EPOLLHUP | EPOLLERR))
			leave(s, r);
		else if (r->fd >= 0 && e[i].events & EPOLLOUT)
			send_some(s, r);
	}
}

static void stats(kws_sink *sink, kws_sink_stats *st)
{
	server *s = (server *)sink;

	st->taken = s->taken;
	st->dropped = s->dropped;
	st->failed = s->refused;
	st->readers = s->connected;
}

static void destroy(server *s)
{
	for (unsigned i = 0; s->readers && i < s->conf.clients; i++) {
		if (s->readers[i].fd >= 0)
			close(s->readers[i].fd);
		free(s->readers[i].buf);
	}
	if (s->listener >= 0)
		close(s->listener);
	if (s->base.fd >= 0)
		close(s->base.fd);
	free(s->readers);
	free(s);
}

static void stop(kws_sink *sink, int timeout_ms, bool wait)
{
	server *s = (server *)sink;
	double deadline = kws_clock_mono() + 1e-3 * timeout_ms;
	struct stat st;
	bool left;

	/* the name may belong to our successor already */
	if (lstat(s->conf.path, &st) == 0 && st.st_ino == s->ino)
		unlink(s->conf.path);
	epoll_ctl(s->base.fd, EPOLL_CTL_DEL, s->listener, NULL);
	do {
		left = false;
		for (unsigned i = 0; i < s->conf.clients; i++) {
			if (s->readers[i].fd >= 0 && s->readers[i].n)
				send_some(s, &s->readers[i]);
			left |= s->readers[i].fd >= 0 && s->readers[i].n;
		}
		struct epoll_event e;
		int left_ms = (int)(1e3 * (deadline - kws_clock_mono()));
		if (!wait || !left || left_ms <= 0)
			break;
		epoll_wait(s->base.fd, &e, 1, left_ms);
	} while (left);
	destroy(s);
}

static const kws_sink_ops ops = { push, stats, serve, stop };

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	return a;
}

/* Somebody else listens there: another daemon, whose socket we must not take. Our own, on reload,
 * is told by pid. */
static bool in_use(const char *path)
{
	struct sockaddr_un a = address(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct {
		pid_t pid;
		uid_t uid;
		gid_t gid;
	} peer = { 0, 0, 0 };
	socklen_t n = sizeof peer;
	bool used = false;

	if (fd < 0)
		return false;
	if (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0 || errno == EAGAIN)
		used = getsockopt(fd, SOL_SOCKET, 17 /* SO_PEERCRED */, &peer, &n) != 0
		       || peer.pid != getpid();
	close(fd);
	return used;
}

static enum kws_status owner(const kws_conf_socket *c, const char *path, kws_error *err)
{
	kws_cause cause;

	if (*c->group) {
		struct group g, *found = NULL;
		char buf[4096];

		if (getgrnam_r(c->group, &g, buf, sizeof buf, &found) != 0 || !found)
			return kws_fail(err, KWS_ERR_IO, "socket.group: no group is named %s",
					c->group);
		if (chown(path, (uid_t)-1, g.gr_gid) != 0)
			return kws_fail(err, KWS_ERR_IO, "socket.group: %s: %s", c->group,
					kws_cause_of_group(&cause, errno, g.gr_gid));
	}
	if (chmod(path, (mode_t)c->mode) != 0)
		return kws_fail(err, KWS_ERR_IO, "socket.mode: %s: %s", path, strerror(errno));
	return KWS_OK;
}

/* Bind under another name, set owner and mode, then rename: nobody connects before the rights are
 * right, and a stale socket or that of the configuration before is replaced in one step. */
static enum kws_status listen_at(server *s, kws_error *err)
{
	char tmp[sizeof s->conf.path + 8];
	struct stat st;
	enum kws_status status;
	kws_cause cause;

	snprintf(tmp, sizeof tmp, "%s.new", s->conf.path);
	struct sockaddr_un a = address(tmp);
	if (lstat(s->conf.path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return kws_fail(err, KWS_ERR_IO, "socket.path: %s: exists and is no socket",
				s->conf.path);
	if (in_use(s->conf.path))
		return kws_fail(err, KWS_ERR_IO, "socket.path: %s: another process listens there",
				s->conf.path);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(tmp);
	if (s->listener < 0 || bind(s->listener, (const struct sockaddr *)&a, sizeof a) != 0)
		return kws_fail(err, KWS_ERR_IO, "socket.path: %s: %s", s->conf.path,
				kws_cause_of(&cause, errno, s->conf.path));
	status = owner(&s->conf, tmp, err);
	if (status == KWS_OK
	    && (listen(s->listener, 64) != 0 || lstat(tmp, &st) != 0
		|| rename(tmp, s->conf.path) != 0))
		status = kws_fail(err, KWS_ERR_IO, "socket.path: %s: %s", s->conf.path,
				  strerror(errno));
	if (status != KWS_OK)
		unlink(tmp);
	s->ino = st.st_ino;
	return status;
}

enum kws_status kws_sink_socket_create(kws_sink **sink, const kws_conf_socket *c, kws_error *err)
{
	server *s = calloc(1, sizeof *s);
	enum kws_status status = KWS_ERR_NOMEM;

	*sink = NULL;
	if (!s)
		return kws_fail(err, status, "socket: out of memory");
	s->base = (kws_sink){ &ops, "socket", -1 };
	s->listener = -1;
	s->conf = *c;
	s->room = (size_t)c->buffer_kb * 1024;
	s->readers = calloc(c->clients, sizeof *s->readers);
	bool ok = s->readers != NULL;
	for (unsigned i = 0; ok && i < c->clients; i++)
		s->readers[i].fd = -1;
	for (unsigned i = 0; ok && i < c->clients; i++) {
		s->readers[i].buf = calloc(1, s->room); /* not resident before it is used */
		ok = s->readers[i].buf != NULL;
	}
	if (!ok)
		status = kws_fail(err, KWS_ERR_NOMEM, "socket: out of memory");
	else
		status = listen_at(s, err);
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = NULL };
	if (status == KWS_OK
	    && ((s->base.fd = epoll_create1(EPOLL_CLOEXEC)) < 0
		|| epoll_ctl(s->base.fd, EPOLL_CTL_ADD, s->listener, &e) != 0))
		status = kws_fail(err, KWS_ERR_IO, "socket: %s", strerror(errno));
	if (status != KWS_OK) {
		destroy(s);
		return status;
	}
	*sink = &s->base;
	return KWS_OK;
}
