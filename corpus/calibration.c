#include "corpus/calibration.h"

#include "corpus/bounds.h"

#include <math.h>
#include <stdlib.h>

/* The thresholds of one word that may be chosen, by rising false alarms and hits. */
typedef struct {
	size_t front[KWS_DET_GRID]; /* indices into the grid */
	size_t n, at;		    /* at: the current choice */
} choice;

typedef struct {
	kws_calibration *c;
	choice *choice; /* (n_words,) */
} task;

static const kws_count *at(const task *t, size_t g, size_t word)
{
	return &t->c->curve[g * (t->c->on->material.n_words + 1) + word];
}

/* ---- what the hours allow ---- */

/* The most false alarms that still support the target with 95 % confidence. */
static enum kws_status find_budget(kws_calibration *c, kws_error *err)
{
	const double target = c->config.target;
	if (!(c->hours > 0.0))
		return kws_fail(err, KWS_ERR_ARG,
				"no audio in which false alarms could be counted");
	const double least = kws_poisson_supported(0, c->hours);
	if (c->on->n_said == 0)
		return kws_fail(err, KWS_ERR_ARG,
				"no word is said in these recordings: truth files (a.tsv beside "
				"a.flac) say where");
	if (!(least <= target) && !c->config.allow_unsupported) {
		c->hours_needed = kws_poisson_upper(0, 0.05) / target;
		return kws_fail(err, KWS_ERR_ARG,
				"these recordings cannot support %g false alarms an hour: even "
				"without a single one, %.2f h support only less than %.2f (95 %%). "
				"%.1f h are needed",
				target, c->hours, least, c->hours_needed);
	}
	if (c->config.allow_unsupported)
		c->budget = (size_t)floor(fmin(target * c->hours, 1e9));
	else
		while (kws_poisson_supported(c->budget + 1, c->hours) <= target)
			c->budget++;
	return KWS_OK;
}

/* ---- choosing ---- */

static const kws_count *chosen(const task *t, size_t word)
{
	const choice *c = &t->choice[word];
	return at(t, c->front[c->at], word);
}

/* Start each word at its strictest point; with a budget for each word, at the last point within
 * it. */
static void begin(task *t)
{
	const kws_material *m = &t->c->on->material;
	for (size_t w = 0; w < m->n_words; w++) {
		choice *c = &t->choice[w];
		c->n = kws_det_front(t->c->curve, m->n_words, w, c->front);
		while (t->c->config.per_word && c->at + 1 < c->n
		       && at(t, c->front[c->at + 1], w)->false_alarms <= t->c->budget)
			c->at++;
	}
}

static size_t spent(const task *t)
{
	size_t sum = 0;
	for (size_t w = 0; w < t->c->on->material.n_words; w++)
		sum += t->c->chosen[w] ? chosen(t, w)->false_alarms : 0;
	return sum;
}

/* Spend the rest of the budget where a false alarm gains the most hits. False: nothing more can be
 * gained. */
static bool buy(task *t)
{
	size_t n_words = t->c->on->material.n_words, word = n_words, to = 0;
	size_t left = t->c->budget - spent(t);
	double best = 0.0;
	for (size_t w = 0; w < n_words; w++) {
		if (!t->c->chosen[w])
			continue;
		const kws_count *now = chosen(t, w);
		for (size_t i = t->choice[w].at + 1; i < t->choice[w].n; i++) {
			const kws_count *then = at(t, t->choice[w].front[i], w);
			size_t price = then->false_alarms - now->false_alarms;
			double value = (double)(then->hits - now->hits) / (double)price;
			if (price > left || !(value > best))
				continue;
			best = value;
			word = w;
			to = i;
		}
	}
	if (word == n_words)
		return false;
	t->choice[word].at = to;
	return true;
}

/* Between this threshold and some lower one, the hits and false alarms of a word stay the same. The
 * middle of that range is equally far from the next false alarm and the next miss. */
static float settle(const task *t, size_t word)
{
	const choice *c = &t->choice[word];
	const kws_count *here = chosen(t, word);
	size_t high = c->front[c->at], low = high;
	while (low > 0 && at(t, low - 1, word)->hits == here->hits
	       && at(t, low - 1, word)->false_alarms == here->false_alarms)
		low--;
	return fmaxf(kws_det_threshold(low + (high - low + 1) / 2), t->c->config.lowest);
}

static enum kws_status count(task *t)
{
	return kws_det_count(&t->c->on->material, t->c->threshold, t->c->count, NULL, NULL);
}

/* Whether the real decision, with all thresholds together, keeps to the budget. */
static bool keeps(const task *t)
{
	size_t n_words = t->c->on->material.n_words;
	for (size_t w = 0; t->c->config.per_word && w < n_words; w++)
		if (t->c->chosen[w] && t->c->count[w].false_alarms > t->c->budget)
			return false;
	return t->c->config.per_word || t->c->count[n_words].false_alarms <= t->c->budget;
}

/* Raise the threshold of the words with the most false alarms by one step. False: none can be
 * raised. */
static bool raise_worst(task *t)
{
	size_t n_words = t->c->on->material.n_words, worst = n_words, g = 0;
	for (size_t w = 0; w < n_words; w++)
		if (t->c->on->material.command[w] && t->c->threshold[w] < 1.0f
		    && (worst == n_words
			|| t->c->count[w].false_alarms > t->c->count[worst].false_alarms))
			worst = w;
	if (worst == n_words)
		return false;
	while (kws_det_threshold(g) <= t->c->threshold[worst])
		g++;
	t->c->threshold[worst] = kws_det_threshold(g);
	return true;
}

static enum kws_status choose(task *t, kws_error *err)
{
	kws_calibration *c = t->c;
	const size_t n_words = c->on->material.n_words;
	begin(t);
	while (!c->config.per_word && spent(t) < c->budget && buy(t))
		;
	for (size_t w = 0; w < n_words; w++)
		c->threshold[w] =
			c->chosen[w] ? settle(t, w) : kws_model_threshold(c->on->model, w);
	/* Words compete: a few events change when thresholds differ between words. */
	for (;;) {
		if (count(t) != KWS_OK)
			return kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
		if (keeps(t))
			return KWS_OK;
		if (!raise_worst(t))
			return kws_fail(
				err, KWS_ERR_ARG,
				"even thresholds of 1 give more than %g false alarms an hour",
				c->config.target);
	}
}

static bool supports(const kws_calibration *c, const kws_count *count)
{
	return kws_poisson_supported(count->false_alarms, c->hours) <= c->config.target;
}

static bool is_supported(const kws_calibration *c)
{
	const size_t n_words = c->on->material.n_words;
	bool all = true;
	for (size_t w = 0; w < n_words; w++)
		all = all && (!c->chosen[w] || supports(c, &c->count[w]));
	return c->config.per_word ? all : supports(c, &c->count[n_words]);
}

static bool make_room(kws_calibration *c)
{
	const size_t n_words = c->on->material.n_words;
	c->curve = calloc(KWS_DET_GRID * (n_words + 1), sizeof *c->curve);
	c->chosen = calloc(n_words, sizeof *c->chosen);
	c->threshold = calloc(n_words, sizeof *c->threshold);
	c->count = calloc(n_words + 1, sizeof *c->count);
	return c->curve && c->chosen && c->threshold && c->count;
}

enum kws_status kws_calibrate(kws_calibration *c, const kws_recordings *on,
			      const kws_calibration_config *config, kws_error *err)
{
	const kws_material *m = &on->material;
	*c = (kws_calibration){ .on = on, .config = *config, .hours = kws_det_hours(m) };
	enum kws_status status = find_budget(c, err);
	if (status != KWS_OK)
		return status;
	task t = { c, calloc(m->n_words, sizeof *t.choice) };
	status = t.choice && make_room(c) ? kws_det_curve(m, c->curve) : KWS_ERR_NOMEM;
	if (status != KWS_OK) {
		free(t.choice);
		return kws_fail(err, status, "%s", kws_strerror(status));
	}
	/* If a word was not said, its threshold cannot be chosen: it keeps the model's. */
	for (size_t w = 0; w < m->n_words; w++)
		c->chosen[w] = m->command[w] && at(&t, 0, w)->said > 0;
	status = choose(&t, err);
	if (status == KWS_OK)
		c->supported = is_supported(c);
	free(t.choice);
	return status;
}

void kws_calibration_free(kws_calibration *c)
{
	free(c->curve);
	free(c->chosen);
	free(c->threshold);
	free(c->count);
	*c = (kws_calibration){ 0 };
}
