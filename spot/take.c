#include "spot/take.h"

#include <math.h>
#include <string.h>

enum {
	BLOCK_MS = 10,
	MAX_S = 8, /* longest take, seconds */
	BLOCKS = 1000 * MAX_S / BLOCK_MS,
	GAP = 25,     /* blocks: the longest pause inside a word */
	FLEETING = 4, /* blocks: anything shorter is a click */
	EDGE = 2,     /* blocks: a word nearer to an end of its take is cut off */
	SHORT_MS = 200,
	LONG_MS = 2500,
	OTHER_MS = 150, /* another stretch at least this long is a second word */
};

static const float CONTRAST = 10.0f; /* dB of a word above the background, at least */
static const float QUIET = -50.0f;   /* dBFS of the loudest blocks of a word, at least */
static const float NEAR = 14.0f;     /* dB below the loudest: a louder stretch is another word */
static const float FULL = 0.985f;    /* amplitude from which on a sample counts as clipped */

typedef struct {
	float db[BLOCKS]; /* smoothed power of each block, dBFS */
	size_t n;
	float floor, peak; /* dBFS */
	size_t at;	   /* of the peak */
} contour;

/* The 10th percentile of x (n,), n <= BLOCKS. */
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

/* Find the next blocks *from .. *to above the level, with pauses of at most GAP. The search begins
 * at *from. False: there are none. */
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

/* Find the word, and other stretches that may be words. */
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
	if (n > (size_t)rate_hz * MAX_S) { /* only its beginning could be judged */
		t->faults = KWS_TAKE_TOO_LONG;
		return;
	}
	measure(&c, pcm, n, block);
	t->level_dbfs = c.peak;
	t->snr_db = c.peak - c.floor;
	if (!find(&c, t, block) || c.peak < QUIET - CONTRAST || t->snr_db < CONTRAST) {
		t->faults = KWS_TAKE_NO_SPEECH;
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
