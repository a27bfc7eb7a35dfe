/* lengths.c - time streams of a given length through two models in turn: `lengths MODEL OTHER FRAMES PASSES` prints
 *
 *   {"seconds": [...], "other": [...], "bytes": N}
 *
 * the processor time of each pass of FRAMES network frames through MODEL and through OTHER, from features to logits, each from
 * a fresh state, and what one stream of MODEL holds with what it computes in. A model with full attention has to be made for as
 * many frames. `python -m kws_train lengths` runs it. */
#include "cli/bench.h"
#include "model/runner.h"

#include <stdio.h>
#include <stdlib.h>

enum { PIECE = 512 }; /* feature frames of a call, as of a file */

typedef struct {
	kws_model *model;
	kws_runner *runner;
	float *frames, *logits; /* (PIECE, n_mels), (PIECE + 1, n_words) */
	size_t n, bytes;	/* feature frames of a pass; of a stream */
} side;

static bool side_open(side *s, const char *path, size_t network_frames)
{
	kws_error err = { "" };
	if (kws_model_open(&s->model, path, &err) != KWS_OK) {
		fprintf(stderr, "lengths: %s\n", err.text);
		return false;
	}
	const size_t most = kws_model_max_frames(s->model);
	if (most && most < network_frames) {
		fprintf(stderr, "lengths: %s: hears at most %zu frames\n", path, most);
		return false;
	}
	const size_t bands = kws_model_features(s->model)->n_mels;
	s->n = network_frames * kws_model_stride(s->model);
	s->frames = calloc(PIECE * bands, sizeof *s->frames);
	s->logits = calloc((PIECE + 1) * kws_model_n_words(s->model), sizeof *s->logits);
	const size_t before = kws_bench_allocated();
	if (!s->frames || !s->logits || kws_runner_create(&s->runner, s->model) != KWS_OK) {
		fprintf(stderr, "lengths: %s\n", kws_strerror(KWS_ERR_NOMEM));
		return false;
	}
	s->bytes = kws_bench_allocated() - before;
	kws_bench_fill(s->frames, PIECE * bands, 16000);
	return true;
}

static void side_close(side *s)
{
	kws_runner_destroy(s->runner);
	kws_model_close(s->model);
	free(s->frames);
	free(s->logits);
}

static double pass(side *s)
{
	kws_runner_reset(s->runner);
	const double t0 = kws_bench_cpu();
	for (size_t at = 0; at < s->n; at += PIECE)
		kws_runner_run(s->runner, s->frames, s->n - at < PIECE ? s->n - at : PIECE,
			       s->logits);
	return kws_bench_cpu() - t0;
}

static void print(const char *name, const double *x, size_t n)
{
	printf("\"%s\": [", name);
	for (size_t i = 0; i < n; i++)
		printf("%s%.9f", i ? ", " : "", x[i]);
	printf("], ");
}

int main(int argc, char **argv)
{
	enum { MOST = 99 };
	double own[MOST], others[MOST];
	side s = { 0 }, other = { 0 };
	const long frames = argc == 5 ? atol(argv[3]) : 0, passes = argc == 5 ? atol(argv[4]) : 0;
	if (frames < 1 || frames > 1 << 20 || passes < 1 || passes > MOST) {
		fprintf(stderr, "usage: lengths MODEL OTHER FRAMES PASSES\n");
		return 2;
	}
	const bool good = side_open(&s, argv[1], (size_t)frames)
			  && side_open(&other, argv[2], (size_t)frames);
	if (good) {
		pass(&s); /* caches */
		pass(&other);
		for (long i = 0; i < passes; i++) {
			own[i] = pass(&s);
			others[i] = pass(&other);
		}
		printf("{");
		print("seconds", own, (size_t)passes);
		print("other", others, (size_t)passes);
		printf("\"bytes\": %zu}\n", s.bytes);
	}
	side_close(&s);
	side_close(&other);
	return !good;
}
