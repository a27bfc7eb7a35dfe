#include "spot/stream.h"

#include "dsp/mel.h"
#include "dsp/resample.h"
#include "model/net.h"
#include "vec/vec.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Network frames that one kws_net_run() takes when there is much audio: two of its blocks. */
enum { BLOCK = 48 };

struct kws_stream {
	kws_resample *rs;
	kws_mel *mel;
	kws_net *net;
	kws_frame_fn *fn;
	void *ctx;

	size_t hop, n_mels, stride, n_words;
	size_t piece; /* input samples taken at a time */
	float *in;    /* (piece,) checked input */
	float *pcm;   /* (pcm_cap,) at the model's rate, not yet a whole hop beyond the last */
	size_t n_pcm;
	float *frames; /* (BLOCK * stride, n_mels) */
	float *level;  /* (BLOCK * stride,) */
	size_t n_hops; /* in frames and level */
	float *logits; /* (BLOCK + 1, n_words); for whole clips (max_frames, n_words) */
	float *prob;   /* (n_words,) */

	uint64_t heard;	   /* samples at the model's rate that came out of the resampler */
	uint64_t n_frames; /* network frames that went in */
	uint64_t n_out;	   /* and that came out */
	size_t max_frames; /* 0: endless */
};

/* A product that cannot overflow, for sizes that a model file sets. */
static void *array(size_t rows, size_t cols)
{
	if (cols && rows > SIZE_MAX / sizeof(float) / cols)
		return NULL;
	return calloc(rows * cols, sizeof(float));
}

static enum kws_status check(const kws_model *m, unsigned in_hz, kws_error *err)
{
	const kws_features *f = kws_model_features(m);
	if (in_hz < 8000 || in_hz > 192000)
		return kws_fail(err, KWS_ERR_ARG, "rate: %u Hz is not in 8000..192000", in_hz);
	if (f->hop * kws_model_stride(m) * 1000 < f->rate_hz)
		return kws_fail(err, KWS_ERR_ARG,
				"hop: %u samples: a network frame is shorter than 1 ms", f->hop);
	return KWS_OK;
}

enum kws_status kws_stream_mel(kws_mel **out, const kws_model *m, kws_error *err)
{
	const kws_features *f = kws_model_features(m);
	const kws_mel_config cfg = {
		.rate_hz = f->rate_hz,
		.win = f->win,
		.hop = f->hop,
		.n_fft = f->n_fft,
		.n_mels = f->n_mels,
		.f_lo_hz = f->f_lo_hz,
		.f_hi_hz = f->f_hi_hz,
		.log_floor = f->log_floor,
		.mel = f->mel,
	};
	return kws_mel_create(out, &cfg, err);
}

static enum kws_status create_parts(kws_stream *s, const kws_model *m, unsigned in_hz,
				    kws_error *err)
{
	const kws_features *f = kws_model_features(m);
	enum kws_status st = kws_stream_mel(&s->mel, m, err);
	if (st != KWS_OK)
		return st;
	st = kws_resample_create(&s->rs, in_hz, f->rate_hz);
	if (st != KWS_OK)
		return kws_fail(err, st, "resampler, %u to %u Hz: %s", in_hz, f->rate_hz,
				kws_strerror(st));
	st = kws_net_create(&s->net, m);
	if (st != KWS_OK)
		return kws_fail(err, st, "network: %s", kws_strerror(st));
	return KWS_OK;
}

enum kws_status kws_stream_create(kws_stream **out, const kws_model *m, unsigned in_hz,
				  kws_frame_fn *fn, void *ctx, kws_error *err)
{
	*out = NULL;
	enum kws_status st = check(m, in_hz, err);
	if (st != KWS_OK)
		return st;
	kws_stream *s = calloc(1, sizeof *s);
	if (!s)
		return kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	st = create_parts(s, m, in_hz, err);
	if (st != KWS_OK)
		goto fail;

	const kws_features *f = kws_model_features(m);
	s->fn = fn;
	s->ctx = ctx;
	s->hop = f->hop;
	s->n_mels = f->n_mels;
	s->stride = kws_model_stride(m);
	s->n_words = kws_model_n_words(m);
	s->max_frames = kws_model_max_frames(m);
	s->piece = (size_t)((uint64_t)BLOCK * s->stride * s->hop * in_hz / f->rate_hz) + 1;
	size_t most = kws_resample_bound(s->rs, s->piece), last = kws_resample_bound(s->rs, 0);
	s->in = array(s->piece, 1);
	s->pcm = array(s->hop + (most > last ? most : last), 1);
	s->frames = array(BLOCK * s->stride, s->n_mels);
	s->level = array(BLOCK * s->stride, 1);
	s->logits = array(kws_model_whole_clip(m) ? s->max_frames : BLOCK + 1, s->n_words);
	s->prob = array(s->n_words, 1);
	if (!s->in || !s->pcm || !s->frames || !s->level || !s->logits || !s->prob) {
		st = kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
		goto fail;
	}
	*out = s;
	return KWS_OK;
fail:
	kws_stream_destroy(s);
	return st;
}

void kws_stream_destroy(kws_stream *s)
{
	if (!s)
		return;
	kws_resample_destroy(s->rs);
	kws_mel_destroy(s->mel);
	kws_net_destroy(s->net);
	free(s->in);
	free(s->pcm);
	free(s->frames);
	free(s->level);
	free(s->logits);
	free(s->prob);
	free(s);
}

void kws_stream_reset(kws_stream *s)
{
	kws_resample_reset(s->rs);
	kws_mel_reset(s->mel);
	kws_net_reset(s->net);
	s->n_pcm = 0;
	s->n_hops = 0;
	s->heard = 0;
	s->n_frames = 0;
	s->n_out = 0;
}

/* Sums to 1 whatever the logits are: those that are not finite count as very large or small. */
static void softmax(const float *logit, size_t n, float *prob)
{
	const float far = 1e30f;
	float max = -far;
	for (size_t i = 0; i < n; i++) {
		prob[i] = isnan(logit[i]) ? -far : fminf(fmaxf(logit[i], -far), far);
		max = fmaxf(max, prob[i]);
	}
	float sum = 0.0f;
	for (size_t i = 0; i < n; i++) {
		prob[i] = expf(prob[i] - max);
		sum += prob[i];
	}
	for (size_t i = 0; i < n; i++)
		prob[i] /= sum;
}

/* Report n network frames; the levels of their hops, or NULL. */
static void emit(kws_stream *s, size_t n, const float *level)
{
	for (size_t i = 0; i < n; i++) {
		s->n_out++;
		softmax(s->logits + i * s->n_words, s->n_words, s->prob);
		kws_frame f = {
			.sample = s->n_out * s->stride * s->hop,
			.prob = s->prob,
			.logit = s->logits + i * s->n_words,
			.level = level ? level + i * s->stride : NULL,
			.n_words = s->n_words,
			.stride = s->stride,
		};
		s->fn(s->ctx, &f);
	}
}

/* Run the network over the whole network frames that are there. */
static void run(kws_stream *s)
{
	size_t whole = s->n_hops / s->stride;
	if (s->max_frames && whole > s->max_frames - s->n_frames)
		whole = s->max_frames - (size_t)s->n_frames;
	size_t hops = whole * s->stride;
	if (hops == 0)
		return;
	s->n_frames += whole;
	emit(s, kws_net_run(s->net, s->frames, hops, s->logits), s->level);
	s->n_hops -= hops;
	memmove(s->frames, s->frames + hops * s->n_mels, s->n_hops * s->n_mels * sizeof *s->frames);
	memmove(s->level, s->level + hops, s->n_hops * sizeof *s->level);
}

static bool full(const kws_stream *s)
{
	return s->max_frames && s->n_frames + s->n_hops / s->stride >= s->max_frames;
}

/* Turn the whole hops in pcm into features; run the network whenever a block is full. */
static void take_hops(kws_stream *s)
{
	size_t used = 0;
	while (s->n_pcm - used >= s->hop && !full(s)) {
		size_t n = (s->n_pcm - used) / s->hop, room = BLOCK * s->stride - s->n_hops;
		n = n < room ? n : room;
		kws_mel_process(s->mel, s->pcm + used, n, s->frames + s->n_hops * s->n_mels);
		for (size_t i = 0; i < n; i++)
			s->level[s->n_hops + i] =
				kws_vec_get()->sumsq(s->pcm + used + i * s->hop, 0.0f, s->hop)
				/ (float)s->hop;
		s->n_hops += n;
		used += n * s->hop;
		if (s->n_hops == BLOCK * s->stride)
			run(s);
	}
	if (full(s))
		used = s->n_pcm;
	s->n_pcm -= used;
	memmove(s->pcm, s->pcm + used, s->n_pcm * sizeof *s->pcm);
}

/* What no microphone sends must not stay in the state for ever: NaN and infinities become 0, and
 * 1e4 is loud enough. */
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

void kws_stream_process(kws_stream *s, const float *pcm, size_t n)
{
	while (n) {
		size_t k = n < s->piece ? n : s->piece;
		sane(s->in, pcm, k);
		size_t m = kws_resample_process(s->rs, s->in, k, s->pcm + s->n_pcm);
		s->n_pcm += m;
		s->heard += m;
		take_hops(s);
		pcm += k;
		n -= k;
	}
	run(s);
}

void kws_stream_flush(kws_stream *s)
{
	size_t m = kws_resample_flush(s->rs, s->pcm + s->n_pcm);
	s->n_pcm += m;
	s->heard += m;
	take_hops(s);
	run(s);
	while ((s->n_pcm || s->n_hops) && !full(s)) {
		memset(s->pcm + s->n_pcm, 0, (s->hop - s->n_pcm) * sizeof *s->pcm);
		s->n_pcm = s->hop;
		take_hops(s);
		run(s);
	}
	emit(s, kws_net_finish(s->net, s->logits), NULL);
}

int kws_is_command(const char *word)
{
	size_t n = strlen(word);
	return !(n >= 2 && word[0] == '_' && word[n - 1] == '_');
}

uint64_t kws_stream_heard(const kws_stream *s)
{
	return s->heard;
}
