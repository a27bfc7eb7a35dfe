#include "cli/listening.h"

#include "cli/cli.h"
#include "cli/out.h"
#include "spot/cascade.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double HALVES_S = 0.9, HELD_S = 2.0;

static kws_ear *ear_of(const kws_listening_model *m)
{
	return kws_cascade_ear(m->of->cascade, m->index);
}

static const kws_model *model_of(const kws_listening_model *m)
{
	return m->named->model;
}

static double seconds(const kws_listening_model *m, uint64_t sample)
{
	return (double)sample / (double)kws_model_rate_hz(model_of(m));
}

/* ---- finds ---- */

static void keep(kws_listening *l, const kws_listening_find *find)
{
	l->find[l->n_finds++ % KWS_LISTENING_FINDS] = *find;
	if (l->fn)
		l->fn(l->ctx, find);
}

static void on_event(void *ctx, const kws_event *ev)
{
	kws_listening_model *m = ctx;
	const size_t word = m->place[ev->word];
	kws_near_events(m->near, kws_model_n_words(model_of(m)), ev, kws_model_rate_hz(model_of(m)),
			kws_model_decision(model_of(m))->refractory_ms);
	m->of->word[word].heard++;
	keep(m->of, &(kws_listening_find){ .word = word,
					   .start_s = seconds(m, ev->start),
					   .score = ev->score,
					   .threshold = ev->threshold,
					   .level_dbfs = ev->level_dbfs,
					   .snr_db = ev->snr_db });
}

static void near_miss(kws_listening_model *m, size_t w)
{
	const size_t word = m->place[w];
	m->of->word[word].missed++;
	keep(m->of, &(kws_listening_find){ .word = word,
					   .near = true,
					   .start_s = seconds(m, m->near[w].start),
					   .score = m->near[w].score,
					   .threshold = m->threshold[w] });
}

/* ---- hear ---- */

static void show(kws_listening_word *word, float score, double now_s, double frame_s)
{
	const float fallen = word->score * (float)exp2(-frame_s / HALVES_S);
	word->score = fmaxf(score, fallen);
	if (score >= word->held || now_s - word->held_s > HELD_S) {
		word->held = word->score;
		word->held_s = now_s;
	}
}

static void on_frame(void *ctx, const kws_frame *f)
{
	kws_listening_model *m = ctx;
	const float *score = kws_ear_score(ear_of(m));
	const size_t hops = f->stride * kws_model_rate_hz(model_of(m)) / 100;
	/* After a gap everything is new. */
	if (f->sample != m->next)
		memset(m->near, 0, f->n_words * sizeof *m->near);
	m->next = f->sample + hops;
	kws_peaks_step(m->peaks, score);
	for (size_t w = 0; w < f->n_words; w++) {
		if (!kws_model_is_command(model_of(m), w))
			continue;
		show(&m->of->word[m->place[w]], score[w], seconds(m, f->sample), seconds(m, hops));
		if (kws_near_step(&m->near[w], f->sample, score[w],
				  KWS_NEAR_SHARE * m->threshold[w], m->threshold[w]))
			near_miss(m, w);
	}
}

/* A model that waits has no scores. */
static void rest(kws_listening *l)
{
	for (size_t i = 0; i < l->n_words; i++)
		if (kws_listening_waits(l, l->word[i].model))
			l->word[i].score = l->word[i].held = 0.0f;
}

static void add_to_strip(kws_listening *l)
{
	const uint64_t now = l->heard * KWS_LISTENING_CELLS_S / l->in_hz;
	for (; l->cell < now; l->cell++)
		l->strip[(l->cell + 1) % KWS_LISTENING_CELLS] = 0.0f;
	float *at = &l->strip[now % KWS_LISTENING_CELLS];
	*at = fmaxf(*at, l->power);
}

void kws_listening_hear(kws_listening *l, const float *pcm, size_t n)
{
	float sum = 0.0f;
	for (size_t i = 0; i < n; i++)
		sum += pcm[i] * pcm[i];
	l->power += 0.1f * (sum / (float)n - l->power);
	kws_cascade_process(l->cascade, pcm, n);
	l->heard += n;
	add_to_strip(l);
	rest(l);
}

void kws_listening_end(kws_listening *l)
{
	kws_cascade_flush(l->cascade);
	for (size_t i = 0; i < l->n_models; i++) {
		kws_listening_model *m = &l->model[i];
		for (size_t w = 0; w < kws_model_n_words(model_of(m)); w++)
			if (kws_model_is_command(model_of(m), w) && kws_near_flush(&m->near[w]))
				near_miss(m, w);
		kws_peaks_end(m->peaks);
	}
}

void kws_listening_move(kws_listening *l, size_t word, float threshold)
{
	kws_listening_word *at = &l->word[word];
	kws_listening_model *m = &l->model[at->model];
	kws_spotter_config config = KWS_SPOTTER_CONFIG;
	at->threshold = m->threshold[at->index] = threshold;
	at->moved = true;
	config.threshold = m->threshold;
	/* It cannot be refused: only the threshold is another. */
	(void)kws_ear_configure(ear_of(m), &config, NULL);
	kws_peaks_move(m->peaks, at->index, threshold);
}

double kws_listening_seconds(const kws_listening *l)
{
	return (double)l->heard / (double)l->in_hz;
}

bool kws_listening_waits(const kws_listening *l, size_t model)
{
	return kws_ear_next(kws_cascade_ear(l->cascade, model)) == UINT64_MAX;
}

const char *kws_listening_name(const kws_listening *l, size_t word)
{
	const kws_listening_word *w = &l->word[word];
	return kws_model_word(model_of(&l->model[w->model]), w->index);
}

const kws_peaks_word *kws_listening_peaks(const kws_listening *l, size_t word)
{
	return kws_peaks_of(l->model[l->word[word].model].peaks, l->word[word].index);
}

/* ---- open ---- */

static void add_words(kws_listening *l, kws_listening_model *m, bool several)
{
	const kws_model *model = model_of(m);
	for (size_t w = 0; w < kws_model_n_words(model); w++) {
		if (!kws_model_is_command(model, w))
			continue;
		kws_listening_word *word = &l->word[l->n_words];
		m->place[w] = l->n_words++;
		*word = (kws_listening_word){ .model = m->index,
					      .index = w,
					      .threshold = m->threshold[w] };
		snprintf(word->label, sizeof word->label, "%s%s%s", several ? m->named->name : "",
			 several ? ":" : "", kws_model_word(model, w));
	}
}

static enum kws_status add_model(kws_listening *l, const kws_named_model *named,
				 const float *threshold, kws_error *err)
{
	const size_t n = kws_model_n_words(named->model);
	kws_listening_model *m = &l->model[l->n_models];
	kws_spotter_config config = KWS_SPOTTER_CONFIG;
	*m = (kws_listening_model){ .of = l, .index = l->n_models++, .named = named };
	m->threshold = calloc(n, sizeof *m->threshold);
	m->place = calloc(n, sizeof *m->place);
	m->near = calloc(n, sizeof *m->near);
	m->peaks = kws_peaks_create(n, threshold);
	if (!m->threshold || !m->place || !m->near || !m->peaks)
		return kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	memcpy(m->threshold, threshold, n * sizeof *threshold);
	config.threshold = m->threshold;
	config.on_event = on_event;
	config.on_frame = on_frame;
	config.ctx = m;
	return kws_cascade_add(l->cascade, *named->name ? named->name : NULL, named->model, &config,
			       err);
}

static enum kws_status open_all(kws_listening *l, const kws_models *models, float *const *threshold,
				kws_error *err)
{
	size_t most = 0;
	for (size_t i = 0; i < models->n; i++)
		most += kws_model_n_words(models->at[i].model);
	l->word = calloc(most, sizeof *l->word);
	if (!l->word)
		return kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	enum kws_status status = kws_cascade_create(&l->cascade, err);
	for (size_t i = 0; i < models->n && status == KWS_OK; i++) {
		status = add_model(l, &models->at[i], threshold[i], err);
		if (status == KWS_OK)
			add_words(l, &l->model[i], models->n > 1);
	}
	for (size_t i = 0; i < models->n && status == KWS_OK; i++) {
		const kws_named_model *m = &models->at[i];
		if (m->after)
			status = kws_cascade_gate(l->cascade, m->name, m->after, m->within_s, err);
	}
	return status == KWS_OK ? kws_cascade_start(l->cascade, l->in_hz, NULL, err) : status;
}

int kws_listening_open(kws_listening *l, const kws_models *models, float *const *threshold,
		       unsigned in_hz, kws_listening_fn *fn, void *ctx)
{
	kws_error err = { "" };
	*l = (kws_listening){ .in_hz = in_hz, .fn = fn, .ctx = ctx };
	if (open_all(l, models, threshold, &err) == KWS_OK)
		return KWS_EXIT_OK;
	kws_out_complain("%s", err.text);
	return KWS_EXIT_MODEL;
}

void kws_listening_close(kws_listening *l)
{
	kws_cascade_destroy(l->cascade);
	for (size_t i = 0; i < l->n_models; i++) {
		kws_listening_model *m = &l->model[i];
		free(m->threshold);
		free(m->place);
		free(m->near);
		kws_peaks_destroy(m->peaks);
	}
	free(l->word);
}
