#include "spot/endpoint.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	GAP_MS = 100,
	MIN_MS = 60,
	LEAD_MS = 100, /* of a word are heard when its score crosses, at the least */
	FALLBACK_MS = 400,
	MEAN_MS = 50,	/* what the background is the least of */
	BLOCK_MS = 250, /* it is kept per block */
	N_BLOCKS = 13,	/* of which the last is not full */
	REACH_MS = 2500 /* from crossing to decision, at most; see decide.h */
};
static const float VOICE = 4.0f;     /* 6 dB over the background */
static const float DEPTH = 0.00316f; /* 25 dB below the loudest */
static const float LEAST = 1e-10f;   /* -100 dBFS: what silence counts as */

struct kws_endpoint {
	size_t hop;
	size_t window; /* hops */
	size_t gap, min, lead, fallback, mean, block;
	float *power; /* (depth,) ring, hop t at t % depth */
	size_t depth;
	uint64_t n; /* hops heard */
	float least[N_BLOCKS];
	uint64_t end; /* of the word before, hops */
};

static size_t hops_of(unsigned ms, unsigned rate_hz, size_t hop)
{
	size_t n = (size_t)((uint64_t)ms * rate_hz / 1000 / hop);
	return n ? n : 1;
}

enum kws_status kws_endpoint_create(kws_endpoint **out, unsigned rate_hz, size_t hop, size_t window)
{
	*out = NULL;
	if (hop == 0 || rate_hz == 0 || window == 0)
		return KWS_ERR_ARG;
	kws_endpoint *e = calloc(1, sizeof *e);
	if (!e)
		return KWS_ERR_NOMEM;
	e->hop = hop;
	e->window = (window + hop - 1) / hop;
	e->gap = hops_of(GAP_MS, rate_hz, hop);
	e->min = hops_of(MIN_MS, rate_hz, hop);
	e->lead = hops_of(LEAD_MS, rate_hz, hop);
	e->fallback = hops_of(FALLBACK_MS, rate_hz, hop);
	e->mean = hops_of(MEAN_MS, rate_hz, hop);
	e->block = hops_of(BLOCK_MS, rate_hz, hop);
	e->depth = e->window + hops_of(REACH_MS, rate_hz, hop) + 1;
	e->power = calloc(e->depth, sizeof *e->power);
	if (!e->power) {
		kws_endpoint_destroy(e);
		return KWS_ERR_NOMEM;
	}
	kws_endpoint_reset(e);
	*out = e;
	return KWS_OK;
}

void kws_endpoint_destroy(kws_endpoint *e)
{
	if (!e)
		return;
	free(e->power);
	free(e);
}

void kws_endpoint_reset(kws_endpoint *e)
{
	memset(e->power, 0, e->depth * sizeof *e->power);
	for (size_t b = 0; b < N_BLOCKS; b++)
		e->least[b] = INFINITY;
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
	for (size_t i = 0; i < n; i++) {
		if (e->n % e->block == 0) {
			memmove(e->least, e->least + 1, (N_BLOCKS - 1) * sizeof *e->least);
			e->least[N_BLOCKS - 1] = INFINITY;
		}
		e->power[e->n % e->depth] = level[i];
		e->n++;
		if (e->n >= e->mean) {
			float *least = &e->least[N_BLOCKS - 1];
			*least = fminf(*least, mean_before(e, e->n, e->mean));
		}
	}
}

static float background(const kws_endpoint *e)
{
	float least = INFINITY;
	for (size_t b = 0; b < N_BLOCKS; b++)
		least = fminf(least, e->least[b]);
	return isfinite(least) ? fmaxf(least, LEAST) : LEAST;
}

/* The last voiced stretch in [lo, hi) that begins before `latest`. Returns whether there is
 * one. */
static bool last_stretch(const kws_endpoint *e, uint64_t lo, uint64_t hi, uint64_t latest,
			 uint64_t *start, uint64_t *end)
{
	float loudest = 0.0f;
	for (uint64_t t = lo; t < hi; t++)
		loudest = fmaxf(loudest, power_at(e, t));
	float least = fmaxf(VOICE * background(e), DEPTH * loudest);
	bool found = false, inside = false;
	uint64_t first = 0, last = 0; /* of the stretch: first and last voiced hop */
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
		.snr_db = fmaxf(level - 10.0f * log10f(background(e)), 0.0f),
	};
}
