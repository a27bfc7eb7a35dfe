/* Our side of the comparison, as bench/peer.h: bench_ours MODEL DIR.
 *
 *   bench_ours MODEL DIR RECORDING SECONDS   writes what all peers work on into DIR instead:
 *       audio.raw          the recording, again and again, for so long: 16 bits, mono, 16 kHz
 *       features.f32       the model's features of it
 *       probabilities.f32  what the network makes of them, frame by frame */
#include "bench/peer.h"

#include "audio/source.h"
#include "cli/floor.h"
#include "dsp/mel.h"
#include "model/model.h"
#include "model/runner.h"
#include "spot/spotter.h"
#include "spot/stream.h"
#include "vec/vec.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	const kws_model *model;
	size_t n, hops, step; /* step: feature frames of a network frame */
	float *pcm, *frames, *logits;
	kws_spotter *spotter;
	kws_mel *mel;
	kws_runner *runner;
	kws_floor *floor;
} bench;

/* ---- what is measured -------------------------------------------------------------------------- */

static void in_pieces(const bench *b, size_t piece)
{
	kws_spotter_reset(b->spotter);
	for (size_t at = 0; at < b->n; at += piece)
		kws_spotter_process(b->spotter, b->pcm + at, piece < b->n - at ? piece : b->n - at);
}

static void live(void *ctx)
{
	in_pieces(ctx, KWS_PEER_FRAME);
}

static void hops(void *ctx)
{
	in_pieces(ctx, KWS_PEER_HOP);
}

static void file(void *ctx)
{
	const bench *b = ctx;
	in_pieces(b, b->n);
}

static void network(void *ctx)
{
	const bench *b = ctx;
	const size_t mels = kws_model_features(b->model)->n_mels;
	kws_runner_reset(b->runner);
	for (size_t i = 0; i + b->step <= b->hops; i += b->step)
		kws_runner_run(b->runner, b->frames + i * mels, b->step, b->logits);
}

static void bare(void *ctx)
{
	const bench *b = ctx;
	kws_floor_products(b->floor);
	kws_floor_ffts(b->floor);
}

static const kws_peer_row rows[] = {
	{ "live", "live, whole pipeline, 40 ms a call", live },
	{ "hops", "live, whole pipeline, 10 ms a call", hops },
	{ "network", "its network alone, 40 ms a call", network },
	{ "file", "the whole recording in one call", file },
	{ "file-floor", "its floor: bare products and FFTs, of a file", bare },
};

/* ---- preparation ------------------------------------------------------------------------------- */

static bool prepare(bench *b, size_t n)
{
	const kws_features *f = kws_model_features(b->model);
	kws_error err = { "" };
	b->n = n;
	b->hops = n / f->hop;
	b->step = kws_model_stride(b->model);
	b->pcm = calloc(n, sizeof *b->pcm);
	b->frames = calloc(b->hops * f->n_mels, sizeof *b->frames);
	b->logits = calloc(2 * kws_model_n_words(b->model), sizeof *b->logits);
	b->floor = kws_floor_create(b->model, b->hops);
	const bool good = b->pcm && b->frames && b->logits && b->floor
			  && !kws_spotter_create(&b->spotter, b->model, f->rate_hz, NULL, &err)
			  && !kws_stream_mel(&b->mel, b->model, &err)
			  && !kws_runner_create(&b->runner, b->model);
	if (!good)
		fprintf(stderr, "bench_ours: %s\n", *err.text ? err.text : "out of memory");
	return good;
}

static void release(bench *b)
{
	kws_runner_destroy(b->runner);
	kws_mel_destroy(b->mel);
	kws_spotter_destroy(b->spotter);
	kws_floor_destroy(b->floor);
	free(b->logits);
	free(b->frames);
	free(b->pcm);
}

static int serve(bench *b, const char *folder)
{
	char version[256];
	kws_multiply_adds best = { 0.0, 0.0 };
	size_t n;
	short *pcm = kws_peer_audio(folder, &n);
	if (!pcm || !prepare(b, n))
		return 1;
	for (size_t i = 0; i < n; i++)
		b->pcm[i] = (float)pcm[i] / 32768.0f;
	free(pcm);
	kws_mel_process(b->mel, b->pcm, b->hops, b->frames);
	for (size_t i = 0; i < 9; i++) {
		const kws_multiply_adds now = kws_floor_peak();
		best.floats = fmax(best.floats, now.floats);
		best.bytes = fmax(best.bytes, now.bytes);
	}
	snprintf(version, sizeof version, "%s %s, vectors %s", kws_model_name(b->model),
		 kws_version(), kws_vec_get()->name);
	printf("note\tpeak of the core in this run: %.0f G multiply-adds/s, %.0f G with 8 bits\n",
	       1e-9 * best.floats, 1e-9 * best.bytes);
	return kws_peer_serve(version, rows, sizeof rows / sizeof *rows, b,
			      (double)n / KWS_PEER_RATE_HZ);
}

/* ---- what all peers work on -------------------------------------------------------------------- */

static void keep(void *ctx, const kws_frame *f)
{
	fwrite(f->prob, sizeof *f->prob, f->n_words, ctx);
}

static FILE *create(const char *folder, const char *name)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "wb");
	if (!f)
		fprintf(stderr, "bench_ours: %s: %s\n", path, strerror(errno));
	return f;
}

/* All of the recording (n,) samples at 16 kHz, again and again to the end of pcm. */
static bool hear(const char *path, float *pcm, size_t n)
{
	kws_error err = { "" };
	kws_source *src;
	size_t got, at = 0;
	enum kws_status status = kws_source_open_file(&src, path, 0, &err);
	if (!status && kws_source_rate(src) != KWS_PEER_RATE_HZ) {
		snprintf(err.text, sizeof err.text, "%s: want %d Hz", path, KWS_PEER_RATE_HZ);
		status = KWS_ERR_ARG;
	}
	for (got = 1; !status && got && at < n; at += got)
		status = kws_source_read(src, pcm + at, n - at, &got, &err);
	kws_source_close(src);
	if (status || at == 0)
		fprintf(stderr, "bench_ours: %s\n", *err.text ? err.text : path);
	for (size_t i = at; at && i < n; i++)
		pcm[i] = pcm[i - at];
	return !status && at;
}

static bool close_all(FILE **files, size_t n)
{
	bool good = true;
	for (size_t i = 0; i < n; i++)
		if (files[i] && (ferror(files[i]) | fclose(files[i])))
			good = false;
	if (!good)
		fprintf(stderr, "bench_ours: %s\n", strerror(errno));
	return good;
}

static int write_all(bench *b, const char *folder, const char *recording, size_t n)
{
	const size_t mels = kws_model_features(b->model)->n_mels;
	kws_error err = { "" };
	kws_stream *stream = NULL;
	FILE *files[] = { create(folder, "audio.raw"), create(folder, "features.f32"),
			  create(folder, "probabilities.f32") };
	bool good =
		files[0] && files[1] && files[2] && prepare(b, n) && hear(recording, b->pcm, n)
		&& !kws_stream_create(&stream, b->model, KWS_PEER_RATE_HZ, keep, files[2], &err);
	for (size_t i = 0; good && i < n; i++) {
		const short x = (short)lrintf(fminf(32767.0f, 32768.0f * b->pcm[i]));
		fwrite(&x, sizeof x, 1, files[0]);
		b->pcm[i] = (float)x / 32768.0f;
	}
	if (good) {
		kws_mel_process(b->mel, b->pcm, b->hops, b->frames);
		fwrite(b->frames, sizeof *b->frames, b->hops * mels, files[1]);
		kws_stream_process(stream, b->pcm, n);
	}
	kws_stream_destroy(stream);
	return close_all(files, 3) && good ? 0 : 1;
}

int main(int argc, char **argv)
{
	kws_error err = { "" };
	kws_model *m;
	if (argc != 3 && argc != 5) {
		fputs("usage: bench_ours MODEL DIR [RECORDING SECONDS]\n", stderr);
		return 2;
	}
	if (kws_model_open(&m, argv[1], &err)) {
		fprintf(stderr, "bench_ours: %s\n", err.text);
		return 1;
	}
	bench b = { .model = m };
	const size_t n = argc == 5 ? strtoul(argv[4], NULL, 10) * KWS_PEER_RATE_HZ : 0;
	const int status = n ? write_all(&b, argv[2], argv[3], n) : serve(&b, argv[2]);
	release(&b);
	kws_model_close(m);
	return status;
}
