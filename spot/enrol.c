#include "model/blob.h"
#include "model/network.h"
#include "spot/alarms.h"
#include "spot/copies.h"
#include "spot/nearby.h"
#include "spot/own.h"
#include "spot/resampled.h"
#include "spot/take.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_TAKES = 200,
	MAX_S = 60, /* longest take, seconds */
	FOLDS = 5,  /* of the cross-validation that estimates misses */
	FEWEST = 3, /* good takes, at least */
	TRIED = 3,  /* copies of each held-out take that are tested */
};

/* A take with a lower likeness to the others (cosine of their points) is taken for another word. */
static const float UNLIKE = 0.15f;

typedef struct {
	kws_take judged;
	kws_said said; /* the whole take at the base's rate */
	kws_copy copies[KWS_COPIES];
} take;

struct kws_enrol {
	const void *base;
	size_t len;
	const kws_bank *bank;
	kws_enrol_config config;
	kws_model *model;
	kws_embedder *embedder;
	size_t rank;
	kws_points fit, judge; /* of the bank's parts: to fit heads against, and to judge them by */
	take *takes;
	size_t n_takes;
	unsigned char *file; /* result of the last fit */
	size_t file_len;
};

/* ---- create ---- */

static enum kws_status check_bank(kws_enrol *e, kws_error *err)
{
	char hash[KWS_HASH];
	const enum kws_status status = kws_bank_hash(e->base, e->len, hash, err);
	if (status)
		return status;
	if (strcmp(hash, kws_bank_base(e->bank)) != 0
	    || kws_bank_dim(e->bank) != kws_embedder_dim(e->embedder))
		return kws_fail(err, KWS_ERR_ARG,
				"the bank was made with another base than %s; `kws bank' makes one",
				kws_model_name(e->model));
	if (kws_bank_fit_hours(e->bank) <= 0.0 || kws_bank_judge_hours(e->bank) <= 0.0)
		return kws_fail(err, KWS_ERR_ARG, "the bank lacks parts to %s",
				kws_bank_fit_hours(e->bank) <= 0.0 ? "fit against" : "judge by");
	return KWS_OK;
}

/* The points of the bank's parts for judging, or of those for fitting, for the caller to free().
 * Each part is a stream of its own. */
static enum kws_status load_points(const kws_enrol *e, bool judge, kws_points *out)
{
	const size_t dim = kws_bank_dim(e->bank);
	size_t n = 0, longest = 0;
	for (size_t p = 0; p < kws_bank_n_parts(e->bank); p++) {
		const kws_bank_part *part = kws_bank_part_at(e->bank, p);
		n += part->judge == judge ? part->n : 0;
		longest = part->n > longest ? part->n : longest;
	}
	float *points = calloc(n * e->rank + 1, sizeof *points);
	float *rows = calloc(longest * dim + 1, sizeof *rows);
	out->at = points;
	for (size_t p = 0; points && rows && p < kws_bank_n_parts(e->bank); p++) {
		const kws_bank_part *part = kws_bank_part_at(e->bank, p);
		if (part->judge != judge)
			continue;
		kws_bank_rows(e->bank, part->first, part->n, rows);
		kws_embedder_points(e->embedder, rows, part->n, points + out->n * e->rank);
		out->n += part->n;
	}
	const bool good = points && rows;
	free(rows);
	return good ? KWS_OK : KWS_ERR_NOMEM;
}

static enum kws_status create_parts(kws_enrol *e, kws_error *err)
{
	enum kws_status status;
	if (!(e->config.per_hour >= 0.01f && e->config.per_hour <= 100.0f))
		return kws_fail(err, KWS_ERR_ARG, "config.per_hour: %g is not in 0.01..100",
				(double)e->config.per_hour);
	if ((status = kws_model_parse(&e->model, e->base, e->len, err))
	    || (status = kws_embedder_create(&e->embedder, e->model, err)))
		return status;
	e->rank = kws_embedder_rank(e->embedder);
	if ((status = check_bank(e, err)))
		return status;
	e->takes = calloc(MAX_TAKES, sizeof *e->takes);
	if (!e->takes || load_points(e, false, &e->fit) || load_points(e, true, &e->judge))
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	return KWS_OK;
}

enum kws_status kws_enrol_create(kws_enrol **out, const void *base, size_t len,
				 const kws_bank *bank, const kws_enrol_config *config,
				 kws_error *err)
{
	static const kws_enrol_config usual = KWS_ENROL_CONFIG;
	*out = NULL;
	kws_enrol *e = calloc(1, sizeof *e);
	if (!e)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	e->base = base;
	e->len = len;
	e->bank = bank;
	e->config = config ? *config : usual;
	const enum kws_status status = create_parts(e, err);
	if (status)
		kws_enrol_destroy(e);
	else
		*out = e;
	return status;
}

void kws_enrol_destroy(kws_enrol *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->n_takes; i++) {
		free(e->takes[i].said.pcm);
		kws_copies_free(e->takes[i].copies);
	}
	free(e->takes);
	free((void *)(uintptr_t)e->fit.at);
	free((void *)(uintptr_t)e->judge.at);
	free(e->file);
	kws_embedder_destroy(e->embedder);
	kws_model_close(e->model);
	free(e);
}

/* ---- takes ---- */

static bool same_sound(const kws_said *a, const kws_said *b)
{
	return a->n == b->n && memcmp(a->pcm, b->pcm, a->n * sizeof *a->pcm) == 0;
}

enum kws_status kws_enrol_take(kws_enrol *e, const float *pcm, size_t n, unsigned in_hz,
			       kws_take *t, kws_error *err)
{
	const unsigned rate_hz = kws_model_rate_hz(e->model);
	if (in_hz < 8000 || in_hz > 192000)
		return kws_fail(err, KWS_ERR_ARG, "rate: %u Hz is not in 8000..192000", in_hz);
	if (e->n_takes == MAX_TAKES)
		return kws_fail(err, KWS_ERR_ARG, "more than %d takes", MAX_TAKES);
	if (n > (size_t)in_hz * MAX_S)
		return kws_fail(err, KWS_ERR_ARG, "%.0f s: a take of more than %d s",
				(double)n / in_hz, MAX_S);
	take *new = &e->takes[e->n_takes];
	memset(new, 0, sizeof *new);
	if (kws_resampled(pcm, n, in_hz, rate_hz, &new->said.pcm, &new->said.n))
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	kws_take_judge(new->said.pcm, new->said.n, rate_hz, &new->judged);
	new->said.start = new->judged.start;
	new->said.end = new->judged.end;
	for (size_t i = 0; i < e->n_takes; i++)
		if (same_sound(&new->said, &e->takes[i].said))
			new->judged.faults |= KWS_TAKE_TWICE;
	e->n_takes++;
	if (t)
		*t = new->judged;
	return KWS_OK;
}

size_t kws_enrol_n_takes(const kws_enrol *e)
{
	return e->n_takes;
}

const kws_take *kws_enrol_judged(const kws_enrol *e, size_t i)
{
	return &e->takes[i].judged;
}

/* ---- copies ---- */

/* The good takes, for the caller to free(). NULL: no memory. */
static kws_said *good_takes(const kws_enrol *e, size_t *n)
{
	kws_said *all = calloc(e->n_takes + 1, sizeof *all);
	*n = 0;
	for (size_t i = 0; all && i < e->n_takes; i++)
		if (!e->takes[i].judged.faults)
			all[(*n)++] = e->takes[i].said;
	return all;
}

static enum kws_status make_all(kws_enrol *e)
{
	size_t n;
	kws_said *all = good_takes(e, &n);
	enum kws_status status = all ? KWS_OK : KWS_ERR_NOMEM;
	for (size_t i = 0; !status && i < e->n_takes; i++) {
		kws_copies_free(e->takes[i].copies);
		if (!e->takes[i].judged.faults)
			status = kws_copies_make(e->takes[i].copies, e->embedder, &e->takes[i].said,
						 all, n, e->config.seed + i + 1,
						 kws_model_rate_hz(e->model));
	}
	free(all);
	return status;
}

/* Sum the points of the clean copy of take i in to (rank,). Returns the length of the sum. */
static double mean_point(const kws_enrol *e, size_t i, double *to)
{
	const kws_copy *c = &e->takes[i].copies[0];
	double sum = 0.0;
	memset(to, 0, e->rank * sizeof *to);
	for (size_t k = 0; k < c->n_is; k++)
		for (size_t j = 0; j < e->rank; j++)
			to[j] += (double)c->all[(c->is + k) * e->rank + j];
	for (size_t j = 0; j < e->rank; j++)
		sum += to[j] * to[j];
	return sqrt(sum) + 1e-9;
}

/* Compute the likeness of each take to the sum of the others. Takes that seem to be another word
 * get a fault and are left out. */
static enum kws_status compare(kws_enrol *e)
{
	double *one = calloc(e->rank, sizeof *one);
	if (!one)
		return KWS_ERR_NOMEM;
	for (size_t i = 0; i < e->n_takes; i++) {
		if (e->takes[i].judged.faults)
			continue;
		double dot = 0.0, square = 0.0, *others = calloc(e->rank, sizeof *others);
		for (size_t k = 0; others && k < e->n_takes; k++) {
			if (k == i || (e->takes[k].judged.faults & ~(unsigned)KWS_TAKE_UNLIKE))
				continue;
			const double length = mean_point(e, k, one);
			for (size_t j = 0; j < e->rank; j++)
				others[j] += one[j] / length;
		}
		const double length = mean_point(e, i, one);
		for (size_t j = 0; others && j < e->rank; j++) {
			dot += one[j] * others[j] / length;
			square += others[j] * others[j];
		}
		e->takes[i].judged.likeness = (float)(dot / (sqrt(square) + 1e-9));
		if (e->takes[i].judged.likeness < UNLIKE)
			e->takes[i].judged.faults |= KWS_TAKE_UNLIKE;
		free(others);
	}
	free(one);
	return KWS_OK;
}

/* ---- fitting ---- */

/* Fit h to all good takes except those of one fold; the i-th good take is in fold i % FOLDS. fold
 * FOLDS: to all. */
static enum kws_status fit_without(kws_enrol *e, size_t fold, kws_head *h)
{
	kws_points is = { 0 }, half = { 0 };
	size_t most = 0;
	for (size_t i = 0; i < e->n_takes; i++)
		for (size_t k = 0; k < KWS_COPIES; k++)
			most += e->takes[i].copies[k].n_is + e->takes[i].copies[k].n_half;
	float *room = calloc(most * e->rank + 1, sizeof *room),
	      *halves = calloc(most * e->rank + 1, sizeof *halves);
	for (size_t i = 0, good = 0; room && halves && i < e->n_takes; i++) {
		const bool in = !e->takes[i].judged.faults;
		if (!in || good++ % FOLDS == fold)
			continue;
		for (size_t k = 0; k < KWS_COPIES; k++) {
			const kws_copy *c = &e->takes[i].copies[k];
			memcpy(room + is.n * e->rank, c->all + c->is * e->rank,
			       c->n_is * e->rank * sizeof *room);
			memcpy(halves + half.n * e->rank, c->all + c->half * e->rank,
			       c->n_half * e->rank * sizeof *room);
			is.n += c->n_is;
			half.n += c->n_half;
		}
	}
	is.at = room;
	half.at = halves;
	enum kws_status status = room && halves ? kws_head_create(h, e->rank) : KWS_ERR_NOMEM;
	if (!status)
		status = kws_fit(h, is, half, e->fit, e->config.seed + fold);
	free(room);
	free(halves);
	return status;
}

static kws_pace pace_of(const kws_enrol *e)
{
	const kws_network *w = kws_model_network(e->model);
	const size_t frame_ms = w->step * 10; /* a hop is 10 ms */
	const size_t smooth = kws_model_decision(e->model)->smooth_ms / frame_ms;
	return (kws_pace){ smooth ? smooth : 1, w->embed.every };
}

/* Whether the head misses a copy of a take. It is tested until half a second after the word. */
static bool misses(const kws_enrol *e, const kws_head *h, const kws_alarms *a, const kws_copy *c,
		   float *scores)
{
	const size_t after = kws_model_rate_hz(e->model) / 4 / kws_embedder_step(e->embedder);
	const size_t to = c->is + c->n_is + after < c->n ? c->is + c->n_is + after : c->n;
	kws_head_run(h, c->all, c->n, scores);
	kws_alarms_smooth(scores, c->n, pace_of(e), scores);
	for (size_t i = c->is; i < to; i++)
		if (scores[i] >= a->threshold)
			return false;
	return true;
}

static enum kws_status limit(kws_enrol *e, kws_head *h, kws_alarms *a)
{
	return kws_alarms_limit(h, e->bank, e->judge, pace_of(e), (double)e->config.per_hour, a);
}

/* Cross-validation: fit without some takes, and test whether these are found. */
static enum kws_status try_out(kws_enrol *e, size_t n_good, kws_enrol_report *report)
{
	enum kws_status status = KWS_OK;
	for (size_t fold = 0; !status && n_good > FEWEST - 1 && fold < FOLDS && fold < n_good;
	     fold++) {
		kws_head h = { 0 };
		kws_alarms a;
		if ((status = fit_without(e, fold, &h)) || (status = limit(e, &h, &a))) {
			kws_head_free(&h);
			return status;
		}
		for (size_t i = 0, good = 0; i < e->n_takes; i++) {
			if (e->takes[i].judged.faults || good++ % FOLDS != fold)
				continue;
			for (size_t k = 0; k < TRIED; k++) {
				const kws_copy *c = &e->takes[i].copies[k];
				float *scores = calloc(c->n + 1, sizeof *scores);
				if (!scores)
					status = KWS_ERR_NOMEM;
				else if (misses(e, &h, &a, c, scores))
					report->n_missed++;
				report->n_tried++;
				free(scores);
			}
		}
		kws_head_free(&h);
	}
	return status;
}

static json_t *notes(const kws_enrol *e, const kws_enrol_report *r)
{
	return json_pack("{s:i, s:i, s:f, s:i, s:i, s:f, s:i}", "takes", (int)r->n_takes, "seed",
			 (int)e->config.seed, "per_hour", (double)e->config.per_hour, "tried",
			 (int)r->n_tried, "missed", (int)r->n_missed, "judge_hours", r->judge_hours,
			 "alarms", (int)r->n_alarms);
}

static enum kws_status finish(kws_enrol *e, const char *word, kws_enrol_report *report,
			      kws_error *err)
{
	kws_head h = { 0 };
	kws_alarms a;
	enum kws_status status = fit_without(e, FOLDS, &h);
	if (!status)
		status = limit(e, &h, &a);
	if (status) {
		kws_head_free(&h);
		return kws_fail(err, status, "%s", kws_strerror(status));
	}
	report->threshold = a.threshold;
	report->judge_hours = a.hours;
	report->n_alarms = a.n;
	json_t *said = notes(e, report);
	free(e->file);
	status = kws_own_add(e->base, e->len, word, &h, a.threshold, e->config.only, said, &e->file,
			     &e->file_len, err);
	json_decref(said);
	kws_head_free(&h);
	if (!status) { /* only a valid model may be written */
		kws_model *m;
		status = kws_model_parse(&m, e->file, e->file_len, err);
		kws_model_close(m);
	}
	return status;
}

static size_t count_good(const kws_enrol *e)
{
	size_t n = 0;
	for (size_t i = 0; i < e->n_takes; i++)
		n += !e->takes[i].judged.faults;
	return n;
}

enum kws_status kws_enrol_fit(kws_enrol *e, const char *word, kws_enrol_report *report,
			      kws_error *err)
{
	size_t n_good;
	*report = (kws_enrol_report){ .size = sizeof *report };
	for (size_t i = 0; i < e->n_takes; i++)
		e->takes[i].judged.faults &= ~(unsigned)KWS_TAKE_UNLIKE;
	enum kws_status status = kws_own_check(e->model, word, err);
	if (status)
		return status;
	if (count_good(e) < FEWEST)
		return kws_fail(err, KWS_ERR_ARG, "%zu good takes: want %d at least", count_good(e),
				FEWEST);
	if (make_all(e) || compare(e))
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	report->n_takes = n_good = count_good(e);
	if (n_good < FEWEST)
		return kws_fail(err, KWS_ERR_ARG, "%zu takes are alike: want %d at least", n_good,
				FEWEST);
	if (try_out(e, n_good, report))
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	kws_said *all = good_takes(e, &n_good);
	status = all ? kws_nearby(e->model, all, n_good, report, err)
		     : kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	free(all);
	return status ? status : finish(e, word, report, err);
}

const void *kws_enrol_file(const kws_enrol *e, size_t *len)
{
	*len = e->file ? e->file_len : 0;
	return e->file;
}
