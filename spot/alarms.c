#include "spot/alarms.h"

#include <math.h>
#include <stdlib.h>

enum {
	APART = 12, /* rows between two alarms, at least: about a second */
	TAIL = 20,  /* highest scores, which show how the rate falls with the threshold */
};

typedef struct {
	float *logits;	/* (n,) of all judging rows */
	float *scores;	/* (n,) */
	float *heights; /* of the peaks, highest first */
	size_t n, n_peaks;
} judged;

/* The smoothed probability of frame f, which has the logit of row (f + 1) / every - 1. */
static float smoothed(const float *logits, size_t f, kws_pace pace)
{
	float sum = 0.0f;
	for (size_t k = 0; k < pace.smooth && k <= f; k++) {
		const size_t row = (f - k + 1) / pace.every;
		sum += row ? kws_logistic(logits[row - 1]) : 0.0f;
	}
	return sum / (float)pace.smooth;
}

void kws_alarms_smooth(const float *logits, size_t n, kws_pace pace, float *scores)
{
	/* from the end, because scores may be logits */
	for (size_t i = n; i-- > 0;) {
		float highest = 0.0f;
		for (size_t k = 0; k < pace.every; k++)
			highest = fmaxf(highest,
					smoothed(logits, (i + 1) * pace.every - 1 + k, pace));
		scores[i] = highest;
	}
}

/* The mean of each logit and the one before, which behaves like the smoothed probability. */
static void smooth_logits(const float *logits, size_t n, float *scores)
{
	for (size_t i = 0; i < n; i++)
		scores[i] = 0.5f * (logits[i] + logits[i ? i - 1 : 0]);
}

/* Whether x[i] is the highest within a second on either side. */
static bool is_peak(const float *x, size_t n, size_t i)
{
	const size_t from = i > APART ? i - APART : 0, to = i + APART < n ? i + APART + 1 : n;
	for (size_t k = from; k < to; k++)
		if (x[k] > x[i] || (k < i && x[k] == x[i]))
			return false;
	return true;
}

/* Collect the peaks of the scores of all judging parts, highest first. */
static void find_peaks(judged *j, const kws_bank *b, kws_pace pace, bool probabilities)
{
	size_t at = 0;
	j->n_peaks = 0;
	for (size_t p = 0; p < kws_bank_n_parts(b); p++) {
		const kws_bank_part *part = kws_bank_part_at(b, p);
		if (!part->judge)
			continue;
		if (probabilities)
			kws_alarms_smooth(j->logits + at, part->n, pace, j->scores);
		else
			smooth_logits(j->logits + at, part->n, j->scores);
		for (size_t i = 0; i < part->n; i++)
			if (is_peak(j->scores, part->n, i))
				j->heights[j->n_peaks++] = j->scores[i];
		at += part->n;
	}
	qsort(j->heights, j->n_peaks, sizeof *j->heights, kws_falling);
}

/* The height that `wanted' peaks exceed, by an exponential fit to the heights above that of peak
 * TAIL. of: converts heights to logits. */
static float limit(const judged *j, double wanted, float (*of)(float))
{
	const size_t n = j->n_peaks < TAIL + 1 ? j->n_peaks : TAIL + 1;
	if (n < 2)
		return n ? of(j->heights[0]) + 1.0f : 0.0f;
	const float last = of(j->heights[n - 1]);
	float mean = 0.0f;
	for (size_t i = 0; i + 1 < n; i++)
		mean += (of(j->heights[i]) - last) / (float)(n - 1);
	return last + mean * logf((float)(n - 1) / (float)wanted);
}

static float same(float x)
{
	return x;
}

static void settle(judged *j, kws_head *h, const kws_bank *b, kws_pace pace, double wanted,
		   float above, kws_alarms *out)
{
	find_peaks(j, b, pace, false);
	const float middle = limit(j, wanted, same) + above;
	h->b2 -= middle;
	for (size_t i = 0; i < j->n; i++)
		j->logits[i] -= middle;
	find_peaks(j, b, pace, true);
	out->threshold = kws_logistic(limit(j, wanted, kws_logit) + above);
	out->threshold = fminf(fmaxf(out->threshold, 0.05f), 0.98f);
	while (out->n < j->n_peaks && j->heights[out->n] >= out->threshold)
		out->n++;
}

enum kws_status kws_alarms_limit(kws_head *h, const kws_bank *b, kws_points points, kws_pace pace,
				 double per_hour, float above, kws_alarms *out)
{
	judged j = { .n = points.n };
	*out = (kws_alarms){ .hours = kws_bank_judge_hours(b) };
	j.logits = calloc(j.n + 1, sizeof *j.logits);
	j.scores = calloc(j.n + 1, sizeof *j.scores);
	j.heights = calloc(j.n + 1, sizeof *j.heights);
	const bool good = j.logits && j.scores && j.heights;
	if (good) {
		kws_head_run(h, points.at, points.n, j.logits);
		settle(&j, h, b, pace, per_hour * out->hours, above, out);
	}
	free(j.logits);
	free(j.scores);
	free(j.heights);
	return good ? KWS_OK : KWS_ERR_NOMEM;
}
