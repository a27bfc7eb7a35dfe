#include "gateway/wyoming/clients_parts.h"

#include "runtime/clock.h"
#include "runtime/log.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a client sends first, AT_ONCE bytes, is used at once and not in its turn: it is little, and
 * describe should not wait for anybody. A pipe that takes anything takes PIPE bytes without
 * waiting. */
enum { AT_ONCE = 4096, PIPE = 4096 };

/* How long a client may leave its answers unread, and how long it may take to hang up. */
static const double unread_s = 30.0, leave_s = 2.0;

/* ---- come and go ---- */

static enum kws_status watch_new(client *c, kws_error *err)
{
	kws_loop *l = c->all->loop;
	enum kws_status status = kws_loop_add(l, c->in, KWS_LOOP_READ, kws_client_ready, c, err);

	if (c->is_socket || status == KWS_ERR_NOMEM)
		return status;
	/* a file is always ready, and cannot be polled */
	c->reads_at_once = status != KWS_OK;
	status = kws_loop_add(l, c->out, KWS_LOOP_WRITE, kws_client_ready, c, err);
	c->writes_at_once = status != KWS_OK;
	if (status == KWS_OK)
		kws_loop_modify(l, c->out, 0);
	return status == KWS_ERR_NOMEM ? status : KWS_OK;
}

static void unwatch(const client *c)
{
	kws_loop_remove(c->all->loop, c->in);
	kws_loop_remove(c->all->loop, c->out);
}

/* It is in no list and no queue, and the ears do not have it. */
static void free_client(client *c)
{
	if (c->session && kws_session_has_ears(c->session)) {
		kws_client_bury(c);
		return;
	}
	kws_session_destroy(c->session);
	free(c);
}

client *kws_client_seat(kws_clients *all, int in, int out, kws_error *err)
{
	client *c = calloc(1, sizeof *c);

	if (!c) {
		kws_fail(err, KWS_ERR_NOMEM, "out of memory");
		return NULL;
	}
	*c = (client){ .all = all, .in = in, .out = out, .is_socket = in == out };
	c->since = kws_clock_mono();
	c->session = kws_session_create(all->roster);
	if (!c->session)
		kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	if (!c->session || watch_new(c, err) != KWS_OK) {
		unwatch(c);
		free_client(c);
		return NULL;
	}
	c->next = all->first;
	if (c->next)
		c->next->before = c;
	all->first = c;
	all->stats.connected++;
	all->stats.served++;
	if (c->reads_at_once)
		kws_client_enqueue(c);
	return c;
}

void kws_client_hang_up(client *c)
{
	kws_clients *all = c->all;
	const int fd = c->is_socket ? c->in : -1;
	kws_timer_fn *gone = c->gone;
	void *ctx = c->ctx;

	kws_client_dequeue(c);
	if (c->next)
		c->next->before = c->before;
	*(c->before ? &c->before->next : &all->first) = c->next;
	all->stats.connected--;
	unwatch(c);
	c->has_gone = true;
	if (!c->is_heard)
		free_client(c);
	if (fd >= 0)
		close(fd);
	if (gone)
		gone(ctx);
}

/* ---- what is watched ---- */

/* Whether it would be read from now. */
static bool wants_bytes(client *c)
{
	size_t room;

	if (c->is_heard || c->blocked || c->waits || c->leaving)
		return false;
	kws_session_room(c->session, &room);
	return room > 0;
}

static void watch(client *c)
{
	kws_loop *l = c->all->loop;
	const bool wants = wants_bytes(c) && !c->queue;
	const unsigned reads = wants || c->leaving ? KWS_LOOP_READ : 0;
	const unsigned writes = c->blocked ? KWS_LOOP_WRITE : 0;

	if (c->is_socket) {
		kws_loop_modify(l, c->in, reads | writes);
		return;
	}
	if (!c->reads_at_once)
		kws_loop_modify(l, c->in, reads);
	else if (wants)
		kws_client_enqueue(c);
	if (!c->writes_at_once)
		kws_loop_modify(l, c->out, writes);
}

/* ---- answers ---- */

static ssize_t put(const client *c, const kws_out *o)
{
	if (c->is_socket)
		return send(c->out, o->bytes + o->first, o->n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(c->out, o->bytes + o->first, o->n < PIPE ? o->n : PIPE);
}

/* Send what waits. is_ready: out was polled. False: it has gone. */
static bool send_some(client *c, bool is_ready)
{
	kws_out *o = kws_session_out(c->session);

	while (o->n && (c->is_socket || c->writes_at_once || is_ready)) {
		const ssize_t n = put(c, o);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno != EINTR) {
			kws_client_hang_up(c);
			return false;
		}
		is_ready = n < 0;
		if (n > 0) {
			kws_out_sent(o, (size_t)n);
			c->since = kws_clock_mono();
		}
	}
	c->blocked = o->n > 0;
	return true;
}

/* It was told all. It is given time to read it: a socket that is closed with bytes unread takes
 * back what it has sent. False: it has gone. */
static bool leave(client *c)
{
	if (*kws_session_fault(c->session))
		kws_clients_sent_away(c->all, c->name, kws_session_fault(c->session));
	if (!c->is_socket || shutdown(c->out, SHUT_WR) != 0) {
		kws_client_hang_up(c);
		return false;
	}
	c->leaving = true;
	c->waits = false;
	c->since = kws_clock_mono();
	return true;
}

/* ---- turns ---- */

/* Step, send what comes of it, and see what is next. While answers wait, nothing is next. */
static void go_on(client *c)
{
	enum kws_session_next next = KWS_SESSION_WAIT;

	if (!c->waits) {
		next = kws_session_step(c->session);
		c->waits = next == KWS_SESSION_HEAR;
		c->streams = kws_session_streams(c->session);
	}
	if (!send_some(c, false))
		return;
	if (next == KWS_SESSION_OVER && !c->blocked && !leave(c))
		return;
	if (!c->blocked && (c->waits || next == KWS_SESSION_TURN))
		kws_client_enqueue(c);
	watch(c);
}

/* Read what it has sent. False: it has gone. */
static bool receive(client *c)
{
	size_t room;
	char *to = kws_session_room(c->session, &room);
	const ssize_t n = read(c->in, to, room);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n < 0) {
		kws_client_hang_up(c);
		return false;
	}
	c->since = kws_clock_mono();
	c->received += (size_t)n;
	if (n)
		kws_session_give(c->session, (size_t)n);
	else
		kws_session_close(c->session);
	return true;
}

/* False: it has gone. */
static bool receive_unused(client *c)
{
	char unused[4096];
	const ssize_t n = read(c->in, unused, sizeof unused);

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return true;
	kws_client_hang_up(c);
	return false;
}

static void renew(client *c)
{
	if (kws_session_roster(c->session) != c->all->roster)
		kws_session_change(c->session, c->all->roster);
}

void kws_client_turn(client *c)
{
	renew(c);
	if (c->reads_at_once && wants_bytes(c) && !receive(c))
		return;
	go_on(c);
}

void kws_client_heard(client *c)
{
	c->is_heard = c->waits = false;
	if (c->has_gone) {
		free_client(c);
	} else if (send_some(c, false)) {
		if (!c->blocked)
			kws_client_enqueue(c);
		watch(c);
	}
}

void kws_client_ready(void *ctx, unsigned events)
{
	client *c = ctx;

	if (c->blocked && events & KWS_LOOP_WRITE) {
		if (!send_some(c, true))
			return;
		if (!c->blocked)
			kws_client_enqueue(c);
		watch(c);
	} else if (c->leaving) {
		receive_unused(c);
	} else if (wants_bytes(c) && receive(c)) {
		if (c->received <= AT_ONCE) {
			renew(c);
			go_on(c);
		} else {
			kws_client_enqueue(c);
			watch(c);
		}
	}
}

/* ---- who says nothing ---- */

void kws_client_sweep(client *c, double mono)
{
	const double quiet_s = mono - c->since;
	const unsigned idle_s = c->all->conf.idle_s;

	if (c->leaving && quiet_s > leave_s) {
		kws_client_hang_up(c);
	} else if (c->blocked && quiet_s > unread_s) {
		kws_clients_sent_away(c->all, c->name, "it does not read its answers");
		kws_client_hang_up(c);
	} else if (c->is_socket && idle_s && quiet_s > idle_s && !c->queue && !c->is_heard) {
		kws_log(KWS_LOG_DEBUG, "%s is sent away: it said nothing for %u s", c->name,
			idle_s);
		kws_client_hang_up(c);
	} else if (wants_bytes(c) && !c->queue
		   && kws_session_roster(c->session) != c->all->roster) {
		/* it holds models that nobody else may use any more */
		renew(c);
		go_on(c);
	}
}
