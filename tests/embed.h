/* embed.h - what tests of an embedding need: its files, and what it hears however it is cut. */
#ifndef KWS_TESTS_EMBED_H
#define KWS_TESTS_EMBED_H

#include "model/network.h"
#include "model/runner.h"
#include "tests/fuzz/craft.h"
#include "tests/fuzz/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { FRAMES = 90, MELS = 6, DIM = 6, EVERY = 3, ROW = 3, WINDOW = 4, RANK = 5, HEADS = 2 };

/* What every layer and every head said of FRAMES network frames. */
typedef struct {
	float logits[FRAMES + 1][4], layer[FRAMES + 1][DIM], rows[FRAMES / EVERY + 1][ROW];
	size_t n_out, n_rows;
} heard;

static inline unsigned char *file(const char *name, size_t *len)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return craft_model(name, kinds[i].features, kinds[i].network, DECISION,
					   i + 1, len);
	fail_msg("no kind %s", name);
	return NULL;
}

/* The same with a pool of one frame: the network's head then hears what rows are made of. */
static inline unsigned char *file_without_pool(const char *name, size_t *len)
{
	unsigned char *made = file(name, len);
	craft *c = craft_open(made, *len, 1);
	char network[1024];
	snprintf(network, sizeof network, "%s",
		 json_string_value(json_object_get(c->meta, "network")));
	char *pool = strstr(network, "\"pool\":5");
	assert_non_null(pool);
	pool[strlen("\"pool\":")] = '1';
	json_object_set_new(c->meta, "network", json_string(network));
	unsigned char *bytes = craft_bytes(c, len);
	craft_free(c);
	free(made);
	return bytes;
}

static inline kws_model *parse(const void *bytes, size_t len)
{
	kws_model *m;
	kws_error err = { "" };
	if (kws_model_parse(&m, bytes, len, &err) != KWS_OK)
		fail_msg("%s", err.text);
	return m;
}

static inline void sounds(float *frames)
{
	uint64_t state = 7;
	for (size_t i = 0; i < FRAMES * MELS; i++)
		frames[i] = -(float)(craft_random(&state) >> 8) / 1677721.6f;
}

/* Frames of the next piece of a stream that is at `at`: so many at most, drawn; cut 0: all. */
static inline size_t piece(uint64_t *state, unsigned cut, size_t at)
{
	const size_t n = cut ? craft_random(state) % (cut + 1) : FRAMES;
	return n < FRAMES - at ? n : FRAMES - at;
}

/* A stride of one feature frame; cut as above. */
static inline void hear(const kws_model *m, unsigned cut, heard *h)
{
	float frames[FRAMES * MELS];
	const size_t n_words = kws_model_n_words(m);
	uint64_t state = cut;
	kws_runner *runner;
	sounds(frames);
	memset(h, 0, sizeof *h);
	assert_int_equal(kws_model_stride(m), 1);
	assert_int_equal(kws_runner_create(&runner, m), KWS_OK);
	for (size_t at = 0, n; at < FRAMES; at += n) {
		float logits[(FRAMES + 1) * 4];
		n = piece(&state, cut, at);
		kws_runner_job job = { .runner = runner,
				       .frames = frames + at * MELS,
				       .t = n,
				       .logits = logits,
				       .embedding = h->layer[h->n_out],
				       .rows = h->rows[h->n_rows] };
		kws_runner_run_all(&job, 1);
		for (size_t i = 0; i < job.n_out; i++)
			memcpy(h->logits[h->n_out + i], logits + i * n_words,
			       n_words * sizeof *logits);
		h->n_out += job.n_out;
		h->n_rows += job.n_rows;
	}
	kws_runner_destroy(runner);
	assert_int_equal(h->n_out, FRAMES);
	assert_int_equal(h->n_rows, FRAMES / EVERY);
}

static inline float *take(kws_tensors *ts, const char *name)
{
	const kws_tensor *t = kws_tensors_find(ts, name);
	assert_non_null(t);
	float *x = calloc(t->n, sizeof *x);
	assert_non_null(x);
	memcpy(x, t->data, t->n * sizeof *x);
	return x;
}

/* y = W x + b, by the tensors NAME.weight and NAME.bias */
static inline void linear(kws_tensors *ts, const char *name, size_t n_in, size_t n_out,
			  const double *x, double *y)
{
	char full[64];
	snprintf(full, sizeof full, "%s.weight", name);
	float *w = take(ts, full);
	snprintf(full, sizeof full, "%s.bias", name);
	float *b = take(ts, full);
	for (size_t o = 0; o < n_out; o++) {
		y[o] = (double)b[o];
		for (size_t i = 0; i < n_in; i++)
			y[o] += (double)w[o * n_in + i] * x[i];
	}
	free(w);
	free(b);
}

static inline void near(double have, double want)
{
	if (!(fabs(have - want) <= 1e-4 + 1e-4 * fabs(want)))
		fail_msg("%g, want %g", have, want);
}

/* A file of this version whose network begins with `more` is refused, and why. */
static inline void refused(const char *more, const char *version, const char *says)
{
	char network[1024];
	kws_error err = { "" };
	craft *c = craft_new(1);
	snprintf(network, sizeof network, "{%s%s", more,
		 &(NETWORK("1", "1", "", NFFN("layernorm", "true"), "null"))[1]);
	json_object_update_new(
		c->meta,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "format", "kws-model", "version",
			  version, "name", "x", "words", "[\"yes\",\"no\",\"a\",\"b\"]", "features",
			  FEATURES("htk", "none"), "network", network, "decision",
			  "{\"smooth_ms\":0,\"refractory_ms\":0,\"threshold\":0.5}"));
	assert_false(craft_complete(c, &err));
	if (!strstr(err.text, says))
		fail_msg("%s, want %s", err.text, says);
	craft_free(c);
}

#endif
