#include "spot/enrol.h"

#include "model/blob.h"
#include "spot/nearby.h"
#include "spot/own.h"
#include "spot/resampled.h"
#include "spot/take.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_TAKES = 400,
	MAX_S = 60, /* longest take, seconds */
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

/* Judge the take. A wrong one need not be a word. */
static void judge(const kws_enrol *e, kws_enrol_one *new, unsigned rate_hz)
{
	kws_take_judge(new->said.pcm, new->said.n, rate_hz, &new->judged);
	if (new->kind == KWS_TAKE_WRONG) {
		new->judged.faults = 0;
		new->judged.start = 0;
		new->judged.end = new->said.n;
	}
	new->said.start = new->judged.start;
	new->said.end = new->judged.end;
	for (size_t i = 0; i < e->n_takes; i++)
		if (same_sound(&new->said, &e->takes[i].said))
			new->judged.faults |= KWS_TAKE_TWICE;
}

enum kws_status kws_enrol_take(kws_enrol *e, enum kws_take_kind kind, const float *pcm, size_t n,
			       unsigned in_hz, kws_take *t, kws_error *err)
{
	const unsigned rate_hz = kws_model_rate_hz(e->model);
	if (in_hz < 8000 || in_hz > 192000)
		return kws_fail(err, KWS_ERR_ARG, "rate: %u Hz is not in 8000..192000", in_hz);
	if (e->n_takes == MAX_TAKES)
		return kws_fail(err, KWS_ERR_ARG, "more than %d takes", MAX_TAKES);
	if (n > (size_t)in_hz * MAX_S)
		return kws_fail(err, KWS_ERR_ARG, "%.0f s: a take of more than %d s",
				(double)n / in_hz, MAX_S);
	kws_enrol_one *new = &e->takes[e->n_takes];
	*new = (kws_enrol_one){ .kind = kind };
	if (kws_resampled(pcm, n, in_hz, rate_hz, &new->said.pcm, &new->said.n))
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	judge(e, new, rate_hz);
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

bool kws_enrol_is(const kws_enrol *e, size_t i, enum kws_take_kind kind)
{
	return e->takes[i].kind == kind && !e->takes[i].judged.faults;
}

/* ---- copies ---- */

/* The good spoken takes, for the caller to free(). NULL: no memory. */
static kws_said *good_takes(const kws_enrol *e, size_t *n)
{
	kws_said *all = calloc(e->n_takes + 1, sizeof *all);
	*n = 0;
	for (size_t i = 0; all && i < e->n_takes; i++)
		if (kws_enrol_is(e, i, KWS_TAKE_SPOKEN))
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
			status = kws_copies_make(e->takes[i].copies, e->embedder, e->bank,
						 &e->takes[i].said, all, n, e->config.seed + i + 1,
						 kws_model_rate_hz(e->model));
	}
	free(all);
	return status;
}

/* ---- fitting ---- */

static json_t *notes(const kws_enrol *e, const kws_enrol_report *r)
{
	return json_pack("{s:i, s:i, s:f, s:i, s:i, s:f, s:i}", "takes", (int)r->n_takes, "seed",
			 (int)e->config.seed, "per_hour", (double)e->config.per_hour, "tried",
			 (int)r->n_tried, "missed", (int)r->n_missed, "judge_hours", r->judge_hours,
			 "alarms", (int)r->n_alarms);
}

static enum kws_status finish(kws_enrol *e, const char *word, float above, kws_enrol_report *report,
			      kws_error *err)
{
	kws_head h = { 0 };
	kws_alarms a;
	enum kws_status status = kws_enrol_head(e, above, &h, &a);
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
		n += kws_enrol_is(e, i, KWS_TAKE_SPOKEN);
	return n;
}

enum kws_status kws_enrol_fit(kws_enrol *e, const char *word, kws_enrol_report *report,
			      kws_error *err)
{
	size_t n_good;
	float above;
	*report = (kws_enrol_report){ .size = sizeof *report };
	for (size_t i = 0; i < e->n_takes; i++)
		e->takes[i].judged.faults &= ~(unsigned)KWS_TAKE_UNLIKE;
	enum kws_status status = kws_own_check(e->model, word, err);
	if (status)
		return status;
	if (count_good(e) < KWS_ENROL_FEWEST)
		return kws_fail(err, KWS_ERR_ARG, "%zu good takes: want %d at least", count_good(e),
				KWS_ENROL_FEWEST);
	if (make_all(e) || kws_enrol_compare(e))
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	report->n_takes = n_good = count_good(e);
	if (n_good < KWS_ENROL_FEWEST)
		return kws_fail(err, KWS_ERR_ARG, "%zu takes are alike: want %d at least", n_good,
				KWS_ENROL_FEWEST);
	if (kws_enrol_try_out(e, report, &above))
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	kws_said *all = good_takes(e, &n_good);
	status = all ? kws_nearby(e->model, all, n_good, report, err)
		     : kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	free(all);
	return status ? status : finish(e, word, above, report, err);
}

const void *kws_enrol_file(const kws_enrol *e, size_t *len)
{
	*len = e->file ? e->file_len : 0;
	return e->file;
}
