#include "spot/endpoint.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	GAP_MS = 100,
	MIN_MS = 60,
	LEAD_MS = 100, /* least length of a word before its score can cross */
	FALLBACK_MS = 400,
	REACH_MS = 2500 /* longest time from crossing to decision; see decide.h */
};
static const float VOICE = 4.0f;     /* 6 dB above the background */
static const float DEPTH = 0.00316f; /* 25 dB below the loudest */
static const float LEAST = 1e-10f;   /* -100 dBFS: the level that silence counts as */

struct kws_endpoint {
	size_t hop;
	size_t window; /* hops */
	size_t gap, min, lead, fallback;
	kws_voice *voice;
	float *power; /* (depth,) ring, hop t at t % depth */
	size_t depth;
	uint64_t n;   /* hops heard */
	uint64_t end; /* of the previous word, hops */
};

enum kws_status kws_endpoint_create(kws_endpoint **out, unsigned rate_hz, size_t hop, size_t window)
{
	*out = NULL;
	kws_endpoint *e = calloc(1, sizeof *e);
	if (!e)
		return KWS_ERR_NOMEM;
	enum kws_status status = kws_voice_create(&e->voice, rate_hz, hop, window);
	if (status != KWS_OK) /* checks the arguments, too */
		goto fail;
	e->hop = hop;
	e->window = (window + hop - 1) / hop;
	e->gap = kws_voice_hops(GAP_MS, rate_hz, hop);
	e->min = kws_voice_hops(MIN_MS, rate_hz, hop);
	e->lead = kws_voice_hops(LEAD_MS, rate_hz, hop);
	e->fallback = kws_voice_hops(FALLBACK_MS, rate_hz, hop);
	e->depth = e->window + kws_voice_hops(REACH_MS, rate_hz, hop) + 1;
	e->power = calloc(e->depth, sizeof *e->power);
	status = KWS_ERR_NOMEM;
	if (!e->power)
		goto fail;
	kws_endpoint_reset(e);
	*out = e;
	return KWS_OK;
fail:
	kws_endpoint_destroy(e);
	return status;
}

void kws_endpoint_destroy(kws_endpoint *e)
{
	if (!e)
		return;
	kws_voice_destroy(e->voice);
	free(e->power);
	free(e);
}

void kws_endpoint_reset(kws_endpoint *e)
{
	memset(e->power, 0, e->depth * sizeof *e->power);
	kws_voice_reset(e->voice);
	e->n = 0;
	e->end = 0;
}

static float power_at(const kws_endpoint *e, uint64_t t)
{
	return e->power[t % e->depth];
}

/* Mean of the n hops before t. */
static float mean_before(const kws_endpoint *e, uint64_t t, size_t n)
{
	double sum = 0.0;
	for (size_t i = n; i > 0; i--)
		sum += (double)power_at(e, t - i);
	return (float)(sum / (double)n);
}

void kws_endpoint_push(kws_endpoint *e, const float *level, size_t n)
{
	kws_voice_push(e->voice, level, n);
	for (size_t i = 0; i < n; i++)
		e->power[e->n++ % e->depth] = level[i];
}

kws_stretch kws_endpoint_stretch(const kws_endpoint *e)
{
	return kws_voice_stretch(e->voice);
}

/* Find the last voiced stretch in [lo, hi) that begins before `latest'. Returns whether there is
 * one. */
static bool last_stretch(const kws_endpoint *e, uint64_t lo, uint64_t hi, uint64_t latest,
			 uint64_t *start, uint64_t *end)
{
	float loudest = 0.0f;
	for (uint64_t t = lo; t < hi; t++)
		loudest = fmaxf(loudest, power_at(e, t));
	float least = fmaxf(VOICE * kws_voice_background(e->voice), DEPTH * loudest);
	bool found = false, inside = false;
	uint64_t first = 0, last = 0; /* first and last voiced hop of the stretch */
	for (uint64_t t = lo; t <= hi; t++) {
		bool voiced = t < hi && power_at(e, t) >= least;
		if (inside && (t == hi || (!voiced && t - last > e->gap))) {
			inside = false;
			if (last + 1 - first >= e->min) {
				found = true;
				*start = first;
				*end = last + 1;
			}
		}
		if (!voiced)
			continue;
		if (!inside && t >= latest)
			break;
		if (!inside)
			first = t;
		inside = true;
		last = t;
	}
	return found;
}

static void loudest_stretch(const kws_endpoint *e, uint64_t lo, uint64_t hi, uint64_t *start,
			    uint64_t *end)
{
	uint64_t n = hi - lo < e->fallback ? hi - lo : e->fallback;
	double sum = 0.0, best = -1.0;
	for (uint64_t t = lo; t < hi; t++) {
		sum += (double)power_at(e, t);
		if (t - lo >= n)
			sum -= (double)power_at(e, t - n);
		if (t - lo + 1 >= n && sum > best) {
			best = sum;
			*start = t + 1 - n;
			*end = t + 1;
		}
	}
}

void kws_endpoint_find(kws_endpoint *e, const kws_hit *hit, kws_event *ev)
{
	uint64_t crossed = hit->opened / e->hop, hi = e->n;
	uint64_t oldest = e->n > e->depth ? e->n - e->depth : 0;
	uint64_t lo = crossed > e->window ? crossed - e->window : 0;
	lo = lo < oldest ? oldest : lo;
	lo = lo < e->end ? e->end : lo;
	lo = lo > hi ? hi : lo;

	uint64_t latest = crossed > e->lead ? crossed - e->lead + 1 : 1;
	uint64_t start = lo, end = hi;
	if (lo < hi && !last_stretch(e, lo, hi, latest, &start, &end))
		loudest_stretch(e, lo, hi, &start, &end);
	e->end = end;

	float power = start < end ? mean_before(e, end, (size_t)(end - start)) : 0.0f;
	float level = 10.0f * log10f(fmaxf(power, LEAST));
	*ev = (kws_event){
		.sample = hit->sample,
		.start = start * e->hop < hit->sample ? start * e->hop : hit->sample,
		.end = end * e->hop < hit->sample ? end * e->hop : hit->sample,
		.word = hit->word,
		.score = hit->score,
		.threshold = hit->threshold,
		.level_dbfs = level,
		.snr_db = fmaxf(level - 10.0f * log10f(kws_voice_background(e->voice)), 0.0f),
	};
}
