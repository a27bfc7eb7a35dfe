#include "spot/classify.h"

#include "spot/stream.h"

#include <stdlib.h>
#include <string.h>

struct kws_classifier {
	const kws_model *model;
	kws_stream *stream;
	unsigned in_hz;
	uint64_t n_in;	 /* samples of the clip */
	uint64_t window; /* samples at the model's rate */
	float *best;	 /* (n_words,) probabilities of the best frame so far */
	float peak;	 /* the probability of its word; below 0: no frame yet */
	bool at_end;	 /* a later frame is always better */
};

static void consider(kws_classifier *c, const float *prob)
{
	size_t n_words = kws_model_n_words(c->model);
	float peak = 0.0f;
	for (size_t w = 0; w < n_words; w++)
		if (prob[w] > peak && kws_model_is_command(c->model, w))
			peak = prob[w];
	if (peak <= c->peak && !c->at_end)
		return;
	c->peak = peak;
	memcpy(c->best, prob, n_words * sizeof *prob);
}

/* A frame whose window ends after the clip's last sample is not inside the clip. The first window
 * is always allowed. */
static void on_frame(void *ctx, const kws_frame *f)
{
	kws_classifier *c = ctx;
	if (f->sample < c->window)
		return;
	if (f->sample <= kws_stream_heard(c->stream) || f->sample == c->window)
		consider(c, f->prob);
}

enum kws_status kws_classifier_create(kws_classifier **out, const kws_model *m, unsigned in_hz,
				      bool at_end, kws_error *err)
{
	*out = NULL;
	kws_classifier *c = calloc(1, sizeof *c);
	if (!c)
		return kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	size_t window = kws_model_window(m), most = kws_model_max_frames(m);
	c->model = m;
	c->in_hz = in_hz;
	c->at_end = at_end;
	c->window = (uint64_t)(most && window > most ? most : window) * kws_model_stride(m)
		    * kws_model_features(m)->hop;
	c->peak = -1.0f;
	enum kws_status st = kws_stream_create(&c->stream, m, in_hz, on_frame, c, err);
	if (st != KWS_OK)
		goto fail;
	c->best = calloc(kws_model_n_words(m), sizeof *c->best);
	if (!c->best) {
		st = kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
		goto fail;
	}
	*out = c;
	return KWS_OK;
fail:
	kws_classifier_destroy(c);
	return st;
}

void kws_classifier_destroy(kws_classifier *c)
{
	if (!c)
		return;
	kws_stream_destroy(c->stream);
	free(c->best);
	free(c);
}

void kws_classifier_process(kws_classifier *c, const float *pcm, size_t n)
{
	c->n_in += n;
	kws_stream_process(c->stream, pcm, n);
}

/* Extend a clip that is shorter than the window by silence. */
static void pad(kws_classifier *c)
{
	static const float silence[512];
	uint64_t rate = kws_model_features(c->model)->rate_hz;
	uint64_t want = (c->window * c->in_hz + rate - 1) / rate;
	while (c->n_in < want) {
		uint64_t left = want - c->n_in;
		size_t n = left < 512 ? (size_t)left : 512;
		kws_classifier_process(c, silence, n);
	}
}

void kws_classifier_finish(kws_classifier *c, float *prob)
{
	pad(c);
	kws_stream_flush(c->stream);
	memcpy(prob, c->best, kws_model_n_words(c->model) * sizeof *prob);
	kws_stream_reset(c->stream);
	c->n_in = 0;
	c->peak = -1.0f;
}

size_t kws_classify_best(const float *prob, size_t n_words)
{
	size_t best = 0;
	for (size_t w = 1; w < n_words; w++)
		if (prob[w] > prob[best])
			best = w;
	return best;
}
