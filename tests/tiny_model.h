/* tiny_model.h - a small model with seeded random weights, for tests that need some network and not
 * a good one.
 *
 * All in the header, so that each test still is one file. */
#ifndef KWS_TESTS_TINY_MODEL_H
#define KWS_TESTS_TINY_MODEL_H

#include "model/model.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	unsigned seed;
	int chunk; /* -1: full attention over at most 40 network frames */
	unsigned stack, stride, pool;
	float loudness;	  /* of the last layer: the larger, the more sure of itself */
	unsigned wait_ms; /* of the decision; 0: not in the file */
} tiny_config;

enum {
	TINY_WORDS = 4, /* yes no _unknown_ _silence_ */
	TINY_DIM = 8,
	TINY_ZDIM = 4,
	TINY_HDIM = 8,
	TINY_NDIM = 4,
	TINY_FFN = 16,
	TINY_HEAD = 16,
	TINY_MELS = 10,
	TINY_LONGEST = 40,
	TINY_HEADER = 16384,
	TINY_FLOATS = 8192
};

/* 2 frames stacked to 20 ms, a window of 10 network frames. */
static const tiny_config tiny_default = {
	.seed = 1, .chunk = 7, .stack = 2, .stride = 2, .pool = 10, .loudness = 8.0f
};

typedef struct {
	char header[TINY_HEADER];
	size_t n_header;
	float data[TINY_FLOATS];
	size_t n_data;
	unsigned long long state;
} tiny_builder;

static inline float tiny_uniform(tiny_builder *b)
{
	b->state = b->state * 6364136223846793005ull + 1442695040888963407ull;
	return (float)(b->state >> 40) / (float)(1u << 23) - 1.0f;
}

static inline void tiny_put(tiny_builder *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static inline void tiny_put(tiny_builder *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	b->n_header +=
		(size_t)vsnprintf(b->header + b->n_header, TINY_HEADER - b->n_header, format, args);
	va_end(args);
	if (b->n_header >= TINY_HEADER)
		abort();
}

/* A tensor of rows * cols values around `middle`, cols 0: one dimension; last 1: a third dimension
 * of 1. */
static inline void tiny_tensor(tiny_builder *b, const char *prefix, const char *name, size_t rows,
			       size_t cols, int last, float middle, float spread)
{
	size_t n = rows * (cols ? cols : 1);
	if (b->n_data + n > TINY_FLOATS)
		abort();
	tiny_put(b, ",\"%s%s\":{\"dtype\":\"F32\",\"shape\":[%zu", prefix, name, rows);
	if (cols)
		tiny_put(b, ",%zu%s", cols, last ? ",1" : "");
	tiny_put(b, "],\"data_offsets\":[%zu,%zu]}", 4 * b->n_data, 4 * (b->n_data + n));
	for (size_t i = 0; i < n; i++)
		b->data[b->n_data++] = middle + spread * tiny_uniform(b);
}

static inline void tiny_linear(tiny_builder *b, const char *prefix, const char *name, size_t out,
			       size_t in, float gain)
{
	char full[64];
	snprintf(full, sizeof full, "%s.weight", name);
	tiny_tensor(b, prefix, full, out, in, 0, 0.0f, gain * sqrtf(3.0f / (float)in));
	snprintf(full, sizeof full, "%s.bias", name);
	tiny_tensor(b, prefix, full, out, 0, 0, 0.0f, 0.2f);
}

static inline void tiny_norm(tiny_builder *b, const char *prefix)
{
	tiny_tensor(b, prefix, "norm.weight", TINY_DIM, 0, 0, 1.0f, 0.1f);
	tiny_tensor(b, prefix, "norm.bias", TINY_DIM, 0, 0, 0.0f, 0.1f);
}

static inline void tiny_layers(tiny_builder *b, const tiny_config *cfg)
{
	size_t positions = cfg->chunk < 0 ? TINY_LONGEST : (size_t)cfg->chunk;
	tiny_norm(b, "layers.0.norm.");
	tiny_tensor(b, "layers.0.", "move.delta", TINY_DIM, TINY_NDIM, 1, 0.0f, 1.5f);
	tiny_tensor(b, "layers.0.", "move.alpha", TINY_DIM, TINY_NDIM, 1, 0.0f, 1.5f);
	tiny_tensor(b, "layers.0.", "move.beta", TINY_DIM, TINY_NDIM, 1, 0.0f, 1.0f);
	tiny_tensor(b, "layers.0.", "move.gamma", TINY_DIM, TINY_NDIM, 0, 0.0f, 1.0f);
	tiny_tensor(b, "layers.0.", "move.omega", TINY_DIM, 0, 0, 0.0f, 1.0f);
	tiny_linear(b, "layers.0.", "v_proj", TINY_HDIM, TINY_DIM, 1.0f);
	tiny_linear(b, "layers.0.", "mx_proj", 2 * TINY_DIM + TINY_ZDIM + TINY_HDIM, TINY_DIM,
		    1.0f);
	tiny_linear(b, "layers.0.", "h_proj", TINY_DIM, TINY_HDIM, 1.0f);
	tiny_tensor(b, "layers.0.", "gamma", 2, TINY_ZDIM, 0, 0.0f, 1.0f);
	tiny_tensor(b, "layers.0.", "beta", 2, TINY_ZDIM, 0, 0.0f, 1.0f);
	tiny_tensor(b, "layers.0.", "rel_pos_bias.rel_pos_bias", 2 * positions - 1, 0, 0, 0.0f,
		    0.5f);
	tiny_norm(b, "layers.1.norm.");
	tiny_linear(b, "layers.1.", "fc1", TINY_FFN, TINY_DIM, 1.0f);
	tiny_linear(b, "layers.1.", "fc2", TINY_DIM, TINY_FFN, 1.0f);
}

static inline void tiny_metadata(tiny_builder *b, const tiny_config *cfg)
{
	tiny_put(b, "{\"__metadata__\":{\"format\":\"kws-model\",\"version\":\"1\",\"name\":"
		    "\"tiny\",\"licence\":\"CC0-1.0\","
		    "\"words\":\"[\\\"yes\\\",\\\"no\\\",\\\"_unknown_\\\",\\\"_silence_\\\"]\",");
	tiny_put(b,
		 "\"features\":\"{\\\"kind\\\":\\\"log-mel\\\",\\\"rate_hz\\\":16000,\\\"win\\\":"
		 "400,\\\"hop\\\":160,"
		 "\\\"n_fft\\\":512,\\\"n_mels\\\":%d,\\\"f_lo_hz\\\":20.0,\\\"f_hi_hz\\\":7600.0,"
		 "\\\"log_floor\\\":1e-5,\\\"mel\\\":\\\"htk\\\","
		 "\\\"normalisation\\\":\\\"affine\\\"}\",",
		 TINY_MELS);
	tiny_put(
		b,
		"\"network\":\"{\\\"stack\\\":%u,\\\"stride\\\":%u,\\\"dim\\\":%d,\\\"layers\\\":[",
		cfg->stack, cfg->stride, TINY_DIM);
	tiny_put(b,
		 "{\\\"kind\\\":\\\"mega\\\",\\\"zdim\\\":%d,\\\"hdim\\\":%d,\\\"ndim\\\":%d,"
		 "\\\"chunk\\\":%d,",
		 TINY_ZDIM, TINY_HDIM, TINY_NDIM, cfg->chunk);
	if (cfg->chunk < 0)
		tiny_put(b, "\\\"max_positions\\\":%d,", TINY_LONGEST);
	tiny_put(b, "\\\"attention\\\":\\\"softmax\\\",\\\"rel_pos_bias\\\":\\\"simple\\\","
		    "\\\"norm\\\":\\\"layernorm\\\","
		    "\\\"prenorm\\\":true},");
	tiny_put(b,
		 "{\\\"kind\\\":\\\"nffn\\\",\\\"ffn\\\":%d,\\\"norm\\\":\\\"layernorm\\\","
		 "\\\"prenorm\\\":true}],"
		 "\\\"final_norm\\\":\\\"layernorm\\\",\\\"pool\\\":%u,\\\"head\\\":%d}\",",
		 TINY_FFN, cfg->pool, TINY_HEAD);
	tiny_put(b, "\"decision\":\"{\\\"smooth_ms\\\":60,\\\"refractory_ms\\\":500,");
	if (cfg->wait_ms)
		tiny_put(b, "\\\"wait_ms\\\":%u,", cfg->wait_ms);
	tiny_put(b, "\\\"threshold\\\":0.5,"
		    "\\\"thresholds\\\":{\\\"no\\\":0.6}}\"}");
}

/* The bytes of the model file, to be freed. */
static inline void *tiny_model_bytes(const tiny_config *cfg, size_t *len)
{
	tiny_builder *b = calloc(1, sizeof *b);
	if (!b)
		abort();
	b->state = cfg->seed * 0x9e3779b97f4a7c15ull;
	tiny_metadata(b, cfg);
	tiny_tensor(b, "", "features.mean", TINY_MELS, 0, 0, -6.0f, 1.0f);
	tiny_tensor(b, "", "features.scale", TINY_MELS, 0, 0, 0.5f, 0.1f);
	tiny_linear(b, "", "input", TINY_DIM, (size_t)cfg->stack * TINY_MELS, 1.5f);
	tiny_layers(b, cfg);
	tiny_norm(b, "final_norm.");
	tiny_linear(b, "", "head.fc1", TINY_HEAD, TINY_DIM, 3.0f);
	tiny_linear(b, "", "head.fc2", TINY_WORDS, TINY_HEAD, cfg->loudness);
	tiny_put(b, "}");
	while (b->n_header % 8)
		tiny_put(b, " ");

	*len = 8 + b->n_header + 4 * b->n_data;
	unsigned char *bytes = calloc(1, *len);
	if (!bytes)
		abort();
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)((unsigned long long)b->n_header >> (8 * i));
	memcpy(bytes + 8, b->header, b->n_header);
	memcpy(bytes + 8 + b->n_header, b->data, 4 * b->n_data);
	free(b);
	return bytes;
}

/* The model itself, to be closed; ends the test when it is refused. */
static inline kws_model *tiny_model_open(const tiny_config *cfg)
{
	size_t len;
	kws_model *m = NULL;
	kws_error err = { "" };
	void *bytes = tiny_model_bytes(cfg, &len);
	if (kws_model_parse(&m, bytes, len, &err) != KWS_OK) {
		fprintf(stderr, "tiny model: %s\n", err.text);
		abort();
	}
	free(bytes);
	return m;
}

/* For a group of cmocka tests whose state is the default model. */
static inline int tiny_set_up(void **state)
{
	*state = tiny_model_open(&tiny_default);
	return 0;
}

static inline int tiny_tear_down(void **state)
{
	kws_model_close(*state);
	return 0;
}

#endif
