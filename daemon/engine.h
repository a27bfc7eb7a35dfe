/* engine.h - a model, the thresholds of the configuration, and the spotter that hears one stream
 * with them. */
#ifndef KWS_DAEMON_ENGINE_H
#define KWS_DAEMON_ENGINE_H

#include "daemon/conf.h"
#include "spot/spotter.h"

#include <stdbool.h>

typedef struct kws_engine kws_engine;

/* near: no event, but a score that came within clips.near_miss of its threshold; then level and SNR
 * are NaN. Samples count from the stream's start, at the model's rate. */
typedef void kws_engine_fn(void *ctx, const kws_event *ev, bool near);

/* The share of real time that a model may take of one processor: more, and the audio would get ahead
 * of it. */
#define KWS_ENGINE_MOST 0.8

/* Load the model and check the configuration against it. KWS_ERR_ARG also for a model that is too
 * slow here. Takes some tenths of a second, and a model that is far too slow takes seconds: call it
 * from a thread you can do without. */
enum kws_status kws_engine_create(kws_engine **out, const kws_conf *c, kws_error *err);
void kws_engine_destroy(kws_engine *e);

/* Hear a new stream at in_hz, from silence. Allocates only when the rate is a new one. */
enum kws_status kws_engine_start(kws_engine *e, unsigned in_hz, kws_engine_fn *fn, void *ctx,
				 kws_error *err);
void kws_engine_process(kws_engine *e, const float *pcm, size_t n);
/* No more of this stream: what is open is decided. Only start may follow. */
void kws_engine_flush(kws_engine *e);
/* The samples before this sample of the stream (model's rate) were heard by somebody else: start
 * counts from there. */
void kws_engine_skip(kws_engine *e, uint64_t samples);

/* Other thresholds and times for the same model, from the next frame on. KWS_ERR_ARG: they name a
 * word it lacks. */
enum kws_status kws_engine_configure(kws_engine *e, const kws_conf *c, kws_error *err);

const kws_model *kws_engine_model(const kws_engine *e);
/* Samples of the stream that it has heard, at the model's rate, with those that it skipped. */
uint64_t kws_engine_heard(const kws_engine *e);
/* One spotter on one listener. Texts and model live as long as the engine and its configuration. */
typedef struct {
	const char *name, *path;
	const kws_model *model;
	const float *threshold; /* (n_words,); above 1: off */
	unsigned long events, near_misses;
	float best_score; /* of a command, since kws_engine_forget_best() */
	double cost;	  /* seconds of processor for a second of audio, as measured by create */
	bool gated, open;
} kws_spotter_stats;

/* All but the events, which its owner counts. */
void kws_engine_stats(const kws_engine *e, kws_spotter_stats *st);
void kws_engine_forget_best(kws_engine *e);
/* Mean level of the last second or so, dBFS. */
float kws_engine_level(const kws_engine *e);

#endif
