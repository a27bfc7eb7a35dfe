/* embedder.h - converts audio to rows of a model's embedding (model/embed.h), the input for the
 * user's own words. */
#ifndef KWS_SPOT_EMBEDDER_H
#define KWS_SPOT_EMBEDDER_H

#include "model/model.h"

typedef struct kws_embedder kws_embedder;

/* KWS_ERR_ARG: the model has no embedding, or cannot process streams. */
enum kws_status kws_embedder_create(kws_embedder **out, const kws_model *m, kws_error *err);
void kws_embedder_destroy(kws_embedder *e);
void kws_embedder_reset(kws_embedder *e);

size_t kws_embedder_dim(const kws_embedder *e);	 /* floats of a row */
size_t kws_embedder_rank(const kws_embedder *e); /* floats of a point */

/* Samples per row, at the model's rate: row k of a stream ends at sample (k + 1) * step. */
size_t kws_embedder_step(const kws_embedder *e);

/* Log-mel frames per row, and values of a frame. */
size_t kws_embedder_frames_per_row(const kws_embedder *e);
size_t kws_embedder_n_mels(const kws_embedder *e);

/* Process whole rows: pcm (n * step,) at the model's rate -> rows (n, dim). */
void kws_embedder_run(kws_embedder *e, const float *pcm, size_t n, float *rows);

/* The same in two steps: pcm -> frames (n * frames per row, n_mels), and frames -> rows. */
void kws_embedder_mel(kws_embedder *e, const float *pcm, size_t n, float *frames);
void kws_embedder_run_frames(kws_embedder *e, const float *frames, size_t n, float *rows);

/* rows (n, dim) of a stream from its start -> points (n, rank), each of length sqrt(rank). Zeros
 * precede the start. */
void kws_embedder_points(kws_embedder *e, const float *rows, size_t n, float *points);

#endif
