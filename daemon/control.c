#include "daemon/control_parts.h"

#include "runtime/clock.h"
#include "runtime/log.h"
#include "find_model.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

const char *const kws_stream_names[KWS_STREAMS] = { "events", "near_misses", "scores", "levels",
						    "mel" };

/* ---- clients ---- */

void kws_control_subscribe(kws_control *c, kws_control_client *own, enum kws_stream stream,
			   const kws_subscription *s)
{
	const bool was_on = own->to[stream].on;

	own->to[stream] = *s;
	if (s->on && !was_on && !c->wanted[stream]++)
		c->since[stream]++;
	if (!s->on && was_on)
		c->wanted[stream]--;
}

static bool on_line(void *ctx, kws_client *client, const char *line, size_t n)
{
	kws_control *c = ctx;
	size_t len;

	switch (kws_control_hear(c, kws_client_own(client), kws_client_peer(client), line, n,
				 &len)) {
	case KWS_HEARD_BUSY: return false;
	case KWS_HEARD_LATER: return true;
	case KWS_HEARD_ANSWERED: kws_client_answer(client, c->answer, len);
	}
	return true;
}

static void on_bad_line(void *ctx, kws_client *client, const char *why)
{
	kws_control *c = ctx;

	kws_client_answer(client, c->answer, kws_control_tell(c, NULL, "", "request", why));
}

static bool is_awaited(void *ctx, kws_client *client)
{
	const kws_control_client *own = kws_client_own(client);
	bool awaited = own->asked != NULL;

	(void)ctx;
	for (size_t i = 0; i < KWS_STREAMS; i++)
		awaited |= own->to[i].on;
	return awaited;
}

static void on_gone(void *ctx, kws_client *client)
{
	static const kws_subscription none;

	for (size_t i = 0; i < KWS_STREAMS; i++)
		kws_control_subscribe(ctx, kws_client_own(client), (enum kws_stream)i, &none);
}

static const kws_server_ops server_ops = { on_line, on_bad_line, is_awaited, on_gone };

const char *kws_control_code(enum kws_control_result result)
{
	return result == KWS_CONTROL_IN_PART   ? "in part"
	       : result == KWS_CONTROL_REFUSED ? "refused"
					       : NULL;
}

void kws_control_reloaded(kws_control *c, enum kws_control_result result, const char *errors)
{
	for (kws_client *k = NULL; c->server && (k = kws_server_next(c->server, k));) {
		kws_control_client *own = kws_client_own(k);
		const char *asked = own->asked;

		own->asked = NULL;
		if (asked)
			kws_client_answer(k, c->answer,
					  kws_control_tell(c, asked, own->id,
							   kws_control_code(result), errors));
	}
	if (c->server && !c->closing)
		kws_server_again(c->server);
	if (c->closing) {
		kws_server_stop(c->server, 0, false);
		c->server = NULL;
		c->closing = false;
	}
}

/* ---- streams ---- */

static bool is_for(const kws_subscription *s, const char *listener, const char *spotter)
{
	return s->on && (*s->listener == '*' || !strcmp(s->listener, listener))
	       && (*s->spotter == '*' || !spotter || !strcmp(s->spotter, spotter));
}

/* Complete line (n,) and send it. */
static bool put(kws_client *k, char *line, size_t n)
{
	const unsigned long lost = kws_client_lost(k);

	if (lost)
		n += (size_t)snprintf(line + n, KWS_SCOPE_TAIL, ",\"dropped\":%lu}\n", lost);
	else
		n += (size_t)snprintf(line + n, KWS_SCOPE_TAIL, "}\n");
	return kws_client_put(k, line, n);
}

static void offer(kws_client *k, enum kws_stream stream, const char *name, const kws_report *r)
{
	kws_control_client *own = kws_client_own(k);
	kws_subscription *s = &own->to[stream];
	char line[KWS_EVENT_JSON + 32 + KWS_SCOPE_TAIL];
	const double now = kws_clock_mono();
	kws_report mine = *r;
	bool taken = false;

	if (!is_for(s, r->listener, r->spotter))
		return;
	mine.dropped = own->lost_events;
	if (now >= s->next) {
		size_t n = (size_t)snprintf(line, sizeof line, "{\"%s\":", name);

		n += kws_report_json(&mine, line + n, KWS_EVENT_JSON);
		taken = put(k, line, n);
	}
	if (taken)
		s->next = s->rate_hz > 0.0 ? now + 1.0 / s->rate_hz : 0.0;
	own->lost_events = taken ? 0 : own->lost_events + 1;
}

static void tell_report(kws_control *c, enum kws_stream stream, const char *name,
			const kws_report *r)
{
	for (kws_client *k = NULL; c->server && (k = kws_server_next(c->server, k));)
		offer(k, stream, name, r);
}

void kws_control_event(kws_control *c, const kws_report *r)
{
	tell_report(c, KWS_STREAM_EVENTS, "event", r);
}

void kws_control_near_miss(kws_control *c, const kws_report *r)
{
	tell_report(c, KWS_STREAM_NEAR_MISSES, "near_miss", r);
}

/* Add a row, of period_s. Each client gets a line after every `rows' rows, as its rate requires. A
 * line covers all of them, so no row is skipped and no state is needed for each client. */
static void tell_row(kws_control *c, enum kws_stream stream, enum kws_scope_kind kind, kws_scope *t,
		     const float *row, double period_s, double time_s)
{
	const uint64_t n = kws_scope_add(t, kind, c->since[stream], row);
	const char *spotter = kind == KWS_SCOPE_LEVELS ? NULL : kws_scope_spotter(t);
	char *line = NULL;
	size_t made = 0, len = 0;

	for (kws_client *k = NULL; (k = kws_server_next(c->server, k));) {
		const kws_subscription *s = &((kws_control_client *)kws_client_own(k))->to[stream];

		if (!is_for(s, kws_scope_listener(t), spotter))
			continue;
		const long every = lround(1.0 / (s->rate_hz * period_s));
		const size_t rows = every < 1 ? 1 : (size_t)every;
		if (n % rows)
			continue;
		if (rows != made)
			line = kws_scope_line(t, kind, rows, time_s, &len);
		made = rows;
		put(k, line, len);
	}
}

static void tell_frame(kws_control *c, kws_scope *of, bool has_levels, const kws_frame *f,
		       const float *score, double time_s)
{
	const double hop_s = 0.01, first_s = time_s - hop_s * (double)(f->stride - 1);

	if (c->wanted[KWS_STREAM_SCORES])
		tell_row(c, KWS_STREAM_SCORES, KWS_SCOPE_SCORES, of, score,
			 hop_s * (double)f->stride, time_s);
	for (size_t i = 0; i < f->stride; i++) {
		if (c->wanted[KWS_STREAM_LEVELS] && f->level && has_levels)
			tell_row(c, KWS_STREAM_LEVELS, KWS_SCOPE_LEVELS, of, f->level + i, hop_s,
				 first_s + hop_s * (double)i);
		if (c->wanted[KWS_STREAM_MEL] && f->mel)
			tell_row(c, KWS_STREAM_MEL, KWS_SCOPE_MEL, of, f->mel + i * f->n_mels,
				 hop_s, first_s + hop_s * (double)i);
	}
}

void kws_control_frame(kws_control *c, const char *listener, const char *spotter,
		       const kws_frame *f, const float *score, double time_s)
{
	if (!c->wanted[KWS_STREAM_SCORES] && !c->wanted[KWS_STREAM_LEVELS]
	    && !c->wanted[KWS_STREAM_MEL])
		return;
	for (size_t i = 0; i < c->n_ears; i++) {
		kws_scope *of = c->ear[i].scope;

		if (!strcmp(kws_scope_listener(of), listener)
		    && !strcmp(kws_scope_spotter(of), spotter))
			tell_frame(c, of, c->ear[i].has_levels, f, score, time_s);
	}
}

static void forget_ears(kws_control *c)
{
	while (c->n_ears)
		kws_scope_destroy(c->ear[--c->n_ears].scope);
}

enum kws_status kws_control_ears(kws_control *c, const kws_control_ear *ear, size_t n,
				 kws_error *err)
{
	enum kws_status status = KWS_OK;

	assert(n <= sizeof c->ear / sizeof c->ear[0]);
	forget_ears(c);
	for (size_t i = 0; i < n && status == KWS_OK; i++) {
		status = kws_scope_create(&c->ear[i].scope, ear[i].listener, ear[i].spotter,
					  ear[i].model, err);
		c->ear[i].has_levels = ear[i].has_levels;
		c->n_ears += status == KWS_OK;
	}
	return status;
}

/* ---- the socket ---- */

/* The path of the socket; "": off. */
static void find_path(const kws_conf_control *conf, char path[KWS_DOOR_PATH + 16])
{
	if (strcmp(conf->path, "auto") != 0)
		snprintf(path, KWS_DOOR_PATH + 16, "%s", conf->path);
	else
		kws_find_of_service("RUNTIME_DIRECTORY", "control", path, KWS_DOOR_PATH + 16);
}

enum kws_status kws_control_prepare(kws_server **out, const kws_conf_control *conf,
				    const kws_control *now, kws_error *err)
{
	static const char full[] = "{\"ok\":false,\"code\":\"full\",\"error\":\"as many are "
				   "connected as [control] clients allows\"}\n";
	char path[KWS_DOOR_PATH + 16];
	const kws_server_config server = { .door = { "control", path, conf->group, conf->mode },
					   .clients = conf->clients,
					   .out_bytes =
						   conf->buffer_kb * 1024ul + KWS_CONTROL_ANSWER,
					   .reserve = KWS_CONTROL_ANSWER,
					   .in_bytes = KWS_CONTROL_LINE,
					   .own_bytes = sizeof(kws_control_client),
					   .full = full,
					   .ops = &server_ops };

	*out = NULL;
	find_path(conf, path);
	if (!*path || (now && !memcmp(&now->conf, conf, sizeof *conf)))
		return KWS_OK;
	if (strlen(path) >= KWS_DOOR_PATH)
		return kws_fail(err, KWS_ERR_IO, "[control] path: %s: longer than %d bytes", path,
				KWS_DOOR_PATH - 1);
	return kws_server_create(out, &server, err);
}

enum kws_status kws_control_swap(kws_control *c, const kws_conf_control *conf, kws_server *next,
				 kws_error *err)
{
	struct epoll_event e = { .events = EPOLLIN };
	enum kws_status status = KWS_OK;

	if (!memcmp(&c->conf, conf, sizeof *conf))
		return KWS_OK;
	if (next && epoll_ctl(c->fd, EPOLL_CTL_ADD, kws_server_fd(next), &e) != 0)
		status = kws_fail(err, KWS_ERR_NOMEM, "control: epoll: %s", kws_strerrno(errno));
	if (next && status == KWS_OK)
		status = kws_server_open(next, c, c->server, err);
	if (status != KWS_OK) {
		kws_server_stop(next, 0, false);
		return status;
	}
	c->conf = *conf;
	c->closing = !next && c->server;
	if (!next)
		return KWS_OK; /* the client that asked for this still gets its answer */
	kws_server_stop(c->server, 0, false);
	c->server = next;
	return KWS_OK;
}

enum kws_status kws_control_create(kws_control **out, const kws_control_ops *ops, void *ctx,
				   kws_error *err)
{
	kws_control *c = calloc(1, sizeof *c);

	*out = NULL;
	if (!c)
		return kws_fail(err, KWS_ERR_NOMEM, "control: out of memory");
	c->ops = ops;
	c->ctx = ctx;
	c->fd = epoll_create1(EPOLL_CLOEXEC);
	if (c->fd < 0) {
		free(c);
		return kws_fail(err, KWS_ERR_NOMEM, "control: epoll: %s", kws_strerrno(errno));
	}
	*out = c;
	return KWS_OK;
}

void kws_control_stop(kws_control *c, int timeout_ms)
{
	if (!c)
		return;
	kws_server_stop(c->server, timeout_ms, true);
	forget_ears(c);
	close(c->fd);
	free(c);
}

int kws_control_fd(const kws_control *c)
{
	return c->fd;
}

void kws_control_serve(kws_control *c)
{
	if (c->server)
		kws_server_serve(c->server);
}

void kws_control_stats_get(const kws_control *c, kws_server_stats *st)
{
	memset(st, 0, sizeof *st);
	if (c->server)
		kws_server_stats_get(c->server, st);
}
