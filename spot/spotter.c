#include "spot/spotter.h"

#include "spot/endpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct kws_spotter {
	const kws_model *model;
	kws_group *own_group; /* NULL: the caller's */
	kws_stream *stream;
	kws_decide *decide;
	kws_endpoint *endpoint;
	float *threshold; /* (n_words,) as the decision has them */
	kws_event_fn *on_event;
	kws_frame_fn *on_frame;
	void *ctx;
};

static enum kws_status check(const kws_model *m, const kws_spotter_config *config, kws_error *err)
{
	if (config->size != sizeof *config)
		return kws_fail(
			err, KWS_ERR_ARG,
			"config.size: %zu, this libkws has %zu: begin with KWS_SPOTTER_CONFIG",
			config->size, sizeof *config);
	if (config->smooth_ms < -1 || config->smooth_ms > KWS_DECIDE_SMOOTH_MAX_MS)
		return kws_fail(err, KWS_ERR_ARG, "config.smooth_ms: %d is not in -1..%d",
				config->smooth_ms, KWS_DECIDE_SMOOTH_MAX_MS);
	if (config->refractory_ms < -1 || config->refractory_ms > KWS_REFRACTORY_MAX_MS)
		return kws_fail(err, KWS_ERR_ARG, "config.refractory_ms: %d is not in -1..%d",
				config->refractory_ms, KWS_REFRACTORY_MAX_MS);
	for (size_t w = 0; config->threshold && w < kws_model_n_words(m); w++)
		if (config->threshold[w] < 0.0f)
			return kws_fail(err, KWS_ERR_ARG, "config.threshold: %s: %g is below 0",
					kws_model_word(m, w), (double)config->threshold[w]);
	return KWS_OK;
}

/* Combine the model's defaults and the caller's values. A class that is not a command never
 * fires. */
static kws_decide_config effective(kws_spotter *sp, const kws_spotter_config *config)
{
	const kws_decision *def = kws_model_decision(sp->model);
	for (size_t w = 0; w < kws_model_n_words(sp->model); w++) {
		const float wanted = config->threshold ? config->threshold[w] : NAN;
		sp->threshold[w] = !kws_model_is_command(sp->model, w) ? 2.0f
				   : isnan(wanted) ? kws_model_threshold(sp->model, w)
						   : wanted;
	}
	return (kws_decide_config){
		.smooth_ms = config->smooth_ms >= 0 ? (unsigned)config->smooth_ms : def->smooth_ms,
		.refractory_ms = config->refractory_ms >= 0 ? (unsigned)config->refractory_ms
							    : def->refractory_ms,
		.wait_ms = def->wait_ms,
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
	int decided =
		kws_decide_step(sp->decide, f->prob, kws_endpoint_stretch(sp->endpoint), &hit);
	if (sp->on_frame)
		sp->on_frame(sp->ctx, f);
	if (decided)
		report(sp, &hit);
}

static enum kws_status create_parts(kws_spotter *sp, kws_group *g, unsigned in_hz,
				    const kws_spotter_config *config, kws_error *err)
{
	const kws_model *m = sp->model;
	const kws_features *f = kws_model_features(m);
	const size_t n_words = kws_model_n_words(m), frame = kws_model_stride(m) * f->hop;
	const size_t window = kws_model_window(m) * frame;
	enum kws_status status =
		kws_stream_create_in(&sp->stream, g, in_hz, on_stream_frame, sp, err);
	if (status != KWS_OK)
		return status;
	status = KWS_ERR_NOMEM;
	sp->threshold = calloc(n_words, sizeof *sp->threshold);
	if (sp->threshold) {
		kws_decide_config eff = effective(sp, config);
		status = kws_decide_create(&sp->decide, n_words, f->rate_hz, frame, window, &eff);
	}
	if (status == KWS_OK)
		status = kws_endpoint_create(&sp->endpoint, f->rate_hz, f->hop, window);
	if (status != KWS_OK)
		kws_fail(err, status, "decision: %s", kws_strerror(status));
	return status;
}

enum kws_status kws_spotter_create_in(kws_spotter **out, kws_group *g, unsigned in_hz,
				      const kws_spotter_config *config, kws_error *err)
{
	static const kws_spotter_config as_the_model = KWS_SPOTTER_CONFIG;
	const kws_model *m = kws_group_model(g);
	*out = NULL;
	if (!kws_model_hears_streams(m))
		return kws_fail(err, KWS_ERR_ARG,
				"%s: full attention cannot hear an endless stream, only clips",
				kws_model_name(m));
	config = config ? config : &as_the_model;
	enum kws_status status = check(m, config, err);
	if (status != KWS_OK)
		return status;
	kws_spotter *sp = calloc(1, sizeof *sp);
	if (!sp)
		return kws_fail(err, KWS_ERR_NOMEM, "%s", kws_strerror(KWS_ERR_NOMEM));
	sp->model = m;
	sp->on_event = config->on_event;
	sp->on_frame = config->on_frame;
	sp->ctx = config->ctx;
	status = create_parts(sp, g, in_hz, config, err);
	if (status != KWS_OK) {
		kws_spotter_destroy(sp);
		return status;
	}
	*out = sp;
	return KWS_OK;
}

enum kws_status kws_spotter_create(kws_spotter **out, const kws_model *m, unsigned in_hz,
				   const kws_spotter_config *config, kws_error *err)
{
	kws_group *g;
	*out = NULL;
	enum kws_status status = kws_group_create(&g, m, err);
	if (g)
		status = kws_spotter_create_in(out, g, in_hz, config, err);
	if (*out)
		(*out)->own_group = g;
	else
		kws_group_destroy(g);
	return status;
}

void kws_spotter_destroy(kws_spotter *sp)
{
	if (!sp)
		return;
	kws_stream_destroy(sp->stream);
	kws_decide_destroy(sp->decide);
	kws_endpoint_destroy(sp->endpoint);
	kws_group_destroy(sp->own_group);
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

void kws_spotter_process_all(const kws_spotter_input *in, size_t n)
{
	enum { SOME = 64 };
	kws_stream_input streams[SOME];
	for (size_t k; n; n -= k, in += k) {
		k = n < SOME ? n : SOME;
		for (size_t i = 0; i < k; i++)
			streams[i] =
				(kws_stream_input){ in[i].spotter->stream, in[i].pcm, in[i].n };
		kws_stream_process_all(streams, k);
	}
}

void kws_spotter_flush(kws_spotter *sp)
{
	kws_hit hit;
	kws_stream_flush(sp->stream);
	if (kws_decide_flush(sp->decide, &hit))
		report(sp, &hit);
}

enum kws_status kws_spotter_configure(kws_spotter *sp, const kws_spotter_config *config,
				      kws_error *err)
{
	const enum kws_status status = check(sp->model, config, err);
	if (status != KWS_OK)
		return status;
	const kws_decide_config eff = effective(sp, config);
	kws_decide_configure(sp->decide, &eff);
	return KWS_OK;
}

const float *kws_spotter_score(const kws_spotter *sp)
{
	return kws_decide_score(sp->decide);
}

uint64_t kws_spotter_heard(const kws_spotter *sp)
{
	return kws_stream_heard(sp->stream);
}
