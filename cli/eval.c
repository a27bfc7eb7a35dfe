/* kws eval - measures a model on clips or on continuous audio. */
#include "cli/accuracy.h"
#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/detplot.h"
#include "cli/measure.h"
#include "cli/out.h"
#include "cli/picture.h"
#include "corpus/bounds.h"
#include "corpus/evaluation.h"

#include <math.h>
#include <string.h>

enum { OPT_FORMAT = 0x100, OPT_MANIFEST, OPT_TARGET };

typedef struct {
	kws_measure_args hear;
	enum kws_format format;
	const char *manifest, *picture;
	double target[KWS_EVALUATION_TARGETS]; /* false alarms per hour */
	size_t n_targets;
} args;

static const struct argp_option options[] = {
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default), jsonl or csv", 0 },
	{ "manifest", OPT_MANIFEST, "LIST", 0,
	  "Accuracy and confusion on the clips of a list: the same as kws classify -q --manifest",
	  0 },
	{ "picture", 'p', "FILE", 0,
	  "Draw misses against false alarms, and scores: .svg, .png or .pdf", 0 },
	{ "at", OPT_TARGET, "X", 0,
	  "Show the threshold for X false alarms an hour, may be repeated (default 0.5 and 1)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &a->hear; return 0;
	case OPT_FORMAT:
		a->format = kws_args_need_format(state, arg,
						 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL
							 | 1u << KWS_FORMAT_CSV);
		return 0;
	case OPT_MANIFEST: a->manifest = arg; return 0;
	case 'p':
		if (strcmp(arg, "-") == 0)
			argp_error(state, "--picture: standard output is for the results");
		a->picture = kws_picture_need(state, "--picture", arg);
		return 0;
	case OPT_TARGET:
		if (a->n_targets == KWS_EVALUATION_TARGETS)
			argp_error(state, "--at: more than %d times", KWS_EVALUATION_TARGETS);
		a->target[a->n_targets++] = kws_args_need_real(state, "--at", arg, 0.0, 1e6);
		return 0;
	case ARGP_KEY_END:
		if (!a->manifest && !kws_inputs_given(&a->hear.inputs))
			argp_error(state, "name a file, a folder, --files-from or --manifest");
		if (a->manifest
		    && (kws_inputs_given(&a->hear.inputs) || a->picture || a->n_targets))
			argp_error(state, "--manifest measures clips: it takes no other files, "
					  "--picture or --at");
		if (a->manifest
		    && (a->hear.unlabelled_only || a->hear.smooth_ms >= 0
			|| a->hear.refractory_ms >= 0 || a->hear.tolerance != 0.75))
			argp_error(state, "--manifest measures clips: it takes no --tolerance, "
					  "--unlabelled-only, --smooth or --refractory");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* What to print and draw. */
typedef struct {
	const args *a;
	kws_recordings heard;
	kws_evaluation e;
} task;

static const char *name_of(const task *t, size_t word)
{
	return word < t->heard.material.n_words ? kws_model_word(t->heard.model, word) : "all";
}

static bool is_shown(const task *t, size_t word)
{
	return word == t->heard.material.n_words || t->heard.material.command[word];
}

/* ---- for people ---- */

static void print_row(const task *t, const kws_evaluation_point *p, size_t word)
{
	const kws_count *c = &p->count[word];
	size_t n_words = t->heard.material.n_words;
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

static void print_point(const task *t, const kws_evaluation_point *p)
{
	const kws_material *m = &t->heard.material;
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

static void print_support(const task *t)
{
	double least = kws_poisson_supported(0, t->e.hours);
	printf("\nWhat the hours support: with no false alarm in %.2f h, the rate is below %.2f "
	       "per hour (95 %%, rule of three).\n",
	       t->e.hours, least);
	for (size_t i = 0; i < t->e.n_points; i++) {
		const kws_evaluation_point *p = &t->e.point[i];
		if (isnan(p->target) || !p->count)
			continue;
		size_t k = p->count[t->heard.material.n_words].false_alarms;
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

static void print_text(const task *t)
{
	const kws_recordings *h = &t->heard;
	printf("%s: %zu words said in %zu recordings, %.2f h; nothing said in %zu recordings, %.2f "
	       "h\n",
	       kws_model_name(h->model), h->n_said, h->n_labelled, h->labelled_s / 3600.0,
	       h->material.n - h->n_labelled, h->unlabelled_s / 3600.0);
	printf("A word counts as heard if it is decided between its start and %g s after its end. "
	       "Every other event is a false alarm%s.\n",
	       h->material.tolerance,
	       h->material.unlabelled_only ? ", counted only where nothing is said" : "");
	for (size_t i = 0; i < t->e.n_points; i++)
		print_point(t, &t->e.point[i]);
	if (t->e.hours > 0.0)
		print_support(t);
}

/* ---- for programs ---- */

static json_t *count_json(const task *t, const kws_count *c)
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

static json_t *point_json(const task *t, const kws_evaluation_point *p)
{
	const kws_material *m = &t->heard.material;
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

static void print_jsonl(const task *t)
{
	const kws_recordings *h = &t->heard;
	const kws_material *m = &h->material;
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
	kws_out_set_size(sum, "recordings_labelled", h->n_labelled);
	kws_out_set_size(sum, "recordings_unlabelled", m->n - h->n_labelled);
	kws_out_set_real(sum, "hours_labelled", h->labelled_s / 3600.0);
	kws_out_set_real(sum, "hours_unlabelled", h->unlabelled_s / 3600.0);
	kws_out_set_real(sum, "hours_for_false_alarms", t->e.hours);
	kws_out_set_size(sum, "failed", h->failed);
	kws_out_set_size(sum, "words_respelt", h->vocabulary.n_respelt);
	kws_out_set_size(sum, "words_not_in_model", h->vocabulary.n_others);
	kws_out_set_real(sum, "tolerance_s", m->tolerance);
	kws_out_set_size(sum, "smooth_ms", m->smooth_ms);
	kws_out_set_size(sum, "refractory_ms", m->refractory_ms);
	kws_out_set(sum, "points", points);
	kws_out_set_text(sum, "model", kws_model_name(h->model));
	kws_out_set_text(sum, "model_sha256", kws_model_hash(h->model));
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

static void print_csv(const task *t)
{
	const kws_material *m = &t->heard.material;
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

static int report(const task *t)
{
	if (t->a->format == KWS_FORMAT_TEXT)
		print_text(t);
	if (t->a->format == KWS_FORMAT_JSONL)
		print_jsonl(t);
	if (t->a->format == KWS_FORMAT_CSV)
		print_csv(t);
	if (t->a->picture && !kws_detplot(t->a->picture, &t->e))
		return KWS_EXIT_INPUT;
	return t->heard.failed || t->heard.incomplete ? KWS_EXIT_INPUT : KWS_EXIT_OK;
}

static int measure(task *t, const kws_model *m)
{
	static const double usual[] = { 0.5, 1.0 };
	const args *a = t->a;
	int status = kws_measure_hear(&t->heard, m, &a->hear);
	if (status == KWS_EXIT_OK
	    && kws_evaluate(&t->e, &t->heard, a->n_targets ? a->target : usual,
			    a->n_targets ? a->n_targets : 2)
		       != KWS_OK) {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
		status = KWS_EXIT_INPUT;
	}
	return status == KWS_EXIT_OK ? report(t) : status;
}

static int measure_clips(const args *a, const kws_model *m)
{
	const kws_batch_config config = { .audio = &a->hear.audio,
					  .inputs = &a->hear.inputs,
					  .manifest = a->manifest };
	kws_batch b;
	int status = kws_batch_open(&b, m, &config);
	if (status == KWS_EXIT_OK)
		status = kws_batch_run(&b, NULL, NULL);
	if (status == KWS_EXIT_OK) {
		kws_accuracy_print(&b, a->format, stdout);
		status = b.failed ? KWS_EXIT_INPUT : KWS_EXIT_OK;
	}
	kws_batch_free(&b);
	return status;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE|DIR]...",
	.doc = "Measure misses against false alarms on recordings. a.tsv (start, end, word) says "
	       "which words are in a.flac; without it, there are none.",
	.children = kws_measure_child,
};

int kws_cmd_eval(int argc, char **argv)
{
	args a = { 0 };
	kws_args_parse(&argp, argc, argv, &a);
	kws_model *m = kws_args_open_model(a.hear.audio.model);
	if (!m)
		return KWS_EXIT_MODEL;
	task t = { .a = &a };
	const int status = a.manifest ? measure_clips(&a, m) : measure(&t, m);
	kws_evaluation_free(&t.e);
	kws_recordings_free(&t.heard);
	kws_model_close(m);
	return status;
}
