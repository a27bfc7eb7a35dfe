#include "cli/peaks.h"

#include <math.h>
#include <stdlib.h>

static const float NOTICED = 0.05f; /* smaller rises are noise */
static const float LOWEST = 0.3f;   /* no threshold below this, as in kws calibrate */

typedef struct {
	kws_peaks_word sum;
	float threshold, peak, low;
	bool up; /* rising, or fallen by less than half */
} trace;

struct kws_peaks {
	size_t n_words;
	trace *word; /* (n_words,) */
};

kws_peaks *kws_peaks_create(size_t n_words, const float *threshold)
{
	kws_peaks *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->n_words = n_words;
	p->word = calloc(n_words, sizeof *p->word);
	if (!p->word) {
		kws_peaks_destroy(p);
		return NULL;
	}
	for (size_t w = 0; w < n_words; w++)
		p->word[w] = (trace){ .sum.least = 2.0f, .threshold = threshold[w] };
	return p;
}

void kws_peaks_destroy(kws_peaks *p)
{
	if (!p)
		return;
	free(p->word);
	free(p);
}

static void count(trace *t)
{
	if (t->peak >= t->threshold) {
		t->sum.heard++;
		t->sum.least = fminf(t->sum.least, t->peak);
	} else {
		t->sum.otherwise = fmaxf(t->sum.otherwise, t->peak);
	}
	t->up = false;
}

void kws_peaks_step(kws_peaks *p, const float *score)
{
	for (size_t w = 0; w < p->n_words; w++) {
		trace *t = &p->word[w];
		t->low = t->up ? score[w] : fminf(t->low, score[w]);
		t->peak = t->up ? fmaxf(t->peak, score[w]) : score[w];
		if (t->up && score[w] < 0.5f * t->peak)
			count(t);
		else if (!t->up)
			t->up = score[w] >= NOTICED && score[w] > 2.0f * t->low;
	}
}

void kws_peaks_move(kws_peaks *p, size_t word, float threshold)
{
	p->word[word].threshold = threshold;
}

void kws_peaks_end(kws_peaks *p)
{
	for (size_t w = 0; w < p->n_words; w++)
		if (p->word[w].up)
			count(&p->word[w]);
}

const kws_peaks_word *kws_peaks_of(const kws_peaks *p, size_t word)
{
	return &p->word[word].sum;
}

static double log_odds(float score)
{
	const double x = fmin(fmax((double)score, 1e-4), 1.0 - 1e-4);
	return log(x / (1.0 - x));
}

float kws_peaks_threshold(const kws_peaks_word *w)
{
	if (!w->heard)
		return -1.0f;
	const double middle = 0.5 * (log_odds(w->otherwise) + log_odds(w->least));
	const float between = fmaxf((float)(1.0 / (1.0 + exp(-middle))), LOWEST);
	return floorf(1000.0f * fminf(between, w->least)) / 1000.0f;
}
