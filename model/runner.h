/* runner.h - runs streams through a model: features in, logits out.
 *
 * A runner is the state of one stream, with all of its past. A work is the memory that a run
 * computes in. Any number of runners of one model may share a work, if they run one at a time. */
#ifndef KWS_MODEL_RUNNER_H
#define KWS_MODEL_RUNNER_H

#include "model.h"

typedef struct kws_runner kws_runner;		/* one stream; one thread at a time */
typedef struct kws_runner_work kws_runner_work; /* one thread at a time, with all its runners */

enum kws_status kws_runner_work_create(kws_runner_work **out, const kws_model *m);
void kws_runner_work_destroy(kws_runner_work *work); /* after all its runners */

enum kws_status kws_runner_create(kws_runner **out,
				  /* With a work of its own. */
				  const kws_model *m);
enum kws_status kws_runner_create_in(kws_runner **out, kws_runner_work *work);
void kws_runner_destroy(kws_runner *runner);
void kws_runner_reset(kws_runner *runner);

/* Feed feature frames, get logits.
 *
 *   frames  (t, n_mels)         from kws_mel_process; t >= 0
 *   logits  (n_out, n_words)    one row per network frame; holds at least t / stride + 1 rows;
 *                               kws_model_n_classes() for one softmax, the rest logistic
 *
 * Returns n_out, the number of network frames that became complete. Network frame k is complete with feature frame
 * (k + 1) * stride - 1. The logits do not depend, to the last bit, on how the frames are cut into calls.
 * A model with full attention (kws_model_max_frames() > 0) MUST NOT be fed more than that many network frames
 * between resets. One that hears the whole clip first (kws_model_whole_clip()) returns 0 rows. */
size_t kws_runner_run(kws_runner *runner, const float *frames, size_t t, float *logits);

/* The same for several streams, whose rows share the matrix products. The output of a stream does
 * not depend on the others, to the last bit. */
typedef struct {
	kws_runner *runner; /* each once, all in one work */
	const float *frames;
	size_t t;
	float *logits;
	float *embedding; /* (rows as logits, kws_network's dim) what the head makes the logits of; NULL: not wanted */
	size_t n_out; /* set */
	/* (rows as logits / embed.every + 1, embed.dim) the rows of the embedding; NULL: not wanted */
	float *rows;
	size_t n_rows; /* set */
} kws_runner_job;
void kws_runner_run_all(kws_runner_job *jobs, size_t n);

/* The clip has ended. A model that needs the whole clip returns its n_out rows of logits now, one
 * for each network frame, at most kws_model_max_frames(). Any other model returns 0. Only reset()
 * may follow. */
size_t kws_runner_finish(kws_runner *runner, float *logits);

/* Bytes of one stream's state. */
size_t kws_runner_state_bytes(const kws_runner *runner);

#endif
