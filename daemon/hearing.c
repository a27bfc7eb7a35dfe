#include "runtime/clock.h"
#include "daemon/hearing_parts.h"
#include "runtime/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The history has room for the audio that an engine processes again, and for what comes
 * meanwhile. */
enum { HISTORY_S = KWS_HEARING_WARM_S + 1, CATCH_UP_HOPS = 20 };
/* At the end of a stream, wait this long for an engine that is behind. */
static const double settle_s = 0.3;
/* Most words are decided sooner after their end. */
static const double quiet_s = 0.5;
static const double loudest = 1e6; /* mean square of a hop; what is no number counts as silence */

enum kws_status kws_hearing_create(kws_hearing **out, const char *name, const kws_observer *to,
				   kws_error *err)
{
	kws_hearing *h = calloc(1, sizeof *h);

	*out = h;
	if (!h)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	snprintf(h->name, sizeof h->name, "%s", name);
	if (gethostname(h->host, sizeof h->host - 1) != 0)
		snprintf(h->host, sizeof h->host, "unknown");
	kws_clean(h->host);
	snprintf(h->run, sizeof h->run, "%s %ld %.9f %.9f%s%s", h->host, (long)getpid(),
		 kws_clock_wall(), kws_clock_mono(), *name ? " " : "", name);
	h->to = to;
	h->ears.ear = h->ear;
	return KWS_OK;
}

void kws_hearing_destroy(kws_hearing *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->ears.n; i++)
		kws_engine_destroy(h->seat[i].engine);
	kws_squelch_destroy(h->ears.squelch);
	kws_voice_destroy(h->voice);
	free(h->history.buf);
	free(h);
}

double kws_hearing_heard_s(const kws_hearing *h)
{
	return h->hz ? h->origin_s + (double)h->history.end / h->hz : h->origin_s;
}

/* ---- the history ---- */

/* Samples. Clips need more, because an engine that is behind reports its events later. */
static size_t history_needed(const kws_hearing *h, unsigned hz)
{
	size_t n = (size_t)hz * HISTORY_S,
	       clip = h->clips ? kws_clips_history(&h->clips_conf, hz)
					 + (size_t)hz * KWS_HEARING_WARM_S
			       : 0;

	return n > clip ? n : clip;
}

/* Make room in the history for hz. Its samples, which have that rate, are kept. */
static bool fit_history(kws_hearing *h, unsigned hz)
{
	const size_t need = history_needed(h, hz);
	float *buf = need > h->history.cap ? calloc(need, sizeof *buf) : h->history.buf;
	kws_history longer;

	if (!buf)
		return false;
	if (buf == h->history.buf)
		return true;
	kws_history_init(&longer, buf, need);
	longer.end = kws_history_begin(&h->history);
	while (longer.end < h->history.end) {
		size_t n = (size_t)(h->history.end - longer.end);
		const float *pcm = kws_history_at(&h->history, longer.end, &n);

		kws_history_append(&longer, pcm, n);
	}
	free(h->history.buf);
	h->history = longer;
	return true;
}

void kws_hearing_clips(kws_hearing *h, kws_clips *clips, const kws_conf_clips *conf)
{
	if (h->clips && !clips)
		h->list.n = 0;
	h->clips = clips;
	h->clips_conf = *conf;
	if (h->hz && !fit_history(h, h->hz))
		kws_log(KWS_LOG_ERROR, "clips: out of memory: they are cut short");
}

/* ---- the squelch ---- */

static bool fit_squelch(kws_hearing *h, unsigned hz)
{
	kws_squelch *old = h->ears.squelch, *squelch = NULL;

	if (h->squelch_db > 0.0 && kws_squelch_create(&squelch, hz, h->squelch_db) != KWS_OK)
		return false;
	h->skipped_s = kws_hearing_skipped_s(h);
	kws_ears_squelch(&h->ears, squelch);
	kws_squelch_destroy(old);
	return true;
}

void kws_hearing_squelch(kws_hearing *h, double over_db)
{
	const bool same = !(h->squelch_db < over_db) && !(h->squelch_db > over_db);

	h->squelch_db = over_db;
	if (h->hz && !same && !fit_squelch(h, h->hz))
		kws_log(KWS_LOG_ERROR, "squelch_db: out of memory: as before");
}

bool kws_hearing_is_squelched(const kws_hearing *h)
{
	return h->open && h->ears.squelch && !kws_squelch_is_open(h->ears.squelch);
}

double kws_hearing_skipped_s(const kws_hearing *h)
{
	const kws_squelch *q = h->ears.squelch;

	return h->skipped_s + (q ? (double)kws_squelch_skipped(q) / h->hz : 0.0);
}

/* ---- voice ---- */

static bool fit_voice(kws_hearing *h, unsigned hz)
{
	kws_voice *voice;

	if (kws_voice_create(&voice, hz, hz / 100, hz) != KWS_OK)
		return false;
	kws_voice_destroy(h->voice);
	h->voice = voice;
	return true;
}

bool kws_hearing_is_quiet(const kws_hearing *h)
{
	return h->open
	       && (double)h->history.end
			  > (double)kws_voice_stretch(h->voice).end + quiet_s * h->hz;
}

/* ---- streams ---- */

enum kws_status kws_hearing_begin(kws_hearing *h, unsigned hz, const char *device, kws_error *err)
{
	enum kws_status status = KWS_OK;

	h->origin_s = kws_hearing_heard_s(h);
	h->history.end = h->ears.at = 0;
	h->open = h->behind = false;
	if ((h->hz != hz && (!fit_squelch(h, hz) || !fit_voice(h, hz))) || !fit_history(h, hz))
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	h->hz = hz;
	kws_voice_reset(h->voice);
	kws_ears_start(&h->ears);
	for (size_t i = 0; i < h->ears.n && status == KWS_OK; i++) {
		kws_seat *s = &h->seat[i];

		memset(&s->past, 0, sizeof s->past);
		s->n_told = 0;
		status = kws_engine_start(s->engine, hz, 0, err);
	}
	if (status != KWS_OK)
		return status;
	h->list = (kws_clip_list){ .hz = hz };
	h->power = 0.0;
	h->anchor.started = false;
	kws_gaps_stream(&h->gaps);
	snprintf(h->device, sizeof h->device, "%s", device);
	h->open = true;
	return KWS_OK;
}

static void hear(kws_hearing *h, size_t hops)
{
	h->behind = !kws_ears_hear(&h->ears, &h->history, hops * h->ears.n);
}

static void take_level(kws_hearing *h, const float *hop, size_t n)
{
	double sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += (double)hop[i] * (double)hop[i];
	const double mean = isfinite(sum) ? fmin(sum / (double)n, loudest) : 0.0;
	const float level = (float)mean;
	kws_voice_push(h->voice, &level, 1);
	h->power += 0.01 * (mean - h->power); /* smoothed over 1 s */
}

void kws_hearing_feed(kws_hearing *h, const float *pcm, size_t n)
{
	const double began = kws_clock_mono();
	const size_t hop = h->hz / 100, hops = (n + hop - 1) / hop;

	for (size_t at = 0; at < n; at += hop)
		take_level(h, pcm + at, n - at < hop ? n - at : hop);
	kws_history_append(&h->history, pcm, n);
	hear(h, hops);
	const double each = (kws_clock_mono() - began) / (double)hops;
	for (size_t i = 0; i < hops; i++)
		kws_tally_add(&h->hops, kws_tally_seconds, each);
	if (h->clips)
		kws_clips_step(h->clips, &h->list, &h->history, false);
}

void kws_hearing_catch_up(kws_hearing *h)
{
	if (h->open && h->behind)
		hear(h, CATCH_UP_HOPS);
}

bool kws_hearing_is_behind(const kws_hearing *h)
{
	return h->behind;
}

void kws_hearing_hurry(kws_hearing *h)
{
	double until = kws_clock_mono() + settle_s;

	while (h->open && h->behind && kws_clock_mono() < until)
		hear(h, 1);
}

/* Engines that are too far behind skip the rest. */
static void give_up(kws_hearing *h)
{
	kws_log(KWS_LOG_WARNING,
		"the new model is too far behind: the last %.2f s before the end of the stream "
		"were not heard",
		(double)(h->history.end - h->ears.at) / h->hz);
	kws_ears_skip(&h->ears, h->history.end);
	h->behind = false;
}

static void settle(kws_hearing *h)
{
	kws_hearing_hurry(h);
	if (h->behind)
		give_up(h);
	else
		kws_ears_settle(&h->ears, &h->history);
	for (size_t i = 0; i < h->ears.n; i++)
		kws_engine_settled(h->seat[i].engine);
}

void kws_hearing_splice(kws_hearing *h)
{
	if (h->open)
		settle(h);
}

void kws_hearing_end(kws_hearing *h)
{
	if (!h->open)
		return;
	settle(h);
	h->open = false;
	if (h->clips)
		kws_clips_step(h->clips, &h->list, &h->history, true);
}

/* ---- state ---- */

kws_anchor *kws_hearing_anchor(kws_hearing *h)
{
	return &h->anchor;
}

kws_gaps *kws_hearing_gaps(kws_hearing *h)
{
	return &h->gaps;
}

float kws_hearing_level(const kws_hearing *h)
{
	return (float)(10.0 * log10(h->power + 1e-12));
}

const kws_tally *kws_hearing_hops(const kws_hearing *h)
{
	return &h->hops;
}

size_t kws_hearing_stats(const kws_hearing *h, kws_spotter_stats *st)
{
	for (size_t i = 0; i < h->ears.n; i++) {
		kws_engine_stats(h->seat[i].engine, &st[i]);
		st[i].events = h->seat[i].events;
		st[i].near_misses = h->seat[i].near_misses;
	}
	return h->ears.n;
}

void kws_hearing_forget_best(kws_hearing *h)
{
	for (size_t i = 0; i < h->ears.n; i++)
		kws_engine_forget_best(h->seat[i].engine);
}
