#include "spot/take.h"

#include <math.h>
#include <string.h>

enum {
	BLOCK_MS = 10,
	MAX_S = 8, /* of a whole take */
	BLOCKS = 1000 * MAX_S / BLOCK_MS,
	GAP = 25,     /* blocks: a pause that is not longer belongs to the word */
	FLEETING = 4, /* blocks: what is shorter is a click */
	EDGE = 2,     /* blocks between a word and the end of its take: less, and it is cut off */
	SHORT_MS = 200,
	LONG_MS = 2500,
	OTHER_MS = 150, /* a second stretch of so long is a second word */
};

/* All dB. */
static const float CONTRAST = 10.0f; /* of a word over what is around it */
static const float QUIET = -50.0f;   /* dBFS of a word's loudest blocks */
static const float NEAR = 14.0f;     /* a second stretch so far below the loudest still is a word */
static const float FULL = 0.985f;    /* an amplitude that the microphone cuts off */

typedef struct {
	float db[BLOCKS]; /* smoothed power of each block, dBFS */
	size_t n;
	float floor, peak; /* dBFS */
	size_t at;	   /* of the peak */
} contour;

/* The value of which one in ten is below. x (n,), n <= BLOCKS */
static float low_tenth(const float *x, size_t n)
{
	float sorted[BLOCKS];
	memcpy(sorted, x, n * sizeof *x);
	for (size_t i = 1; i < n; i++) {
		const float v = sorted[i];
		size_t k = i;
		for (; k && sorted[k - 1] > v; k--)
			sorted[k] = sorted[k - 1];
		sorted[k] = v;
	}
	return n ? sorted[n / 10] : -100.0f;
}

static void measure(contour *c, const float *pcm, size_t n, size_t block)
{
	float power[BLOCKS] = { 0 };
	c->n = n / block < BLOCKS ? n / block : BLOCKS;
	for (size_t i = 0; i < c->n; i++) {
		double sum = 0.0;
		for (size_t k = 0; k < block; k++)
			sum += (double)pcm[i * block + k] * (double)pcm[i * block + k];
		power[i] = (float)(sum / (double)block);
	}
	c->peak = -100.0f;
	for (size_t i = 0; i < c->n; i++) {
		const float before = power[i ? i - 1 : 0], after = power[i + 1 < c->n ? i + 1 : i];
		c->db[i] = 10.0f * log10f((before + power[i] + after) / 3.0f + 1e-10f);
		if (c->db[i] > c->peak) {
			c->peak = c->db[i];
			c->at = i;
		}
	}
	c->floor = low_tenth(c->db, c->n);
}

/* Blocks from..to over the level, with the pauses between; false: there are no more. Begins its
 * search at *from. */
static bool stretch(const contour *c, float level, size_t *from, size_t *to)
{
	while (*from < c->n && c->db[*from] <= level)
		(*from)++;
	if (*from == c->n)
		return false;
	*to = *from + 1;
	for (size_t i = *to; i < c->n && i <= *to + GAP; i++)
		if (c->db[i] > level)
			*to = i + 1;
	return true;
}

/* Find the word, and other stretches that might be one. */
static bool find(const contour *c, kws_take *t, size_t block)
{
	const float level = fmaxf(c->peak - 28.0f, fminf(c->floor + 8.0f, c->peak - CONTRAST));
	size_t from = 0, to = 0, others = 0;
	bool found = false;
	for (; stretch(c, level, &from, &to); from = to) {
		float top = -100.0f;
		for (size_t i = from; i < to; i++)
			top = fmaxf(top, c->db[i]);
		if (from <= c->at && c->at < to) {
			t->start = from * block;
			t->end = to * block;
			found = to - from >= FLEETING;
			if (from < EDGE || to + EDGE > c->n)
				t->faults |= KWS_TAKE_CUT_OFF;
		} else if (to - from >= OTHER_MS / BLOCK_MS && top > c->peak - NEAR) {
			others++;
		}
	}
	if (others)
		t->faults |= KWS_TAKE_SEVERAL_WORDS;
	return found;
}

static bool clipped(const float *pcm, size_t n)
{
	size_t at_full = 0, runs = 0;
	for (size_t i = 0, run = 0; i < n; i++) {
		run = fabsf(pcm[i]) >= FULL ? run + 1 : 0;
		at_full += run > 0;
		runs += run == 3;
	}
	return runs >= 4 && at_full * 1000 > n;
}

void kws_take_judge(const float *pcm, size_t n, unsigned rate_hz, kws_take *t)
{
	const size_t block = rate_hz / (1000 / BLOCK_MS);
	contour c = { .n = 0 };
	*t = (kws_take){ .size = sizeof *t,
			 .likeness = 1.0f,
			 .seconds = (float)n / (float)rate_hz };
	if (n > (size_t)rate_hz * MAX_S)
		t->faults |= KWS_TAKE_TOO_LONG;
	measure(&c, pcm, n, block);
	t->level_dbfs = c.peak;
	t->snr_db = c.peak - c.floor;
	if (!find(&c, t, block) || c.peak < QUIET - CONTRAST || t->snr_db < CONTRAST) {
		t->faults = (t->faults & KWS_TAKE_TOO_LONG) | KWS_TAKE_NO_SPEECH;
		return;
	}
	if (c.peak < QUIET)
		t->faults |= KWS_TAKE_TOO_QUIET;
	if (clipped(pcm + t->start, t->end - t->start))
		t->faults |= KWS_TAKE_CLIPPED;
	if ((t->end - t->start) * 1000 < (size_t)rate_hz * SHORT_MS)
		t->faults |= KWS_TAKE_TOO_SHORT;
	if ((t->end - t->start) * 1000 > (size_t)rate_hz * LONG_MS)
		t->faults |= KWS_TAKE_TOO_LONG;
}
