#define _GNU_SOURCE /* accept4, struct ucred */
#include "gateway/wyoming/clients_parts.h"

#include "runtime/clock.h"
#include "runtime/log.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* In one step of the loop: clients that are let in, and turns. */
enum { LET_IN = 16, TURNS = 64 };

/* A step of the loop takes about so long at most, whatever clients send: that is how long anybody
 * else waits. */
static const double turns_s = 0.001, say_every_s = 10.0;

/* A job of the ears takes about so long: that is how long the next block waits at most. */
static const double hear_s = 0.002;

/* One that takes so long will never end. */
static const double stuck_s = 30.0;

/* A client that has been silent for so long makes room for another, if there is none left. */
static const double silent_s = 30.0;

/* Hearing that takes this part of the time, for so many seconds: the machine does not keep up. */
static const double most_load = 0.95;
enum { OVERLOADED_S = 10 };

/* ---- the queues ---- */

static void take_turns(void *ctx);

/* Take turns in this step of the loop or, if it is at that, in the next one. */
static void rouse(kws_clients *all)
{
	if (!all->turn.set)
		kws_loop_time(all->loop, &all->turn, 0.0, 0.0, take_turns, all);
}

void kws_client_enqueue(client *c)
{
	queue *q = c->waits ? &c->all->blocks : &c->all->turns;

	if (c->queue)
		return;
	c->queue = q;
	c->next_turn = NULL;
	c->before_turn = q->last;
	*(q->last ? &q->last->next_turn : &q->first) = c;
	q->last = c;
	rouse(c->all);
}

void kws_client_dequeue(client *c)
{
	queue *q = c->queue;

	if (!q)
		return;
	c->queue = NULL;
	*(c->before_turn ? &c->before_turn->next_turn : &q->first) = c->next_turn;
	*(c->next_turn ? &c->next_turn->before_turn : &q->last) = c->before_turn;
}

/* ---- ears ---- */

void kws_client_bury(client *c)
{
	kws_clients *all = c->all;

	c->next = all->gone;
	all->gone = c;
	rouse(all);
}

/* Give the ears their next job, if they are free and there is one. */
static void hear(kws_clients *all)
{
	kws_ears_job job = { .n_heard = 0 };
	client *c;

	if (kws_ears_is_busy(all->ears) || (!all->blocks.first && !all->gone))
		return;
	while (job.n_heard < all->together && (c = all->blocks.first)) {
		kws_client_dequeue(c);
		c->is_heard = true;
		all->heard[job.n_heard] = c;
		job.heard[job.n_heard++] = c->session;
	}
	all->n_heard = job.n_heard;
	while (job.n_ended < KWS_WAKE_TOGETHER && (c = all->gone)) {
		all->gone = c->next;
		job.ended[job.n_ended++] = c->session;
		free(c);
	}
	kws_ears_begin(all->ears, &job);
}

/* Half as many next time if it took too long, more if it was quick. */
static void on_heard(void *ctx, double took_s)
{
	kws_clients *all = ctx;
	const size_t n = all->n_heard;

	all->hearing_s += took_s;
	if (took_s > hear_s && all->together > 1)
		all->together /= 2;
	else if (took_s < 0.5 * hear_s && n == all->together && n < KWS_WAKE_TOGETHER)
		all->together++;
	all->n_heard = 0;
	for (size_t i = 0; i < n; i++)
		kws_client_heard(all->heard[i]);
	rouse(all);
}

static void take_turns(void *ctx)
{
	kws_clients *all = ctx;
	const double until = kws_clock_mono() + turns_s;

	for (int i = 0; i < TURNS && all->turns.first; i++) {
		client *c = all->turns.first;

		kws_client_dequeue(c);
		kws_client_turn(c);
		if (kws_clock_mono() > until)
			break;
	}
	hear(all);
	if (all->turns.first)
		rouse(all);
}

/* ---- the door ---- */

void kws_clients_sent_away(kws_clients *all, const char *name, const char *why)
{
	const double mono = kws_clock_mono();

	all->stats.refused++;
	if (all->said > 0.0 && mono - all->said < say_every_s) {
		all->unsaid++;
		return;
	}
	kws_log(KWS_LOG_WARNING, "%s is sent away: %s", name, why);
	if (all->unsaid)
		kws_log(KWS_LOG_WARNING, "%lu others were sent away since the last such message",
			all->unsaid);
	all->said = mono;
	all->unsaid = 0;
}

/* "10.0.0.7:40112", or "process 812 of user 1000". */
static void name_peer(int fd, char *name, size_t n)
{
	struct sockaddr_storage a = { .ss_family = AF_UNSPEC };
	char host[64] = "", port[16] = "";
	struct ucred u;
	socklen_t len = sizeof a, u_len = sizeof u;

	if (getpeername(fd, (struct sockaddr *)&a, &len) != 0)
		a.ss_family = AF_UNSPEC;
	if (a.ss_family == AF_UNIX && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &u_len) == 0)
		snprintf(name, n, "process %ld of user %ld", (long)u.pid, (long)u.uid);
	else if (getnameinfo((const struct sockaddr *)&a, len, host, sizeof host, port, sizeof port,
			     NI_NUMERICHOST | NI_NUMERICSERV)
		 == 0)
		snprintf(name, n, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	else
		snprintf(name, n, "a client");
}

/* Answers go out at once. A peer that vanishes without a word is noticed in two minutes. */
static void tune(int fd)
{
	const int one = 1, idle_s = 60, every_s = 15, tries = 4;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof tries);
}

/* Whether there is room for one more, if need be by sending somebody away: one that is leaving
 * anyway, or the one that has been silent longest. Who waits for a turn is not silent. */
static bool make_room(kws_clients *all)
{
	client *silent = NULL;

	if (all->stats.connected < all->conf.most)
		return true;
	for (client *c = all->first; c; c = c->next)
		if (!c->queue && !c->is_heard
		    && (!silent || c->leaving > silent->leaving
			|| (c->leaving == silent->leaving && c->since < silent->since)))
			silent = c;
	if (!silent || (!silent->leaving && kws_clock_mono() - silent->since < silent_s))
		return false;
	if (!silent->leaving)
		kws_clients_sent_away(all, silent->name, "it was silent, and others came");
	kws_client_hang_up(silent);
	return true;
}

static void turn_away(kws_clients *all, int fd, const char *name)
{
	kws_out o = { .bytes = NULL };
	kws_error e;

	kws_fail(&e, KWS_ERR_ARG, "there are %u clients, no more are let in", all->conf.most);
	kws_clients_sent_away(all, name, e.text);
	kws_reply_error(&o, e.text, "too-many-clients");
	if (send(fd, o.bytes, o.n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		errno = 0; /* it will see that the connection ends */
	kws_out_free(&o);
	close(fd);
}

static void let_in(kws_clients *all, int fd)
{
	char name[KWS_CLIENT_NAME];
	kws_error e = { "" };
	client *c;

	name_peer(fd, name, sizeof name);
	if (!make_room(all)) {
		turn_away(all, fd, name);
		return;
	}
	tune(fd);
	c = kws_client_seat(all, fd, fd, &e);
	if (!c) {
		kws_clients_sent_away(all, name, e.text);
		close(fd);
		return;
	}
	memcpy(c->name, name, sizeof c->name);
	kws_log(KWS_LOG_DEBUG, "%s has come", name);
	kws_client_ready(c, KWS_LOOP_READ); /* who connects mostly asks at once */
}

/* A door that is ready but cannot be served would wake us for ever. */
static void shut(door *d, bool shut, const char *why)
{
	if (d->shut == shut)
		return;
	d->shut = shut;
	kws_loop_modify(d->all->loop, d->fd, shut ? 0 : KWS_LOOP_READ);
	if (shut)
		kws_log(KWS_LOG_ERROR, "%s: new clients wait at the door", why);
	else
		kws_log(KWS_LOG_INFO, "new clients are let in again");
}

static void on_door(void *ctx, unsigned events)
{
	door *d = ctx;

	(void)events;
	for (int i = 0; i < LET_IN; i++) {
		const int fd = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
			shut(d, true, kws_strerrno(errno));
			return;
		}
		shut(d, false, NULL);
		if (fd < 0)
			return;
		let_in(d->all, fd);
	}
}

/* ---- once a second ---- */

/* Silence would be the worst answer: what clients send waits, and nobody would know why. */
static void measure_load(kws_clients *all, double mono)
{
	all->stats.load = all->hearing_s / (mono - all->swept);
	all->hearing_s = 0.0;
	all->swept = mono;
	all->overloaded_s = all->stats.load > most_load ? all->overloaded_s + 1 : 0;
	if (all->overloaded_s == OVERLOADED_S)
		kws_log(KWS_LOG_WARNING,
			"clients send more than can be heard here: for %d s there was no pause",
			OVERLOADED_S);
}

static void sweep(void *ctx)
{
	kws_clients *all = ctx;
	const double mono = kws_clock_mono();

	measure_load(all, mono);

	for (client *c = all->first, *next; c; c = next) {
		next = c->next;
		kws_client_sweep(c, mono);
	}
	for (size_t i = 0; i < all->n_doors; i++)
		if (all->doors[i].shut)
			on_door(&all->doors[i], 0);
}

/* ---- the whole ---- */

enum kws_status kws_clients_create(kws_clients **out, kws_loop *l, const kws_clients_config *c,
				   kws_roster *r, kws_error *err)
{
	kws_clients *all = calloc(1, sizeof *all);
	enum kws_status status;

	*out = NULL;
	if (!all)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	status = kws_ears_create(&all->ears, l, on_heard, all, err);
	if (status != KWS_OK) {
		free(all);
		return status;
	}
	all->loop = l;
	all->conf = *c;
	all->roster = kws_roster_share(r);
	all->together = 1;
	all->swept = kws_clock_mono();
	kws_loop_time(l, &all->sweep, 1.0, 1.0, sweep, all);
	*out = all;
	return KWS_OK;
}

void kws_clients_destroy(kws_clients *all)
{
	if (!all)
		return;
	kws_ears_destroy(all->ears);
	for (size_t i = 0; i < all->n_heard; i++) {
		all->heard[i]->is_heard = false;
		if (all->heard[i]->has_gone)
			kws_client_bury(all->heard[i]);
	}
	while (all->first)
		kws_client_hang_up(all->first);
	for (client *c; (c = all->gone); free(c)) {
		all->gone = c->next;
		kws_session_destroy(c->session);
	}
	for (size_t i = 0; i < all->n_doors; i++)
		kws_loop_remove(all->loop, all->doors[i].fd);
	kws_loop_cancel(all->loop, &all->turn);
	kws_loop_cancel(all->loop, &all->sweep);
	kws_roster_release(all->roster);
	free(all);
}

void kws_clients_configure(kws_clients *all, const kws_clients_config *c)
{
	all->conf = *c;
}

void kws_clients_change(kws_clients *all, kws_roster *r)
{
	kws_roster_share(r);
	kws_roster_release(all->roster);
	all->roster = r;
}

enum kws_status kws_clients_listen(kws_clients *all, int fd, kws_error *err)
{
	door *d = &all->doors[all->n_doors];
	enum kws_status status;

	if (all->n_doors == KWS_CLIENTS_DOORS)
		return kws_fail(err, KWS_ERR_ARG, "more than %d addresses", KWS_CLIENTS_DOORS);
	*d = (door){ .all = all, .fd = fd };
	status = kws_loop_add(all->loop, fd, KWS_LOOP_READ, on_door, d, err);
	if (status == KWS_OK)
		all->n_doors++;
	return status;
}

enum kws_status kws_clients_admit(kws_clients *all, int in, int out, kws_timer_fn *gone, void *ctx,
				  kws_error *err)
{
	client *c = kws_client_seat(all, in, out, err);

	if (!c)
		return KWS_ERR_NOMEM;
	snprintf(c->name, sizeof c->name, "the client");
	c->gone = gone;
	c->ctx = ctx;
	return KWS_OK;
}

bool kws_clients_hear(const kws_clients *all)
{
	return kws_ears_busy_s(all->ears) < stuck_s;
}

void kws_clients_stats_get(const kws_clients *all, kws_clients_stats *st)
{
	*st = all->stats;
	st->streaming = 0;
	for (const client *c = all->first; c; c = c->next)
		st->streaming += c->streams;
}
