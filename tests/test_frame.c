/* What a network frame tells beside its probabilities: levels, bands, embedding. */
#include "model/network.h"
#include "spot/stream.h"
#include "tests/tiny_model.h"
#include "tests/level.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONG = 32000, HOP = 160, FRAMES = LONG / (2 * HOP) };

static float pcm[LONG];
static float level[FRAMES][2], mel[FRAMES][2][TINY_MELS];
static size_t n;

/* Bursts of noise at all levels. */
static int sound(void **state)
{
	float gain = 0.1f;
	(void)state;
	srand(4);
	for (size_t i = 0; i < LONG; i++) {
		if (i % 2000 == 0)
			gain = powf(10.0f, (float)(rand() % 60 - 60) / 20.0f);
		pcm[i] = gain * ((float)rand() / (float)RAND_MAX - 0.5f);
	}
	n = 0;
	return 0;
}

static void hear(const kws_model *m, size_t cut, kws_frame_fn *fn, void *ctx)
{
	kws_stream *s = NULL;
	assert_int_equal(kws_stream_create(&s, m, 16000, fn, ctx, NULL), KWS_OK);
	for (size_t at = 0, k; at < LONG; at += k) {
		k = cut < LONG - at ? cut : LONG - at;
		kws_stream_process(s, pcm + at, k);
	}
	kws_stream_flush(s);
	kws_stream_destroy(s);
}

static void note(void *ctx, const kws_frame *f)
{
	(void)ctx;
	assert_true(n < FRAMES);
	assert_int_equal(f->stride, 2);
	assert_int_equal(f->n_mels, TINY_MELS);
	memcpy(level[n], f->level, sizeof level[0]);
	memcpy(mel[n], f->mel, sizeof mel[0]);
	n++;
}

static void levels_are_mean_squares(void **state)
{
	hear(*state, LONG, note, NULL);
	assert_int_equal(n, FRAMES);
	for (size_t i = 0; i < 2 * n; i++) {
		double want = 0.0;
		for (size_t k = 0; k < HOP; k++)
			want += (double)pcm[i * HOP + k] * (double)pcm[i * HOP + k] / HOP;
		assert_float_equal(level[i / 2][i % 2], (float)want, (float)(1e-6 * want));
	}
}

/* Whether the hops of a frame come apart or together, and many frames at once or one. */
static void bands_are_those_of_the_extractor(void **state)
{
	static const size_t cuts[] = { LONG, 250, HOP, 37 };
	static float past[1024], want[FRAMES][2][TINY_MELS];
	kws_mel *extractor = NULL;
	assert_int_equal(kws_stream_mel(&extractor, *state, NULL), KWS_OK);
	assert_true(kws_mel_past(extractor) < 1024);
	kws_mel_run(extractor, past, pcm, 2 * FRAMES, want[0][0]);
	kws_mel_destroy(extractor);
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		n = 0;
		hear(*state, cuts[i], note, NULL);
		assert_int_equal(n, FRAMES);
		assert_memory_equal(mel, want, sizeof mel);
	}
}

/* The head on a frame's embedding gives the frame's logits, to the last bit. */
static void head_on(void *ctx, const kws_frame *f)
{
	const kws_network *w = kws_model_network(ctx);
	float hidden[64], logits[KWS_ALIGN];
	assert_int_equal(f->n_embedding, w->dim);
	assert_true(kws_pad(w->head) <= 64 && w->n_words <= KWS_ALIGN);
	kws_linear_run(&w->fc1, f->embedding, w->dim, 1, hidden);
	kws_vec_get()->silu(hidden, kws_pad(w->head), 1, w->head);
	kws_linear_run(&w->fc2, hidden, kws_pad(w->head), 1, logits);
	assert_memory_equal(logits, f->logit, w->n_words * sizeof *logits);
	n++;
}

static void embeddings_are_what_the_head_reads(void **state)
{
	hear(*state, LONG, head_on, *state);
	hear(*state, 100, head_on, *state);
	assert_int_equal(n, 2 * FRAMES);
}

static void nothing(void *ctx, const kws_frame *f)
{
	(void)ctx;
	assert_null(f->level);
	assert_null(f->mel);
	assert_null(f->embedding);
	n++;
}

/* Its frames come at the end, when the hops are gone. */
static void a_model_that_hears_the_whole_clip_first_tells_none(void **state)
{
	kws_model *m;
	(void)state;
	assert_int_equal(kws_model_open(&m, "tests/golden/net_fastformer_clip.safetensors", NULL),
			 KWS_OK);
	hear(m, 700, nothing, NULL);
	assert_true(n > 0);
	kws_model_close(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(levels_are_mean_squares, sound),
		cmocka_unit_test_setup(bands_are_those_of_the_extractor, sound),
		cmocka_unit_test_setup(embeddings_are_what_the_head_reads, sound),
		cmocka_unit_test_setup(a_model_that_hears_the_whole_clip_first_tells_none, sound),
	};
	return cmocka_run_group_tests(tests, tiny_set_up, tiny_tear_down);
}
