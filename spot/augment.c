#include "spot/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Seconds: silence before, context of the take around the word, silence after. */
static const float LEAD = 1.5f, CONTEXT = 0.3f, TAIL = 0.9f;

static float rms(const float *x, size_t n)
{
	double sum = 0.0;
	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * (double)x[i];
	return (float)sqrt(sum / (double)(n ? n : 1) + 1e-12);
}

static float from_db(float db)
{
	return powf(10.0f, db / 20.0f);
}

/* y (n,) += x (n,) * gain */
static void mix(float *y, const float *x, size_t n, float gain)
{
	for (size_t i = 0; i < n; i++)
		y[i] += gain * x[i];
}

/* ---- speed ---- */

/* x at position p between samples, by cubic interpolation (Catmull-Rom); 0 outside. */
static float at(const float *x, size_t n, double p)
{
	const ptrdiff_t i = (ptrdiff_t)floor(p), last = (ptrdiff_t)n - 1;
	const float f = (float)(p - (double)i);
	float v[4];
	for (ptrdiff_t k = 0; k < 4; k++)
		v[k] = i - 1 + k < 0 || i - 1 + k > last ? 0.0f : x[i - 1 + k];
	const float a = -0.5f * v[0] + 1.5f * v[1] - 1.5f * v[2] + 0.5f * v[3];
	const float b = v[0] - 2.5f * v[1] + 2.0f * v[2] - 0.5f * v[3];
	return ((a * f + b) * f + 0.5f * (v[2] - v[0])) * f + v[1];
}

/* The word with some context, `slower' times as long, with silence before and after it. */
static enum kws_status place(const kws_said *take, float slower, unsigned rate_hz, kws_said *out)
{
	const float rate = (float)rate_hz;
	const size_t context = (size_t)(CONTEXT * rate);
	const size_t from = take->start > context ? take->start - context : 0;
	const size_t to = take->end + context < take->n ? take->end + context : take->n;
	const size_t lead = (size_t)(LEAD * rate), tail = (size_t)(TAIL * rate);
	const size_t n = (size_t)((float)(to - from) * slower);
	out->n = lead + n + tail;
	out->pcm = calloc(out->n, sizeof *out->pcm);
	if (!out->pcm)
		return KWS_ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		out->pcm[lead + i] = at(take->pcm + from, to - from, (double)i / (double)slower);
	out->start = lead + (size_t)((float)(take->start - from) * slower);
	out->end = lead + (size_t)((float)(take->end - from) * slower);
	return KWS_OK;
}

/* ---- room ---- */

/* Add decaying echoes: sparse, with random sign and position. RT60: 0.1 to 0.5 s. */
static void echo(kws_random *r, float *x, size_t n, unsigned rate_hz, float *wet)
{
	const float rt60 = kws_random_uniform(r, 0.1f, 0.5f),
		    loud = kws_random_uniform(r, 0.1f, 0.5f);
	const size_t length = (size_t)(rt60 * (float)rate_hz), n_echoes = length / 24;
	memset(wet, 0, n * sizeof *wet);
	for (size_t k = 0; k < n_echoes; k++) {
		const size_t late = 1 + k * 24 + kws_random_below(r, 24);
		const float sign = kws_random_next(r) & 1 ? 1.0f : -1.0f;
		const float gain = sign * loud * powf(10.0f, -3.0f * (float)late / (float)length)
				   * sqrtf(192.0f / (float)length);
		if (late < n)
			mix(wet + late, x, n - late, gain);
	}
	mix(x, wet, n, 1.0f);
}

/* ---- noise ---- */

/* White to brown noise; its level may rise and fall. */
static void colour(kws_random *r, float *noise, size_t n, unsigned rate_hz)
{
	const float keep = kws_random_below(r, 3) ? kws_random_uniform(r, 0.0f, 0.98f) : 0.0f;
	const float depth = kws_random_below(r, 2) ? kws_random_uniform(r, 0.0f, 0.9f) : 0.0f;
	const float pace = kws_random_uniform(r, 0.5f, 6.0f) * 6.2831853f / (float)rate_hz;
	float y = 0.0f;
	for (size_t i = 0; i < n; i++) {
		y = keep * y + kws_random_normal(r);
		noise[i] = y * (1.0f - depth * (0.5f + 0.5f * sinf(pace * (float)i)));
	}
}

/* Several voices at once, backwards. */
static void babble(kws_random *r, const kws_said *others, size_t n_others, float *noise, size_t n)
{
	const size_t voices = 3 + kws_random_below(r, 3);
	memset(noise, 0, n * sizeof *noise);
	for (size_t v = 0; v < voices; v++)
		for (size_t to = 0; to < n;) {
			const kws_said *o = &others[kws_random_below(r, n_others)];
			const size_t length = o->end - o->start;
			const float gain = 1.0f / rms(o->pcm + o->start, length);
			for (size_t i = 0; i < length && to < n; i++)
				noise[to++] += gain * o->pcm[o->end - 1 - i];
			to += kws_random_below(r, 2000);
		}
}

static void add_noise(kws_random *r, const kws_said *others, size_t n_others, unsigned rate_hz,
		      kws_said *out, float level, float *noise)
{
	if (kws_random_below(r, 4))
		colour(r, noise, out->n, rate_hz);
	else
		babble(r, others, n_others, noise, out->n);
	mix(out->pcm, noise, out->n,
	    level * from_db(-kws_random_uniform(r, 3.0f, 25.0f)) / rms(noise, out->n));
}

/* Add voices, backwards, that end shortly before the word. */
static void add_voice(kws_random *r, const kws_said *others, size_t n_others, kws_said *out,
		      float level, unsigned rate_hz, float *voice)
{
	const size_t gap = rate_hz / 20 + kws_random_below(r, rate_hz / 5);
	const size_t n = out->start > gap ? out->start - gap : 0;
	babble(r, others, n_others, voice, n);
	if (n)
		mix(out->pcm, voice, n,
		    level * from_db(kws_random_uniform(r, -8.0f, 3.0f)) / rms(voice, n));
}

/* ---- copies ---- */

static void degrade(kws_random *r, const kws_said *others, size_t n_others, unsigned what,
		    unsigned rate_hz, kws_said *out, float *room)
{
	const float level = rms(out->pcm + out->start, out->end - out->start);
	if (kws_random_below(r, 10) < 4)
		echo(r, out->pcm, out->n, rate_hz, room);
	if (what & KWS_AUGMENT_VOICE)
		add_voice(r, others, n_others, out, level, rate_hz, room);
	if (what & KWS_AUGMENT_NOISE)
		add_noise(r, others, n_others, rate_hz, out, level, room);
	const float gain = from_db(kws_random_uniform(r, -14.0f, 10.0f));
	for (size_t i = 0; i < out->n; i++)
		out->pcm[i] = fminf(fmaxf(gain * out->pcm[i], -1.0f), 1.0f);
}

enum kws_status kws_augment(kws_random *r, const kws_said *take, const kws_said *others,
			    size_t n_others, bool clean, unsigned what, unsigned rate_hz,
			    kws_said *out)
{
	const float slower = clean ? 1.0f : expf(kws_random_uniform(r, -0.12f, 0.12f));
	*out = (kws_said){ 0 };
	if (place(take, slower, rate_hz, out))
		return KWS_ERR_NOMEM;
	float *room = calloc(out->n, sizeof *room);
	if (!room) {
		free(out->pcm);
		*out = (kws_said){ 0 };
		return KWS_ERR_NOMEM;
	}
	/* no room is completely silent */
	const float level = rms(out->pcm + out->start, out->end - out->start);
	const float hiss = level * from_db(-kws_random_uniform(r, 45.0f, 60.0f));
	for (size_t i = 0; i < out->n; i++)
		out->pcm[i] += hiss * kws_random_normal(r);
	if (!clean)
		degrade(r, others, n_others, what, rate_hz, out, room);
	free(room);
	return KWS_OK;
}
