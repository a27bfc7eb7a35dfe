#include "spot/stream.h"

#include "dsp/mel.h"
#include "dsp/resample.h"
#include "model/runner.h"
#include "model/network.h"
#include "vec/vec.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	WAVE = 48,    /* network frames per wave: two of the network's blocks */
	JOBS = 48,    /* most streams in a wave */
	PIECE = 4096, /* input samples processed at a time */
};

struct kws_stream {
	kws_group *group;
	bool own_group;
	kws_resample *rs;
	kws_runner *runner;
	kws_frame_fn *fn;
	void *ctx;

	float *past;	 /* history of the features */
	float *pcm;	 /* (hop,) at the model's rate, an incomplete hop */
	size_t n_pcm;	 /* below hop */
	float *level;	 /* (stride,) of hops that are not yet a network frame */
	float *mel;	 /* (stride, n_mels) of the same hops */
	size_t n_level;	 /* below stride */
	uint64_t heard;	 /* samples at the model's rate that came out of the resampler */
	uint64_t n_hops; /* hops that went in */
	uint64_t n_out;	 /* network frames that came out */
};

/* A stream's part of a wave: hops that were added but not yet run. */
typedef struct {
	kws_stream *stream;
	size_t n; /* its hops */
	/* Row of its first frame in mel and level: first the hops that waited, then the n new
	 * ones. */
	size_t first;
} part;

struct kws_group {
	const kws_model *model;
	kws_mel *extractor;
	kws_runner_work *work;
	size_t hop, n_mels, stride, n_words, dim;
	size_t max_hops;   /* most hops of a stream between resets; 0: endless */
	size_t pcm_floats; /* in pcm */

	float *in;	  /* (PIECE,) checked input */
	float *pcm;	  /* at the model's rate: a stream's rest, then new samples */
	float *mel;	  /* ((WAVE + JOBS) * stride, n_mels) */
	float *level;	  /* ((WAVE + JOBS) * stride,) */
	float *logits;	  /* (WAVE + JOBS, n_words); for whole clips (max_frames, n_words) */
	float *prob;	  /* (n_words,) */
	float *embedding; /* (WAVE + JOBS, dim) */
	part parts[JOBS];
	size_t n_parts, n_hops, n_rows; /* all in this wave */
};

/* Multiply without overflow, for sizes from a model file. */
static void *array(size_t rows, size_t cols)
{
	if (cols && rows > SIZE_MAX / sizeof(float) / cols)
		return NULL;
	return calloc(rows * cols, sizeof(float));
}

static enum kws_status no_memory(kws_error *err)
{
	return kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
}

enum kws_status kws_stream_mel(kws_mel **out, const kws_model *m, kws_error *err)
{
	return kws_mel_create(out, kws_model_features(m), err);
}

/* ---- groups ---- */

static enum kws_status make_buffers(kws_group *g, kws_error *err)
{
	const kws_model *m = g->model;
	const kws_features *f = kws_model_features(m);
	g->hop = f->hop;
	g->n_mels = f->n_mels;
	g->stride = kws_model_stride(m);
	g->n_words = kws_model_n_words(m);
	g->dim = kws_model_network(m)->dim;
	g->max_hops = kws_model_max_frames(m) * g->stride;
	g->in = array(PIECE, 1);
	g->mel = array((WAVE + JOBS) * g->stride, g->n_mels);
	g->level = array((WAVE + JOBS) * g->stride, 1);
	g->logits =
		array(kws_model_whole_clip(m) ? kws_model_max_frames(m) : WAVE + JOBS, g->n_words);
	g->prob = array(g->n_words, 1);
	g->embedding = array(WAVE + JOBS, g->dim);
	if (!g->embedding || !g->in || !g->mel || !g->level || !g->logits || !g->prob)
		return no_memory(err);
	return KWS_OK;
}

enum kws_status kws_group_create(kws_group **out, const kws_model *m, kws_error *err)
{
	const kws_features *f = kws_model_features(m);
	*out = NULL;
	if (f->hop * kws_model_stride(m) * 1000 < f->rate_hz)
		return kws_fail(err, KWS_ERR_ARG,
				"hop: %u samples: a network frame is shorter than 1 ms", f->hop);
	kws_group *g = calloc(1, sizeof *g);
	if (!g)
		return no_memory(err);
	g->model = m;
	enum kws_status status = kws_stream_mel(&g->extractor, m, err);
	if (status == KWS_OK)
		status = make_buffers(g, err);
	if (status == KWS_OK && kws_runner_work_create(&g->work, m) != KWS_OK)
		status = no_memory(err);
	if (status != KWS_OK) {
		kws_group_destroy(g);
		return status;
	}
	*out = g;
	return KWS_OK;
}

void kws_group_destroy(kws_group *g)
{
	if (!g)
		return;
	kws_mel_destroy(g->extractor);
	kws_runner_work_destroy(g->work);
	free(g->in);
	free(g->pcm);
	free(g->mel);
	free(g->level);
	free(g->logits);
	free(g->prob);
	free(g->embedding);
	free(g);
}

const kws_model *kws_group_model(const kws_group *g)
{
	return g->model;
}

/* Make room for a piece of this stream at the model's rate or, if larger, for what its resampler
 * holds back. */
static enum kws_status fit(kws_group *g, const kws_resample *rs)
{
	const size_t most = kws_resample_bound(rs, PIECE), last = kws_resample_bound(rs, 0);
	const size_t need = g->hop + (most > last ? most : last);
	float *larger = need > g->pcm_floats ? realloc(g->pcm, need * sizeof *larger) : g->pcm;
	if (!larger)
		return KWS_ERR_NOMEM;
	g->pcm = larger;
	g->pcm_floats = need > g->pcm_floats ? need : g->pcm_floats;
	return KWS_OK;
}

/* ---- streams ---- */

static enum kws_status create_parts(kws_stream *s, unsigned in_hz, kws_error *err)
{
	kws_group *g = s->group;
	const unsigned rate_hz = kws_model_features(g->model)->rate_hz;
	const enum kws_status status = kws_resample_create(&s->rs, in_hz, rate_hz);
	if (status != KWS_OK)
		return kws_fail(err, status, "resampler, %u to %u Hz: %s", in_hz, rate_hz,
				kws_strerror(status));
	s->past = array(kws_mel_past(g->extractor) + 1, 1);
	s->pcm = array(g->hop, 1);
	s->level = array(g->stride, 1);
	s->mel = array(g->stride, g->n_mels);
	if (!s->past || !s->pcm || !s->level || !s->mel || fit(g, s->rs) != KWS_OK
	    || kws_runner_create_in(&s->runner, g->work) != KWS_OK)
		return no_memory(err);
	return KWS_OK;
}

enum kws_status kws_stream_create_in(kws_stream **out, kws_group *g, unsigned in_hz,
				     kws_frame_fn *fn, void *ctx, kws_error *err)
{
	*out = NULL;
	if (in_hz < 8000 || in_hz > 192000)
		return kws_fail(err, KWS_ERR_ARG, "rate: %u Hz is not in 8000..192000", in_hz);
	kws_stream *s = calloc(1, sizeof *s);
	if (!s)
		return no_memory(err);
	s->group = g;
	s->fn = fn;
	s->ctx = ctx;
	const enum kws_status status = create_parts(s, in_hz, err);
	if (status != KWS_OK) {
		kws_stream_destroy(s);
		return status;
	}
	*out = s;
	return KWS_OK;
}

enum kws_status kws_stream_create(kws_stream **out, const kws_model *m, unsigned in_hz,
				  kws_frame_fn *fn, void *ctx, kws_error *err)
{
	kws_group *g;
	*out = NULL;
	enum kws_status status = kws_group_create(&g, m, err);
	if (g)
		status = kws_stream_create_in(out, g, in_hz, fn, ctx, err);
	if (*out)
		(*out)->own_group = true;
	else
		kws_group_destroy(g);
	return status;
}

void kws_stream_destroy(kws_stream *s)
{
	if (!s)
		return;
	kws_runner_destroy(s->runner);
	kws_resample_destroy(s->rs);
	free(s->past);
	free(s->pcm);
	free(s->level);
	free(s->mel);
	if (s->own_group)
		kws_group_destroy(s->group);
	free(s);
}

void kws_stream_reset(kws_stream *s)
{
	kws_resample_reset(s->rs);
	kws_runner_reset(s->runner);
	memset(s->past, 0, kws_mel_past(s->group->extractor) * sizeof *s->past);
	s->n_pcm = s->n_level = 0;
	s->heard = s->n_hops = s->n_out = 0;
}

/* ---- waves: hops of one stream or of many, run together ---- */

/* The first n sum to 1, also where logits are not finite; each word behind them is by itself. */
static void probabilities(const float *logit, size_t n, size_t n_words, float *prob)
{
	const float far = 1e30f;
	float max = -far, sum = 0.0f;
	for (size_t i = 0; i < n; i++) {
		prob[i] = isnan(logit[i]) ? -far : fminf(fmaxf(logit[i], -far), far);
		max = fmaxf(max, prob[i]);
	}
	for (size_t i = 0; i < n; i++) {
		prob[i] = expf(prob[i] - max);
		sum += prob[i];
	}
	for (size_t i = 0; i < n; i++)
		prob[i] /= sum;
	for (size_t i = n; i < n_words; i++)
		prob[i] = isnan(logit[i]) ? 0.0f : 1.0f / (1.0f + expf(-logit[i]));
}

/* Report n network frames with the levels and bands of their hops and their embeddings; these may
 * be NULL. */
static void emit(kws_stream *s, const float *logits, size_t n, const float *level, const float *mel,
		 const float *embedding)
{
	kws_group *g = s->group;
	for (size_t i = 0; i < n; i++) {
		s->n_out++;
		probabilities(logits + i * g->n_words, kws_model_n_classes(g->model), g->n_words,
			      g->prob);
		kws_frame f = {
			.sample = s->n_out * g->stride * g->hop,
			.prob = g->prob,
			.logit = logits + i * g->n_words,
			.level = level ? level + i * g->stride : NULL,
			.n_words = g->n_words,
			.stride = g->stride,
			.embedding = embedding ? embedding + i * g->dim : NULL,
			.n_embedding = g->dim,
			.mel = mel ? mel + i * g->stride * g->n_mels : NULL,
			.n_mels = g->n_mels,
		};
		s->fn(s->ctx, &f);
	}
}

static void run_wave(kws_group *g)
{
	kws_runner_job jobs[JOBS];
	size_t rows = 0;
	for (size_t i = 0; i < g->n_parts; i++) {
		const part *p = &g->parts[i];
		jobs[i] = (kws_runner_job){ .runner = p->stream->runner,
					    .frames = g->mel
						      + (p->first + p->stream->n_level) * g->n_mels,
					    .t = p->n,
					    .logits = g->logits + rows * g->n_words,
					    .embedding = g->embedding + rows * g->dim };
		rows += (p->stream->n_level + p->n) / g->stride;
	}
	kws_runner_run_all(jobs, g->n_parts);
	for (size_t i = 0; i < g->n_parts; i++) {
		const part *p = &g->parts[i];
		kws_stream *s = p->stream;
		const size_t n = s->n_level + p->n, frames = n / g->stride;
		const size_t rest = p->first + frames * g->stride;
		s->n_level = n - frames * g->stride;
		memcpy(s->level, g->level + rest, s->n_level * sizeof *s->level);
		memcpy(s->mel, g->mel + rest * g->n_mels, s->n_level * g->n_mels * sizeof *s->mel);
		emit(s, jobs[i].logits, jobs[i].n_out, g->level + p->first,
		     g->mel + p->first * g->n_mels, jobs[i].embedding);
	}
	g->n_parts = g->n_hops = g->n_rows = 0;
}

/* The stream's part of the wave that is being filled. If it has none, add one at the end. */
static part *part_of(kws_stream *s)
{
	kws_group *g = s->group;
	if (g->n_parts && g->parts[g->n_parts - 1].stream == s)
		return &g->parts[g->n_parts - 1];
	if (g->n_parts == JOBS)
		run_wave(g);
	part *p = &g->parts[g->n_parts++];
	*p = (part){ s, 0, g->n_rows };
	memcpy(g->level + g->n_rows, s->level, s->n_level * sizeof *s->level);
	memcpy(g->mel + g->n_rows * g->n_mels, s->mel, s->n_level * g->n_mels * sizeof *s->mel);
	g->n_rows += s->n_level;
	return p;
}

/* Turn whole hops into features. Run the wave whenever it is full. */
static void take_hops(kws_stream *s, const float *pcm, size_t hops)
{
	kws_group *g = s->group;
	if (g->max_hops && hops > g->max_hops - s->n_hops)
		hops = g->max_hops - (size_t)s->n_hops;
	s->n_hops += hops;
	while (hops) {
		part *p = part_of(s);
		const size_t room = WAVE * g->stride - g->n_hops, n = hops < room ? hops : room;
		kws_mel_run(g->extractor, s->past, pcm, n, g->mel + g->n_rows * g->n_mels);
		for (size_t i = 0; i < n; i++)
			g->level[g->n_rows + i] =
				kws_vec_get()->sumsq(pcm + i * g->hop, 0.0f, g->hop)
				/ (float)g->hop;
		p->n += n;
		g->n_hops += n;
		g->n_rows += n;
		pcm += n * g->hop;
		hops -= n;
		if (g->n_hops == WAVE * g->stride)
			run_wave(g);
	}
}

/* g->pcm holds the rest of the samples of s, then n new ones. */
static void take_pcm(kws_stream *s, size_t n)
{
	kws_group *g = s->group;
	const size_t all = s->n_pcm + n, hops = all / g->hop;
	take_hops(s, g->pcm, hops);
	s->n_pcm = all - hops * g->hop;
	memcpy(s->pcm, g->pcm + hops * g->hop, s->n_pcm * sizeof *s->pcm);
}

/* Where the new samples of s go. */
static float *room_behind(kws_stream *s)
{
	memcpy(s->group->pcm, s->pcm, s->n_pcm * sizeof *s->pcm);
	return s->group->pcm + s->n_pcm;
}

/* Impossible samples must not stay in the state for ever: NaN and infinities become 0, and the
 * limit is 1e4. */
static void sane(float *to, const float *from, size_t n)
{
	const float loud = 1e4f;
	int good = 1;
	for (size_t i = 0; i < n; i++) {
		to[i] = from[i];
		good &= fabsf(from[i]) <= loud;
	}
	for (size_t i = 0; !good && i < n; i++)
		to[i] = isfinite(from[i]) ? fminf(fmaxf(from[i], -loud), loud) : 0.0f;
}

void kws_stream_process_all(const kws_stream_input *in, size_t n_in)
{
	for (size_t i = 0; i < n_in; i++) {
		kws_stream *s = in[i].stream;
		const float *pcm = in[i].pcm;
		for (size_t n = in[i].n, k; n; n -= k, pcm += k) {
			k = n < PIECE ? n : PIECE;
			sane(s->group->in, pcm, k);
			const size_t m =
				kws_resample_process(s->rs, s->group->in, k, room_behind(s));
			s->heard += m;
			take_pcm(s, m);
		}
	}
	if (n_in)
		run_wave(in->stream->group);
}

void kws_stream_process(kws_stream *s, const float *pcm, size_t n)
{
	kws_stream_process_all(&(kws_stream_input){ s, pcm, n }, 1);
}

void kws_stream_flush(kws_stream *s)
{
	kws_group *g = s->group;
	const size_t m = kws_resample_flush(s->rs, room_behind(s));
	s->heard += m;
	take_pcm(s, m);
	run_wave(g);
	while ((s->n_pcm || s->n_level) && !(g->max_hops && s->n_hops == g->max_hops)) {
		memset(room_behind(s), 0, (g->hop - s->n_pcm) * sizeof *g->pcm);
		take_pcm(s, g->hop - s->n_pcm);
		run_wave(g);
	}
	emit(s, g->logits, kws_runner_finish(s->runner, g->logits), NULL, NULL, NULL);
}

uint64_t kws_stream_heard(const kws_stream *s)
{
	return s->heard;
}
