#include "runtime/server_parts.h"

#include "runtime/log.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 4096 };

/* ---- closing ---- */

void kws_client_leave(kws_client *c)
{
	const kws_server_config *conf = &c->server->conf;

	if (conf->ops)
		conf->ops->gone(c->server->ctx, c);
	close(c->fd); /* this also removes it from the epoll set */
	c->fd = -1;
	c->n = c->n_in = 0;
	c->held = 0;
	c->server->stats.connected--;
}

static void leave_if_done(kws_client *c)
{
	const kws_server_config *conf = &c->server->conf;

	if (c->last && !c->n && !(conf->ops && conf->ops->is_awaited(c->server->ctx, c)))
		kws_client_leave(c);
}

/* ---- output ---- */

/* EPOLLHUP and EPOLLERR are always reported. */
bool kws_client_watch(kws_client *c, int op)
{
	const bool reads = c->server->conf.in_bytes && !c->last && !c->held;
	struct epoll_event e = { .events = (c->n ? EPOLLOUT : 0u) | (reads ? EPOLLIN : 0u),
				 .data.ptr = c };

	if (op == EPOLL_CTL_MOD && e.events == c->watched)
		return true;
	c->watched = e.events;
	return epoll_ctl(c->server->fd, op, c->fd, &e) == 0;
}

/* Send what can be sent now. */
void kws_client_send_some(kws_client *c)
{
	while (c->n) {
		size_t run = c->room - c->first < c->n ? c->room - c->first : c->n;
		ssize_t k = send(c->fd, c->out + c->first, run, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && errno != EAGAIN) {
			kws_client_leave(c);
			return;
		}
		if (k < 0)
			break;
		c->first = (c->first + (size_t)k) % c->room;
		c->n -= (size_t)k;
	}
	kws_client_watch(c, EPOLL_CTL_MOD);
	leave_if_done(c);
}

static void append(kws_client *c, const char *text, size_t n)
{
	const size_t at = (c->first + c->n) % c->room, run = c->room - at < n ? c->room - at : n;

	memcpy(c->out + at, text, run);
	memcpy(c->out, text + run, n - run);
	c->n += n;
	kws_client_send_some(c);
}

bool kws_client_put(kws_client *c, const char *text, size_t n)
{
	if (c->fd < 0)
		return false;
	if (c->n + n + c->server->conf.reserve > c->room) {
		c->lost++;
		c->server->stats.lost++;
		return false;
	}
	c->lost = 0;
	append(c, text, n);
	return true;
}

bool kws_client_answer(kws_client *c, const char *text, size_t n)
{
	if (c->fd < 0)
		return false;
	if (c->n + n > c->room) {
		kws_log(KWS_LOG_WARNING,
			"%s: process %ld of user %ld does not read its answers: sent away",
			c->server->door.label, (long)c->peer.pid, (long)c->peer.uid);
		c->server->stats.turned++;
		kws_client_leave(c);
		return false;
	}
	append(c, text, n);
	return true;
}

unsigned long kws_client_lost(const kws_client *c)
{
	return c->lost;
}

void *kws_client_own(kws_client *c)
{
	return c->own;
}

kws_peer kws_client_peer(const kws_client *c)
{
	return c->peer;
}

/* ---- input ---- */

void kws_client_bring(kws_client *c)
{
	const kws_server_config *conf = &c->server->conf;
	const size_t n = c->n_in;
	const unsigned long was_held = c->held;
	bool done = true;

	c->in[n] = 0;
	if (c->overlong)
		conf->ops->bad_line(c->server->ctx, c, "the line is too long");
	else if (n > strspn(c->in, " \t\r"))
		done = conf->ops->line(c->server->ctx, c, c->in, n);
	if (c->fd < 0)
		return;
	c->held = done ? 0 : was_held ? was_held : ++c->server->n_held;
	if (done) {
		c->n_in = 0;
		c->overlong = false;
	}
	kws_client_watch(c, EPOLL_CTL_MOD);
}

/* Add text (n,), a part of a line or the rest of it. */
static void take(kws_client *c, const char *text, size_t n)
{
	const bool whole = text[n - 1] == '\n';
	const size_t room = c->server->conf.in_bytes - c->n_in;

	n -= whole;
	c->overlong |= n > room;
	memcpy(c->in + c->n_in, text, n < room ? n : room);
	c->n_in += n < room ? n : room;
	if (whole)
		kws_client_bring(c);
}

static void end_input(kws_client *c)
{
	const kws_server_config *conf = &c->server->conf;

	c->last = true;
	kws_client_watch(c, EPOLL_CTL_MOD);
	if (c->n_in)
		conf->ops->bad_line(c->server->ctx, c, "the line has no end");
	if (c->fd >= 0)
		leave_if_done(c);
}

/* Read at most to the end of a line: the line may have to wait. */
void kws_client_receive(kws_client *c)
{
	char text[READ_BYTES];
	ssize_t n = recv(c->fd, text, sizeof text, MSG_DONTWAIT | MSG_PEEK);

	if (n > 0) {
		const char *end = memchr(text, '\n', (size_t)n);

		n = recv(c->fd, text, end ? (size_t)(end - text + 1) : (size_t)n, MSG_DONTWAIT);
	}
	if (n > 0)
		take(c, text, (size_t)n);
	else if (n == 0)
		end_input(c);
	else if (errno != EAGAIN && errno != EINTR)
		kws_client_leave(c);
}
