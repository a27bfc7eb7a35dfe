#include "cli/thresholds.h"

#include "cli/args.h"
#include "cli/out.h"
#include "nearest.h"
#include "number.h"

#include <stdlib.h>
#include <string.h>

static const float NEVER = 2.0f; /* no score reaches it */

enum { OPT_THRESHOLD = 0x240 };

static const struct argp_option options[] = {
	{ "threshold", OPT_THRESHOLD, "X|WORD=X", 0,
	  "Score that a word has to reach, 0 to 1 or off; for all words or one; may be repeated, "
	  "and be a list with commas (default: the model's)",
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
			argp_error(state, "--threshold: more than %d of them", KWS_THRESHOLDS_MOST);
		t->list[t->n++] = arg;
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp kws_thresholds_argp = { .options = options, .parser = parse };

/* "0,1" in a list would be two values, and "go=0,8" one and a half: a comma between whole numbers is
 * a decimal comma. false: said so. */
static bool has_points(const char *list)
{
	for (const char *at = list; *at;
	     at += strcspn(at, ",=") + (at[strcspn(at, ",=")] != '\0')) {
		const size_t whole = strspn(at, "0123456789");
		const char *part = at + whole + 1;
		if (!whole || at[whole] != ',')
			continue;
		const size_t n = strspn(part, "0123456789");
		if (!n || (part[n] && part[n] != ','))
			continue;
		kws_out_complain("--threshold: '%s' has a decimal comma; write %.*s.%.*s; several "
				 "words are word=value,word=value",
				 list, (int)whole, at, (int)n, part);
		return false;
	}
	return true;
}

/* What has been said in one list: each word once, and all of them once. */
typedef struct {
	const kws_model *model;
	float *threshold; /* (n_words,) */
	bool *set;	  /* (n_words + 1,) in this list, the last: all words */
} target;

static bool claim(target *t, size_t word, const char *list)
{
	if (t->set[word]) {
		kws_out_complain("--threshold: '%s' sets %s twice", list,
				 word < kws_model_n_words(t->model) ? kws_model_word(t->model, word)
								    : "all words");
		return false;
	}
	t->set[word] = true;
	return true;
}

static char *trimmed(char *text)
{
	text += strspn(text, " \t");
	for (size_t n = strlen(text); n && strchr(" \t", text[n - 1]); n--)
		text[n - 1] = '\0';
	return text;
}

static bool find_word(const kws_model *m, const char *text, size_t *word)
{
	const int at = kws_model_word_index(m, text);
	kws_nearest near;
	*word = (size_t)at;
	if (at >= 0 && kws_model_is_command(m, (size_t)at))
		return true;
	kws_nearest_init(&near, text);
	for (size_t w = 0; w < kws_model_n_words(m); w++)
		if (kws_model_is_command(m, w))
			kws_nearest_offer(&near, kws_model_word(m, w));
	kws_out_complain("--threshold: '%s' is no command of %s, which `kws model' lists%s", text,
			 kws_model_name(m), kws_nearest_hint(&near));
	return false;
}

/* One value, "0.8", "off", "go=0.8" or "go=off", of a list. */
static bool apply_one(target *t, char *text, const char *list)
{
	char *equals = strrchr(text, '='), *value = trimmed(equals ? equals + 1 : text);
	const size_t n_words = kws_model_n_words(t->model);
	double x = (double)NEVER;
	size_t word = n_words;
	if (strcmp(value, "off") != 0 && !kws_number_real(value, 0.0, 1.0, &x)) {
		kws_out_complain("--threshold: '%s' is not a number in 0..1, nor off", value);
		return false;
	}
	if (equals) {
		*equals = '\0';
		if (!find_word(t->model, trimmed(text), &word))
			return false;
	}
	if (!claim(t, word, list))
		return false;
	for (size_t w = 0; w < n_words; w++)
		if (!equals || w == word)
			t->threshold[w] = (float)x;
	return true;
}

/* The values of one list that are for single words, or those for all. */
static bool apply_list(target *t, const char *list, bool per_word)
{
	char *copy = strdup(list), *at = copy;
	bool good = copy != NULL;
	memset(t->set, 0, (kws_model_n_words(t->model) + 1) * sizeof *t->set);
	for (char *one = at; good && one; one = at) {
		at = strchr(one, ',');
		if (at)
			*at++ = '\0';
		if ((strchr(one, '=') != NULL) == per_word)
			good = apply_one(t, one, list);
	}
	if (!copy)
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	free(copy);
	return good;
}

bool kws_thresholds_apply(const kws_thresholds *t, const kws_model *m, float *threshold)
{
	const size_t n_words = kws_model_n_words(m);
	target to = { m, threshold, calloc(n_words + 1, sizeof *to.set) };
	bool good = to.set != NULL;
	if (!good)
		kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	for (size_t w = 0; w < n_words; w++)
		threshold[w] = kws_model_threshold(m, w);
	for (size_t i = 0; i < t->n && good; i++)
		good = has_points(t->list[i]);
	for (int per_word = 0; per_word < 2; per_word++)
		for (size_t i = 0; i < t->n && good; i++)
			good = apply_list(&to, t->list[i], per_word);
	free(to.set);
	return good;
}
