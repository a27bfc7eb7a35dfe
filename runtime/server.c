#define _GNU_SOURCE /* accept4, struct ucred */
#include "runtime/server_parts.h"

#include "runtime/clock.h"
#include "runtime/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* One call of kws_server_serve handles at most EVENTS clients, reads from at most READS of them,
 * and accepts at most LET_IN new ones. So it takes some milliseconds at most, whatever they
 * send. */
enum { EVENTS = 16, READS = 4, LET_IN = 64 };

/* ---- the door ---- */

/* Stop polling the door, or start again. A door that is ready but cannot be served would wake us
 * for ever. */
static void shut_door(kws_server *s, bool shut, const char *why)
{
	struct epoll_event e = { .events = shut ? 0 : EPOLLIN, .data.ptr = NULL };

	if (s->shut == shut)
		return;
	epoll_ctl(s->fd, EPOLL_CTL_MOD, s->door.fd, &e);
	s->shut = shut;
	if (shut)
		kws_log(KWS_LOG_ERROR, "%s: %s: new clients wait at the door", s->door.label, why);
	else
		kws_log(KWS_LOG_INFO, "%s: new clients are let in again", s->door.label);
}

static kws_client *free_place(kws_server *s)
{
	for (unsigned i = 0; i < s->conf.clients; i++)
		if (s->clients[i].fd < 0)
			return &s->clients[i];
	return NULL;
}

static void turn_away(kws_server *s, int fd)
{
	const char *full = s->conf.full;

	if (!s->stats.turned++)
		kws_log(KWS_LOG_WARNING, "%s: more than clients = %u, turned away", s->door.label,
			s->conf.clients);
	if (full && send(fd, full, strlen(full), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		errno = 0; /* it will see that the connection ends */
	close(fd);
}

static void seat(kws_client *c, int fd)
{
	struct ucred u = { .pid = 0 };
	socklen_t n = sizeof u;
	kws_server *s = c->server;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &n) != 0)
		u = (struct ucred){ .pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (!s->conf.in_bytes)
		shutdown(fd, SHUT_RD);
	c->fd = fd;
	c->peer = (kws_peer){ u.pid, u.uid, u.gid };
	c->first = c->n = c->n_in = 0;
	c->lost = c->held = 0;
	c->overlong = c->last = false;
	if (s->conf.own_bytes)
		memset(c->own, 0, s->conf.own_bytes);
	s->stats.connected++;
	if (!kws_client_watch(c, EPOLL_CTL_ADD)) {
		kws_log(KWS_LOG_ERROR, "%s: a client is turned away: %s", s->door.label,
			kws_strerrno(errno));
		s->stats.turned++;
		kws_client_leave(c);
	}
}

/* Accept one client. False: none waits, or none can be accepted. */
static bool welcome(kws_server *s)
{
	int fd = accept4(s->door.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	kws_client *c;

	if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		shut_door(s, true, kws_strerrno(errno));
	if (fd < 0)
		return false;
	shut_door(s, false, NULL);
	c = free_place(s);
	if (c)
		seat(c, fd);
	else
		turn_away(s, fd);
	return true;
}

static void let_in(kws_server *s)
{
	for (int k = 0; k < LET_IN && welcome(s); k++)
		continue;
}

/* ---- serving ---- */

void kws_server_serve(kws_server *s)
{
	struct epoll_event e[EVENTS];
	int n = epoll_wait(s->fd, e, EVENTS, 0), reads = 0;

	for (int i = 0; i < n; i++) {
		kws_client *c = e[i].data.ptr;

		if (!c) {
			let_in(s);
			continue;
		}
		if (c->fd >= 0 && e[i].events & EPOLLOUT)
			kws_client_send_some(c);
		/* read what it sent before it closed */
		if (c->fd >= 0 && e[i].events & EPOLLIN && reads++ < READS)
			kws_client_receive(c);
		else if (c->fd >= 0 && e[i].events & (EPOLLHUP | EPOLLERR)
			 && !(e[i].events & EPOLLIN))
			kws_client_leave(c);
	}
	if (s->shut) /* a client that has left may have freed a descriptor */
		let_in(s);
}

static kws_client *oldest_held(kws_server *s, unsigned long than)
{
	kws_client *oldest = NULL;

	for (kws_client *c = s->clients; c < s->clients + s->conf.clients; c++)
		if (c->fd >= 0 && c->held > than && (!oldest || c->held < oldest->held))
			oldest = c;
	return oldest;
}

void kws_server_again(kws_server *s)
{
	unsigned long at = 0;

	for (kws_client *c; (c = oldest_held(s, at));) {
		at = c->held;
		kws_client_bring(c);
	}
}

kws_client *kws_server_next(kws_server *s, kws_client *c)
{
	kws_client *end = s->clients + s->conf.clients;

	if (!c && s->shut) /* clients that wait there should get this, too */
		let_in(s);
	for (c = c ? c + 1 : s->clients; c < end; c++)
		if (c->fd >= 0)
			return c;
	return NULL;
}

int kws_server_fd(const kws_server *s)
{
	return s->fd;
}

void kws_server_stats_get(const kws_server *s, kws_server_stats *st)
{
	*st = s->stats;
}

/* ---- create and stop ---- */

/* Clients stay connected and keep their queued output. */
static void take_over(kws_server *s, kws_server *live)
{
	assert(live->conf.in_bytes == s->conf.in_bytes
	       && live->conf.own_bytes == s->conf.own_bytes);
	for (unsigned i = 0; i < live->conf.clients; i++) {
		kws_client *from = &live->clients[i], *to = free_place(s), old = *from;

		if (from->fd < 0)
			continue;
		if (!to) {
			kws_log(KWS_LOG_WARNING, "%s: more than clients = %u, sent away",
				s->door.label, s->conf.clients);
			kws_client_leave(from);
			s->stats.turned++;
			continue;
		}
		epoll_ctl(live->fd, EPOLL_CTL_DEL, from->fd, NULL);
		live->stats.connected--;
		/* a ring that is not empty is taken over, whatever its size */
		*from = *to;
		*to = old;
		to->server = s;
		from->server = live;
		if (!to->n) {
			to->out = from->out;
			to->room = from->room;
			to->first = 0;
			from->out = old.out;
			from->room = old.room;
		}
		if (to->held > s->n_held)
			s->n_held = to->held;
		s->stats.connected++;
		if (!kws_client_watch(to, EPOLL_CTL_ADD))
			kws_client_leave(to);
	}
}

enum kws_status kws_server_open(kws_server *s, void *ctx, kws_server *live, kws_error *err)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = NULL };
	enum kws_status status = kws_door_open(&s->door, err);

	s->ctx = ctx;
	if (status != KWS_OK)
		return status;
	if (epoll_ctl(s->fd, EPOLL_CTL_ADD, s->door.fd, &e) != 0)
		return kws_fail(err, KWS_ERR_NOMEM, "%s: epoll: %s", s->door.label,
				kws_strerrno(errno));
	if (live)
		take_over(s, live);
	return KWS_OK;
}

static void destroy(kws_server *s)
{
	for (unsigned i = 0; s->clients && i < s->conf.clients; i++) {
		free(s->clients[i].out);
		free(s->clients[i].in);
		free(s->clients[i].own);
	}
	kws_door_close(&s->door);
	if (s->fd >= 0)
		close(s->fd);
	free(s->clients);
	free(s);
}

/* At the end: close the clients that have got everything. Returns whether any is left. */
static bool send_rest(kws_server *s)
{
	bool left = false;

	for (unsigned i = 0; i < s->conf.clients; i++) {
		kws_client *c = &s->clients[i];

		if (c->fd < 0)
			continue;
		c->last = true;
		kws_client_send_some(c);
		if (c->fd >= 0 && !c->n)
			kws_client_leave(c);
		left |= c->fd >= 0;
	}
	return left;
}

void kws_server_stop(kws_server *s, int timeout_ms, bool wait)
{
	const double deadline = kws_clock_mono() + 1e-3 * timeout_ms;

	if (!s)
		return;
	kws_door_close(&s->door);
	bool left = send_rest(s);
	while (wait && left && kws_clock_mono() < deadline) {
		struct epoll_event e;

		epoll_wait(s->fd, &e, 1, (int)(1e3 * (deadline - kws_clock_mono())) + 1);
		left = send_rest(s);
	}
	if (left)
		kws_log(KWS_LOG_WARNING, "%s: a client had not taken all before the end",
			s->door.label);
	for (unsigned i = 0; i < s->conf.clients; i++)
		if (s->clients[i].fd >= 0)
			kws_client_leave(&s->clients[i]);
	destroy(s);
}

/* Allocate all buffers. They take no memory before they are used. */
static bool make_room(kws_server *s)
{
	s->clients = calloc(s->conf.clients, sizeof *s->clients);
	for (unsigned i = 0; s->clients && i < s->conf.clients; i++) {
		kws_client *c = &s->clients[i];

		c->fd = -1;
		c->server = s;
		c->room = s->conf.out_bytes;
		c->out = calloc(1, c->room);
		c->in = calloc(1, s->conf.in_bytes + 1);
		c->own = calloc(1, s->conf.own_bytes + 1);
	}
	for (unsigned i = 0; s->clients && i < s->conf.clients; i++)
		if (!s->clients[i].out || !s->clients[i].in || !s->clients[i].own)
			return false;
	return s->clients != NULL;
}

enum kws_status kws_server_create(kws_server **out, const kws_server_config *c, kws_error *err)
{
	kws_server *s = calloc(1, sizeof *s);
	enum kws_status status;

	*out = NULL;
	if (!s)
		return kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", c->door.label);
	s->conf = *c;
	s->conf.door = (kws_door_config){ 0 }; /* its texts belong to the caller */
	s->fd = s->door.fd = -1;
	if (!make_room(s))
		status = kws_fail(err, KWS_ERR_NOMEM, "%s: out of memory", c->door.label);
	else
		status = kws_door_prepare(&s->door, &c->door, err);
	if (status == KWS_OK && (s->fd = epoll_create1(EPOLL_CLOEXEC)) < 0)
		status = kws_fail(err, KWS_ERR_NOMEM, "%s: epoll: %s", c->door.label,
				  kws_strerrno(errno));
	if (status != KWS_OK) {
		destroy(s);
		return status;
	}
	*out = s;
	return KWS_OK;
}
