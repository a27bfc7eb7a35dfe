#include "corpus/measured.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* {"samples":N, "labelled":true, "respelt":1, "others":2,
 *  "said":     [[word, n]...],
 *  "counts":   [[word, first row, last row, hits, duplicates, confused, strays]...],
 *  "hits":     [[word, first row, last row, latency]...],
 *  "of_words": [[bin, n]...], "of_rest": [[bin, n]...]}
 * What is not there is 0. */

enum { COUNTS = 7, HITS = 4 };
/* of anything that is counted, and of samples; 32 bits count as far as they reach */
static const size_t MOST = SIZE_MAX >> (sizeof(size_t) > 4 ? 24 : 1),
		    MOST_SAMPLES = SIZE_MAX >> (sizeof(size_t) > 4 ? 14 : 0);

/* ---- writing ---- */

/* Append a list of whole numbers. */
static void append(json_t *to, const size_t *numbers, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_integer((json_int_t)numbers[i]));
	json_array_append_new(to, list);
}

static const kws_count *count_at(const kws_measured *t, size_t row, size_t word)
{
	return &t->count[row * (t->n_words + 1) + word];
}

static bool same_events(const kws_count *a, const kws_count *b)
{
	return a->hits == b->hits && a->duplicates == b->duplicates && a->confused == b->confused
	       && a->strays == b->strays;
}

static json_t *counts_json(const kws_measured *t)
{
	static const kws_count nothing;
	json_t *all = json_array();
	for (size_t w = 0; w < t->n_words; w++)
		for (size_t first = 0, last; first < KWS_MEASURED_ROWS; first = last + 1) {
			const kws_count *c = count_at(t, first, w);
			last = first;
			while (last + 1 < KWS_MEASURED_ROWS
			       && same_events(c, count_at(t, last + 1, w)))
				last++;
			const size_t numbers[COUNTS] = { w,	   first,	  last,
							 c->hits,  c->duplicates, c->confused,
							 c->strays };
			if (!same_events(c, &nothing))
				append(all, numbers, COUNTS);
		}
	return all;
}

static json_t *hits_json(const kws_measured *t)
{
	json_t *all = json_array();
	for (size_t i = 0; i < t->n_hits; i++) {
		const kws_measured_hit *h = &t->hit[i];
		json_array_append_new(all, json_pack("[I,I,I,f]", (json_int_t)h->word,
						     (json_int_t)h->first, (json_int_t)h->last,
						     h->latency));
	}
	return all;
}

static json_t *pairs_json(const size_t *n, size_t size)
{
	json_t *all = json_array();
	for (size_t i = 0; i < size; i++)
		if (n[i])
			append(all, (const size_t[]){ i, n[i] }, 2);
	return all;
}

json_t *kws_measured_json(const kws_measured *t)
{
	const uint64_t samples = t->labelled + t->unlabelled;
	json_t *said = json_array();
	for (size_t w = 0; w < t->n_words; w++)
		if (count_at(t, 0, w)->said)
			append(said, (const size_t[]){ w, count_at(t, 0, w)->said }, 2);
	return json_pack("{s:I, s:b, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "samples",
			 (json_int_t)samples, "labelled", t->n_labelled > 0, "respelt",
			 (json_int_t)t->n_respelt, "others", (json_int_t)t->n_others, "said", said,
			 "counts", counts_json(t), "hits", hits_json(t), "of_words",
			 pairs_json(t->of_words, KWS_DET_BINS), "of_rest",
			 pairs_json(t->of_rest, KWS_DET_BINS));
}

/* ---- reading ---- */

static bool read_count(const json_t *value, size_t most, size_t *out)
{
	const json_int_t n = json_integer_value(value);
	if (!json_is_integer(value) || n < 0 || (uint64_t)n > most)
		return false;
	*out = (size_t)n;
	return true;
}

/* A list of n whole numbers, the first less than most[0], and so on; most[i] = 0: anything. */
static bool read_counts(const json_t *list, const size_t *most, size_t n, size_t *out)
{
	for (size_t i = 0; i < n; i++)
		if (!read_count(json_array_get(list, i), most[i] ? most[i] - 1 : MOST, &out[i]))
			return false;
	return true;
}

static bool read_pairs(const json_t *list, size_t size, size_t *n)
{
	const size_t most[2] = { size, 0 };
	size_t pair[2];
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!read_counts(json_array_get(list, i), most, 2, pair))
			return false;
		n[pair[0]] = pair[1];
	}
	return json_is_array(list);
}

static bool read_events(kws_measured *t, const json_t *list, bool are_false)
{
	const size_t most[COUNTS] = {
		t->n_words, KWS_MEASURED_ROWS, KWS_MEASURED_ROWS, 0, 0, 0, 0
	};
	size_t n[COUNTS];
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!read_counts(json_array_get(list, i), most, COUNTS, n))
			return false;
		for (size_t row = n[1]; row <= n[2]; row++) {
			kws_count *c = &t->count[row * (t->n_words + 1) + n[0]];
			if (n[3] > c->said)
				return false;
			c->hits = n[3];
			c->duplicates = n[4];
			c->confused = n[5];
			c->strays = n[6];
			c->false_alarms = are_false ? n[4] + n[5] + n[6] : 0;
		}
	}
	return json_is_array(list);
}

/* The words said, the same in all rows. */
static bool read_said(kws_measured *t, const json_t *list)
{
	const size_t most[2] = { t->n_words, 0 };
	size_t pair[2];
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!read_counts(json_array_get(list, i), most, 2, pair))
			return false;
		for (size_t row = 0; row < KWS_MEASURED_ROWS; row++)
			t->count[row * (t->n_words + 1) + pair[0]].said = pair[1];
	}
	return json_is_array(list);
}

static bool read_hits(kws_measured *t, const json_t *list)
{
	const size_t most[HITS - 1] = { t->n_words, KWS_MEASURED_ROWS, KWS_MEASURED_ROWS };
	size_t n[HITS - 1];
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i),
			     *latency = json_array_get(one, HITS - 1);
		if (!read_counts(one, most, HITS - 1, n) || n[1] > n[2] || !json_is_number(latency)
		    || !isfinite(json_number_value(latency)))
			return false;
		t->hit[t->n_hits++] =
			(kws_measured_hit){ n[0], n[1], n[2], json_number_value(latency) };
	}
	return json_is_array(list);
}

/* Each row has as many hits as it counts. */
static bool agree(const kws_measured *t)
{
	size_t n[KWS_MEASURED_ROWS] = { 0 };
	for (size_t i = 0; i < t->n_hits; i++)
		for (size_t row = t->hit[i].first; row <= t->hit[i].last; row++)
			n[row]++;
	for (size_t row = 0; row < KWS_MEASURED_ROWS; row++)
		if (n[row] != count_at(t, row, t->n_words)->hits)
			return false;
	return true;
}

enum kws_status kws_measured_parse(kws_measured *t, const json_t *from, const kws_material *terms)
{
	const json_t *labelled = json_object_get(from, "labelled"),
		     *hits = json_object_get(from, "hits");
	size_t samples;
	if (kws_measured_init(t, terms->n_words) != KWS_OK)
		return KWS_ERR_NOMEM;
	t->cap = json_array_size(hits) + 1;
	t->hit = calloc(t->cap, sizeof *t->hit);
	if (!t->hit)
		return KWS_ERR_NOMEM;
	const bool is_labelled = json_is_true(labelled);
	if (!json_is_boolean(labelled)
	    || !read_count(json_object_get(from, "samples"), MOST_SAMPLES, &samples)
	    || !read_count(json_object_get(from, "respelt"), MOST, &t->n_respelt)
	    || !read_count(json_object_get(from, "others"), MOST, &t->n_others)
	    || !read_said(t, json_object_get(from, "said"))
	    || !read_events(t, json_object_get(from, "counts"),
			    !is_labelled || !terms->unlabelled_only)
	    || !read_hits(t, hits)
	    || !read_pairs(json_object_get(from, "of_words"), KWS_DET_BINS, t->of_words)
	    || !read_pairs(json_object_get(from, "of_rest"), KWS_DET_BINS, t->of_rest))
		return KWS_ERR_FORMAT;
	*(is_labelled ? &t->labelled : &t->unlabelled) = samples;
	*(is_labelled ? &t->n_labelled : &t->n_unlabelled) = 1;
	for (size_t row = 0; row < KWS_MEASURED_ROWS; row++) {
		kws_count *c = &t->count[row * (t->n_words + 1)];
		for (size_t w = 0; w < t->n_words; w++)
			kws_count_add(&c[t->n_words], &c[w]);
	}
	return agree(t) ? KWS_OK : KWS_ERR_FORMAT;
}
