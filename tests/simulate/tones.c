#include "tests/simulate/tones.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each tone is in the middle of a mel band that the other tones do not reach. */
static const struct {
	const char *word;
	double hz;
	unsigned band;
} tones[TONES] = {
	{ "ut", 423.0, 1 }, { "re", 1052.0, 3 }, { "mi", 2033.0, 5 }, { "fa", 3562.0, 7 }
};

enum { MELS = 10, STACK = 4, DIM = 2, HEADER = 8192, FLOATS = 256 };
static const double loudness = 0.1, ramp_s = 0.02;

const char *tone_word(unsigned tone)
{
	return tones[tone].word;
}

unsigned tone_of_word(const char *word)
{
	unsigned t = 0;

	while (t < TONES && strcmp(tones[t].word, word) != 0)
		t++;
	return t;
}

float tone_sound(unsigned tone, double t, double lasts)
{
	const double pi = 3.14159265358979323846, edge = fmin(t, lasts - t);

	if (edge <= 0.0)
		return 0.0f;
	const double gain = edge < ramp_s ? 0.5 - 0.5 * cos(pi * edge / ramp_s) : 1.0;
	return (float)(loudness * gain * sin(2.0 * pi * tones[tone].hz * t));
}

/* ---- the model ---- */

typedef struct {
	char header[HEADER];
	size_t n_header;
	float data[FLOATS];
	size_t n_data;
} builder;

__attribute__((format(printf, 2, 3))) static void put(builder *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	b->n_header +=
		(size_t)vsnprintf(b->header + b->n_header, HEADER - b->n_header, format, args);
	va_end(args);
	if (b->n_header >= HEADER)
		abort();
}

/* Add a tensor of zeros (rows, cols) to be filled in; cols 0: one dimension. */
static float *tensor(builder *b, const char *name, size_t rows, size_t cols)
{
	const size_t n = rows * (cols ? cols : 1), at = b->n_data;

	if (at + n > FLOATS)
		abort();
	put(b, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[%zu", name, rows);
	if (cols)
		put(b, ",%zu", cols);
	put(b, "],\"data_offsets\":[%zu,%zu]}", 4 * at, 4 * (at + n));
	b->n_data += n;
	memset(b->data + at, 0, n * sizeof *b->data);
	return b->data + at;
}

static void put_metadata(builder *b, const char *name, unsigned first)
{
	put(b,
	    "{\"__metadata__\":{\"format\":\"kws-model\",\"version\":\"1\",\"name\":\"%s\","
	    "\"licence\":\"CC0-1.0\",\"words\":\"[\\\"%s\\\",\\\"%s\\\",\\\"_unknown_\\\","
	    "\\\"_silence_\\\"]\",",
	    name, tone_word(first), tone_word(first + 1));
	put(b,
	    "\"features\":\"{\\\"kind\\\":\\\"log-mel\\\",\\\"rate_hz\\\":16000,\\\"win\\\":400,"
	    "\\\"hop\\\":160,\\\"n_fft\\\":512,\\\"n_mels\\\":%d,\\\"f_lo_hz\\\":20.0,"
	    "\\\"f_hi_hz\\\":7600.0,\\\"log_floor\\\":1e-5,\\\"mel\\\":\\\"htk\\\","
	    "\\\"normalisation\\\":\\\"none\\\"}\",",
	    MELS);
	put(b,
	    "\"network\":\"{\\\"stack\\\":%d,\\\"stride\\\":%d,\\\"dim\\\":%d,\\\"layers\\\":["
	    "{\\\"kind\\\":\\\"nffn\\\",\\\"ffn\\\":1,\\\"norm\\\":\\\"layernorm\\\","
	    "\\\"prenorm\\\":true}],\\\"final_norm\\\":null,\\\"pool\\\":3,\\\"head\\\":%d}\",",
	    STACK, STACK, DIM, DIM);
	put(b, "\"decision\":\"{\\\"smooth_ms\\\":60,\\\"refractory_ms\\\":500,"
	       "\\\"threshold\\\":0.5}\"}");
}

/* Each dimension is how far the band of its tone is above a medium power, as the mean over a
 * network frame. The layer adds nothing. The head makes it a logit; silence has 0. */
static void put_weights(builder *b, unsigned first)
{
	const float middling = -4.0f, sure = 2.0f;
	float *w = tensor(b, "input.weight", DIM, STACK * MELS);

	for (unsigned d = 0; d < DIM; d++)
		for (unsigned f = 0; f < STACK; f++)
			w[(d * STACK + f) * MELS + tones[first + d].band] = 1.0f / STACK;
	w = tensor(b, "input.bias", DIM, 0);
	for (unsigned d = 0; d < DIM; d++)
		w[d] = -middling;
	w = tensor(b, "layers.0.norm.norm.weight", DIM, 0);
	for (unsigned d = 0; d < DIM; d++)
		w[d] = 1.0f;
	tensor(b, "layers.0.norm.norm.bias", DIM, 0);
	tensor(b, "layers.0.fc1.weight", 1, DIM);
	tensor(b, "layers.0.fc1.bias", 1, 0);
	tensor(b, "layers.0.fc2.weight", DIM, 1);
	tensor(b, "layers.0.fc2.bias", DIM, 0);
	w = tensor(b, "head.fc1.weight", DIM, DIM);
	for (unsigned d = 0; d < DIM; d++)
		w[d * DIM + d] = sure;
	tensor(b, "head.fc1.bias", DIM, 0);
	w = tensor(b, "head.fc2.weight", DIM + 2, DIM);
	for (unsigned d = 0; d < DIM; d++)
		w[d * DIM + d] = sure;
	w = tensor(b, "head.fc2.bias", DIM + 2, 0);
	for (unsigned d = 0; d < DIM; d++)
		w[d] = -2.0f;
	w[DIM] = -10.0f; /* never "unknown" */
}

void tone_model_write(const char *path, const char *name, unsigned first)
{
	builder *b = calloc(1, sizeof *b);
	unsigned char length[8] = { 0 };
	FILE *f = fopen(path, "wb");

	if (!b || !f)
		abort();
	put_metadata(b, name, first);
	put_weights(b, first);
	put(b, "}");
	while (b->n_header % 8)
		put(b, " ");
	length[0] = (unsigned char)b->n_header;
	length[1] = (unsigned char)(b->n_header >> 8);
	if (fwrite(length, 1, 8, f) != 8 || fwrite(b->header, 1, b->n_header, f) != b->n_header
	    || fwrite(b->data, 4, b->n_data, f) != b->n_data || fclose(f) != 0)
		abort();
	free(b);
}
