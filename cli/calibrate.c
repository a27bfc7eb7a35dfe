/* kws calibrate - the threshold of each word for a wanted rate of false alarms. */
#include "cli/cli.h"
#include "cli/recordings.h"
#include "cli/out.h"
#include "corpus/bounds.h"
#include "cli/model_copy.h"
#include "cli/confusion.h"
#include "find_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_FORMAT = 0x100, OPT_TARGET, OPT_PER_WORD, OPT_LOWEST, OPT_ALLOW, OPT_WRITE };

typedef struct {
	kws_hear_args hear;
	enum kws_format format;
	double target, lowest;
	bool per_word, allow;
	const char *write;
} args;

static const struct argp_option options[] = {
	{ "target", OPT_TARGET, "X", 0,
	  "False alarms an hour that are wanted at most, over all words together (default 0.5)",
	  0 },
	{ "per-word", OPT_PER_WORD, NULL, 0, "The target is for each word", 0 },
	{ "lowest", OPT_LOWEST, "T", 0,
	  "No threshold below this, however few false alarms were heard (default 0.3)", 0 },
	{ "allow-unsupported", OPT_ALLOW, NULL, 0,
	  "Go on when the hours heard cannot support the target", 0 },
	{ "write-model", OPT_WRITE, "OUT", 0, "Write a copy of the model with these thresholds",
	  0 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "text (default): a piece of kwsd.conf; jsonl", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	args *a = state->input;
	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &a->hear; return 0;
	case OPT_TARGET: a->target = kws_args_need_real(state, "--target", arg, 0.0, 1e6); return 0;
	case OPT_LOWEST: a->lowest = kws_args_need_real(state, "--lowest", arg, 0.0, 1.0); return 0;
	case OPT_PER_WORD: a->per_word = true; return 0;
	case OPT_ALLOW: a->allow = true; return 0;
	case OPT_WRITE: a->write = arg; return 0;
	case OPT_FORMAT:
		a->format = kws_args_need_format(state, arg,
						 1u << KWS_FORMAT_TEXT | 1u << KWS_FORMAT_JSONL);
		return 0;
	case ARGP_KEY_ARGS:
		a->hear.inputs = state->argv + state->next;
		a->hear.n_inputs = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (a->hear.n_inputs == 0)
			argp_error(state, "no file or folder to listen to");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* The thresholds of one word that are worth a thought, rising in false alarms and hits. */
typedef struct {
	size_t front[KWS_DET_GRID]; /* places in the grid */
	size_t n, at;		    /* at: the one that is chosen now */
} choice;

typedef struct {
	const args *a;
	kws_heard heard;
	double hours;
	kws_count *curve; /* (KWS_DET_GRID, n_words + 1) */
	choice *choice;	  /* (n_words,) */
	float *threshold; /* (n_words,) the result */
	kws_count *count; /* (n_words + 1,) with it */
	size_t budget;	  /* false alarms: of all words, or of each with --per-word */
} task;

static const kws_count *at(const task *t, size_t g, size_t word)
{
	return &t->curve[g * (t->heard.material.n_words + 1) + word];
}

/* A word that was not said says nothing about its threshold: it keeps the model's. */
static bool is_chosen(const task *t, size_t word)
{
	return t->heard.material.command[word] && at(t, 0, word)->said > 0;
}

/* ---- what the hours allow ---- */

/* The most false alarms that still support the target with 95 % confidence. */
static int find_budget(task *t)
{
	const args *a = t->a;
	double least = kws_poisson_supported(0, t->hours);
	if (t->heard.n_said == 0) {
		kws_out_complain("no word is said in these recordings: truth files (a.tsv beside "
				 "a.flac) say where");
		return KWS_EXIT_UNSUPPORTED;
	}
	if (!(least <= a->target) && !a->allow) {
		kws_out_complain(
			"these recordings cannot support %g false alarms an hour: even "
			"without a single one, %.2f h support only less than %.2f (95 %%). "
			"%.1f h are needed, or --allow-unsupported",
			a->target, t->hours, least, kws_poisson_upper(0, 0.05) / a->target);
		return KWS_EXIT_UNSUPPORTED;
	}
	if (a->allow) {
		t->budget = (size_t)floor(fmin(a->target * t->hours, 1e9));
		return KWS_EXIT_OK;
	}
	while (kws_poisson_supported(t->budget + 1, t->hours) <= a->target)
		t->budget++;
	return KWS_EXIT_OK;
}

/* ---- choosing ---- */

static const kws_count *chosen(const task *t, size_t word)
{
	const choice *c = &t->choice[word];
	return at(t, c->front[c->at], word);
}

/* Each word at its strictest point; when each has a budget of its own, at the last within it. */
static void begin(task *t)
{
	const kws_material *m = &t->heard.material;
	for (size_t w = 0; w < m->n_words; w++) {
		choice *c = &t->choice[w];
		c->n = kws_det_front(t->curve, m->n_words, w, c->front);
		while (t->a->per_word && c->at + 1 < c->n
		       && at(t, c->front[c->at + 1], w)->false_alarms <= t->budget)
			c->at++;
	}
}

static size_t spent(const task *t)
{
	size_t sum = 0;
	for (size_t w = 0; w < t->heard.material.n_words; w++)
		sum += is_chosen(t, w) ? chosen(t, w)->false_alarms : 0;
	return sum;
}

/* Spend what is left of the budget where a false alarm buys the most hits. false: nothing can be
 * bought any more. */
static bool buy(task *t)
{
	size_t n_words = t->heard.material.n_words, word = n_words, to = 0;
	size_t left = t->budget - spent(t);
	double best = 0.0;
	for (size_t w = 0; w < n_words; w++) {
		if (!is_chosen(t, w))
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

/* A word keeps its hits and its false alarms down to some lower threshold: the middle of that range
 * is as far from the next false alarm as from the next miss. */
static float settle(const task *t, size_t word)
{
	const choice *c = &t->choice[word];
	const kws_count *here = chosen(t, word);
	size_t high = c->front[c->at], low = high;
	while (low > 0 && at(t, low - 1, word)->hits == here->hits
	       && at(t, low - 1, word)->false_alarms == here->false_alarms)
		low--;
	return fmaxf(kws_det_threshold(low + (high - low + 1) / 2), (float)t->a->lowest);
}

static enum kws_status count(task *t)
{
	return kws_det_count(&t->heard.material, t->threshold, t->count, NULL, NULL);
}

/* Whether the real decision, with all the thresholds in place, keeps to the budget. */
static bool keeps(const task *t)
{
	size_t n_words = t->heard.material.n_words;
	for (size_t w = 0; t->a->per_word && w < n_words; w++)
		if (is_chosen(t, w) && t->count[w].false_alarms > t->budget)
			return false;
	return t->a->per_word || t->count[n_words].false_alarms <= t->budget;
}

/* A step up for the words with the most false alarms. false: none can go higher. */
static bool raise_worst(task *t)
{
	size_t n_words = t->heard.material.n_words, worst = n_words, g = 0;
	for (size_t w = 0; w < n_words; w++)
		if (t->heard.material.command[w] && t->threshold[w] < 1.0f
		    && (worst == n_words
			|| t->count[w].false_alarms > t->count[worst].false_alarms))
			worst = w;
	if (worst == n_words)
		return false;
	while (kws_det_threshold(g) <= t->threshold[worst])
		g++;
	t->threshold[worst] = kws_det_threshold(g);
	return true;
}

static int choose(task *t)
{
	const kws_material *m = &t->heard.material;
	begin(t);
	while (!t->a->per_word && spent(t) < t->budget && buy(t))
		;
	for (size_t w = 0; w < m->n_words; w++)
		t->threshold[w] =
			is_chosen(t, w) ? settle(t, w) : kws_model_threshold(t->heard.model, w);
	/* Words compete: with unlike thresholds, a few events fall otherwise than with like ones. */
	for (;;) {
		if (count(t) != KWS_OK) {
			kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
			return KWS_EXIT_INPUT;
		}
		if (keeps(t))
			return KWS_EXIT_OK;
		if (!raise_worst(t)) {
			kws_out_complain("not even thresholds of 1 keep to %g false alarms an hour",
					 t->a->target);
			return KWS_EXIT_UNSUPPORTED;
		}
	}
}

/* ---- saying ---- */

static bool is_supported(const task *t)
{
	size_t n_words = t->heard.material.n_words;
	bool good = true;
	for (size_t w = 0; w < n_words && t->a->per_word; w++)
		if (is_chosen(t, w))
			good = good
			       && kws_poisson_supported(t->count[w].false_alarms, t->hours)
					  <= t->a->target;
	return t->a->per_word ? good
			      : kws_poisson_supported(t->count[n_words].false_alarms, t->hours)
					<= t->a->target;
}

static void print_row(const task *t, const char *name, const kws_count *c)
{
	double lo, hi, rate_lo, rate_hi;
	kws_wilson_interval(c->said - c->hits, c->said, &lo, &hi);
	kws_poisson_interval(c->false_alarms, t->hours, &rate_lo, &rate_hi);
	printf("# %-10s %5zu %5zu", name, c->said, c->said - c->hits);
	if (c->said)
		printf(" %6.2f   %6.2f .. %6.2f",
		       100.0 * (double)(c->said - c->hits) / (double)c->said, 100.0 * lo,
		       100.0 * hi);
	else
		printf(" %6s   %16s", "-", "");
	printf("  %5zu %7.2f  %6.2f .. %7.2f\n", c->false_alarms,
	       (double)c->false_alarms / t->hours, rate_lo, rate_hi);
}

static void print_text(const task *t)
{
	const kws_material *m = &t->heard.material;
	const kws_count *all = &t->count[m->n_words];
	printf("# kws calibrate: for %g false alarms an hour %s; %s, SHA-256 %.16s\n", t->a->target,
	       t->a->per_word ? "for each word" : "over all words", kws_model_name(t->heard.model),
	       kws_model_hash(t->heard.model));
	printf("# %zu false alarms in %.2f h support: below %.2f per hour (95 %%)%s\n",
	       all->false_alarms, t->hours, kws_poisson_supported(all->false_alarms, t->hours),
	       is_supported(t) ? "" : "; NOT SUPPORTED is what was asked for");
	printf("# Chosen and measured on the same recordings: others will show somewhat more.\n");
	printf("# %-10s %5s %5s %6s   %16s  %5s %7s  %17s\n", "word", "said", "miss", "%",
	       "95 % interval", "false", "per h", "95 % interval");
	for (size_t w = 0; w < m->n_words; w++)
		if (m->command[w])
			print_row(t, kws_model_word(t->heard.model, w), &t->count[w]);
	print_row(t, "all", all);
	if (t->a->hear.smooth_ms >= 0 || t->a->hear.refractory_ms >= 0)
		printf("\n[decision]\nsmooth_ms = %u\nrefractory_ms = %u\n", m->smooth_ms,
		       m->refractory_ms);
	printf("\n[threshold]\n");
	for (size_t w = 0; w < m->n_words; w++)
		if (m->command[w])
			printf("%s%s = %.7g\n",
			       is_chosen(t, w) ? "" : "# not said here: the model's own\n",
			       kws_model_word(t->heard.model, w), (double)t->threshold[w]);
}

/* A float as one writes it: 0.93, not 0.930000007. */
static json_t *as_written(float x)
{
	char text[32];
	snprintf(text, sizeof text, "%.7g", (double)x);
	return json_real(strtod(text, NULL));
}

static json_t *thresholds_json(const task *t)
{
	json_t *o = json_object();
	for (size_t w = 0; w < t->heard.material.n_words; w++)
		if (t->heard.material.command[w])
			kws_out_set(o, kws_model_word(t->heard.model, w),
				    as_written(t->threshold[w]));
	return o;
}

static json_t *calibration_json(const task *t)
{
	const kws_count *all = &t->count[t->heard.material.n_words];
	double lo, hi;
	json_t *o = json_object(), *rate = json_array(), *miss = json_array();
	kws_poisson_interval(all->false_alarms, t->hours, &lo, &hi);
	kws_out_append(rate, kws_out_json_real(lo));
	kws_out_append(rate, kws_out_json_real(hi));
	kws_wilson_interval(all->said - all->hits, all->said, &lo, &hi);
	kws_out_append(miss, kws_out_json_real(lo));
	kws_out_append(miss, kws_out_json_real(hi));
	kws_out_set(o, "target_per_hour", kws_out_json_real(t->a->target));
	kws_out_set(o, "target_of", json_string(t->a->per_word ? "each word" : "all words"));
	kws_out_set(o, "supported", json_boolean(is_supported(t)));
	kws_out_set(o, "hours", kws_out_json_real(t->hours));
	kws_out_set(o, "said", json_integer((json_int_t)all->said));
	kws_out_set(o, "hits", json_integer((json_int_t)all->hits));
	kws_out_set(o, "miss_ci", miss);
	kws_out_set(o, "false_alarms", json_integer((json_int_t)all->false_alarms));
	kws_out_set(o, "per_hour_ci", rate);
	kws_out_set(o, "supported_per_hour",
		    kws_out_json_real(kws_poisson_supported(all->false_alarms, t->hours)));
	return o;
}

static bool write_model(const task *t)
{
	char path[KWS_ARGS_PATH];
	json_t *decision = json_object(), *calibration = calibration_json(t);
	kws_find_model(t->a->hear.audio.model, path, sizeof path);
	kws_out_set(decision, "thresholds", thresholds_json(t));
	kws_out_set(decision, "smooth_ms", json_integer(t->heard.material.smooth_ms));
	kws_out_set(decision, "refractory_ms", json_integer(t->heard.material.refractory_ms));
	kws_out_set(calibration, "model_sha256", kws_out_json_text(kws_model_hash(t->heard.model)));
	const bool good =
		kws_out_is_whole() && kws_model_copy(path, t->a->write, decision, calibration);
	json_decref(decision);
	json_decref(calibration);
	return good;
}

static int run_task(task *t)
{
	int status = kws_hear(&t->heard, &t->a->hear);
	if (status != KWS_EXIT_OK)
		return status;
	const kws_material *m = &t->heard.material;
	t->hours = kws_det_hours(m);
	if (!(t->hours > 0.0)) {
		kws_out_complain("no audio in which false alarms could be counted");
		return KWS_EXIT_UNSUPPORTED;
	}
	status = find_budget(t);
	if (status != KWS_EXIT_OK)
		return status;
	t->curve = calloc(KWS_DET_GRID * (m->n_words + 1), sizeof *t->curve);
	t->choice = calloc(m->n_words, sizeof *t->choice);
	t->threshold = calloc(m->n_words, sizeof *t->threshold);
	t->count = calloc(m->n_words + 1, sizeof *t->count);
	if (!t->curve || !t->choice || !t->threshold || !t->count
	    || kws_det_curve(m, t->curve) != KWS_OK) {
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
		return KWS_EXIT_INPUT;
	}
	status = choose(t);
	if (status != KWS_EXIT_OK)
		return status;
	if (t->a->format == KWS_FORMAT_JSONL) {
		json_t *o = calibration_json(t);
		kws_out_set(o, "thresholds", thresholds_json(t));
		kws_out_json_line(o);
	} else {
		print_text(t);
	}
	if (t->a->write && !write_model(t))
		return KWS_EXIT_INPUT;
	return t->heard.failed ? KWS_EXIT_INPUT : KWS_EXIT_OK;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE|DIR...",
	.doc = "Find the threshold of each word for a wanted rate of false alarms. What is said in "
	       "a.flac is read from a.tsv (start, end, word); where there is no such file, nothing "
	       "is said.",
	.children = kws_hear_child,
};

int kws_cmd_calibrate(int argc, char **argv)
{
	args a = { .target = 0.5, .lowest = 0.3 };
	kws_args_parse(&argp, argc, argv, &a);

	task t = { .a = &a };
	int status = run_task(&t);
	free(t.curve);
	free(t.choice);
	free(t.threshold);
	free(t.count);
	kws_heard_free(&t.heard);
	return status;
}
