#include "spot/decide.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	float threshold;
	bool armed;
	uint64_t quiet_until; /* end of the refractory, samples */
} word_state;

struct kws_decide {
	size_t n_words, frame;
	unsigned rate_hz;
	uint64_t now; /* samples heard */

	float *history; /* (depth, n_words), ring of probabilities */
	size_t depth, at;
	size_t smooth; /* frames in the mean, 1..depth */
	uint64_t refractory;

	float *score;	   /* (n_words,) */
	word_state *words; /* (n_words,) */
	uint64_t dead_until;
	bool open;
	kws_hit best; /* of the open candidate */
};

static uint64_t samples_of(const kws_decide *d, unsigned ms)
{
	return (uint64_t)ms * d->rate_hz / 1000;
}

enum kws_status kws_decide_create(kws_decide **out, size_t n_words, unsigned rate_hz, size_t frame,
				  const kws_decide_config *cfg)
{
	*out = NULL;
	if (n_words == 0 || rate_hz == 0 || frame < rate_hz / 1000 || frame == 0)
		return KWS_ERR_ARG;
	kws_decide *d = calloc(1, sizeof *d);
	if (!d)
		return KWS_ERR_NOMEM;
	d->n_words = n_words;
	d->frame = frame;
	d->rate_hz = rate_hz;
	d->depth = (size_t)(samples_of(d, KWS_DECIDE_SMOOTH_MAX_MS) / frame) + 1;
	if (n_words > SIZE_MAX / sizeof(word_state) / d->depth)
		goto fail;
	d->history = calloc(d->depth * n_words, sizeof *d->history);
	d->score = calloc(n_words, sizeof *d->score);
	d->words = calloc(n_words, sizeof *d->words);
	if (!d->history || !d->score || !d->words)
		goto fail;
	kws_decide_configure(d, cfg);
	kws_decide_reset(d);
	*out = d;
	return KWS_OK;
fail:
	kws_decide_destroy(d);
	return KWS_ERR_NOMEM;
}

void kws_decide_destroy(kws_decide *d)
{
	if (!d)
		return;
	free(d->history);
	free(d->score);
	free(d->words);
	free(d);
}

void kws_decide_reset(kws_decide *d)
{
	memset(d->history, 0, d->depth * d->n_words * sizeof *d->history);
	memset(d->score, 0, d->n_words * sizeof *d->score);
	d->now = 0;
	d->at = 0;
	d->dead_until = 0;
	d->open = false;
	for (size_t w = 0; w < d->n_words; w++) {
		d->words[w].armed = true;
		d->words[w].quiet_until = 0;
	}
}

void kws_decide_configure(kws_decide *d, const kws_decide_config *cfg)
{
	assert(cfg && cfg->threshold);
	uint64_t smooth = (samples_of(d, cfg->smooth_ms) + d->frame / 2) / d->frame;
	d->smooth = smooth < 1 ? 1 : smooth > d->depth ? d->depth : (size_t)smooth;
	d->refractory = samples_of(d, cfg->refractory_ms);
	for (size_t w = 0; w < d->n_words; w++)
		d->words[w].threshold = cfg->threshold[w];
}

/* Summed anew each time, oldest first: a running sum would drift over the weeks. */
static void smooth(kws_decide *d, const float *prob)
{
	memcpy(d->history + d->at * d->n_words, prob, d->n_words * sizeof *prob);
	d->at = d->at + 1 == d->depth ? 0 : d->at + 1;
	memset(d->score, 0, d->n_words * sizeof *d->score);
	size_t row = d->at >= d->smooth ? d->at - d->smooth : d->at + d->depth - d->smooth;
	for (size_t i = 0; i < d->smooth; i++) {
		const float *p = d->history + row * d->n_words;
		for (size_t w = 0; w < d->n_words; w++)
			d->score[w] += p[w];
		row = row + 1 == d->depth ? 0 : row + 1;
	}
	for (size_t w = 0; w < d->n_words; w++)
		d->score[w] /= (float)d->smooth;
}

static bool over(const kws_decide *d, size_t w)
{
	return d->words[w].threshold <= 1.0f && d->score[w] >= d->words[w].threshold;
}

/* Arm what has fallen; disarm what rises where it may not. */
static void rearm(kws_decide *d)
{
	for (size_t w = 0; w < d->n_words; w++) {
		word_state *s = &d->words[w];
		if (d->score[w] < KWS_DECIDE_REARM * s->threshold)
			s->armed = true;
		else if (over(d, w) && (d->now < s->quiet_until || d->now < d->dead_until))
			s->armed = false;
	}
}

/* Open a candidate, or let the open one follow the best score. */
static void follow(kws_decide *d)
{
	for (size_t w = 0; w < d->n_words; w++) {
		if (!d->words[w].armed || !over(d, w))
			continue;
		if (!d->open) {
			d->open = true;
			d->best.opened = d->now;
			d->best.score = -1.0f;
		}
		if (d->score[w] > d->best.score) {
			d->best.word = (unsigned)w;
			d->best.score = d->score[w];
			d->best.threshold = d->words[w].threshold;
			d->best.peak = d->now;
		}
	}
}

static int decide(kws_decide *d, kws_hit *hit)
{
	d->open = false;
	d->best.sample = d->now;
	d->dead_until = d->now + samples_of(d, KWS_DECIDE_DEAD_MS);
	for (size_t w = 0; w < d->n_words; w++)
		if (over(d, w))
			d->words[w].armed = false;
	d->words[d->best.word].armed = false;
	d->words[d->best.word].quiet_until = d->now + d->refractory;
	*hit = d->best;
	return 1;
}

int kws_decide_step(kws_decide *d, const float *prob, kws_hit *hit)
{
	d->now += d->frame;
	smooth(d, prob);
	rearm(d);
	follow(d);
	if (!d->open)
		return 0;
	if (d->score[d->best.word] > d->best.score - KWS_DECIDE_FALL
	    && d->now - d->best.opened < samples_of(d, KWS_DECIDE_HOLD_MS))
		return 0;
	return decide(d, hit);
}

int kws_decide_flush(kws_decide *d, kws_hit *hit)
{
	return d->open ? decide(d, hit) : 0;
}

const float *kws_decide_score(const kws_decide *d)
{
	return d->score;
}
