/* engine.h - one spotter of a listener: a model (shared with others), the thresholds of the
 * configuration, and the ear that runs them on the listener's stream. */
#ifndef KWS_DAEMON_ENGINE_H
#define KWS_DAEMON_ENGINE_H

#include "daemon/models.h"
#include "daemon/tally.h"
#include "spot/ear.h"

typedef struct kws_engine kws_engine;

/* near: a near miss, not an event: a score of at least clips.near_miss times its threshold. Then
 * level and SNR are NaN. Samples count from the stream's start, at the model's rate. */
typedef void kws_engine_fn(void *ctx, kws_engine *e, const kws_event *ev, bool near);
/* Called for each network frame, with its smoothed scores (n_words,). */
typedef void kws_engine_frame_fn(void *ctx, kws_engine *e, const kws_frame *f, const float *score);

/* conf: the model's section in c. The engine takes a share of the model. Nobody gets events before
 * kws_engine_listen(). */
enum kws_status kws_engine_create(kws_engine **out, kws_shared_model *m, const kws_conf *c,
				  const kws_conf_model *conf, kws_error *err);
void kws_engine_destroy(kws_engine *e);

/* Set the callbacks; frame may be NULL. */
void kws_engine_listen(kws_engine *e, kws_engine_fn *fn, kws_engine_frame_fn *frame, void *ctx);

/* Start a new stream at in_hz, from this sample on. Allocates only if the rate has changed. */
enum kws_status kws_engine_start(kws_engine *e, unsigned in_hz, uint64_t from, kws_error *err);
/* The ear has been settled: report the near misses that are still open. */
void kws_engine_settled(kws_engine *e);

/* Use other thresholds and times for the same model from the next frame on. Of [model], only
 * within_s may differ. */
void kws_engine_configure(kws_engine *e, const kws_conf *c, const kws_conf_model *conf);

const char *kws_engine_name(const kws_engine *e);  /* of [model NAME]; "" */
const char *kws_engine_after(const kws_engine *e); /* the model that opens it; "": not gated */
const kws_shared_model *kws_engine_shared(const kws_engine *e);
const kws_model *kws_engine_model(const kws_engine *e);
kws_ear *kws_engine_ear(kws_engine *e);

/* Count an event or a near miss of this word. */
void kws_engine_count(kws_engine *e, size_t word, float score, bool near);
/* Take over the counts of an engine, word by word, by their names. */
void kws_engine_inherit(kws_engine *e, const kws_engine *from);

/* One spotter on one listener. Texts and model live as long as the engine. */
typedef struct {
	const char *name, *path, *after;
	const kws_model *model;
	const float *threshold;	     /* (n_words,); above 1: off */
	const kws_word_tally *tally; /* (n_words,) */
	unsigned long events, near_misses;
	float best_score; /* highest of any command since kws_engine_forget_best() */
	double cost;	  /* CPU seconds per second of audio, measured when it was loaded */
	bool open;	  /* not gated, or open */
} kws_spotter_stats;

/* All fields except the counts of events and near misses, which the owner keeps. */
void kws_engine_stats(const kws_engine *e, kws_spotter_stats *st);
void kws_engine_forget_best(kws_engine *e);

#endif
