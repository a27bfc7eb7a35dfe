#include "spot/embedder.h"

#include "dsp/mel.h"
#include "model/network.h"
#include "model/runner.h"
#include "spot/stream.h"

#include <stdlib.h>
#include <string.h>

enum { SOME = 16 /* rows at a time */ };

struct kws_embedder {
	const kws_network *w;
	kws_mel *mel;
	kws_runner *runner;
	size_t hop, n_hops; /* samples per hop; hops per row */
	float *frames;	    /* (SOME * n_hops, n_mels) */
	float *logits;	    /* (SOME * every + 1, n_words) */
	float *x;	    /* (window - 1 + SOME, dim) */
	float *point;	    /* (SOME, kws_pad(rank)) */
};

static enum kws_status create_parts(kws_embedder *e, const kws_model *m, kws_error *err)
{
	const kws_network *w = e->w;
	enum kws_status status = kws_stream_mel(&e->mel, m, err);
	if (status)
		return status;
	e->hop = kws_model_features(m)->hop;
	e->n_hops = w->step * w->embed.every;
	e->frames = calloc(SOME * e->n_hops * w->n_mels, sizeof *e->frames);
	e->logits = calloc((SOME * w->embed.every + 1) * w->n_words, sizeof *e->logits);
	e->x = calloc((w->embed.window - 1 + SOME) * w->embed.dim, sizeof *e->x);
	e->point = calloc(SOME * kws_pad(w->embed.rank), sizeof *e->point);
	if (!e->frames || !e->logits || !e->x || !e->point
	    || kws_runner_create(&e->runner, m) != KWS_OK)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	return KWS_OK;
}

enum kws_status kws_embedder_create(kws_embedder **out, const kws_model *m, kws_error *err)
{
	*out = NULL;
	if (!kws_model_network(m)->embed.every)
		return kws_fail(err, KWS_ERR_ARG,
				"%s is no base for words of one's own: it has no embedding",
				kws_model_name(m));
	if (!kws_model_hears_streams(m))
		return kws_fail(err, KWS_ERR_ARG, "%s hears clips only", kws_model_name(m));
	kws_embedder *e = calloc(1, sizeof *e);
	if (!e)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	e->w = kws_model_network(m);
	const enum kws_status status = create_parts(e, m, err);
	if (status) {
		kws_embedder_destroy(e);
		return status;
	}
	*out = e;
	return KWS_OK;
}

void kws_embedder_destroy(kws_embedder *e)
{
	if (!e)
		return;
	kws_mel_destroy(e->mel);
	kws_runner_destroy(e->runner);
	free(e->frames);
	free(e->logits);
	free(e->x);
	free(e->point);
	free(e);
}

void kws_embedder_reset(kws_embedder *e)
{
	kws_mel_reset(e->mel);
	kws_runner_reset(e->runner);
}

size_t kws_embedder_dim(const kws_embedder *e)
{
	return e->w->embed.dim;
}

size_t kws_embedder_rank(const kws_embedder *e)
{
	return e->w->embed.rank;
}

size_t kws_embedder_step(const kws_embedder *e)
{
	return e->n_hops * e->hop;
}

size_t kws_embedder_frames_per_row(const kws_embedder *e)
{
	return e->n_hops;
}

size_t kws_embedder_n_mels(const kws_embedder *e)
{
	return e->w->n_mels;
}

void kws_embedder_mel(kws_embedder *e, const float *pcm, size_t n, float *frames)
{
	kws_mel_process(e->mel, pcm, n * e->n_hops, frames);
}

void kws_embedder_run_frames(kws_embedder *e, const float *frames, size_t n, float *rows)
{
	for (size_t k; n; n -= k, rows += k * e->w->embed.dim) {
		k = n < SOME ? n : SOME;
		kws_runner_job job = { .runner = e->runner,
				       .frames = frames,
				       .t = k * e->n_hops,
				       .logits = e->logits,
				       .rows = rows };
		kws_runner_run_all(&job, 1);
		frames += k * e->n_hops * e->w->n_mels;
	}
}

void kws_embedder_run(kws_embedder *e, const float *pcm, size_t n, float *rows)
{
	for (size_t k; n; n -= k, pcm += k * e->n_hops * e->hop, rows += k * e->w->embed.dim) {
		k = n < SOME ? n : SOME;
		kws_embedder_mel(e, pcm, k, e->frames);
		kws_embedder_run_frames(e, e->frames, k, rows);
	}
}

void kws_embedder_points(kws_embedder *e, const float *rows, size_t n, float *points)
{
	const kws_embed *m = &e->w->embed;
	const size_t past = m->window - 1, ld = kws_pad(m->rank);
	memset(e->x, 0, past * m->dim * sizeof *e->x);
	for (size_t k; n; n -= k, rows += k * m->dim) {
		k = n < SOME ? n : SOME;
		memcpy(e->x + past * m->dim, rows, k * m->dim * sizeof *rows);
		kws_embed_points(m, e->x, k, e->point);
		for (size_t i = 0; i < k; i++, points += m->rank)
			memcpy(points, e->point + i * ld, m->rank * sizeof *points);
		memmove(e->x, e->x + k * m->dim, past * m->dim * sizeof *e->x);
	}
}
