#include "corpus/det.h"

#include "spot/decide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float NEVER = 2.0f;
static const double BIN_FIRST = -6.0, BIN_WIDTH = 0.5; /* log odds: 0.25 % to 99.9994 % */

double kws_det_heard(const kws_material *m)
{
	double seconds = 0.0;
	for (size_t i = 0; i < m->n; i++)
		seconds += m->recording[i].seconds;
	return seconds / 3600.0;
}

double kws_det_hours(const kws_material *m)
{
	double seconds = 0.0;
	for (size_t i = 0; i < m->n; i++)
		if (!m->unlabelled_only || !m->recording[i].labelled)
			seconds += m->recording[i].seconds;
	return m->hours > 0.0 ? m->hours : seconds / 3600.0;
}

/* Finds the words of a recording at a given time. Times must come in order. */
typedef struct {
	const kws_recording *r;
	double tolerance;
	size_t first; /* earlier words are over */
	bool *heard;  /* (n_said,) */
} matcher;

static bool is_over(const matcher *x, size_t i, double now)
{
	return x->r->said[i].end + x->tolerance < now;
}

/* The next word from i on that includes the time `now'; n_said: none. */
static size_t find(matcher *x, size_t i, double now)
{
	while (x->first < x->r->n_said && is_over(x, x->first, now))
		x->first++;
	for (i = i > x->first ? i : x->first; i < x->r->n_said; i++) {
		if (x->r->said[i].start > now)
			return x->r->n_said;
		if (!is_over(x, i, now))
			return i;
	}
	return i;
}

typedef struct {
	const kws_material *m;
	kws_count *count;
	kws_hit_fn *on_hit;
	void *ctx;
	matcher match;
} counter;

static void take(counter *c, const kws_hit *hit)
{
	const kws_recording *r = c->match.r;
	double now = (double)hit->sample / (double)c->m->rate_hz;
	kws_count *one = &c->count[hit->word];
	bool same = false, other = false;
	for (size_t i = find(&c->match, 0, now); i < r->n_said; i = find(&c->match, i + 1, now)) {
		if (r->said[i].word != hit->word) {
			other = true;
			continue;
		}
		if (!c->match.heard[i]) {
			c->match.heard[i] = true;
			one->hits++;
			if (c->on_hit)
				c->on_hit(c->ctx, &r->said[i], now - r->said[i].end);
			return;
		}
		same = true;
	}
	one->duplicates += same;
	one->confused += other && !same;
	one->strays += !other && !same;
	one->false_alarms += !c->m->unlabelled_only || !r->labelled;
}

void kws_count_add(kws_count *sum, const kws_count *c)
{
	sum->said += c->said;
	sum->hits += c->hits;
	sum->duplicates += c->duplicates;
	sum->confused += c->confused;
	sum->strays += c->strays;
	sum->false_alarms += c->false_alarms;
}

static kws_decide_config configure(const kws_material *m, const float *threshold)
{
	return (kws_decide_config){ m->smooth_ms, m->refractory_ms, m->wait_ms, threshold };
}

static enum kws_status listen(counter *c, kws_decide *d, const kws_recording *r)
{
	kws_hit hit;
	c->match = (matcher){ .r = r, .tolerance = c->m->tolerance };
	c->match.heard = calloc(r->n_said ? r->n_said : 1, sizeof *c->match.heard);
	if (!c->match.heard)
		return KWS_ERR_NOMEM;
	kws_decide_reset(d);
	for (size_t i = 0; i < r->n_said; i++)
		c->count[r->said[i].word].said++;
	for (size_t t = 0; t < r->n_frames; t++)
		if (kws_decide_step(d, r->prob + t * c->m->n_words, r->voice[t], &hit))
			take(c, &hit);
	if (kws_decide_flush(d, &hit))
		take(c, &hit);
	free(c->match.heard);
	return KWS_OK;
}

enum kws_status kws_det_count(const kws_material *m, const float *threshold, kws_count *count,
			      kws_hit_fn *on_hit, void *ctx)
{
	counter c = { .m = m, .count = count, .on_hit = on_hit, .ctx = ctx };
	kws_decide *d = NULL;
	memset(count, 0, (m->n_words + 1) * sizeof *count);
	float *used = calloc(m->n_words, sizeof *used);
	if (!used)
		return KWS_ERR_NOMEM;
	for (size_t w = 0; w < m->n_words; w++)
		used[w] = m->command[w] ? threshold[w] : NEVER;
	kws_decide_config cfg = configure(m, used);
	enum kws_status st =
		kws_decide_create(&d, m->n_words, m->rate_hz, m->frame, m->window, &cfg);
	for (size_t i = 0; i < m->n && st == KWS_OK; i++)
		st = listen(&c, d, &m->recording[i]);
	for (size_t w = 0; w < m->n_words; w++)
		kws_count_add(&count[m->n_words], &count[w]);
	kws_decide_destroy(d);
	free(used);
	return st;
}

float kws_det_threshold(size_t i)
{
	if (i < 99)
		return (float)((double)(i + 1) / 100.0);
	if (i < 108)
		return (float)((double)(991 + i - 99) / 1000.0);
	if (i < 117)
		return (float)((double)(9991 + i - 108) / 10000.0);
	return 1.0f;
}

enum kws_status kws_det_curve(const kws_material *m, kws_count *curve)
{
	enum kws_status st = KWS_OK;
	float *threshold = calloc(m->n_words, sizeof *threshold);
	if (!threshold)
		return KWS_ERR_NOMEM;
	for (size_t g = 0; g < KWS_DET_GRID && st == KWS_OK; g++) {
		for (size_t w = 0; w < m->n_words; w++)
			threshold[w] = kws_det_threshold(g);
		st = kws_det_count(m, threshold, curve + g * (m->n_words + 1), NULL, NULL);
	}
	free(threshold);
	return st;
}

size_t kws_det_front(const kws_count *curve, size_t n_words, size_t word, size_t *front)
{
	size_t n = 0;
	const kws_count *column = curve + word, *best, *at;
	for (;;) {
		/* Among the points with more hits than the last one: the fewest false alarms, then
		 * the most hits. */
		size_t next = KWS_DET_GRID;
		for (size_t g = KWS_DET_GRID; g-- > 0;) {
			at = column + g * (n_words + 1);
			if (n && at->hits <= column[front[n - 1] * (n_words + 1)].hits)
				continue;
			best = column + (next < KWS_DET_GRID ? next : g) * (n_words + 1);
			if (next == KWS_DET_GRID || at->false_alarms < best->false_alarms
			    || (at->false_alarms == best->false_alarms && at->hits > best->hits))
				next = g;
		}
		if (next == KWS_DET_GRID)
			return n;
		front[n++] = next;
	}
}

size_t kws_det_operate(const kws_count *curve, size_t n_words, size_t word, double most)
{
	size_t front[KWS_DET_GRID], at = KWS_DET_GRID;
	size_t n = kws_det_front(curve, n_words, word, front);
	for (size_t i = 0; i < n; i++)
		if ((double)curve[front[i] * (n_words + 1) + word].false_alarms <= most)
			at = front[i];
	return at;
}

double kws_det_bin(double b)
{
	return 1.0 / (1.0 + exp(-(BIN_FIRST + BIN_WIDTH * b)));
}

size_t kws_det_in_bin(double score)
{
	double b = (log(score / (1.0 - score)) - BIN_FIRST) / BIN_WIDTH;
	if (!(score > 0.0) || b < 0.0)
		return 0;
	return score >= 1.0 || b >= KWS_DET_BINS ? KWS_DET_BINS - 1 : (size_t)b;
}

typedef struct {
	const kws_material *m;
	float *peak; /* (n_said,) of the recording */
	size_t *of_rest;
} peaks;

/* Follow the scores of one recording; the peaks of its words go to p->peak. */
static void follow(peaks *p, kws_decide *d, const kws_recording *r)
{
	matcher x = { .r = r, .tolerance = fmax(p->m->tolerance, p->m->tail) };
	kws_hit hit;
	float rest = -1.0f; /* the highest of this second; negative: covered by words */
	uint64_t second = 0, sample = 0;
	kws_decide_reset(d);
	for (size_t t = 0; t < r->n_frames; t++) {
		sample += p->m->frame;
		kws_decide_step(d, r->prob + t * p->m->n_words, r->voice[t], &hit);
		const float *score = kws_decide_score(d);
		double now = (double)sample / (double)p->m->rate_hz;
		size_t i = find(&x, 0, now);
		bool silent = i == r->n_said;
		for (; i < r->n_said; i = find(&x, i + 1, now))
			if (now <= r->said[i].end + p->m->tolerance)
				p->peak[i] = fmaxf(p->peak[i], score[r->said[i].word]);
		for (size_t w = 0; w < p->m->n_words && silent; w++)
			if (p->m->command[w])
				rest = fmaxf(rest, score[w]);
		if (sample / p->m->rate_hz == second && t + 1 < r->n_frames)
			continue;
		second = sample / p->m->rate_hz;
		if (rest >= 0.0f)
			p->of_rest[kws_det_in_bin((double)rest)]++;
		rest = -1.0f;
	}
}

enum kws_status kws_det_histogram(const kws_material *m, size_t of_words[KWS_DET_BINS],
				  size_t of_rest[KWS_DET_BINS])
{
	kws_decide *d = NULL;
	peaks p = { .m = m, .of_rest = of_rest };
	memset(of_words, 0, KWS_DET_BINS * sizeof *of_words);
	memset(of_rest, 0, KWS_DET_BINS * sizeof *of_rest);
	float *never = calloc(m->n_words, sizeof *never);
	if (!never)
		return KWS_ERR_NOMEM;
	for (size_t w = 0; w < m->n_words; w++)
		never[w] = NEVER;
	kws_decide_config cfg = configure(m, never);
	enum kws_status st =
		kws_decide_create(&d, m->n_words, m->rate_hz, m->frame, m->window, &cfg);
	for (size_t i = 0; i < m->n && st == KWS_OK; i++) {
		const kws_recording *r = &m->recording[i];
		p.peak = calloc(r->n_said ? r->n_said : 1, sizeof *p.peak);
		if (!p.peak) {
			st = KWS_ERR_NOMEM;
			break;
		}
		follow(&p, d, r);
		for (size_t s = 0; s < r->n_said; s++)
			of_words[kws_det_in_bin((double)p.peak[s])]++;
		free(p.peak);
	}
	kws_decide_destroy(d);
	free(never);
	return st;
}
