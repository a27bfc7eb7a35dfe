#include "spot/voice.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	GAP_MS = 100,
	MIN_MS = 60,
	MEAN_MS = 50,	/* the background is the smallest of these means */
	BLOCK_MS = 250, /* one minimum is kept per block */
	N_BLOCKS = 13	/* the last one is not full */
};
static const float VOICE = 6.3f;    /* 8 dB above the background */
static const float DEPTH = 0.0316f; /* 15 dB below the loudest */
static const float LEAST = 1e-10f;  /* -100 dBFS: the level that silence counts as */

struct kws_voice {
	size_t hop;
	size_t gap, min, mean, block; /* hops */
	float *power;		      /* (depth,) ring of the last window, hop t at t % depth */
	size_t depth;
	uint64_t n; /* hops heard */
	float least[N_BLOCKS];
	uint64_t first,
		/* The stretch that may continue: its first hop, and its last voiced hop + 1. */
		last;
	kws_stretch newest;
	bool counted; /* the stretch that may continue is the newest */
};

size_t kws_voice_hops(unsigned ms, unsigned rate_hz, size_t hop)
{
	size_t n = (size_t)((uint64_t)ms * rate_hz / 1000 / hop);
	return n ? n : 1;
}

enum kws_status kws_voice_create(kws_voice **out, unsigned rate_hz, size_t hop, size_t window)
{
	*out = NULL;
	if (hop == 0 || rate_hz == 0 || window == 0)
		return KWS_ERR_ARG;
	kws_voice *v = calloc(1, sizeof *v);
	if (!v)
		return KWS_ERR_NOMEM;
	v->hop = hop;
	v->gap = kws_voice_hops(GAP_MS, rate_hz, hop);
	v->min = kws_voice_hops(MIN_MS, rate_hz, hop);
	v->mean = kws_voice_hops(MEAN_MS, rate_hz, hop);
	v->block = kws_voice_hops(BLOCK_MS, rate_hz, hop);
	v->depth = (window + hop - 1) / hop;
	v->depth = v->depth > v->mean ? v->depth : v->mean;
	v->power = calloc(v->depth, sizeof *v->power);
	if (!v->power) {
		kws_voice_destroy(v);
		return KWS_ERR_NOMEM;
	}
	kws_voice_reset(v);
	*out = v;
	return KWS_OK;
}

void kws_voice_destroy(kws_voice *v)
{
	if (!v)
		return;
	free(v->power);
	free(v);
}

void kws_voice_reset(kws_voice *v)
{
	memset(v->power, 0, v->depth * sizeof *v->power);
	for (size_t b = 0; b < N_BLOCKS; b++)
		v->least[b] = INFINITY;
	v->n = v->first = v->last = 0;
	v->newest = (kws_stretch){ 0 };
	v->counted = false;
}

/* Update the minimum with the mean of the last 50 ms, once there are 50 ms. */
static void follow_background(kws_voice *v)
{
	double sum = 0.0;
	if (v->n < v->mean)
		return;
	for (size_t i = v->mean; i > 0; i--)
		sum += (double)v->power[(v->n - i) % v->depth];
	float *least = &v->least[N_BLOCKS - 1];
	*least = fminf(*least, (float)(sum / (double)v->mean));
}

float kws_voice_background(const kws_voice *v)
{
	float least = INFINITY;
	for (size_t b = 0; b < N_BLOCKS; b++)
		least = v->least[b] < least ? v->least[b] : least;
	return isfinite(least) ? fmaxf(least, LEAST) : LEAST;
}

static bool is_voiced(const kws_voice *v, float level)
{
	float loudest = 0.0f;
	for (size_t i = 0; i < v->depth; i++)
		loudest = v->power[i] > loudest ? v->power[i] : loudest;
	return v->n >= v->mean && level >= VOICE * kws_voice_background(v)
	       && level >= DEPTH * loudest;
}

/* Add hop v->n - 1, which is voiced. */
static void follow_stretch(kws_voice *v)
{
	uint64_t now = v->n - 1;
	if (v->last == 0 || now - v->last > v->gap) {
		v->first = now;
		v->counted = false;
	}
	v->last = v->n;
	if (v->last - v->first < v->min)
		return;
	v->newest.count += !v->counted;
	v->newest.end = v->last * v->hop;
	v->counted = true;
}

void kws_voice_push(kws_voice *v, const float *level, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v->n % v->block == 0) {
			memmove(v->least, v->least + 1, (N_BLOCKS - 1) * sizeof *v->least);
			v->least[N_BLOCKS - 1] = INFINITY;
		}
		v->power[v->n++ % v->depth] = level[i];
		follow_background(v);
		if (is_voiced(v, level[i]))
			follow_stretch(v);
	}
}

kws_stretch kws_voice_stretch(const kws_voice *v)
{
	return v->newest;
}
