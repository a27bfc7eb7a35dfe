#include "daemon/scope.h"

#include "model/model.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER = 24, HEAD = 256 };

typedef struct {
	float *row; /* (KWS_SCOPE_ROWS, width) */
	size_t width;
	uint64_t n; /* rows added since the value of since changed */
	unsigned since;
} trace;

struct kws_scope {
	char listener[KWS_SCOPE_NAME], spotter[KWS_SCOPE_NAME];
	trace trace[KWS_SCOPE_KINDS];
	char **key; /* (n_words,) each word as a JSON string, with quotes */
	char *line;
	size_t size;
};

static bool make_trace(trace *t, size_t width)
{
	t->width = width;
	t->row = calloc(KWS_SCOPE_ROWS * width, sizeof *t->row);
	return t->row != NULL;
}

static char *quoted(const char *word)
{
	json_t *text = json_string(word);
	char *key = json_dumps(text, JSON_ENCODE_ANY);

	json_decref(text);
	return key;
}

static bool make_model(kws_scope *t, const kws_model *m)
{
	const size_t n_words = kws_model_n_words(m), n_mels = kws_model_features(m)->n_mels;

	t->key = calloc(n_words, sizeof *t->key);
	if (!t->key || !make_trace(&t->trace[KWS_SCOPE_SCORES], n_words)
	    || !make_trace(&t->trace[KWS_SCOPE_MEL], n_mels))
		return false;
	for (size_t w = 0; w < n_words; w++) {
		t->key[w] = quoted(kws_model_word(m, w));
		if (!t->key[w])
			return false;
		t->size += strlen(t->key[w]);
	}
	t->size += (n_words + n_mels) * NUMBER;
	return true;
}

enum kws_status kws_scope_create(kws_scope **out, const char *listener, const char *spotter,
				 const kws_model *m, kws_error *err)
{
	kws_scope *t = calloc(1, sizeof *t);

	*out = NULL;
	if (!t)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	snprintf(t->listener, sizeof t->listener, "%s", listener);
	snprintf(t->spotter, sizeof t->spotter, "%s", spotter);
	t->size = HEAD + KWS_SCOPE_TAIL;
	if (!make_trace(&t->trace[KWS_SCOPE_LEVELS], 1) || !make_model(t, m)
	    || !(t->line = malloc(t->size))) {
		kws_scope_destroy(t);
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	}
	*out = t;
	return KWS_OK;
}

void kws_scope_destroy(kws_scope *t)
{
	if (!t)
		return;
	for (size_t w = 0; t->key && w < t->trace[KWS_SCOPE_SCORES].width; w++)
		free(t->key[w]);
	for (size_t k = 0; k < KWS_SCOPE_KINDS; k++)
		free(t->trace[k].row);
	free(t->key);
	free(t->line);
	free(t);
}

const char *kws_scope_listener(const kws_scope *t)
{
	return t->listener;
}

const char *kws_scope_spotter(const kws_scope *t)
{
	return t->spotter;
}

uint64_t kws_scope_add(kws_scope *t, enum kws_scope_kind kind, unsigned since, const float *row)
{
	trace *to = &t->trace[kind];

	if (to->since != since)
		to->n = 0;
	to->since = since;
	memcpy(to->row + to->n % KWS_SCOPE_ROWS * to->width, row, to->width * sizeof *row);
	return ++to->n;
}

/* ---- the line ---- */

static const float *row_back(const trace *t, size_t back)
{
	return t->row + (t->n - back) % KWS_SCOPE_ROWS * t->width;
}

static float highest(const trace *t, size_t column, size_t n)
{
	float most = row_back(t, 1)[column];

	for (size_t k = 2; k <= n; k++)
		most = fmaxf(most, row_back(t, k)[column]);
	return most;
}

static double mean(const trace *t, size_t column, size_t n)
{
	double sum = 0.0;

	for (size_t k = 1; k <= n; k++)
		sum += (double)row_back(t, k)[column];
	return sum / (double)n;
}

__attribute__((format(printf, 3, 4))) static void put(const kws_scope *t, size_t *at,
						      const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	*at += (size_t)vsnprintf(t->line + *at, t->size - *at, format, ap);
	va_end(ap);
}

/* NaN and infinity are written as null. */
static void put_real(const kws_scope *t, size_t *at, double v, int decimals)
{
	if (fabs(v) < 1e9)
		put(t, at, "%.*f", decimals, v);
	else
		put(t, at, "null");
}

static void put_head(const kws_scope *t, size_t *at, const char *name, bool of_spotter,
		     double time_s)
{
	put(t, at, "{\"%s\":{", name);
	if (*t->listener)
		put(t, at, "\"listener\":\"%s\",", t->listener);
	if (*t->spotter && of_spotter)
		put(t, at, "\"spotter\":\"%s\",", t->spotter);
	put(t, at, "\"time\":");
	put_real(t, at, time_s, 2);
}

static void put_scores(const kws_scope *t, size_t *at, size_t n)
{
	const trace *of = &t->trace[KWS_SCOPE_SCORES];

	put(t, at, ",\"words\":{");
	for (size_t w = 0; w < of->width; w++) {
		put(t, at, "%s%s:", w ? "," : "", t->key[w]);
		put_real(t, at, (double)highest(of, w, n), 4);
	}
	put(t, at, "}");
}

static void put_bands(const kws_scope *t, size_t *at, size_t n)
{
	const trace *of = &t->trace[KWS_SCOPE_MEL];

	put(t, at, ",\"bands\":[");
	for (size_t i = 0; i < of->width; i++) {
		put(t, at, "%s", i ? "," : "");
		put_real(t, at, mean(of, i, n), 3);
	}
	put(t, at, "]");
}

char *kws_scope_line(kws_scope *t, enum kws_scope_kind kind, size_t n, double time_s, size_t *len)
{
	size_t at = 0;

	switch (kind) {
	case KWS_SCOPE_SCORES:
		put_head(t, &at, "scores", true, time_s);
		put_scores(t, &at, n);
		break;
	case KWS_SCOPE_MEL:
		put_head(t, &at, "mel", true, time_s);
		put_bands(t, &at, n);
		break;
	default:
		put_head(t, &at, "level", false, time_s);
		put(t, &at, ",\"level_dbfs\":");
		put_real(t, &at, 10.0 * log10(mean(&t->trace[KWS_SCOPE_LEVELS], 0, n) + 1e-12), 1);
		break;
	}
	put(t, &at, "}");
	*len = at;
	return t->line;
}
