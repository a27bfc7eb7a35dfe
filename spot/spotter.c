#include "spot/spotter.h"

#include "spot/endpoint.h"

#include <stdlib.h>
#include <string.h>

struct kws_spotter {
	const kws_model *model;
	kws_stream *stream;
	kws_decide *decide;
	kws_endpoint *endpoint;
	float *threshold; /* (n_words,) as the decision has them */
	kws_event_fn *on_event;
	kws_frame_fn *on_frame;
	void *ctx;
};

/* The configuration to run: the caller's or the model's, without what is no command. */
static kws_decide_config effective(kws_spotter *sp, const kws_spotter_config *cfg)
{
	const kws_decision *def = kws_model_decision(sp->model);
	for (size_t w = 0; w < kws_model_n_words(sp->model); w++) {
		float wanted = cfg ? cfg->threshold[w] : kws_model_threshold(sp->model, w);
		sp->threshold[w] = kws_is_command(kws_model_word(sp->model, w)) ? wanted : 2.0f;
	}
	return (kws_decide_config){
		.smooth_ms = cfg ? cfg->smooth_ms : def->smooth_ms,
		.refractory_ms = cfg ? cfg->refractory_ms : def->refractory_ms,
		.threshold = sp->threshold,
	};
}

static void report(kws_spotter *sp, const kws_hit *hit)
{
	kws_event ev;
	kws_endpoint_find(sp->endpoint, hit, &ev);
	if (sp->on_event)
		sp->on_event(sp->ctx, &ev);
}

static void on_stream_frame(void *ctx, const kws_frame *f)
{
	kws_spotter *sp = ctx;
	kws_hit hit;
	kws_endpoint_push(sp->endpoint, f->level, f->stride);
	int decided = kws_decide_step(sp->decide, f->prob, &hit);
	if (sp->on_frame)
		sp->on_frame(sp->ctx, f);
	if (decided)
		report(sp, &hit);
}

enum kws_status kws_spotter_create(kws_spotter **out, const kws_model *m, unsigned in_hz,
				   const kws_spotter_config *cfg, kws_event_fn *on_event,
				   kws_frame_fn *on_frame, void *ctx, kws_error *err)
{
	*out = NULL;
	if (kws_model_max_frames(m))
		return kws_fail(err, KWS_ERR_ARG,
				"%s: full attention cannot hear an endless stream, only clips",
				kws_model_name(m));
	kws_spotter *sp = calloc(1, sizeof *sp);
	if (!sp)
		return kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	const kws_features *f = kws_model_features(m);
	size_t n_words = kws_model_n_words(m), frame = kws_model_stride(m) * f->hop;
	sp->model = m;
	sp->on_event = on_event;
	sp->on_frame = on_frame;
	sp->ctx = ctx;
	enum kws_status st = kws_stream_create(&sp->stream, m, in_hz, on_stream_frame, sp, err);
	if (st != KWS_OK)
		goto fail;
	st = KWS_ERR_NOMEM;
	sp->threshold = calloc(n_words, sizeof *sp->threshold);
	if (sp->threshold) {
		kws_decide_config eff = effective(sp, cfg);
		st = kws_decide_create(&sp->decide, n_words, f->rate_hz, frame, &eff);
	}
	if (st == KWS_OK)
		st = kws_endpoint_create(&sp->endpoint, f->rate_hz, f->hop,
					 kws_model_window(m) * frame);
	if (st != KWS_OK) {
		kws_fail(err, st, "decision: %s", kws_strerror(st));
		goto fail;
	}
	*out = sp;
	return KWS_OK;
fail:
	kws_spotter_destroy(sp);
	return st;
}

void kws_spotter_destroy(kws_spotter *sp)
{
	if (!sp)
		return;
	kws_stream_destroy(sp->stream);
	kws_decide_destroy(sp->decide);
	kws_endpoint_destroy(sp->endpoint);
	free(sp->threshold);
	free(sp);
}

void kws_spotter_reset(kws_spotter *sp)
{
	kws_stream_reset(sp->stream);
	kws_decide_reset(sp->decide);
	kws_endpoint_reset(sp->endpoint);
}

void kws_spotter_process(kws_spotter *sp, const float *pcm, size_t n)
{
	kws_stream_process(sp->stream, pcm, n);
}

void kws_spotter_flush(kws_spotter *sp)
{
	kws_hit hit;
	kws_stream_flush(sp->stream);
	if (kws_decide_flush(sp->decide, &hit))
		report(sp, &hit);
}

void kws_spotter_configure(kws_spotter *sp, const kws_spotter_config *cfg)
{
	kws_decide_config eff = effective(sp, cfg);
	kws_decide_configure(sp->decide, &eff);
}

const float *kws_spotter_score(const kws_spotter *sp)
{
	return kws_decide_score(sp->decide);
}

uint64_t kws_spotter_heard(const kws_spotter *sp)
{
	return kws_stream_heard(sp->stream);
}
