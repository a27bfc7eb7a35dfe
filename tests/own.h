/* own.h - what tests of words of one's own need: recordings, the base that ships, a small bank. */
#ifndef KWS_TESTS_OWN_H
#define KWS_TESTS_OWN_H

#include "audio/source.h"
#include "model/blob.h"
#include "model/tensors.h"
#include "model/write.h"
#include "spot/bank.h"
#include "spot/embedder.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN_BASE "config/models/own-words.safetensors"

enum { OWN_RATE = 16000, OWN_MOST = 40 * OWN_RATE };

/* Ends the test program with the reason. */
static inline void own_need(bool good, const char *what, const kws_error *err)
{
	if (!good) {
		fprintf(stderr, "%s: %s\n", what, err ? err->text : "failed");
		abort();
	}
}

/* A recording of tests/data at 16 kHz; returns its samples. */
static inline size_t own_hear(const char *name, float *pcm)
{
	char path[256];
	kws_source *src;
	kws_error err = { "" };
	size_t n = 0, got;
	snprintf(path, sizeof path, "tests/data/%s", name);
	own_need(kws_source_open_file(&src, path, 0, &err) == KWS_OK, path, &err);
	own_need(kws_source_rate(src) == OWN_RATE, path, NULL);
	while (kws_source_read(src, pcm + n, OWN_MOST - n, &got, &err) == KWS_OK && got)
		n += got;
	kws_source_close(src);
	return n;
}

/* The bytes of a bank: the demo's sounds to fit against, and backwards to judge by. */
static inline unsigned char *own_bank(const kws_blob *base, size_t *len)
{
	static float pcm[OWN_MOST];
	char hash[KWS_HASH];
	kws_model *m;
	kws_embedder *e;
	kws_write *w;
	kws_error err = { "" };
	own_need(kws_model_parse(&m, base->bytes, base->len, &err) == KWS_OK, "base", &err);
	own_need(kws_embedder_create(&e, m, &err) == KWS_OK, "base", &err);
	own_need(kws_bank_hash(base->bytes, base->len, hash, &err) == KWS_OK, "base", &err);
	const size_t step = kws_embedder_step(e), dim = kws_embedder_dim(e);
	const size_t samples = own_hear("demo.flac", pcm), n = samples / step;
	float *rows = calloc(n * dim, sizeof *rows);
	const size_t bytes_of_row = kws_bank_row_bytes(dim);
	signed char *packed = calloc(2 * n * bytes_of_row, 1);
	own_need(rows && packed, "memory", NULL);
	for (int part = 0; part < 2; part++) {
		kws_embedder_reset(e);
		kws_embedder_run(e, pcm, n, rows);
		kws_bank_pack(rows, n, dim, packed + (size_t)part * n * bytes_of_row);
		for (size_t i = 0; i < samples / 2; i++) {
			const float x = pcm[i];
			pcm[i] = pcm[samples - 1 - i];
			pcm[samples - 1 - i] = x;
		}
	}
	json_t *parts = json_pack("[{s:s, s:I, s:s}, {s:s, s:I, s:s}]", "name", "demo", "rows",
				  (json_int_t)n, "use", "fit", "name", "backwards", "rows",
				  (json_int_t)n, "use", "judge");
	const size_t shape[] = { 2 * n, bytes_of_row };
	char dim_text[24];
	snprintf(dim_text, sizeof dim_text, "%zu", dim);
	own_need(kws_write_create(&w, NULL, 0, &err) == KWS_OK, "bank", &err);
	kws_write_text(w, "format", "kws-bank");
	kws_write_text(w, "version", "2");
	kws_write_text(w, "base", hash);
	kws_write_text(w, "dim", dim_text);
	kws_write_text(w, "row_ms", "80");
	kws_write_json(w, "parts", parts);
	kws_write_tensor(w, "rows", KWS_I8, 2, shape, packed);
	unsigned char *bytes = NULL;
	own_need(kws_write_bytes(w, &bytes, len, &err) == KWS_OK, "bank", &err);
	kws_write_destroy(w);
	json_decref(parts);
	free(packed);
	free(rows);
	kws_embedder_destroy(e);
	kws_model_close(m);
	return bytes;
}

#endif
