#include "cli/evaluated.h"

#include "cli/cli.h"
#include "cli/detplot.h"
#include "cli/measure.h"
#include "corpus/bounds.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
	kws_evaluation e;
	size_t failed; /* recordings */
} printed;

static double hours_of(const printed *t, uint64_t samples)
{
	return (double)samples / t->e.terms->rate_hz / 3600.0;
}

static const char *name_of(const printed *t, size_t word)
{
	return word < t->e.terms->n_words ? kws_model_word(t->e.model, word) : "all";
}

static bool is_shown(const printed *t, size_t word)
{
	return word == t->e.terms->n_words || t->e.terms->command[word];
}

/* ---- for people ---- */

static void print_row(const printed *t, const kws_evaluation_point *p, size_t word)
{
	const kws_count *c = &p->count[word];
	size_t n_words = t->e.terms->n_words;
	const kws_rates r = kws_rates_of(c, t->e.hours);
	printf("%-10s %5zu %5zu", name_of(t, word), c->said, c->said - c->hits);
	if (c->said)
		printf(" %6.2f   %6.2f .. %6.2f", 100.0 * r.miss, 100.0 * r.miss_lo,
		       100.0 * r.miss_hi);
	else
		printf(" %6s   %16s", "-", "");
	if (t->e.hours > 0.0)
		printf("  %5zu %7.2f  %6.2f .. %7.2f", c->false_alarms, r.rate, r.rate_lo,
		       r.rate_hi);
	if (c->hits)
		printf("  %5.2f %5.2f %5.2f", kws_evaluation_latency(p, word, n_words, 0.5),
		       kws_evaluation_latency(p, word, n_words, 0.9),
		       kws_evaluation_latency(p, word, n_words, 1.0));
	putchar('\n');
}

static void print_point(const printed *t, const kws_evaluation_point *p)
{
	const kws_material *m = t->e.terms;
	if (isnan(p->target))
		printf("\nwith the thresholds of the model\n");
	else if (!p->count) {
		printf("\nat %g false alarms an hour: no threshold up to 1 is strict enough\n",
		       p->target);
		return;
	} else
		printf("\nat %g false alarms an hour or less over all words: threshold %g\n",
		       p->target, (double)p->threshold);
	printf("%-10s %5s %5s %6s   %16s", "word", "said", "miss", "%", "95 % interval");
	if (t->e.hours > 0.0)
		printf("  %5s %7s  %17s", "false", "per h", "95 % interval");
	printf("  %17s\n", "latency p50 p90 max s");
	for (size_t w = 0; w <= m->n_words; w++)
		if (is_shown(t, w))
			print_row(t, p, w);
	const kws_count *all = &p->count[m->n_words];
	printf("false events: %zu outside all words, %zu during another word, %zu repeats\n",
	       all->strays, all->confused, all->duplicates);
}

static void print_support(const printed *t)
{
	double least = kws_poisson_supported(0, t->e.hours);
	printf("\nWhat the hours support: with no false alarm in %.2f h, the rate is below %.2f "
	       "per hour (95 %%, rule of three).\n",
	       t->e.hours, least);
	for (size_t i = 0; i < t->e.n_points; i++) {
		const kws_evaluation_point *p = &t->e.point[i];
		if (isnan(p->target) || !p->count)
			continue;
		size_t k = p->count[t->e.terms->n_words].false_alarms;
		double below = kws_poisson_supported(k, t->e.hours);
		printf("%zu in %.2f h support only a rate below %.2f per hour.%s", k, t->e.hours,
		       below, below <= p->target ? "\n" : "");
		if (below > p->target && p->target > 0.0)
			printf(" To support %g, %.1f h without a false alarm are needed.\n",
			       p->target, kws_poisson_upper(0, 0.05) / p->target);
		else if (below > p->target)
			putchar('\n');
	}
}

static void print_text(const printed *t)
{
	const kws_measured *y = t->e.measured;
	printf("%s: %zu words said in %zu recordings, %.2f h; nothing said in %zu recordings, %.2f "
	       "h\n",
	       kws_model_name(t->e.model), y->count[y->n_words].said, y->n_labelled,
	       hours_of(t, y->labelled), y->n_unlabelled, hours_of(t, y->unlabelled));
	printf("A word counts as heard if it is decided between its start and %g s after its end. "
	       "Every other event is a false alarm%s.\n",
	       t->e.terms->tolerance,
	       t->e.terms->unlabelled_only ? ", counted only where nothing is said" : "");
	if (t->e.terms->hours > 0.0)
		printf("The recordings are clips from %g h, and rates are for these.\n",
		       t->e.terms->hours);
	for (size_t i = 0; i < t->e.n_points; i++)
		print_point(t, &t->e.point[i]);
	if (t->e.hours > 0.0)
		print_support(t);
}

/* ---- for programs ---- */

static json_t *count_json(const printed *t, const kws_count *c)
{
	json_t *o = json_object();
	const kws_rates r = kws_rates_of(c, t->e.hours);
	kws_out_set_size(o, "said", c->said);
	kws_out_set_size(o, "hits", c->hits);
	kws_out_set_real(o, "miss", r.miss);
	kws_out_set_pair(o, "miss_ci", r.miss_lo, r.miss_hi);
	kws_out_set_size(o, "false_alarms", c->false_alarms);
	kws_out_set_real(o, "per_hour", r.rate);
	kws_out_set_pair(o, "per_hour_ci", r.rate_lo, r.rate_hi);
	kws_out_set_size(o, "duplicates", c->duplicates);
	kws_out_set_size(o, "confused", c->confused);
	kws_out_set_size(o, "strays", c->strays);
	return o;
}

static json_t *point_json(const printed *t, const kws_evaluation_point *p)
{
	const kws_material *m = t->e.terms;
	json_t *o = json_object(), *words = json_object();
	kws_out_set_real(o, "target_per_hour", p->target);
	kws_out_set_real(o, "threshold", p->count ? (double)p->threshold : (double)NAN);
	for (size_t w = 0; p->count && w <= m->n_words; w++) {
		if (!is_shown(t, w))
			continue;
		json_t *one = count_json(t, &p->count[w]);
		kws_out_set_real(one, "latency_p50", kws_evaluation_latency(p, w, m->n_words, 0.5));
		kws_out_set_real(one, "latency_p90", kws_evaluation_latency(p, w, m->n_words, 0.9));
		kws_out_set_real(one, "latency_max", kws_evaluation_latency(p, w, m->n_words, 1.0));
		kws_out_set(words, name_of(t, w), one);
	}
	if (p->count && t->e.hours > 0.0)
		kws_out_set_real(
			o, "supported_per_hour",
			kws_poisson_supported(p->count[m->n_words].false_alarms, t->e.hours));
	kws_out_set(o, "words", words);
	return o;
}

static void print_jsonl(const printed *t)
{
	const kws_measured *y = t->e.measured;
	const kws_material *m = t->e.terms;
	for (size_t g = 0; g < KWS_DET_GRID; g++)
		for (size_t w = 0; w <= m->n_words; w++) {
			if (!is_shown(t, w))
				continue;
			json_t *o = json_object();
			kws_out_set_text(o, "word", name_of(t, w));
			kws_out_set_real(o, "threshold", (double)kws_det_threshold(g));
			json_t *c = count_json(t, &t->e.curve[g * (m->n_words + 1) + w]);
			if (json_object_update(o, c) != 0)
				kws_out_no_memory();
			json_decref(c);
			kws_out_json_line(o);
		}
	json_t *o = json_object(), *sum = json_object(), *points = json_array();
	for (size_t i = 0; i < t->e.n_points; i++)
		kws_out_append(points, point_json(t, &t->e.point[i]));
	kws_out_set_size(sum, "recordings_labelled", y->n_labelled);
	kws_out_set_size(sum, "recordings_unlabelled", y->n_unlabelled);
	kws_out_set_real(sum, "hours_labelled", hours_of(t, y->labelled));
	kws_out_set_real(sum, "hours_unlabelled", hours_of(t, y->unlabelled));
	kws_out_set_real(sum, "hours_for_false_alarms", t->e.hours);
	kws_out_set_size(sum, "failed", t->failed);
	kws_out_set_size(sum, "words_respelt", y->n_respelt);
	kws_out_set_size(sum, "words_not_in_model", y->n_others);
	kws_out_set_real(sum, "tolerance_s", m->tolerance);
	kws_out_set_size(sum, "smooth_ms", m->smooth_ms);
	kws_out_set_size(sum, "refractory_ms", m->refractory_ms);
	kws_out_set_size(sum, "wait_ms", m->wait_ms);
	kws_out_set(sum, "points", points);
	kws_out_set_text(sum, "model", kws_model_name(t->e.model));
	kws_out_set_text(sum, "model_sha256", kws_model_hash(t->e.model));
	kws_out_set(o, "summary", sum);
	kws_out_json_line(o);
}

static void csv_real(double x)
{
	if (isfinite(x))
		printf(",%.6f", x);
	else
		putchar(',');
}

static void print_csv(const printed *t)
{
	const kws_material *m = t->e.terms;
	puts("word,threshold,said,hits,miss,miss_lo,miss_hi,false_alarms,per_hour,per_hour_lo,"
	     "per_hour_hi,duplicates,confused,strays");
	for (size_t g = 0; g < KWS_DET_GRID; g++)
		for (size_t w = 0; w <= m->n_words; w++) {
			const kws_count *c = &t->e.curve[g * (m->n_words + 1) + w];
			const kws_rates r = kws_rates_of(c, t->e.hours);
			if (!is_shown(t, w))
				continue;
			kws_out_csv(stdout, name_of(t, w));
			printf(",%.4f,%zu,%zu", (double)kws_det_threshold(g), c->said, c->hits);
			csv_real(r.miss);
			csv_real(r.miss_lo);
			csv_real(r.miss_hi);
			printf(",%zu", c->false_alarms);
			csv_real(r.rate);
			csv_real(r.rate_lo);
			csv_real(r.rate_hi);
			printf(",%zu,%zu,%zu\n", c->duplicates, c->confused, c->strays);
		}
}

/* ---- all of it ---- */

static bool no_memory(void)
{
	kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	return false;
}

bool kws_evaluated_open(kws_evaluated *e, const kws_model *model, const kws_hear_config *config)
{
	const size_t n_words = kws_model_n_words(model);
	*e = (kws_evaluated){ .model = model };
	e->command = calloc(n_words, sizeof *e->command);
	e->own = calloc(n_words, sizeof *e->own);
	if (!e->command || !e->own || kws_measured_init(&e->sum, n_words) != KWS_OK)
		return no_memory();
	kws_hear_terms(&e->terms, e->command, model, config);
	for (size_t w = 0; w < n_words; w++)
		e->own[w] = kws_model_threshold(model, w);
	return true;
}

void kws_evaluated_free(kws_evaluated *e)
{
	kws_measured_free(&e->sum);
	free(e->command);
	free(e->own);
	*e = (kws_evaluated){ 0 };
}

void kws_evaluated_options(const kws_evaluated *e, json_t *head)
{
	kws_out_set_text(head, "model", kws_model_name(e->model));
	kws_out_set_text(head, "model_sha256", kws_model_hash(e->model));
	kws_out_set(head, "tolerance_s", json_real(e->terms.tolerance));
	kws_out_set(head, "unlabelled_only", json_boolean(e->terms.unlabelled_only));
	if (e->terms.hours > 0.0)
		kws_out_set(head, "hours", json_real(e->terms.hours));
	kws_out_set_size(head, "smooth_ms", e->terms.smooth_ms);
	kws_out_set_size(head, "refractory_ms", e->terms.refractory_ms);
}

bool kws_evaluated_open_as(kws_evaluated *e, const kws_model *model, const json_t *head)
{
	const kws_hear_config config = {
		.tolerance = json_number_value(json_object_get(head, "tolerance_s")),
		.unlabelled_only = json_is_true(json_object_get(head, "unlabelled_only")),
		.hours = json_number_value(json_object_get(head, "hours")),
		.smooth_ms = (int)json_integer_value(json_object_get(head, "smooth_ms")),
		.refractory_ms = (int)json_integer_value(json_object_get(head, "refractory_ms")),
	};
	return kws_evaluated_open(e, model, &config);
}

bool kws_evaluated_add(kws_evaluated *e, const kws_measured *measured)
{
	if (!measured)
		e->failed++;
	return !measured || kws_measured_add(&e->sum, measured) == KWS_OK || no_memory();
}

int kws_evaluated_print(const kws_evaluated *e, const kws_evaluated_style *style)
{
	static const double usual[] = { 0.5, 1.0 };
	printed t = { .failed = e->failed };
	int status = KWS_EXIT_INPUT;
	if (e->sum.n_labelled + e->sum.n_unlabelled == 0) {
		kws_out_complain("none of the recordings could be read");
		return status;
	}
	if (!kws_measure_fits(e->terms.hours, kws_measured_heard(&e->sum, &e->terms)))
		return KWS_EXIT_USAGE;
	if (kws_evaluate(&t.e, e->model, &e->terms, &e->sum,
			 style->n_targets ? style->target : usual,
			 style->n_targets ? style->n_targets : 2)
	    == KWS_OK) {
		(style->format == KWS_FORMAT_JSONL ? print_jsonl
		 : style->format == KWS_FORMAT_CSV ? print_csv
						   : print_text)(&t);
		if (!style->picture || kws_detplot(style->picture, &t.e))
			status = KWS_EXIT_OK;
	} else {
		no_memory();
	}
	kws_evaluation_free(&t.e);
	return status;
}
