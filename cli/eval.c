/* kws eval - how good a model is: on clips, and on continuous audio. */
#include "cli/cli.h"
#include "cli/detplot.h"
#include "cli/recordings.h"
#include "cli/out.h"
#include "cli/picture.h"
#include "corpus/bounds.h"
#include "cli/confusion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_FORMAT = 0x100, OPT_MANIFEST, OPT_TARGET, MOST_TARGETS = 8 };

typedef struct {
	kws_hear_args hear;
	enum kws_format format;
	const char *manifest, *picture;
	double target[MOST_TARGETS]; /* false alarms per hour */
	size_t n_targets;
	bool jobs_given;
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
			argp_error(state, "--picture: standard output has the results");
		a->picture = kws_picture_need(state, "--picture", arg);
		return 0;
	case OPT_TARGET:
		if (a->n_targets == MOST_TARGETS)
			argp_error(state, "--at: more than %d of them", MOST_TARGETS);
		a->target[a->n_targets++] = kws_args_need_real(state, "--at", arg, 0.0, 1e6);
		return 0;
	case ARGP_KEY_ARGS:
		a->hear.inputs = state->argv + state->next;
		a->hear.n_inputs = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!a->manifest && a->hear.n_inputs == 0)
			argp_error(state, "no file, folder or --manifest to listen to");
		if (a->manifest && (a->hear.n_inputs || a->picture || a->n_targets))
			argp_error(state, "--manifest measures clips: no other files, --picture or "
					  "--at beside it");
		if (a->manifest
		    && (a->hear.unlabelled_only || a->hear.smooth_ms >= 0
			|| a->hear.refractory_ms >= 0 || a->hear.tolerance != 0.75))
			argp_error(state, "--manifest measures clips, which have no use for "
					  "--tolerance, --unlabelled-only, --smooth, --refractory");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* Clips are measured by the command that classifies them. */
static int measure_clips(const args *a)
{
	char jobs[16], channel[16];
	const char *argv[] = { "kws eval", "--quiet", "--manifest", a->manifest,
			       "--jobs",   jobs,      "--format",   kws_out_format_name(a->format),
			       NULL,	   NULL,      NULL,	    NULL,
			       NULL };
	int argc = 8;
	snprintf(jobs, sizeof jobs, "%u", a->hear.jobs);
	if (a->hear.audio.model) {
		argv[argc++] = "--model";
		argv[argc++] = a->hear.audio.model;
	}
	if (a->hear.audio.channel) {
		snprintf(channel, sizeof channel, "%d", a->hear.audio.channel);
		argv[argc++] = "--channel";
		argv[argc++] = channel;
	}
	return kws_cmd_classify(argc, (char **)(uintptr_t)argv);
}

/* ---- what was measured ---- */

typedef struct {
	const char *what; /* what the thresholds were chosen for */
	double target;	  /* NAN: the model's own thresholds */
	float threshold;  /* of all words; NAN: each its own */
	kws_count *count; /* (n_words + 1,) */
	double *latency;  /* (n_latency,) sorted; of all words */
	size_t *word;	  /* (n_latency,) */
	size_t n_latency, cap;
} point;

typedef struct {
	const args *a;
	kws_heard heard;
	double hours;
	kws_count *curve; /* (KWS_DET_GRID, n_words + 1) */
	point point[MOST_TARGETS + 1];
	size_t n_points;
} task;

static const char *name_of(const task *t, size_t word)
{
	return word < t->heard.material.n_words ? kws_model_word(t->heard.model, word) : "all";
}

static bool is_shown(const task *t, size_t word)
{
	return word == t->heard.material.n_words || t->heard.material.command[word];
}

static void on_hit(void *ctx, size_t word, double latency)
{
	point *p = ctx;
	if (p->n_latency == p->cap)
		return;
	/* Kept sorted: there are as many as words were said, and they come nearly at random. */
	size_t at = p->n_latency++;
	for (; at > 0 && p->latency[at - 1] > latency; at--) {
		p->latency[at] = p->latency[at - 1];
		p->word[at] = p->word[at - 1];
	}
	p->latency[at] = latency;
	p->word[at] = word;
}

/* Measure with these thresholds (n_words,). */
static bool add_point(task *t, double target, const float *threshold, float common)
{
	const kws_material *m = &t->heard.material;
	point *p = &t->point[t->n_points++];
	*p = (point){ .target = target, .threshold = common, .cap = t->heard.n_said };
	p->count = calloc(m->n_words + 1, sizeof *p->count);
	p->latency = calloc(p->cap ? p->cap : 1, sizeof *p->latency);
	p->word = calloc(p->cap ? p->cap : 1, sizeof *p->word);
	return p->count && p->latency && p->word
	       && kws_det_count(m, threshold, p->count, on_hit, p) == KWS_OK;
}

static bool measure(task *t)
{
	static const double usual[] = { 0.5, 1.0 };
	const kws_material *m = &t->heard.material;
	size_t n = t->a->n_targets ? t->a->n_targets : 2;
	const double *target = t->a->n_targets ? t->a->target : usual;
	float *threshold = calloc(m->n_words, sizeof *threshold);
	t->hours = kws_det_hours(m);
	t->curve = calloc(KWS_DET_GRID * (m->n_words + 1), sizeof *t->curve);
	bool good = threshold && t->curve && kws_det_curve(m, t->curve) == KWS_OK;
	for (size_t w = 0; good && w < m->n_words; w++)
		threshold[w] = kws_model_threshold(t->heard.model, w);
	good = good && add_point(t, (double)NAN, threshold, NAN);
	for (size_t i = 0; good && i < n; i++) {
		size_t g = kws_det_operate(t->curve, m->n_words, m->n_words, target[i] * t->hours);
		if (g == KWS_DET_GRID) {
			t->point[t->n_points++] = (point){ .target = target[i] };
			continue;
		}
		for (size_t w = 0; w < m->n_words; w++)
			threshold[w] = kws_det_threshold(g);
		good = add_point(t, target[i], threshold, kws_det_threshold(g));
	}
	free(threshold);
	if (!good)
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	return good;
}

typedef struct {
	double miss, miss_lo, miss_hi; /* shares; NAN, 0, 1 when nothing was said */
	double rate, rate_lo, rate_hi; /* false alarms per hour; NAN when no hours were heard */
} rates;

static rates rates_of(const task *t, const kws_count *c)
{
	rates r = { (double)NAN, 0.0, 1.0, (double)NAN, (double)NAN, (double)NAN };
	if (c->said)
		r.miss = (double)(c->said - c->hits) / (double)c->said;
	kws_wilson_interval(c->said - c->hits, c->said, &r.miss_lo, &r.miss_hi);
	if (t->hours > 0.0) {
		r.rate = (double)c->false_alarms / t->hours;
		kws_poisson_interval(c->false_alarms, t->hours, &r.rate_lo, &r.rate_hi);
	}
	return r;
}

/* The q-quantile of the latencies of a word (n_words: of all), nearest rank. NAN: there is none. */
static double latency_of(const point *p, size_t word, size_t n_words, double q)
{
	size_t n = 0, rank;
	for (size_t i = 0; i < p->n_latency; i++)
		n += word == n_words || p->word[i] == word;
	if (n == 0)
		return (double)NAN;
	rank = (size_t)ceil(q * (double)n);
	for (size_t i = 0; i < p->n_latency; i++)
		if ((word == n_words || p->word[i] == word) && rank-- <= 1)
			return p->latency[i];
	return (double)NAN;
}

/* ---- text ---- */

static void print_row(const task *t, const point *p, size_t word)
{
	const kws_count *c = &p->count[word];
	size_t n_words = t->heard.material.n_words;
	rates r = rates_of(t, c);
	printf("%-10s %5zu %5zu", name_of(t, word), c->said, c->said - c->hits);
	if (c->said)
		printf(" %6.2f   %6.2f .. %6.2f", 100.0 * r.miss, 100.0 * r.miss_lo,
		       100.0 * r.miss_hi);
	else
		printf(" %6s   %16s", "-", "");
	if (t->hours > 0.0)
		printf("  %5zu %7.2f  %6.2f .. %7.2f", c->false_alarms, r.rate, r.rate_lo,
		       r.rate_hi);
	if (c->hits)
		printf("  %5.2f %5.2f %5.2f", latency_of(p, word, n_words, 0.5),
		       latency_of(p, word, n_words, 0.9), latency_of(p, word, n_words, 1.0));
	putchar('\n');
}

static void print_point(const task *t, const point *p)
{
	const kws_material *m = &t->heard.material;
	if (isnan(p->target))
		printf("\nwith the thresholds of the model\n");
	else if (!p->count) {
		printf("\nat %g false alarms an hour: no threshold up to 1 is so strict\n",
		       p->target);
		return;
	} else
		printf("\nat %g false alarms an hour or less over all words: threshold %g\n",
		       p->target, (double)p->threshold);
	printf("%-10s %5s %5s %6s   %16s", "word", "said", "miss", "%", "95 % interval");
	if (t->hours > 0.0)
		printf("  %5s %7s  %17s", "false", "per h", "95 % interval");
	printf("  %17s\n", "latency p50 p90 max s");
	for (size_t w = 0; w <= m->n_words; w++)
		if (is_shown(t, w))
			print_row(t, p, w);
	const kws_count *all = &p->count[m->n_words];
	printf("events that are no hits: %zu outside the time of any word, %zu in that of another "
	       "word, %zu a second time\n",
	       all->strays, all->confused, all->duplicates);
}

static void print_support(const task *t)
{
	double least = kws_poisson_supported(0, t->hours);
	printf("\nWhat the hours support: without a single false alarm in %.2f h, the rate is "
	       "below "
	       "%.2f per hour (95 %%, rule of three).\n",
	       t->hours, least);
	for (size_t i = 0; i < t->n_points; i++) {
		const point *p = &t->point[i];
		if (isnan(p->target) || !p->count)
			continue;
		size_t k = p->count[t->heard.material.n_words].false_alarms;
		double below = kws_poisson_supported(k, t->hours);
		printf("%zu in %.2f h support only: below %.2f per hour.%s", k, t->hours, below,
		       below <= p->target ? "\n" : "");
		if (below > p->target && p->target > 0.0)
			printf(" To support %g, %.1f h without one are needed.\n", p->target,
			       kws_poisson_upper(0, 0.05) / p->target);
		else if (below > p->target)
			putchar('\n');
	}
}

static void print_text(const task *t)
{
	const kws_heard *h = &t->heard;
	printf("%s: %zu words said in %zu recordings, %.2f h; nothing said in %zu recordings, %.2f "
	       "h\n",
	       kws_model_name(h->model), h->n_said, h->n_labelled, h->labelled_s / 3600.0,
	       h->material.n - h->n_labelled, h->unlabelled_s / 3600.0);
	printf("A word is heard when decided between its start and %g s after its end; every other "
	       "event is a false alarm%s.\n",
	       h->material.tolerance,
	       h->material.unlabelled_only ? ", counted where nothing is said only" : "");
	for (size_t i = 0; i < t->n_points; i++)
		print_point(t, &t->point[i]);
	if (t->hours > 0.0)
		print_support(t);
}

/* ---- programs ---- */

static void set_real(json_t *o, const char *key, double x)
{
	kws_out_set(o, key, kws_out_json_real(x));
}

static void set_size(json_t *o, const char *key, size_t n)
{
	kws_out_set(o, key, json_integer((json_int_t)n));
}

static void set_pair(json_t *o, const char *key, double lo, double hi)
{
	json_t *both = json_array();
	kws_out_append(both, kws_out_json_real(lo));
	kws_out_append(both, kws_out_json_real(hi));
	kws_out_set(o, key, both);
}

static json_t *count_json(const task *t, const kws_count *c)
{
	json_t *o = json_object();
	rates r = rates_of(t, c);
	set_size(o, "said", c->said);
	set_size(o, "hits", c->hits);
	set_real(o, "miss", r.miss);
	set_pair(o, "miss_ci", r.miss_lo, r.miss_hi);
	set_size(o, "false_alarms", c->false_alarms);
	set_real(o, "per_hour", r.rate);
	set_pair(o, "per_hour_ci", r.rate_lo, r.rate_hi);
	set_size(o, "duplicates", c->duplicates);
	set_size(o, "confused", c->confused);
	set_size(o, "strays", c->strays);
	return o;
}

static json_t *point_json(const task *t, const point *p)
{
	const kws_material *m = &t->heard.material;
	json_t *o = json_object(), *words = json_object();
	set_real(o, "target_per_hour", p->target);
	set_real(o, "threshold", p->count ? (double)p->threshold : (double)NAN);
	for (size_t w = 0; p->count && w <= m->n_words; w++) {
		if (!is_shown(t, w))
			continue;
		json_t *one = count_json(t, &p->count[w]);
		set_real(one, "latency_p50", latency_of(p, w, m->n_words, 0.5));
		set_real(one, "latency_p90", latency_of(p, w, m->n_words, 0.9));
		set_real(one, "latency_max", latency_of(p, w, m->n_words, 1.0));
		kws_out_set(words, name_of(t, w), one);
	}
	if (p->count && t->hours > 0.0)
		set_real(o, "supported_per_hour",
			 kws_poisson_supported(p->count[m->n_words].false_alarms, t->hours));
	kws_out_set(o, "words", words);
	return o;
}

static void print_jsonl(const task *t)
{
	const kws_heard *h = &t->heard;
	const kws_material *m = &h->material;
	for (size_t g = 0; g < KWS_DET_GRID; g++)
		for (size_t w = 0; w <= m->n_words; w++) {
			if (!is_shown(t, w))
				continue;
			json_t *o = json_object();
			kws_out_set(o, "word", kws_out_json_text(name_of(t, w)));
			set_real(o, "threshold", (double)kws_det_threshold(g));
			json_t *c = count_json(t, &t->curve[g * (m->n_words + 1) + w]);
			if (json_object_update(o, c) != 0)
				kws_out_no_memory();
			json_decref(c);
			kws_out_json_line(o);
		}
	json_t *o = json_object(), *sum = json_object(), *points = json_array();
	for (size_t i = 0; i < t->n_points; i++)
		kws_out_append(points, point_json(t, &t->point[i]));
	set_size(sum, "recordings_labelled", h->n_labelled);
	set_size(sum, "recordings_unlabelled", m->n - h->n_labelled);
	set_real(sum, "hours_labelled", h->labelled_s / 3600.0);
	set_real(sum, "hours_unlabelled", h->unlabelled_s / 3600.0);
	set_real(sum, "hours_for_false_alarms", t->hours);
	set_size(sum, "failed", h->failed);
	set_size(sum, "words_respelt", h->vocabulary.n_respelt);
	set_size(sum, "words_not_in_model", h->vocabulary.n_others);
	set_real(sum, "tolerance_s", m->tolerance);
	set_size(sum, "smooth_ms", m->smooth_ms);
	set_size(sum, "refractory_ms", m->refractory_ms);
	kws_out_set(sum, "points", points);
	kws_out_set(sum, "model", kws_out_json_text(kws_model_name(h->model)));
	kws_out_set(sum, "model_sha256", kws_out_json_text(kws_model_hash(h->model)));
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
			const kws_count *c = &t->curve[g * (m->n_words + 1) + w];
			rates r = rates_of(t, c);
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

static int run_task(task *t)
{
	int status = kws_hear(&t->heard, &t->a->hear);
	if (status != KWS_EXIT_OK)
		return status;
	if (!measure(t))
		return KWS_EXIT_INPUT;
	if (t->a->format == KWS_FORMAT_TEXT)
		print_text(t);
	if (t->a->format == KWS_FORMAT_JSONL)
		print_jsonl(t);
	if (t->a->format == KWS_FORMAT_CSV)
		print_csv(t);
	if (t->a->picture && !kws_detplot(t->a->picture, &t->heard, t->curve))
		return KWS_EXIT_INPUT;
	return t->heard.failed ? KWS_EXIT_INPUT : KWS_EXIT_OK;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE|DIR]...",
	.doc = "Measure misses against false alarms on recordings. What is said in a.flac is read "
	       "from a.tsv (start, end, word); where there is no such file, nothing is said.",
	.children = kws_hear_child,
};

int kws_cmd_eval(int argc, char **argv)
{
	args a = { 0 };
	kws_args_parse(&argp, argc, argv, &a);
	if (a.manifest)
		return measure_clips(&a);

	task t = { .a = &a };
	int status = run_task(&t);
	for (size_t i = 0; i < t.n_points; i++) {
		free(t.point[i].count);
		free(t.point[i].latency);
		free(t.point[i].word);
	}
	free(t.curve);
	kws_heard_free(&t.heard);
	return status;
}
