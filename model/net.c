#include "model/net.h"

#include "model/network.h"
#include "vec/vec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* All memory is one block: what a stream carries from call to call first, so that reset is one memset. */
struct kws_net {
	const kws_network *w;
	size_t n_frames;      /* network frames since the start */
	size_t n_history;     /* feature frames waiting, of the stack's last ones */
	unsigned char *block;
	size_t carried, bytes;
	void **layer_state;   /* (n_layers,) */
	float *history;       /* (stack, n_mels) the last normalised frames, oldest first */
	float *pooled;        /* (pool, ld) the last outputs; row k % pool is frame k's */
	float *in;            /* (KWS_BLOCK, ld_in) stacked features */
	float *x;             /* (KWS_BLOCK, ld) */
	float *hidden;        /* (KWS_BLOCK, ld_head) */
	float *out;           /* (KWS_BLOCK, ld_words) */
	float *scratch;
};

/* Hand out n floats of the block; with no block yet, only count. */
static void *carve(kws_net *net, size_t *at, size_t bytes)
{
	void *p = net->block ? net->block + *at : NULL;
	*at += (bytes + 63) / 64 * 64;
	return p;
}

static void lay_out(kws_net *net)
{
	const kws_network *w = net->w;
	const size_t ld = kws_pad(w->dim);
	size_t at = 0, scratch = 0;
	for (size_t i = 0; i < w->n_layers; i++) {
		net->layer_state[i] = carve(net, &at, w->layers[i]->state_bytes);
		if (w->layers[i]->scratch_floats > scratch)
			scratch = w->layers[i]->scratch_floats;
	}
	net->history = carve(net, &at, w->stack * w->n_mels * sizeof(float));
	net->pooled = carve(net, &at, w->pool * ld * sizeof(float));
	net->carried = at;
	net->in = carve(net, &at, KWS_BLOCK * w->stack * w->n_mels * sizeof(float));
	net->x = carve(net, &at, KWS_BLOCK * ld * sizeof(float));
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
	net->n_frames = net->n_history = 0;
}

/* Append one feature frame to the history; 1 when a network frame is complete with it. */
static int push(kws_net *net, const float *frame)
{
	const kws_network *w = net->w;
	float *last = net->history + (w->stack - 1) * w->n_mels;
	memmove(net->history, net->history + w->n_mels, (w->stack - 1) * w->n_mels * sizeof *last);
	for (size_t i = 0; i < w->n_mels; i++)
		last[i] = w->mean ? (frame[i] - w->mean[i]) * w->scale[i] : frame[i];
	if (++net->n_history < w->stride)
		return 0;
	net->n_history = 0;
	return 1;
}

/* Mean over the last `pool` outputs, in the ring's order: the same additions wherever the stream was cut. */
static void pool_rows(kws_net *net, kws_rows rows)
{
	const kws_network *w = net->w;
	const size_t ld = kws_pad(w->dim);
	for (size_t i = 0; i < rows.n; i++) {
		float *x = net->x + (rows.first + i) * ld;
		memcpy(net->pooled + (net->n_frames + i) % w->pool * ld, x, w->dim * sizeof *x);
		kws_vec_get()->weighted_sum(x, NULL, net->pooled, ld, w->pool, 1.0f / (float)w->pool, w->dim);
	}
}

/* Rows of net->in -> logits (rows.n, n_words) */
static void run_rows(kws_net *net, kws_rows rows, float *logits)
{
	const kws_network *w = net->w;
	const kws_vec *vec = kws_vec_get();
	const size_t ld = kws_pad(w->dim), ld_head = kws_pad(w->head), ld_words = kws_pad(w->n_words);
	float *x = net->x + rows.first * ld;
	kws_gemm_run(&w->input, net->in, w->stack * w->n_mels, rows, net->x);
	vec->bias(x, ld, rows.n, w->input_bias, w->dim);
	for (size_t k = 0; k < w->n_layers; k++)
		w->layers[k]->kind->run(w->layers[k], net->layer_state[k], net->scratch, net->x, rows);
	if (w->has_final_norm)
		kws_norm_run(&w->final_norm, x, ld, rows.n, x);
	pool_rows(net, rows);
	kws_gemm_run(&w->fc1, net->x, ld, rows, net->hidden);
	vec->silu(net->hidden + rows.first * ld_head, ld_head, rows.n, w->fc1_bias, w->head);
	kws_gemm_run(&w->fc2, net->hidden, ld_head, rows, net->out);
	for (size_t i = 0; i < rows.n; i++)
		vec->add(logits + i * w->n_words, net->out + (rows.first + i) * ld_words, w->fc2_bias, w->n_words);
	net->n_frames += rows.n;
}

size_t kws_net_run(kws_net *net, const float *frames, size_t t, float *logits)
{
	const kws_network *w = net->w;
	const size_t n_in = w->stack * w->n_mels;
	size_t n_out = 0;
	kws_rows rows = { .first = net->n_frames % KWS_BLOCK };
	for (size_t i = 0; i < t; i++) {
		if (!push(net, frames + i * w->n_mels))
			continue;
		memcpy(net->in + (rows.first + rows.n++) * n_in, net->history, n_in * sizeof *net->in);
		if (rows.first + rows.n == KWS_BLOCK) {
			run_rows(net, rows, logits + n_out * w->n_words);
			n_out += rows.n;
			rows = (kws_rows){ 0 };
		}
	}
	if (rows.n)
		run_rows(net, rows, logits + n_out * w->n_words);
	const size_t max = kws_network_max_frames(w);
	assert(!max || net->n_frames <= max);
	return n_out + rows.n;
}

size_t kws_net_state_bytes(const kws_net *net)
{
	return net->carried + sizeof *net + net->w->n_layers * sizeof *net->layer_state;
}

size_t kws_net_scratch_bytes(const kws_net *net)
{
	return net->bytes - net->carried;
}
