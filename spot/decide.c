#include "spot/decide.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	float threshold;
	bool armed, again;    /* again: armed by new voice, not by a lower score */
	uint64_t quiet_until; /* end of the refractory, samples */
	kws_stretch said;     /* the stretch in which it was disarmed */
} word_state;

struct kws_decide {
	size_t n_words, frame, window;
	unsigned rate_hz;
	uint64_t now; /* samples heard */

	float *history; /* (depth, n_words), ring of probabilities */
	size_t depth, at;
	size_t smooth;			   /* frames in the mean, 1..depth */
	uint64_t refractory, memory, wait; /* samples */

	float *score;	   /* (n_words,) */
	word_state *words; /* (n_words,) */
	kws_stretch voice;
	uint64_t dead_until;
	bool open;
	kws_hit best; /* of the open candidate */
};

static uint64_t samples_of(const kws_decide *d, unsigned ms)
{
	return (uint64_t)ms * d->rate_hz / 1000;
}

/* Length in frames of a mean over ms, rounded, at least 1. */
static size_t mean_of(const kws_decide *d, unsigned ms)
{
	unsigned most = ms < KWS_DECIDE_SMOOTH_MAX_MS ? ms : KWS_DECIDE_SMOOTH_MAX_MS;
	size_t n = (size_t)((samples_of(d, most) + d->frame / 2) / d->frame);
	return n ? n : 1;
}

enum kws_status kws_decide_create(kws_decide **out, size_t n_words, unsigned rate_hz, size_t frame,
				  size_t window, const kws_decide_config *cfg)
{
	*out = NULL;
	if (n_words == 0 || rate_hz == 0 || frame < rate_hz / 1000 || frame == 0)
		return KWS_ERR_ARG;
	kws_decide *d = calloc(1, sizeof *d);
	if (!d)
		return KWS_ERR_NOMEM;
	d->n_words = n_words;
	d->frame = frame;
	d->window = window;
	d->rate_hz = rate_hz;
	d->depth = mean_of(d, KWS_DECIDE_SMOOTH_MAX_MS);
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
	d->voice = (kws_stretch){ 0 };
	d->now = 0;
	d->at = 0;
	d->dead_until = 0;
	d->open = false;
	for (size_t w = 0; w < d->n_words; w++)
		d->words[w] = (word_state){ .threshold = d->words[w].threshold, .armed = true };
}

void kws_decide_configure(kws_decide *d, const kws_decide_config *cfg)
{
	assert(cfg && cfg->threshold);
	d->smooth = mean_of(d, cfg->smooth_ms);
	d->refractory = samples_of(d, cfg->refractory_ms);
	d->wait = samples_of(d, cfg->wait_ms);
	d->memory = d->window + (uint64_t)d->smooth * d->frame;
	for (size_t w = 0; w < d->n_words; w++)
		d->words[w].threshold = cfg->threshold[w];
}

/* The sum is new for each frame, oldest first: a running sum would drift over weeks. */
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

/* Disarm word w. Everything that affects its score by `until' belongs to the same utterance. */
static void disarm(kws_decide *d, size_t w, uint64_t until)
{
	word_state *s = &d->words[w];
	s->armed = s->again = false;
	s->said.count = d->voice.count;
	s->said.end = d->voice.end > until ? d->voice.end : until;
}

static bool said_again(const kws_decide *d, const word_state *s)
{
	return d->voice.count > s->said.count && d->now >= s->said.end + d->memory;
}

/* Arm the words whose score has fallen or that were said again; disarm those that rise when they
 * may not. */
static void rearm(kws_decide *d)
{
	for (size_t w = 0; w < d->n_words; w++) {
		word_state *s = &d->words[w];
		bool silent = d->now < s->quiet_until || d->now < d->dead_until;
		if (!s->armed && s->said.count == d->voice.count && s->said.end < d->voice.end)
			s->said.end = d->voice.end;
		if (d->score[w] < KWS_DECIDE_REARM * s->threshold) {
			s->armed = true;
			s->again = false;
		} else if (silent && s->armed && over(d, w)) {
			disarm(d, w, d->now);
		} else if (!silent && !s->armed && said_again(d, s)) {
			s->armed = s->again = true;
		}
	}
}

/* Open a candidate, or update the open one with the best score. */
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

/* Whether the open candidate is ready to be decided, as far as its own score tells. */
static bool risen(const kws_decide *d)
{
	return d->score[d->best.word] <= d->best.score - KWS_DECIDE_FALL
	       || d->now - d->best.opened >= samples_of(d, KWS_DECIDE_HOLD_MS);
}

static bool sure(const kws_decide *d)
{
	const float score = d->score[d->best.word];

	return score >= KWS_DECIDE_CERTAIN
	       || (score >= KWS_DECIDE_SURE
		   && d->now >= d->voice.end + samples_of(d, KWS_DECIDE_QUIET_MS));
}

static int decide(kws_decide *d, kws_hit *hit)
{
	d->open = false;
	d->best.sample = d->now;
	d->dead_until = d->now + samples_of(d, KWS_DECIDE_DEAD_MS);
	for (size_t w = 0; w < d->n_words; w++)
		if (over(d, w) || w == d->best.word)
			disarm(d, w, d->words[w].again ? 0 : d->best.opened);
	d->words[d->best.word].quiet_until = d->now + d->refractory;
	*hit = d->best;
	return 1;
}

int kws_decide_step(kws_decide *d, const float *prob, kws_stretch voice, kws_hit *hit)
{
	d->now += d->frame;
	d->voice = voice;
	smooth(d, prob);
	rearm(d);
	follow(d);
	if (!d->open || !risen(d))
		return 0;
	if (d->wait && !over(d, d->best.word)) {
		d->open = false; /* given up */
		return 0;
	}
	if (d->now - d->best.opened < d->wait && !sure(d))
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
