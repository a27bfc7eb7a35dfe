#include "model/runner.h"

#include "model/network.h"
#include "vec/vec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A stream: one block of memory with all its state. */
struct kws_runner {
	const kws_network *w;
	kws_runner_work *work;
	bool own_work;
	size_t n_frames;  /* network frames since the start */
	size_t n_waiting; /* feature frames that do not yet fill a network frame */
	unsigned char *state;
	size_t carried, bytes; /* bytes of state: those that reset clears; all */
	float *stem_state;     /* behind the layers' */
	float *past;	       /* (stack - stride, n_frame) frames to be stacked again */
	float *pooled;	       /* (pool, ld) the last outputs; row k % pool is frame k's */
	float *embed;	       /* what the embedding carries */
	float *waiting;	       /* (step - 1, n_mels) normalised */
	float *clip; /* whole clips only: (blocks, KWS_BLOCK, ld) the first layer's input */
};

/* The memory that a run computes in. Nothing in it outlives the run. */
struct kws_runner_work {
	const kws_network *w;
	size_t max; /* network frames between resets; 0: endless */
	bool whole; /* no output before the clip has ended */
	unsigned char *block;
	size_t bytes;
	float *features; /* (KWS_BLOCK * step, n_mels) normalised */
	float *frames;	 /* (stack - stride + KWS_BLOCK * stride, n_frame) past and new */
	float *in;	 /* (KWS_BLOCK, stack * n_frame) */
	float *x;	 /* (KWS_BLOCK, ld) */
	float *hidden;	 /* (KWS_BLOCK, ld_head) */
	float *out;	 /* (KWS_BLOCK, ld_classes) */
	float *heard; /* (KWS_BLOCK, embed.stem.n_out) what the embedding's stem makes of a block */
	float *own;   /* (KWS_BLOCK, n_heads) logits of words of one's own */
	float *scratch;
};

/* Take n bytes of the block; if there is no block yet, only count them. */
static void *carve(unsigned char *block, size_t *at, size_t bytes)
{
	void *p = block ? block + *at : NULL;
	*at += (bytes + 63) / 64 * 64;
	return p;
}

/* Zeros for all that is carved: layers want their scratch to be finite. */
static unsigned char *zeros(size_t bytes)
{
	unsigned char *block = aligned_alloc(64, bytes);
	return block ? memset(block, 0, bytes) : NULL;
}

static size_t n_blocks(size_t n_frames)
{
	return (n_frames + KWS_BLOCK - 1) / KWS_BLOCK;
}

/* ---- work ---- */

static void lay_out_work(kws_runner_work *work)
{
	const kws_network *w = work->w;
	size_t at = 0, scratch = w->stem.scratch_floats;
	if (w->layers.scratch_floats > scratch)
		scratch = w->layers.scratch_floats;
	if (w->embed.scratch_floats > scratch)
		scratch = w->embed.scratch_floats;
	const struct {
		float **to;
		size_t floats;
	} parts[] = {
		{ &work->features, KWS_BLOCK * w->step * w->n_mels },
		{ &work->frames, (w->stack - w->stride + KWS_BLOCK * w->stride) * w->n_frame },
		{ &work->in, KWS_BLOCK * w->stack * w->n_frame },
		{ &work->x, KWS_BLOCK * kws_pad(w->dim) },
		{ &work->hidden, KWS_BLOCK * kws_pad(w->head) },
		{ &work->out, KWS_BLOCK * kws_pad(kws_network_n_classes(w)) },
		{ &work->heard, KWS_BLOCK * w->embed.stem.n_out },
		{ &work->own, KWS_BLOCK * w->embed.n_heads },
		{ &work->scratch, scratch },
	};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		*parts[i].to = carve(work->block, &at, parts[i].floats * sizeof(float));
	work->bytes = at;
}

enum kws_status kws_runner_work_create(kws_runner_work **out, const kws_model *m)
{
	*out = NULL;
	kws_runner_work *work = calloc(1, sizeof *work);
	if (!work)
		return KWS_ERR_NOMEM;
	work->w = kws_model_network(m);
	work->max = kws_network_max_frames(work->w);
	work->whole = kws_network_whole_clip(work->w);
	lay_out_work(work);
	work->block = zeros(work->bytes);
	if (!work->block) {
		free(work);
		return KWS_ERR_NOMEM;
	}
	lay_out_work(work);
	*out = work;
	return KWS_OK;
}

void kws_runner_work_destroy(kws_runner_work *work)
{
	if (!work)
		return;
	free(work->block);
	free(work);
}

/* ---- a stream ---- */

static void lay_out(kws_runner *runner)
{
	const kws_network *w = runner->w;
	const size_t ld = kws_pad(w->dim);
	size_t at = 0;
	carve(runner->state, &at, w->layers.state_bytes);
	runner->stem_state = carve(runner->state, &at, w->stem.state_floats * sizeof(float));
	runner->past =
		carve(runner->state, &at, (w->stack - w->stride) * w->n_frame * sizeof(float));
	runner->pooled = carve(runner->state, &at, w->pool * ld * sizeof(float));
	runner->embed = carve(runner->state, &at, w->embed.state_floats * sizeof(float));
	runner->carried = at;
	runner->waiting = carve(runner->state, &at, (w->step - 1) * w->n_mels * sizeof(float));
	runner->clip = carve(runner->state, &at,
			     (runner->work->whole ? n_blocks(runner->work->max) : 0) * KWS_BLOCK
				     * ld * sizeof(float));
	runner->bytes = at;
}

enum kws_status kws_runner_create_in(kws_runner **out, kws_runner_work *work)
{
	*out = NULL;
	kws_runner *runner = calloc(1, sizeof *runner);
	if (!runner)
		return KWS_ERR_NOMEM;
	runner->w = work->w;
	runner->work = work;
	lay_out(runner);
	runner->state = zeros(runner->bytes);
	if (!runner->state) {
		free(runner);
		return KWS_ERR_NOMEM;
	}
	lay_out(runner);
	kws_runner_reset(runner);
	*out = runner;
	return KWS_OK;
}

enum kws_status kws_runner_create(kws_runner **out, const kws_model *m)
{
	kws_runner_work *work;
	*out = NULL;
	enum kws_status status = kws_runner_work_create(&work, m);
	if (status == KWS_OK)
		status = kws_runner_create_in(out, work);
	if (status == KWS_OK)
		(*out)->own_work = true;
	else
		kws_runner_work_destroy(work);
	return status;
}

void kws_runner_destroy(kws_runner *runner)
{
	if (!runner)
		return;
	if (runner->own_work)
		kws_runner_work_destroy(runner->work);
	free(runner->state);
	free(runner);
}

void kws_runner_reset(kws_runner *runner)
{
	memset(runner->state, 0, runner->carried);
	if (runner->w->stem.n_steps)
		memcpy(runner->stem_state, runner->w->stem.start,
		       runner->w->stem.state_floats * sizeof *runner->stem_state);
	if (runner->w->embed.every)
		kws_embed_reset(&runner->w->embed, runner->embed);
	runner->n_frames = runner->n_waiting = 0;
}

size_t kws_runner_state_bytes(const kws_runner *runner)
{
	return runner->carried + (runner->w->step - 1) * runner->w->n_mels * sizeof *runner->waiting
	       + sizeof *runner;
}

/* ---- features -> rows of the block ---- */

static void normalise(const kws_network *w, const float *frames, size_t t, float *to)
{
	if (!w->mean) {
		memcpy(to, frames, t * w->n_mels * sizeof *to);
		return;
	}
	for (; t; t--, to += w->n_mels, frames += w->n_mels)
		for (size_t i = 0; i < w->n_mels; i++)
			to[i] = (frames[i] - w->mean[i]) * w->scale[i];
}

/* Take the job's frames: up to `most' network frames, and the rest that waits for one more. Returns
 * how many network frames are complete now; their features are in work->features. */
static size_t take_in(kws_runner_job *job, size_t most)
{
	kws_runner *runner = job->runner;
	const kws_network *w = runner->w;
	float *features = runner->work->features;
	const size_t room = most * w->step - runner->n_waiting, t = job->t < room ? job->t : room;
	const size_t n = runner->n_waiting + t, rows = n / w->step, used = rows * w->step;
	if (!rows) {
		normalise(w, job->frames, t, runner->waiting + runner->n_waiting * w->n_mels);
	} else {
		memcpy(features, runner->waiting, runner->n_waiting * w->n_mels * sizeof *features);
		normalise(w, job->frames, t, features + runner->n_waiting * w->n_mels);
		memcpy(runner->waiting, features + used * w->n_mels,
		       (n - used) * w->n_mels * sizeof *features);
	}
	runner->n_waiting = n - used;
	job->frames += t * w->n_mels;
	job->t -= t;
	return rows;
}

/* work->features, n network frames -> rows of the network's input */
static void stack_rows(kws_runner *runner, size_t n, float *in)
{
	const kws_network *w = runner->w;
	kws_runner_work *work = runner->work;
	const size_t past = (w->stack - w->stride) * w->n_frame, n_in = w->stack * w->n_frame;
	float *to = work->frames + past;
	memcpy(work->frames, runner->past, past * sizeof *to);
	if (w->stem.n_steps)
		kws_stem_run(&w->stem, runner->stem_state, work->scratch, work->features,
			     n * w->stride, to);
	else
		memcpy(to, work->features, n * w->step * w->n_mels * sizeof *to);
	for (size_t i = 0; i < n; i++)
		memcpy(in + i * n_in, work->frames + i * w->stride * w->n_frame, n_in * sizeof *to);
	memcpy(runner->past, work->frames + n * w->stride * w->n_frame, past * sizeof *to);
}

/* ---- rows of the block -> logits ---- */

/* Mean of the last `pool' outputs, in the ring's order: the additions are the same wherever the
 * stream was cut. */
static void pool_rows(kws_runner *runner, size_t frame, size_t n, float *x)
{
	const kws_network *w = runner->w;
	const size_t ld = kws_pad(w->dim);
	for (size_t i = 0; i < n; i++, x += ld) {
		memcpy(runner->pooled + (frame + i) % w->pool * ld, x, w->dim * sizeof *x);
		kws_vec_get()->weighted_sum(x, NULL, runner->pooled, ld, w->pool,
					    1.0f / (float)w->pool, w->dim);
	}
}

/* Pooled rows of the last layer's output x (n, ld) -> work->out (n, ld_words) */
static void run_head(const kws_network *w, kws_runner_work *work, const float *x, size_t n)
{
	kws_linear_run(&w->fc1, x, kws_pad(w->dim), n, work->hidden);
	kws_vec_get()->silu(work->hidden, kws_pad(w->head), n, w->head);
	kws_linear_run(&w->fc2, work->hidden, kws_pad(w->head), n, work->out);
}

/* Rows of work->out and own (n, n_heads), NULL for a whole clip, which has no heads -> logits (n, n_words) */
static void copy_out(const kws_network *w, const float *out, const float *own, size_t n,
		     float *logits)
{
	const size_t n_classes = kws_network_n_classes(w), n_heads = own ? w->embed.n_heads : 0;
	for (size_t i = 0; i < n; i++, logits += w->n_words) {
		memcpy(logits, out + i * kws_pad(n_classes), n_classes * sizeof *logits);
		if (n_heads)
			memcpy(logits + n_classes, own + i * n_heads, n_heads * sizeof *logits);
	}
}

/* The embedding of a job's n rows of the block: heard by its stem, x (n, ld) what the last layer
 * made. Returns how many rows of the embedding they became. */
static size_t run_embed(kws_runner_job *job, const float *heard, const float *x, size_t n,
			float *own)
{
	kws_runner *runner = job->runner;
	const kws_network *w = runner->w;
	const kws_embed_frames f = { runner->n_frames, n, heard, x, kws_pad(w->dim) };
	if (!w->embed.every)
		return 0;
	const size_t rows =
		kws_embed_run(&w->embed, runner->embed, runner->work->scratch, &f, own,
			      job->rows ? job->rows + job->n_rows * w->embed.dim : NULL);
	job->n_rows += rows;
	return rows;
}

static void final_norm(const kws_network *w, float *x, size_t n)
{
	if (w->has_final_norm)
		kws_norm_run(&w->final_norm, x, kws_pad(w->dim), n, x);
}

/* Run a block: rows of work->in, some from each job -> logits. The rows of span i belong to job
 * whose[i]. */
static void run_block(kws_runner_work *work, kws_runner_job **whose, const kws_span *spans,
		      size_t n)
{
	const kws_network *w = work->w;
	const size_t ld = kws_pad(w->dim), rows = kws_span_rows(spans, n);
	float *x = work->x, *out = work->out, *heard = work->heard, *own = work->own;
	kws_linear_run(&w->input, work->in, w->stack * w->n_frame, rows, x);
	kws_layer_list_run(&w->layers, spans, n, 0, work->scratch, x);
	final_norm(w, x, rows);
	for (size_t i = 0; i < n; x += spans[i++].n * ld) {
		kws_runner *runner = whose[i]->runner;
		heard += run_embed(whose[i], heard, x, spans[i].n, own) * w->embed.stem.n_out;
		own += spans[i].n * w->embed.n_heads;
		pool_rows(runner, runner->n_frames, spans[i].n, x);
		runner->n_frames += spans[i].n;
	}
	run_head(w, work, work->x, rows);
	x = work->x;
	own = work->own;
	for (size_t i = 0; i < n; out += spans[i++].n * kws_pad(kws_network_n_classes(w))) {
		kws_runner_job *job = whose[i];
		copy_out(w, out, own, spans[i].n, job->logits + job->n_out * w->n_words);
		own += spans[i].n * w->embed.n_heads;
		for (size_t r = 0; job->embedding && r < spans[i].n; r++)
			memcpy(job->embedding + (job->n_out + r) * w->dim, x + r * ld,
			       w->dim * sizeof *x);
		x += spans[i].n * ld;
		job->n_out += spans[i].n;
	}
}

/* For whole clips: store one stream's rows as the first layer's input. */
static void keep_block(kws_runner *runner, size_t rows)
{
	const kws_network *w = runner->w;
	kws_linear_run(&w->input, runner->work->in, w->stack * w->n_frame, rows,
		       runner->clip + runner->n_frames * kws_pad(w->dim));
	runner->n_frames += rows;
}

/* The embedding's stem hears work->features, n network frames. Returns how many of its frames
 * came, behind the n_heard that others in the block have. */
static size_t hear(kws_runner *runner, size_t n, size_t n_heard)
{
	const kws_embed *e = &runner->w->embed;
	kws_runner_work *work = runner->work;
	if (!e->stem.n_steps)
		return 0;
	kws_embed_hear(e, runner->embed, work->scratch, runner->n_frames, n, work->features,
		       work->heard + n_heard * e->stem.n_out);
	return kws_embed_rows(e, runner->n_frames, n);
}

void kws_runner_run_all(kws_runner_job *jobs, size_t n)
{
	kws_span spans[KWS_BLOCK];
	kws_runner_job *whose[KWS_BLOCK];
	size_t rows = 0, n_spans = 0, n_heard = 0;
	for (size_t i = 0; i < n; i++) {
		kws_runner *runner = jobs[i].runner;
		kws_runner_work *work = runner->work;
		const size_t n_in = runner->w->stack * runner->w->n_frame;
		jobs[i].n_out = jobs[i].n_rows = 0;
		while (jobs[i].t) {
			const size_t new = take_in(&jobs[i], KWS_BLOCK - rows);
			if (!new)
				continue;
			assert(work == jobs[0].runner->work);
			assert(!work->max || runner->n_frames + new <= work->max);
			stack_rows(runner, new, work->in + rows * n_in);
			if (work->whole) {
				keep_block(runner, new);
				continue;
			}
			n_heard += hear(runner, new, n_heard);
			spans[n_spans] = (kws_span){ runner->state, new };
			whose[n_spans++] = &jobs[i];
			rows += new;
			if (rows == KWS_BLOCK) {
				run_block(work, whose, spans, n_spans);
				rows = n_spans = n_heard = 0;
			}
		}
	}
	if (n_spans)
		run_block(jobs[0].runner->work, whose, spans, n_spans);
}

size_t kws_runner_run(kws_runner *runner, const float *frames, size_t t, float *logits)
{
	kws_runner_job job = { .runner = runner, .frames = frames, .t = t, .logits = logits };
	kws_runner_run_all(&job, 1);
	return job.n_out;
}

/* ---- whole clips ---- */

size_t kws_runner_finish(kws_runner *runner, float *logits)
{
	const kws_network *w = runner->w;
	kws_runner_work *work = runner->work;
	const size_t ld = kws_pad(w->dim), t_all = runner->n_frames;
	if (!work->whole)
		return 0;
	for (size_t k = 0; k < w->layers.n; k++) {
		const kws_layer *l = w->layers.each[k];
		const size_t at = w->layers.at[k];
		for (size_t pass = 0; pass <= l->looks; pass++) /* the last one runs */
			for (size_t t = 0; t < t_all; t += KWS_BLOCK) {
				const size_t n = t_all - t < KWS_BLOCK ? t_all - t : KWS_BLOCK;
				const kws_span span = { runner->state, n };
				if (pass < l->looks)
					l->kind->look(l, pass, runner->state + at, work->scratch,
						      runner->clip + t * ld, n);
				else
					l->kind->run(l, &span, 1, at, work->scratch,
						     runner->clip + t * ld);
			}
	}
	for (size_t t = 0; t < t_all; t += KWS_BLOCK) {
		const size_t n = t_all - t < KWS_BLOCK ? t_all - t : KWS_BLOCK;
		float *x = runner->clip + t * ld;
		final_norm(w, x, n);
		pool_rows(runner, t, n, x);
		run_head(w, work, x, n);
		copy_out(w, work->out, NULL, n, logits + t * w->n_words);
	}
	return t_all;
}
