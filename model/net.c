#include "model/net.h"

#include "model/network.h"
#include "vec/vec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* All memory is one block: what a stream carries from call to call comes first. */
struct kws_net {
	const kws_network *w;
	size_t n_frames;  /* network frames since the start */
	size_t n_waiting; /* feature frames that are no network frame yet */
	size_t max;	  /* network frames between resets; 0: endless */
	bool whole;	  /* nothing comes out before the clip has ended */
	unsigned char *block;
	size_t carried, bytes;
	void **layer_state; /* (n_layers,) */
	float *stem_state;
	float *past;	 /* (stack - stride, n_frame) what is stacked again */
	float *pooled;	 /* (pool, ld) the last outputs; row k % pool is frame k's */
	float *features; /* (KWS_BLOCK * step, n_mels) normalised; those that wait first */
	float *frames; /* (stack - stride + KWS_BLOCK * stride, n_frame) the past, and what comes new */
	float *in;     /* (KWS_BLOCK, stack * n_frame) */
	float *x;      /* (KWS_BLOCK, ld) */
	float *clip;   /* whole clips only: as many blocks like x as the longest needs */
	float *hidden; /* (KWS_BLOCK, ld_head) */
	float *out;    /* (KWS_BLOCK, ld_words) */
	float *scratch;
};

/* Hand out n floats of the block; with no block yet, only count. */
static void *carve(kws_net *net, size_t *at, size_t bytes)
{
	void *p = net->block ? net->block + *at : NULL;
	*at += (bytes + 63) / 64 * 64;
	return p;
}

static size_t n_blocks(size_t n_frames)
{
	return (n_frames + KWS_BLOCK - 1) / KWS_BLOCK;
}

static void lay_out(kws_net *net)
{
	const kws_network *w = net->w;
	const size_t ld = kws_pad(w->dim);
	size_t at = 0, scratch = w->stem.scratch_floats;
	for (size_t i = 0; i < w->n_layers; i++) {
		net->layer_state[i] = carve(net, &at, w->layers[i]->state_bytes);
		if (w->layers[i]->scratch_floats > scratch)
			scratch = w->layers[i]->scratch_floats;
	}
	net->stem_state = carve(net, &at, w->stem.state_floats * sizeof(float));
	net->past = carve(net, &at, (w->stack - w->stride) * w->n_frame * sizeof(float));
	net->pooled = carve(net, &at, w->pool * ld * sizeof(float));
	net->carried = at;
	net->features = carve(net, &at, KWS_BLOCK * w->step * w->n_mels * sizeof(float));
	net->frames =
		carve(net, &at,
		      (w->stack - w->stride + KWS_BLOCK * w->stride) * w->n_frame * sizeof(float));
	net->in = carve(net, &at, KWS_BLOCK * w->stack * w->n_frame * sizeof(float));
	net->x = carve(net, &at, KWS_BLOCK * ld * sizeof(float));
	net->clip = carve(net, &at,
			  (net->whole ? n_blocks(net->max) : 0) * KWS_BLOCK * ld * sizeof(float));
	net->hidden = carve(net, &at, KWS_BLOCK * kws_pad(w->head) * sizeof(float));
	net->out = carve(net, &at, KWS_BLOCK * kws_pad(w->n_words) * sizeof(float));
	net->scratch = carve(net, &at, scratch * sizeof(float));
	net->bytes = at;
}

enum kws_status kws_net_create(kws_net **out, const kws_model *m)
{
	*out = NULL;
	kws_net *net = calloc(1, sizeof *net);
	if (!net)
		return KWS_ERR_NOMEM;
	net->w = kws_model_network(m);
	net->max = kws_network_max_frames(net->w);
	net->whole = kws_network_whole_clip(net->w);
	net->layer_state = calloc(net->w->n_layers, sizeof *net->layer_state);
	if (net->layer_state) {
		lay_out(net);
		net->block = aligned_alloc(64, net->bytes);
	}
	if (!net->block) {
		kws_net_destroy(net);
		return KWS_ERR_NOMEM;
	}
	memset(net->block, 0, net->bytes);
	lay_out(net);
	kws_net_reset(net);
	*out = net;
	return KWS_OK;
}

void kws_net_destroy(kws_net *net)
{
	if (!net)
		return;
	free(net->block);
	free(net->layer_state);
	free(net);
}

void kws_net_reset(kws_net *net)
{
	memset(net->block, 0, net->carried);
	if (net->w->stem.n_steps)
		memcpy(net->stem_state, net->w->stem.start,
		       net->w->stem.state_floats * sizeof *net->stem_state);
	net->n_frames = net->n_waiting = 0;
}

/* Normalise t feature frames and let them wait behind the others. */
static void take_in(kws_net *net, const float *frames, size_t t)
{
	const kws_network *w = net->w;
	float *to = net->features + net->n_waiting * w->n_mels;
	net->n_waiting += t;
	if (!w->mean) {
		memcpy(to, frames, t * w->n_mels * sizeof *to);
		return;
	}
	for (; t; t--, to += w->n_mels, frames += w->n_mels)
		for (size_t i = 0; i < w->n_mels; i++)
			to[i] = (frames[i] - w->mean[i]) * w->scale[i];
}

/* The feature frames that wait -> rows of net->in. */
static void stack_rows(kws_net *net, kws_rows rows)
{
	const kws_network *w = net->w;
	const size_t n = rows.n * w->stride, past = (w->stack - w->stride) * w->n_frame,
		     n_in = w->stack * w->n_frame;
	const size_t used = rows.n * w->step * w->n_mels;
	float *to = net->frames + past;
	memcpy(net->frames, net->past, past * sizeof *to);
	if (w->stem.n_steps)
		kws_stem_run(&w->stem, net->stem_state, net->scratch, net->n_frames * w->stride,
			     net->features, n, to);
	else
		memcpy(to, net->features, used * sizeof *to);
	for (size_t i = 0; i < rows.n; i++)
		memcpy(net->in + (rows.first + i) * n_in, net->frames + i * w->stride * w->n_frame,
		       n_in * sizeof *to);
	memcpy(net->past, net->frames + n * w->n_frame, past * sizeof *to);
	net->n_waiting -= rows.n * w->step;
	memmove(net->features, net->features + used, net->n_waiting * w->n_mels * sizeof *to);
}

/* Rows of net->in -> rows of net->x: the first layer's input. */
static void enter(const kws_net *net, kws_rows rows)
{
	const kws_network *w = net->w;
	const size_t ld = kws_pad(w->dim);
	kws_gemm_run(&w->input, net->in, w->stack * w->n_frame, rows, net->x);
	kws_vec_get()->bias(net->x + rows.first * ld, ld, rows.n, w->input_bias, w->dim);
}

/* Mean over the last `pool` outputs, in the ring's order: the same additions wherever the stream was cut. */
static void pool_rows(const kws_net *net, size_t frame, kws_rows rows, float *x)
{
	const kws_network *w = net->w;
	const size_t ld = kws_pad(w->dim);
	x += rows.first * ld;
	for (size_t i = 0; i < rows.n; i++, x += ld) {
		memcpy(net->pooled + (frame + i) % w->pool * ld, x, w->dim * sizeof *x);
		kws_vec_get()->weighted_sum(x, NULL, net->pooled, ld, w->pool,
					    1.0f / (float)w->pool, w->dim);
	}
}

/* Rows of the block x, the last layer's output, which begin with the given frame -> logits (rows.n, n_words) */
static void leave(const kws_net *net, size_t frame, kws_rows rows, float *x, float *logits)
{
	const kws_network *w = net->w;
	const kws_vec *vec = kws_vec_get();
	const size_t ld = kws_pad(w->dim), ld_head = kws_pad(w->head),
		     ld_words = kws_pad(w->n_words);
	float *first = x + rows.first * ld;
	if (w->has_final_norm)
		kws_norm_run(&w->final_norm, first, ld, rows.n, first);
	pool_rows(net, frame, rows, x);
	kws_gemm_run(&w->fc1, x, ld, rows, net->hidden);
	vec->silu(net->hidden + rows.first * ld_head, ld_head, rows.n, w->fc1_bias, w->head);
	kws_gemm_run(&w->fc2, net->hidden, ld_head, rows, net->out);
	for (size_t i = 0; i < rows.n; i++)
		vec->add(logits + i * w->n_words, net->out + (rows.first + i) * ld_words,
			 w->fc2_bias, w->n_words);
}

/* Rows of net->in -> logits (rows.n, n_words); returns how many of them there are now: for whole clips none. */
static size_t run_rows(kws_net *net, kws_rows rows, float *logits)
{
	const kws_network *w = net->w;
	const size_t frame = net->n_frames, ld = kws_pad(w->dim);
	assert(!net->max || frame + rows.n <= net->max);
	net->n_frames += rows.n;
	enter(net, rows);
	if (net->whole) { /* not straight into the clip: a product overwrites the rest of its tiles */
		memcpy(net->clip + frame * ld, net->x + rows.first * ld,
		       rows.n * ld * sizeof *net->x);
		return 0;
	}
	for (size_t k = 0; k < w->n_layers; k++)
		w->layers[k]->kind->run(w->layers[k], net->layer_state[k], net->scratch, net->x,
					rows);
	leave(net, frame, rows, net->x, logits);
	return rows.n;
}

size_t kws_net_run(kws_net *net, const float *frames, size_t t, float *logits)
{
	const kws_network *w = net->w;
	size_t n_out = 0;
	while (t) {
		kws_rows rows = { .first = net->n_frames % KWS_BLOCK };
		const size_t room = (KWS_BLOCK - rows.first) * w->step - net->n_waiting,
			     n = t < room ? t : room;
		take_in(net, frames, n);
		frames += n * w->n_mels;
		t -= n;
		rows.n = net->n_waiting / w->step;
		if (!rows.n)
			continue;
		stack_rows(net, rows);
		n_out += run_rows(net, rows, logits + n_out * w->n_words);
	}
	return n_out;
}

/* The rows of block b of the clip. */
static kws_rows block_rows(const kws_net *net, size_t b)
{
	const size_t left = net->n_frames - b * KWS_BLOCK;
	return (kws_rows){ 0, left < KWS_BLOCK ? left : KWS_BLOCK };
}

size_t kws_net_finish(kws_net *net, float *logits)
{
	const kws_network *w = net->w;
	const size_t size = KWS_BLOCK * kws_pad(w->dim), blocks = n_blocks(net->n_frames);
	if (!net->whole)
		return 0;
	for (size_t k = 0; k < w->n_layers; k++) {
		const kws_layer *l = w->layers[k];
		for (size_t i = 0; i < l->looks; i++)
			for (size_t b = 0; b < blocks; b++)
				l->kind->look(l, i, net->layer_state[k], net->scratch,
					      net->clip + b * size, block_rows(net, b));
		for (size_t b = 0; b < blocks; b++)
			l->kind->run(l, net->layer_state[k], net->scratch, net->clip + b * size,
				     block_rows(net, b));
	}
	for (size_t b = 0; b < blocks; b++)
		leave(net, b * KWS_BLOCK, block_rows(net, b), net->clip + b * size,
		      logits + b * KWS_BLOCK * w->n_words);
	return net->n_frames;
}

size_t kws_net_state_bytes(const kws_net *net)
{
	const kws_network *w = net->w;
	return net->carried + (w->step - 1) * w->n_mels * sizeof *net->features + sizeof *net
	       + w->n_layers * sizeof *net->layer_state;
}
