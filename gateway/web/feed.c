#include "gateway/web/feed.h"

#include "runtime/clock.h"
#include "runtime/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The ring holds some twenty seconds of four microphones. */
enum {
	RING = 1 << 20,
	HISTORY = 100,
	LONGEST = RING / 2,
	DUMP = JSON_COMPACT | JSON_REAL_PRECISION(7)
};
/* A status is fresh for so long, and worth something for so long; pages get one so often; and a message at least so often, by which
 * connections that are gone are found. */
static const double fresh_s = 1.0, stale_s = 10.0, status_every_s = 2.0, beat_every_s = 10.0;

struct kws_feed {
	kws_loop *loop;
	kws_control_client *client;
	kws_fanout *fanout;
	const kws_feed_ops *ops;
	void *ctx;
	kws_timer beat, poll;
	unsigned pages;
	bool live;	/* scores, levels and mel bands are subscribed */
	json_t *status; /* NULL: kwsd is away */
	double status_at;
	bool asked;		/* a status is on its way */
	char *history[HISTORY]; /* {"event":{...}}, a ring */
	size_t n_history;
};

/* ---- messages ---- */

static void publish(kws_feed *f, const char *json)
{
	static const char head[] = "data: ", tail[] = "\n\n";
	const size_t n = strlen(json);
	char *text = n + sizeof head + sizeof tail < LONGEST ? malloc(n + sizeof head + sizeof tail)
							     : NULL;

	if (!text)
		return;
	kws_fanout_put(
		f->fanout, text,
		(size_t)snprintf(text, n + sizeof head + sizeof tail, "%s%s%s", head, json, tail));
	free(text);
	if (f->ops)
		f->ops->news(f->ctx);
}

static void publish_status(kws_feed *f)
{
	json_t *message = json_pack("{s:O}", "status", f->status);
	char *text = json_dumps(message, DUMP);

	if (text)
		publish(f, text);
	free(text);
	json_decref(message);
}

static void remember(kws_feed *f, char *text)
{
	char **at = &f->history[f->n_history++ % HISTORY];

	free(*at);
	*at = text;
}

/* Only what a page may have: no other line of the daemon leaves. */
static void on_line(void *ctx, const json_t *line)
{
	static const char *const live[] = { "level", "scores", "mel" };
	const bool kept = json_object_get(line, "event") || json_object_get(line, "near_miss");
	kws_feed *f = ctx;
	bool shown = kept;
	char *text;

	for (size_t i = 0; i < sizeof live / sizeof live[0]; i++)
		shown |= json_object_get(line, live[i]) != NULL;
	text = shown ? json_dumps(line, DUMP) : NULL;
	if (!text)
		return;
	publish(f, text);
	if (kept)
		remember(f, text);
	else
		free(text);
}

/* ---- the status ---- */

static void on_status(void *ctx, const json_t *answer)
{
	kws_feed *f = ctx;
	json_t *status = json_object_get(answer, "status");

	f->asked = false;
	if (status) {
		json_decref(f->status);
		f->status = json_incref(status);
		f->status_at = kws_clock_mono();
		if (f->pages)
			publish_status(f);
	}
	if (f->ops)
		f->ops->status(f->ctx);
}

bool kws_feed_want_status(kws_feed *f)
{
	if (f->status && kws_clock_mono() - f->status_at < fresh_s)
		return true;
	if (!f->asked)
		f->asked = kws_control_client_request(
			f->client, json_pack("{s:s}", "request", "status"), on_status, f);
	return !f->asked;
}

void kws_feed_refresh(kws_feed *f)
{
	f->status_at = -1e9;
	kws_feed_want_status(f);
}

static void on_beat(void *ctx)
{
	kws_feed *f = ctx;

	if (f->pages)
		publish(f, "{}");
}

/* ---- the subscription ---- */

static void subscribe(kws_feed *f)
{
	json_t *live;

	f->live = f->pages != 0;
	if (!kws_control_client_connected(f->client))
		return;
	live = f->live ? json_pack("{s:s, s:b, s:b, s:{s:i}, s:{s:i}, s:{s:i}}", "request",
				   "subscribe", "events", 1, "near_misses", 1, "scores", "rate_hz",
				   10, "levels", "rate_hz", 5, "mel", "rate_hz", 20)
		       : json_pack("{s:s, s:b, s:b, s:b, s:b, s:b}", "request", "subscribe",
				   "events", 1, "near_misses", 1, "scores", 0, "levels", 0, "mel",
				   0);
	kws_control_client_request(f->client, live, NULL, NULL);
}

static void on_connected(void *ctx)
{
	kws_feed *f = ctx;

	subscribe(f);
	publish(f, "{\"daemon\":true}");
	kws_feed_want_status(f);
}

static void on_lost(void *ctx, const char *why)
{
	kws_feed *f = ctx;

	(void)why;
	json_decref(f->status);
	f->status = NULL;
	publish(f, "{\"daemon\":false}");
}

static const kws_control_client_ops client_ops = { on_connected, on_line, on_lost };

/* While pages look, and once more when the last has gone: it may be back at once. */
static void on_poll(void *ctx)
{
	kws_feed *f = ctx;

	if (!f->pages) {
		subscribe(f);
		kws_loop_cancel(f->loop, &f->poll);
	} else if (f->status && !kws_feed_status(f)) {
		publish(f, "{\"daemon\":false}");
	}
	if (f->pages)
		kws_feed_want_status(f);
}

void kws_feed_pages(kws_feed *f, int by)
{
	f->pages += (unsigned)by;
	if (!f->pages || f->live)
		return;
	subscribe(f);
	kws_loop_time(f->loop, &f->poll, 0.0, status_every_s, on_poll, f);
}

unsigned kws_feed_n_pages(const kws_feed *f)
{
	return f->pages;
}

/* ---- what a new page is told ---- */

static void put_history(const kws_feed *f, FILE *out)
{
	const size_t n = f->n_history < HISTORY ? f->n_history : HISTORY;

	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%s", i ? "," : "", f->history[(f->n_history - n + i) % HISTORY]);
}

char *kws_feed_greeting(const kws_feed *f, bool clips, size_t *n)
{
	char *text = NULL, *status = f->status ? json_dumps(f->status, DUMP) : NULL;
	FILE *out = open_memstream(&text, n);
	bool bad;

	if (!out) {
		free(status);
		return NULL;
	}
	fprintf(out,
		"retry: 1000\n\ndata: {\"hello\":{\"version\":\"%s\",\"clips\":%s},\"daemon\":%s",
		KWS_VERSION, clips ? "true" : "false",
		kws_control_client_connected(f->client) ? "true" : "false");
	if (status)
		fprintf(out, ",\"status\":%s", status);
	fputs(",\"history\":[", out);
	put_history(f, out);
	fputs("]}\n\n", out);
	free(status);
	bad = ferror(out) != 0;
	bad |= fclose(out) != 0;
	if (!bad)
		return text;
	free(text);
	return NULL;
}

/* ---- the rest ---- */

enum kws_status kws_feed_create(kws_feed **out, kws_loop *loop, const char *control, kws_error *err)
{
	kws_feed *f = calloc(1, sizeof *f);
	enum kws_status status = KWS_ERR_NOMEM;

	*out = NULL;
	if (!f)
		return kws_fail(err, status, "out of memory");
	f->loop = loop;
	status = kws_fanout_create(&f->fanout, RING, err);
	if (status == KWS_OK)
		status = kws_control_client_create(&f->client, loop, control, &client_ops, f, err);
	if (status != KWS_OK) {
		kws_feed_destroy(f);
		return status;
	}
	kws_loop_time(loop, &f->beat, beat_every_s, beat_every_s, on_beat, f);
	*out = f;
	return KWS_OK;
}

void kws_feed_destroy(kws_feed *f)
{
	if (!f)
		return;
	kws_control_client_destroy(f->client);
	kws_loop_cancel(f->loop, &f->beat);
	kws_loop_cancel(f->loop, &f->poll);
	for (size_t i = 0; i < HISTORY; i++)
		free(f->history[i]);
	json_decref(f->status);
	kws_fanout_destroy(f->fanout);
	free(f);
}

void kws_feed_listen(kws_feed *f, const kws_feed_ops *ops, void *ctx)
{
	f->ops = ops;
	f->ctx = ctx;
}

void kws_feed_leave(kws_feed *f, const void *ctx)
{
	if (f->ctx == ctx)
		f->ops = NULL;
}

const kws_fanout *kws_feed_fanout(const kws_feed *f)
{
	return f->fanout;
}

const json_t *kws_feed_status(const kws_feed *f)
{
	return f->status && kws_clock_mono() - f->status_at < stale_s ? f->status : NULL;
}

bool kws_feed_is_connected(const kws_feed *f)
{
	return kws_control_client_connected(f->client);
}

bool kws_feed_request(kws_feed *f, json_t *request, kws_control_answer_fn *fn, void *ctx)
{
	return kws_control_client_request(f->client, request, fn, ctx);
}
