/* A Unix socket that any number of readers may connect to; each gets every event as a line from
 * then on.
 *
 * Runs on the main thread, with nothing that waits. A reader has buffer_kb of room: when that is
 * full it loses whole lines, which are counted, and the next line that it gets says how many
 * ("dropped"). What readers send is not read. */
#define _GNU_SOURCE /* accept4 */
#include "daemon/clock.h"
#include "daemon/door.h"
#include "daemon/log.h"
#include "daemon/sink/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
	int fd;	   /* -1: free */
	char *buf; /* (room,) a ring of bytes */
	size_t room, first, n;
	unsigned long lost; /* since the last line it took */
	bool waiting;	    /* for EPOLLOUT */
} reader;

typedef struct {
	kws_sink base;
	kws_conf_socket conf;
	kws_door door;
	bool shut;	 /* no descriptor is left for more readers: they wait at the door */
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
		size_t run = r->room - r->first < r->n ? r->room - r->first : r->n;
		ssize_t k = send(r->fd, r->buf + r->first, run, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && errno != EAGAIN) {
			leave(s, r);
			return;
		}
		if (k < 0)
			break;
		r->first = (r->first + (size_t)k) % r->room;
		r->n -= (size_t)k;
	}
	want_write(s, r, r->n > 0);
}

static void offer(server *s, reader *r, const kws_report *report)
{
	kws_report own = *report;
	char line[KWS_EVENT_JSON + 1];

	own.dropped = r->lost;
	size_t n = kws_report_json(&own, line, KWS_EVENT_JSON);
	line[n++] = '\n';
	if (r->room - r->n < n) {
		r->lost++;
		s->dropped++;
		return;
	}
	r->lost = 0;
	for (size_t i = 0; i < n; i++)
		r->buf[(r->first + r->n + i) % r->room] = line[i];
	r->n += n;
	send_some(s, r);
}

/* A listener that is ready and cannot be served would wake us for ever. */
static void shut_door(server *s, bool shut, const char *why)
{
	struct epoll_event e = { .events = shut ? 0 : EPOLLIN, .data.ptr = NULL };

	if (s->shut == shut)
		return;
	epoll_ctl(s->base.fd, EPOLL_CTL_MOD, s->door.fd, &e);
	s->shut = shut;
	if (shut)
		kws_log(KWS_LOG_ERROR, "socket: %s: new readers wait at the door", why);
	else
		kws_log(KWS_LOG_INFO, "socket: new readers are let in again");
}

static bool watch(server *s, reader *r)
{
	/* EPOLLHUP and EPOLLERR always come */
	struct epoll_event e = { .events = r->waiting ? EPOLLOUT : 0, .data.ptr = r };

	return epoll_ctl(s->base.fd, EPOLL_CTL_ADD, r->fd, &e) == 0;
}

static reader *free_place(server *s)
{
	for (unsigned i = 0; i < s->conf.clients; i++)
		if (s->readers[i].fd < 0)
			return &s->readers[i];
	return NULL;
}

/* Take one reader in. False: nobody waits, or nobody can be let in. */
static bool welcome(server *s)
{
	int fd = accept4(s->door.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	reader *r;

	if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		shut_door(s, true, kws_strerrno(errno));
	if (fd < 0)
		return false;
	shut_door(s, false, NULL);
	r = free_place(s);
	if (!r) {
		if (!s->refused++)
			kws_log(KWS_LOG_WARNING,
				"socket: more than socket.clients = %u readers, refused",
				s->conf.clients);
		close(fd);
		return true;
	}
	shutdown(fd, SHUT_RD);
	r->fd = fd;
	r->first = r->n = 0;
	r->lost = 0;
	r->waiting = false;
	s->connected++;
	if (!watch(s, r)) {
		kws_log(KWS_LOG_ERROR, "socket: a reader is turned away: %s", kws_strerrno(errno));
		s->refused++;
		leave(s, r);
	}
	return true;
}

static void let_in(server *s)
{
	for (int k = 0; k < 64 && welcome(s); k++)
		continue;
}

static void push(kws_sink *sink, const kws_report *report)
{
	server *s = (server *)sink;

	if (s->shut) /* whoever waits there wants this event */
		let_in(s);
	s->taken++;
	for (unsigned i = 0; i < s->conf.clients; i++)
		if (s->readers[i].fd >= 0)
			offer(s, &s->readers[i], report);
}

static void serve(kws_sink *sink)
{
	server *s = (server *)sink;
	struct epoll_event e[16];
	int n = epoll_wait(s->base.fd, e, 16, 0);

	for (int i = 0; i < n; i++) {
		reader *r = e[i].data.ptr;

		if (!r)
			let_in(s);
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
	st->has_readers = true;
	st->readers = s->connected;
}

static void destroy(server *s)
{
	for (unsigned i = 0; s->readers && i < s->conf.clients; i++) {
		if (s->readers[i].fd >= 0)
			close(s->readers[i].fd);
		free(s->readers[i].buf);
	}
	kws_door_close(&s->door);
	if (s->base.fd >= 0)
		close(s->base.fd);
	free(s->readers);
	free(s);
}

static void stop(kws_sink *sink, int timeout_ms, bool wait)
{
	server *s = (server *)sink;
	double deadline = kws_clock_mono() + 1e-3 * timeout_ms;
	bool left;

	kws_door_close(&s->door);
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
	if (left)
		kws_log(KWS_LOG_WARNING, "socket: a reader had not taken all before the end");
	destroy(s);
}

/* Readers that are connected stay so, with all that waits for them. */
static void take_over(server *s, server *live)
{
	for (unsigned i = 0; i < live->conf.clients; i++) {
		reader *from = &live->readers[i], *to = free_place(s), old = *from;

		if (from->fd < 0)
			continue;
		if (!to) {
			kws_log(KWS_LOG_WARNING,
				"socket: more than socket.clients = %u readers, sent away",
				s->conf.clients);
			leave(live, from);
			s->refused++;
			continue;
		}
		epoll_ctl(live->base.fd, EPOLL_CTL_DEL, from->fd, NULL);
		live->connected--;
		/* a buffer that is not empty comes along, whatever its size */
		*from = (reader){ .fd = -1, .buf = to->buf, .room = to->room };
		*to = old;
		if (!old.n) {
			to->buf = from->buf;
			to->room = from->room;
			to->first = 0;
			from->buf = old.buf;
		}
		s->connected++;
		if (!watch(s, to))
			leave(s, to);
	}
}

static enum kws_status open_socket(kws_sink *sink, kws_sink *old, kws_error *err)
{
	server *s = (server *)sink, *live = (server *)old;
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = NULL };
	enum kws_status status = kws_door_open(&s->door, live ? &live->door : NULL, err);

	if (status != KWS_OK)
		return status;
	if (epoll_ctl(s->base.fd, EPOLL_CTL_ADD, s->door.fd, &e) != 0)
		return kws_fail(err, KWS_ERR_NOMEM, "socket: epoll: %s", kws_strerrno(errno));
	if (live)
		take_over(s, live);
	return KWS_OK;
}

static const kws_sink_ops ops = { open_socket, push, stats, serve, stop };

static bool make_room(server *s)
{
	const size_t room = (size_t)s->conf.buffer_kb * 1024;

	s->readers = calloc(s->conf.clients, sizeof *s->readers);
	for (unsigned i = 0; s->readers && i < s->conf.clients; i++)
		s->readers[i].fd = -1;
	for (unsigned i = 0; s->readers && i < s->conf.clients; i++) {
		s->readers[i].room = room;
		s->readers[i].buf = calloc(1, room); /* not resident before it is used */
		if (!s->readers[i].buf)
			return false;
	}
	return s->readers != NULL;
}

static bool wanted(const kws_conf *all, const void *c)
{
	(void)all;
	return *((const kws_conf_socket *)c)->path;
}

static enum kws_status create(kws_sink **sink, const void *c, const kws_sink *live, kws_error *err)
{
	const kws_conf_socket *conf = c;
	server *s = calloc(1, sizeof *s);
	enum kws_status status;

	*sink = NULL;
	if (!s)
		return kws_fail(err, KWS_ERR_NOMEM, "socket: out of memory");
	s->base = (kws_sink){ &ops, "socket", -1 };
	s->conf = *conf;
	s->door.fd = -1;
	if (!make_room(s))
		status = kws_fail(err, KWS_ERR_NOMEM, "socket: out of memory");
	else
		status = kws_door_prepare(&s->door, conf,
					  live ? &((const server *)live)->door : NULL, err);
	if (status == KWS_OK && (s->base.fd = epoll_create1(EPOLL_CLOEXEC)) < 0)
		status = kws_fail(err, KWS_ERR_NOMEM, "socket: epoll: %s", kws_strerrno(errno));
	if (status != KWS_OK) {
		destroy(s);
		return status;
	}
	*sink = &s->base;
	return KWS_OK;
}

const kws_sink_kind kws_sink_socket = { "socket", KWS_SINK_SECTION(socket[0]), wanted, create };
