#include "tests/tiny_model.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 8, ZDIM = 4, HDIM = 8, NDIM = 4, FFN = 16, HEAD = 16, MELS = 10, LONGEST = 40, HEADER = 16384, FLOATS = 8192 };

const tiny_config tiny_default = {.seed = 1, .chunk = 7, .stack = 2, .stride = 2, .pool = 10, .loudness = 8.0f};

typedef struct {
	char header[HEADER];
	size_t n_header;
	float data[FLOATS];
	size_t n_data;
	unsigned long long state;
} builder;

static float uniform(builder *b)
{
	b->state = b->state * 6364136223846793005ull + 1442695040888963407ull;
	return (float)(b->state >> 40) / (float)(1u << 23) - 1.0f;
}

static void put(builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(builder *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	b->n_header += (size_t)vsnprintf(b->header + b->n_header, HEADER - b->n_header, format, args);
	va_end(args);
	if (b->n_header >= HEADER)
		abort();
}

/* A tensor of rows * cols values around `middle`, cols 0: one dimension; last 1: a third dimension of 1. */
static void tensor(builder *b, const char *prefix, const char *name, size_t rows, size_t cols, int last, float middle,
		   float spread)
{
	size_t n = rows * (cols ? cols : 1);
	if (b->n_data + n > FLOATS)
		abort();
	put(b, ",\"%s%s\":{\"dtype\":\"F32\",\"shape\":[%zu", prefix, name, rows);
	if (cols)
		put(b, ",%zu%s", cols, last ? ",1" : "");
	put(b, "],\"data_offsets\":[%zu,%zu]}", 4 * b->n_data, 4 * (b->n_data + n));
	for (size_t i = 0; i < n; i++)
		b->data[b->n_data++] = middle + spread * uniform(b);
}

static void linear(builder *b, const char *prefix, const char *name, size_t out, size_t in, float gain)
{
	char full[64];
	snprintf(full, sizeof full, "%s.weight", name);
	tensor(b, prefix, full, out, in, 0, 0.0f, gain * sqrtf(3.0f / (float)in));
	snprintf(full, sizeof full, "%s.bias", name);
	tensor(b, prefix, full, out, 0, 0, 0.0f, 0.2f);
}

static void norm(builder *b, const char *prefix)
{
	tensor(b, prefix, "norm.weight", DIM, 0, 0, 1.0f, 0.1f);
	tensor(b, prefix, "norm.bias", DIM, 0, 0, 0.0f, 0.1f);
}

static void layers(builder *b, const tiny_config *cfg)
{
	size_t positions = cfg->chunk < 0 ? LONGEST : (size_t)cfg->chunk;
	norm(b, "layers.0.norm.");
	tensor(b, "layers.0.", "move.delta", DIM, NDIM, 1, 0.0f, 1.5f);
	tensor(b, "layers.0.", "move.alpha", DIM, NDIM, 1, 0.0f, 1.5f);
	tensor(b, "layers.0.", "move.beta", DIM, NDIM, 1, 0.0f, 1.0f);
	tensor(b, "layers.0.", "move.gamma", DIM, NDIM, 0, 0.0f, 1.0f);
	tensor(b, "layers.0.", "move.omega", DIM, 0, 0, 0.0f, 1.0f);
	linear(b, "layers.0.", "v_proj", HDIM, DIM, 1.0f);
	linear(b, "layers.0.", "mx_proj", 2 * DIM + ZDIM + HDIM, DIM, 1.0f);
	linear(b, "layers.0.", "h_proj", DIM, HDIM, 1.0f);
	tensor(b, "layers.0.", "gamma", 2, ZDIM, 0, 0.0f, 1.0f);
	tensor(b, "layers.0.", "beta", 2, ZDIM, 0, 0.0f, 1.0f);
	tensor(b, "layers.0.", "rel_pos_bias.rel_pos_bias", 2 * positions - 1, 0, 0, 0.0f, 0.5f);
	norm(b, "layers.1.norm.");
	linear(b, "layers.1.", "fc1", FFN, DIM, 1.0f);
	linear(b, "layers.1.", "fc2", DIM, FFN, 1.0f);
}

static void metadata(builder *b, const tiny_config *cfg)
{
	put(b, "{\"__metadata__\":{\"format\":\"kws-model\",\"version\":\"1\",\"name\":\"tiny\",\"licence\":\"CC0-1.0\","
	       "\"words\":\"[\\\"yes\\\",\\\"no\\\",\\\"_unknown_\\\",\\\"_silence_\\\"]\",");
	put(b, "\"features\":\"{\\\"kind\\\":\\\"log-mel\\\",\\\"rate_hz\\\":16000,\\\"win\\\":400,\\\"hop\\\":160,"
	       "\\\"n_fft\\\":512,\\\"n_mels\\\":%d,\\\"f_lo_hz\\\":20.0,\\\"f_hi_hz\\\":7600.0,\\\"log_floor\\\":1e-5,"
	       "\\\"normalisation\\\":\\\"affine\\\"}\",", MELS);
	put(b, "\"network\":\"{\\\"stack\\\":%u,\\\"stride\\\":%u,\\\"dim\\\":%d,\\\"layers\\\":[", cfg->stack,
	    cfg->stride, DIM);
	put(b, "{\\\"kind\\\":\\\"mega\\\",\\\"zdim\\\":%d,\\\"hdim\\\":%d,\\\"ndim\\\":%d,\\\"chunk\\\":%d,", ZDIM, HDIM,
	    NDIM, cfg->chunk);
	if (cfg->chunk < 0)
		put(b, "\\\"max_positions\\\":%d,", LONGEST);
	put(b, "\\\"attention\\\":\\\"softmax\\\",\\\"rel_pos_bias\\\":\\\"simple\\\",\\\"norm\\\":\\\"layernorm\\\","
	       "\\\"prenorm\\\":true},");
	put(b, "{\\\"kind\\\":\\\"nffn\\\",\\\"ffn\\\":%d,\\\"norm\\\":\\\"layernorm\\\",\\\"prenorm\\\":true}],"
	       "\\\"final_norm\\\":\\\"layernorm\\\",\\\"pool\\\":%u,\\\"head\\\":%d}\",", FFN, cfg->pool, HEAD);
	put(b, "\"decision\":\"{\\\"smooth_ms\\\":60,\\\"refractory_ms\\\":500,\\\"threshold\\\":0.5,"
	       "\\\"thresholds\\\":{\\\"no\\\":0.6}}\"}");
}

void *tiny_model_bytes(const tiny_config *cfg, size_t *len)
{
	builder *b = calloc(1, sizeof *b);
	if (!b)
		abort();
	b->state = cfg->seed * 0x9e3779b97f4a7c15ull;
	metadata(b, cfg);
	tensor(b, "", "features.mean", MELS, 0, 0, -6.0f, 1.0f);
	tensor(b, "", "features.scale", MELS, 0, 0, 0.5f, 0.1f);
	linear(b, "", "input", DIM, (size_t)cfg->stack * MELS, 1.5f);
	layers(b, cfg);
	norm(b, "final_norm.");
	linear(b, "", "head.fc1", HEAD, DIM, 3.0f);
	linear(b, "", "head.fc2", TINY_WORDS, HEAD, cfg->loudness);
	put(b, "}");
	while (b->n_header % 8)
		put(b, " ");

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

kws_model *tiny_model_open(const tiny_config *cfg)
{
	size_t len;
	kws_model *m = NULL;
	kws_error err = {""};
	void *bytes = tiny_model_bytes(cfg, &len);
	if (kws_model_parse(&m, bytes, len, &err) != KWS_OK) {
		fprintf(stderr, "tiny model: %s\n", err.text);
		abort();
	}
	free(bytes);
	return m;
}
