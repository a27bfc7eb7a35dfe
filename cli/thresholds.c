#include "cli/thresholds.h"

#include "cli/out.h"
#include "nearest.h"
#include "number.h"

#include <stdlib.h>
#include <string.h>

enum { OPT_THRESHOLD = 0x240 };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The decision:", 4 },
	{ "threshold", OPT_THRESHOLD, "X|WORD=X", 0,
	  "Score that a word must reach, 0 to 1 or off, for all words or one; may be repeated, or "
	  "be a comma-separated list (default: the model's); of one of several models: NAME:X, "
	  "NAME:WORD=X",
	  0 },
	{ NULL, 't', "X|WORD=X", OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	kws_thresholds *t = state->input;
	switch (key) {
	case ARGP_KEY_INIT: *t = (kws_thresholds){ 0 }; return 0;
	case 't':
	case OPT_THRESHOLD:
		if (t->n == KWS_THRESHOLDS_MOST)
			argp_error(state, "--threshold: more than %d times", KWS_THRESHOLDS_MOST);
		t->list[t->n++] = arg;
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp kws_thresholds_argp = { .options = options, .parser = parse };

/* Refuse decimal commas. A comma between whole numbers is taken as one: "0,1" in a list would be
 * two values, and "go=0,8" one and a half. False: the reason was printed. */
static bool has_points(const char *list)
{
	for (const char *at = list; *at;
	     at += strcspn(at, ",=:") + (at[strcspn(at, ",=:")] != '\0')) {
		const size_t whole = strspn(at, "0123456789");
		const char *part = at + whole + 1;
		if (!whole || at[whole] != ',')
			continue;
		const size_t n = strspn(part, "0123456789");
		if (!n || (part[n] && part[n] != ','))
			continue;
		kws_out_complain("--threshold: '%s' has a decimal comma; write %.*s.%.*s; for "
				 "several words, word=value,word=value",
				 list, (int)whole, at, (int)n, part);
		return false;
	}
	return true;
}

/* The values of one list: each word once, and all words of a model once. */
typedef struct {
	const kws_threshold_target *at; /* (n,) */
	size_t n;
	bool *set[KWS_MODELS_MOST]; /* (n_words + 1,) set by this list; the last: all words */
} targets;

static bool claim(targets *t, size_t i, size_t word, const char *list)
{
	const kws_model *m = t->at[i].model;
	if (t->set[i][word]) {
		kws_out_complain("--threshold: '%s' sets %s twice", list,
				 word < kws_model_n_words(m) ? kws_model_word(m, word)
							     : "all words");
		return false;
	}
	t->set[i][word] = true;
	return true;
}

static char *trimmed(char *text)
{
	text += strspn(text, " \t");
	for (size_t n = strlen(text); n && strchr(" \t", text[n - 1]); n--)
		text[n - 1] = '\0';
	return text;
}

static bool no_such_word(const targets *t, const char *text)
{
	kws_nearest near;
	kws_nearest_init(&near, text);
	for (size_t i = 0; i < t->n; i++)
		for (size_t w = 0; w < kws_model_n_words(t->at[i].model); w++)
			if (kws_model_is_command(t->at[i].model, w))
				kws_nearest_offer(&near, kws_model_word(t->at[i].model, w));
	kws_out_complain("--threshold: '%s' is not a command of %s; `kws model' lists them%s", text,
			 t->n == 1 ? kws_model_name(t->at[0].model) : "any of the models",
			 kws_nearest_hint(&near));
	return false;
}

static bool set_all(targets *t, float x, const char *list)
{
	for (size_t i = 0; i < t->n; i++) {
		const size_t n_words = kws_model_n_words(t->at[i].model);
		if (!claim(t, i, n_words, list))
			return false;
		for (size_t w = 0; w < n_words; w++)
			t->at[i].threshold[w] = x;
	}
	return true;
}

static bool set_word(targets *t, const char *word, float x, const char *list)
{
	bool found = false;
	for (size_t i = 0; i < t->n; i++) {
		const int w = kws_model_word_index(t->at[i].model, word);
		if (w < 0 || !kws_model_is_command(t->at[i].model, (size_t)w))
			continue;
		if (!claim(t, i, (size_t)w, list))
			return false;
		t->at[i].threshold[w] = x;
		found = true;
	}
	return found || no_such_word(t, word);
}

/* The model whose name, NAME:, the text begins with, if there are several; n: none. */
static size_t named(const targets *t, const char *text)
{
	const char *at = text + strspn(text, " \t");
	const size_t len = strcspn(at, ":");
	for (size_t i = 0; t->n > 1 && at[len] && i < t->n; i++)
		if (strlen(t->at[i].name) == len && strncmp(t->at[i].name, at, len) == 0)
			return i;
	return t->n;
}

/* Apply one value of a list: "0.8", "off", "go=0.8", "jarvis:0.8" or "jarvis:go=off". */
static bool apply_one(targets *t, char *text, const char *list)
{
	const size_t only = named(t, text);
	double x = (double)KWS_THRESHOLD_OFF;
	targets one = *t;
	if (only < t->n) {
		text = strchr(text, ':') + 1;
		one = (targets){ t->at + only, 1, { t->set[only] } };
	}
	char *equals = strrchr(text, '='), *value = trimmed(equals ? equals + 1 : text);
	if (strcmp(value, "off") != 0 && !kws_number_real(value, 0.0, 1.0, &x)) {
		kws_out_complain("--threshold: '%s' is neither a number in 0..1 nor off", value);
		return false;
	}
	if (!equals)
		return set_all(&one, (float)x, list);
	*equals = '\0';
	return set_word(&one, trimmed(text), (float)x, list);
}

/* Ranks, from low to high: all words of all models, all words of one model, one word of all models,
 * one word of one model. Higher ranks override lower ones. */
enum { N_RANKS = 4 };
static int rank_of(const targets *t, const char *text)
{
	return 2 * (strchr(text, '=') != NULL) + (named(t, text) < t->n);
}

/* Apply the values of one list that have this rank. */
static bool apply_list(targets *t, const char *list, int rank)
{
	char *copy = strdup(list), *at = copy;
	bool good = copy != NULL;
	for (size_t i = 0; i < t->n; i++)
		memset(t->set[i], 0, (kws_model_n_words(t->at[i].model) + 1) * sizeof *t->set[i]);
	for (char *one = at; good && one; one = at) {
		at = strchr(one, ',');
		if (at)
			*at++ = '\0';
		if (rank_of(t, one) == rank)
			good = apply_one(t, one, list);
	}
	if (!copy)
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	free(copy);
	return good;
}

static bool begin(targets *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const kws_model *m = t->at[i].model;
		t->set[i] = calloc(kws_model_n_words(m) + 1, sizeof *t->set[i]);
		if (!t->set[i]) {
			kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
			return false;
		}
		for (size_t w = 0; w < kws_model_n_words(m); w++)
			t->at[i].threshold[w] = kws_model_threshold(m, w);
	}
	return true;
}

bool kws_thresholds_apply(const kws_thresholds *thresholds, const kws_threshold_target *at,
			  size_t n)
{
	targets t = { at, n, { NULL } };
	bool good = begin(&t);
	for (size_t i = 0; i < thresholds->n && good; i++)
		good = has_points(thresholds->list[i]);
	for (int rank = 0; rank < N_RANKS; rank++)
		for (size_t i = 0; i < thresholds->n && good; i++)
			good = apply_list(&t, thresholds->list[i], rank);
	for (size_t i = 0; i < n; i++)
		free(t.set[i]);
	return good;
}

bool kws_thresholds_of_models(const kws_thresholds *t, const kws_models *models,
			      float *threshold[KWS_MODELS_MOST])
{
	kws_threshold_target target[KWS_MODELS_MOST];
	for (size_t i = 0; i < models->n; i++) {
		const kws_named_model *m = &models->at[i];
		threshold[i] = calloc(kws_model_n_words(m->model), sizeof(float));
		if (!threshold[i]) {
			kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
			return false;
		}
		target[i] = (kws_threshold_target){ m->name, m->model, threshold[i] };
	}
	return kws_thresholds_apply(t, target, models->n);
}
