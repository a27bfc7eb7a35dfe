/* engine.h - one spotter of a listener: a model, which others hear with, too, the thresholds of the configuration,
 * and the ear that hears the listener's stream with them. */
#ifndef KWS_DAEMON_ENGINE_H
#define KWS_DAEMON_ENGINE_H

#include "daemon/models.h"
#include "spot/ear.h"

typedef struct kws_engine kws_engine;

/* near: no event, but a score that came within clips.near_miss of its threshold; then level and SNR
 * are NaN. Samples count from the stream's start, at the model's rate. */
typedef void kws_engine_fn(void *ctx, kws_engine *e, const kws_event *ev, bool near);
/* Each network frame, with the smoothed scores (n_words,) of it. */
typedef void kws_engine_frame_fn(void *ctx, kws_engine *e, const kws_frame *f, const float *score);

/* conf: of the model's section in c. It has a share of the model. Events come to nobody before
 * kws_engine_listen(). */
enum kws_status kws_engine_create(kws_engine **out, kws_shared_model *m, const kws_conf *c,
				  const kws_conf_model *conf, kws_error *err);
void kws_engine_destroy(kws_engine *e);

/* Who is told of what it hears; frame may be NULL. */
void kws_engine_listen(kws_engine *e, kws_engine_fn *fn, kws_engine_frame_fn *frame, void *ctx);

/* Hear a new stream at in_hz, from this sample on. Allocates only when the rate is a new one. */
enum kws_status kws_engine_start(kws_engine *e, unsigned in_hz, uint64_t from, kws_error *err);
/* The ear has been settled: near misses that are open are told. */
void kws_engine_settled(kws_engine *e);

/* Other thresholds and times for the same model, from the next frame on. Of [model], only within_s may
 * have changed. */
void kws_engine_configure(kws_engine *e, const kws_conf *c, const kws_conf_model *conf);

const char *kws_engine_name(const kws_engine *e);  /* of [model NAME]; "" */
const char *kws_engine_after(const kws_engine *e); /* the one that opens it; "": not gated */
const kws_shared_model *kws_engine_shared(const kws_engine *e);
const kws_model *kws_engine_model(const kws_engine *e);
kws_ear *kws_engine_ear(kws_engine *e);

/* One spotter on one listener. Texts and model live as long as the engine. */
typedef struct {
	const char *name, *path, *after;
	const kws_model *model;
	const float *threshold; /* (n_words,); above 1: off */
	unsigned long events, near_misses;
	float best_score; /* of a command, since kws_engine_forget_best() */
	double cost; /* seconds of processor for a second of audio, as measured when it was loaded */
	bool open;   /* not gated, or open */
} kws_spotter_stats;

/* All but the events, which its owner counts. */
void kws_engine_stats(const kws_engine *e, kws_spotter_stats *st);
void kws_engine_forget_best(kws_engine *e);

#endif
