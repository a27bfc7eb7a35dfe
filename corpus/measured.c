#include "corpus/measured.h"

#include <math.h>
#include <stdlib.h>

enum kws_status kws_measured_init(kws_measured *t, size_t n_words)
{
	*t = (kws_measured){ .n_words = n_words };
	t->count = calloc(KWS_MEASURED_ROWS * (n_words + 1), sizeof *t->count);
	return t->count ? KWS_OK : KWS_ERR_NOMEM;
}

void kws_measured_free(kws_measured *t)
{
	free(t->count);
	free(t->hit);
	*t = (kws_measured){ 0 };
}

static bool has_room(kws_measured *t, size_t n)
{
	size_t cap = t->cap ? t->cap : 64;
	while (cap < n)
		cap *= 2;
	if (cap == t->cap)
		return true;
	kws_measured_hit *hit = realloc(t->hit, cap * sizeof *hit);
	if (!hit)
		return false;
	t->hit = hit;
	t->cap = cap;
	return true;
}

/* ---- making ---- */

/* The hits of one row after the other; the latest hit of each word said may go on in the next. */
typedef struct {
	kws_measured *t;
	const kws_recording *r;
	size_t *latest; /* (n_said,) 1 + its place in t->hit; 0: none yet */
	size_t row;
	bool short_of_memory;
} hits;

static void on_hit(void *ctx, const kws_said *said, double latency)
{
	hits *h = ctx;
	size_t *latest = &h->latest[said - h->r->said];
	kws_measured_hit *before = *latest ? &h->t->hit[*latest - 1] : NULL;
	if (before && before->last + 1 == h->row && before->latency == latency) {
		before->last = h->row;
		return;
	}
	if (!has_room(h->t, h->t->n_hits + 1)) {
		h->short_of_memory = true;
		return;
	}
	h->t->hit[h->t->n_hits++] = (kws_measured_hit){ said->word, h->row, h->row, latency };
	*latest = h->t->n_hits;
}

static enum kws_status count_rows(kws_measured *t, const kws_material *one, const float *own)
{
	const kws_recording *r = one->recording;
	hits h = { .t = t, .r = r };
	enum kws_status status = KWS_OK;
	float *threshold = calloc(t->n_words, sizeof *threshold);
	kws_count *count = calloc(t->n_words + 1, sizeof *count);
	h.latest = calloc(r->n_said + 1, sizeof *h.latest);
	if (!threshold || !count || !h.latest)
		status = KWS_ERR_NOMEM;
	for (; status == KWS_OK && h.row < KWS_MEASURED_ROWS; h.row++) {
		for (size_t w = 0; w < t->n_words; w++)
			threshold[w] = h.row < KWS_MEASURED_OWN ? kws_det_threshold(h.row) : own[w];
		status = kws_det_count(one, threshold, count, on_hit, &h);
		for (size_t w = 0; w <= t->n_words; w++)
			kws_count_add(&t->count[h.row * (t->n_words + 1) + w], &count[w]);
	}
	free(threshold);
	free(count);
	free(h.latest);
	return h.short_of_memory ? KWS_ERR_NOMEM : status;
}

enum kws_status kws_measured_make(kws_measured *t, const kws_material *m, const float *own)
{
	enum kws_status status = kws_measured_init(t, m->n_words);
	kws_material one = *m;
	one.n = 1;
	for (size_t i = 0; status == KWS_OK && i < m->n; i++) {
		const kws_recording *r = &m->recording[i];
		const uint64_t samples = (uint64_t)llround(r->seconds * m->rate_hz);
		one.recording = r;
		status = count_rows(t, &one, own);
		*(r->labelled ? &t->labelled : &t->unlabelled) += samples;
		*(r->labelled ? &t->n_labelled : &t->n_unlabelled) += 1;
	}
	return status == KWS_OK ? kws_det_histogram(m, t->of_words, t->of_rest) : status;
}

/* ---- adding ---- */

enum kws_status kws_measured_add(kws_measured *sum, const kws_measured *t)
{
	for (size_t i = 0; i < KWS_MEASURED_ROWS * (t->n_words + 1); i++)
		kws_count_add(&sum->count[i], &t->count[i]);
	for (size_t b = 0; b < KWS_DET_BINS; b++) {
		sum->of_words[b] += t->of_words[b];
		sum->of_rest[b] += t->of_rest[b];
	}
	sum->n_labelled += t->n_labelled;
	sum->n_unlabelled += t->n_unlabelled;
	sum->labelled += t->labelled;
	sum->unlabelled += t->unlabelled;
	sum->n_respelt += t->n_respelt;
	sum->n_others += t->n_others;
	if (!has_room(sum, sum->n_hits + t->n_hits))
		return KWS_ERR_NOMEM;
	for (size_t i = 0; i < t->n_hits; i++)
		sum->hit[sum->n_hits++] = t->hit[i];
	return KWS_OK;
}

double kws_measured_heard(const kws_measured *t, const kws_material *terms)
{
	return (double)(t->unlabelled + t->labelled) / terms->rate_hz / 3600.0;
}

double kws_measured_hours(const kws_measured *t, const kws_material *terms)
{
	const uint64_t samples = t->unlabelled + (terms->unlabelled_only ? 0 : t->labelled);
	return terms->hours > 0.0 ? terms->hours : (double)samples / terms->rate_hz / 3600.0;
}
