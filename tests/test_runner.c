/* The network that runs: the twin's logits, and the same bits however the frames are cut and whoever else is heard. */
#include "model/network.h"
#include "model/runner.h"
#include "model/tensors.h"
#include "tests/level.h"
#include "tests/read_file.h"
#include "tests/tiny_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned seed = 1;

static unsigned below(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* ---- golden: the twin's outputs ---------------------------------------------------------------------------- */

static void golden_case(const char *name)
{
	char path[256];
	size_t len = 0;
	kws_error err = { "" };
	kws_model *m;
	kws_runner *runner;
	kws_tensors *io;
	snprintf(path, sizeof path, "tests/golden/%s.safetensors", name);
	if (kws_model_open(&m, path, &err) != KWS_OK)
		fail_msg("%s: %s", path, err.text);
	snprintf(path, sizeof path, "tests/golden/%s.io.safetensors", name);
	void *blob = read_file(path, &len);
	assert_non_null(blob);
	assert_int_equal(kws_tensors_parse(&io, blob, len, true, &err), KWS_OK);
	const kws_tensor *frames = kws_tensors_find(io, "frames"),
			 *logits = kws_tensors_find(io, "logits");
	assert_non_null(frames);
	assert_non_null(logits);
	float *x = malloc(frames->n * sizeof *x), *want = malloc(logits->n * sizeof *want);
	float *got = malloc((logits->n + kws_model_n_words(m)) * sizeof *got);
	assert_true(x && want && got);
	memcpy(x, frames->data, frames->n * sizeof *x);
	memcpy(want, logits->data, logits->n * sizeof *want);
	assert_int_equal(kws_runner_create(&runner, m), KWS_OK);
	const size_t n = kws_runner_run(runner, x, frames->shape[0], got);
	assert_int_equal(n + kws_runner_finish(runner, got), logits->shape[0]);
	for (size_t i = 0; i < logits->n; i++)
		if (!(fabsf(got[i] - want[i]) <= 1e-5f + 1e-4f * fabsf(want[i])))
			fail_msg("%s: logit %zu is %.7g, want %.7g", name, i, (double)got[i],
				 (double)want[i]);
	kws_runner_destroy(runner);
	kws_tensors_free(io);
	kws_model_close(m);
	free(blob);
	free(x);
	free(want);
	free(got);
}

static void networks_agree_with_the_twin(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"net_batchnorm_laplace_simple_full",
		"net_batchnorm_softmax_rotary_c3",
		"net_fastformer_clip",
		"net_fastformer_forget",
		"net_fastformer_gated",
		"net_fastformer_shared",
		"net_layernorm_laplace_simple_bare",
		"net_layernorm_softmax_rotary_full_post",
		"net_layernorm_softmax_simple_c5",
		"net_rmsnorm_laplace_rotary_c7",
		"net_layers_int8",
		"net_no_attention",
		"net_no_ema",
		"net_rmsnorm_relu2_rotary_c1",
		"net_scalenorm_relu2_simple_c4_post",
		"net_stem",
		"net_stem_deep",
		"net_stem_int8",
		"net_stem_stacked",
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		golden_case(cases[i]);
}

/* ---- streaming --------------------------------------------------------------------------------------------- */

enum { T = 700, MELS = 10 };

static void random_frames(float *x)
{
	for (size_t i = 0; i < T * MELS; i++)
		x[i] = -12.0f + (float)below(1000) / 80.0f;
}

static size_t whole(const kws_model *m, const float *x, float *logits)
{
	kws_runner *runner;
	assert_int_equal(kws_runner_create(&runner, m), KWS_OK);
	const size_t n = kws_runner_run(runner, x, T, logits);
	kws_runner_destroy(runner);
	return n;
}

/* Chunks, strides and pools of many lengths; single frames, whole file, random cuts. */
static void every_cut_gives_the_same_bits(void **state)
{
	(void)state;
	static const tiny_config configs[] = {
		{ 1, 7, 2, 2, 10, 8.0f, 0 },  { 2, 1, 1, 1, 1, 8.0f, 0 },
		{ 3, 25, 3, 2, 50, 8.0f, 0 }, { 4, 100, 4, 1, 33, 8.0f, 0 },
		{ 5, 48, 8, 5, 7, 8.0f, 0 },
	};
	static float x[T * MELS], want[(T + 1) * TINY_WORDS], got[(T + 1) * TINY_WORDS];
	for (size_t c = 0; c < sizeof configs / sizeof *configs; c++) {
		kws_model *m = tiny_model_open(&configs[c]);
		kws_runner *runner;
		random_frames(x);
		const size_t n = whole(m, x, want);
		assert_int_equal(n, T / configs[c].stride);
		assert_int_equal(kws_runner_create(&runner, m), KWS_OK);
		for (unsigned most = 1; most < 300; most = most * 2 + 1) {
			size_t n_out = 0;
			kws_runner_reset(runner);
			for (size_t t = 0, k; t < T; t += k) {
				k = most == 1 ? 1 : below(most + 1); /* 0 is a legal cut */
				k = k < T - t ? k : T - t;
				n_out += kws_runner_run(runner, x + t * MELS, k,
							got + n_out * TINY_WORDS);
			}
			assert_int_equal(n_out, n);
			assert_memory_equal(got, want, n * TINY_WORDS * sizeof *want);
		}
		kws_runner_destroy(runner);
		kws_model_close(m);
	}
}

/* The networks that the twin wrote, one for every kind of layer that there is. */
static const char *const kinds[] = { "batchnorm_laplace_simple_full",
				     "fastformer_clip",
				     "fastformer_forget",
				     "fastformer_gated",
				     "fastformer_shared",
				     "layers_int8",
				     "no_attention",
				     "no_ema",
				     "rmsnorm_relu2_rotary_c1",
				     "stem",
				     "stem_deep",
				     "stem_int8",
				     "stem_stacked" };
enum { N_KINDS = sizeof kinds / sizeof *kinds };

static kws_model *open_kind(size_t kind, size_t *t_all)
{
	char path[256];
	kws_error err = { "" };
	kws_model *m;
	snprintf(path, sizeof path, "tests/golden/net_%s.safetensors", kinds[kind]);
	if (kws_model_open(&m, path, &err) != KWS_OK)
		fail_msg("%s: %s", path, err.text);
	const size_t most = kws_model_max_frames(m);
	*t_all = most ? most * kws_model_stride(m) : T;
	assert_true(kws_model_features(m)->n_mels <= MELS && kws_model_n_words(m) == TINY_WORDS);
	return m;
}

static void every_kind_gives_the_same_bits(void **state)
{
	(void)state;
	static float x[T * MELS], want[(T + 1) * TINY_WORDS], got[(T + 1) * TINY_WORDS];
	for (size_t c = 0; c < N_KINDS; c++) {
		size_t t_all;
		kws_model *m = open_kind(c, &t_all);
		kws_runner *runner;
		const size_t mels = kws_model_features(m)->n_mels;
		random_frames(x);
		assert_int_equal(kws_runner_create(&runner, m), KWS_OK);
		size_t n = kws_runner_run(runner, x, t_all, want);
		assert_int_equal(n > 0, !kws_model_whole_clip(m));
		n += kws_runner_finish(runner, want + n * TINY_WORDS);
		assert_int_equal(n, t_all / kws_model_stride(m));
		for (unsigned most = 1; most < 300; most = most * 2 + 1) {
			size_t n_out = 0;
			kws_runner_reset(runner);
			for (size_t t = 0, k; t < t_all; t += k) {
				k = most == 1 ? 1 : below(most + 1);
				k = k < t_all - t ? k : t_all - t;
				n_out += kws_runner_run(runner, x + t * mels, k,
							got + n_out * TINY_WORDS);
			}
			n_out += kws_runner_finish(runner, got + n_out * TINY_WORDS);
			assert_int_equal(n_out, n);
			assert_memory_equal(got, want, n * TINY_WORDS * sizeof *want);
		}
		kws_runner_destroy(runner);
		kws_model_close(m);
	}
}

enum { MANY = 30 };

typedef struct {
	float x[T * MELS], want[(T + 1) * TINY_WORDS], got[(T + 1) * TINY_WORDS];
	size_t t, n_out; /* heard; rows in got */
	kws_runner *runner;
} one_of_many;

/* Some of them hear some frames each; returns how many have heard all of theirs, and were compared. */
static size_t hear_round(const kws_model *m, one_of_many *s, size_t t_all)
{
	const size_t mels = kws_model_features(m)->n_mels;
	kws_runner_job jobs[MANY];
	size_t who[MANY], n = 0, over = 0;
	for (size_t i = 0; i < MANY; i++) {
		const size_t k = below(12);
		if (!s[i].runner || (k == 0 && i % 3))
			continue; /* some are silent in this round */
		jobs[n] = (kws_runner_job){ .runner = s[i].runner,
					    .frames = s[i].x + s[i].t * mels,
					    .t = k < t_all - s[i].t ? k : t_all - s[i].t,
					    .logits = s[i].got + s[i].n_out * TINY_WORDS,
					    .n_out = 99 };
		s[i].t += jobs[n].t;
		who[n++] = i;
	}
	kws_runner_run_all(jobs, n);
	for (size_t j = 0; j < n; j++) {
		one_of_many *o = &s[who[j]];
		o->n_out += jobs[j].n_out;
		if (o->t < t_all)
			continue;
		o->n_out += kws_runner_finish(o->runner, o->got + o->n_out * TINY_WORDS);
		assert_int_equal(o->n_out, t_all / kws_model_stride(m));
		assert_memory_equal(o->got, o->want, o->n_out * TINY_WORDS * sizeof *o->got);
		kws_runner_destroy(o->runner);
		o->runner = NULL;
		over++;
	}
	return over;
}

/* Streams that share a work and come, go and are cut at random: each has the bits that it has alone. */
static void many_streams_are_as_alone(void **state)
{
	(void)state;
	one_of_many *s = calloc(MANY, sizeof *s);
	assert_non_null(s);
	for (size_t c = 0; c < N_KINDS; c++) {
		size_t t_all;
		kws_model *m = open_kind(c, &t_all);
		kws_runner_work *work;
		assert_int_equal(kws_runner_work_create(&work, m), KWS_OK);
		for (size_t i = 0; i < MANY; i++) {
			random_frames(s[i].x);
			s[i].t = s[i].n_out = 0;
			assert_int_equal(kws_runner_create_in(&s[i].runner, work), KWS_OK);
			const size_t n = kws_runner_run(s[i].runner, s[i].x, t_all, s[i].want);
			kws_runner_finish(s[i].runner, s[i].want + n * TINY_WORDS);
			kws_runner_reset(s[i].runner);
		}
		for (size_t left = MANY; left > 0;)
			left -= hear_round(m, s, t_all);
		kws_runner_work_destroy(work);
		kws_model_close(m);
	}
	free(s);
}

/* In a model for whole clips the first frame hears the last; a shorter clip is another clip. */
static void whole_clips_hear_the_future(void **state)
{
	(void)state;
	kws_error err = { "" };
	kws_model *m;
	kws_runner *runner;
	static float x[T * MELS], a[(T + 1) * TINY_WORDS], b[(T + 1) * TINY_WORDS];
	assert_int_equal(kws_model_open(&m, "tests/golden/net_fastformer_clip.safetensors", &err),
			 KWS_OK);
	assert_int_equal(kws_model_max_frames(m), 40);
	assert_int_equal(kws_runner_create(&runner, m), KWS_OK);
	random_frames(x);
	assert_int_equal(kws_runner_run(runner, x, 60, a), 0);
	assert_int_equal(kws_runner_finish(runner, a), 30);
	kws_runner_reset(runner);
	assert_int_equal(kws_runner_finish(runner, b), 0);
	kws_runner_reset(runner);
	x[59 * 6] += 5.0f;
	assert_int_equal(kws_runner_run(runner, x, 60, b), 0);
	assert_int_equal(kws_runner_finish(runner, b), 30);
	assert_memory_not_equal(a, b, TINY_WORDS * sizeof *a);
	kws_runner_destroy(runner);
	kws_model_close(m);
}

/* Audio that begins at any phase of a chunk or block is heard the same by a stream that began with it. */
static void streams_do_not_interact(void **state)
{
	(void)state;
	kws_model *m = tiny_model_open(&tiny_default);
	kws_runner *a, *b;
	static float x[T * MELS], y[T * MELS], want_x[(T + 1) * TINY_WORDS],
		want_y[(T + 1) * TINY_WORDS];
	float got[2 * TINY_WORDS];
	random_frames(x);
	random_frames(y);
	whole(m, x, want_x);
	whole(m, y, want_y);
	assert_int_equal(kws_runner_create(&a, m), KWS_OK);
	assert_int_equal(kws_runner_create(&b, m), KWS_OK);
	for (size_t t = 0; t + 2 <= T; t += 2) {
		assert_int_equal(kws_runner_run(a, x + t * MELS, 2, got), 1);
		assert_memory_equal(got, want_x + t / 2 * TINY_WORDS, TINY_WORDS * sizeof *got);
		assert_int_equal(kws_runner_run(b, y + t * MELS, 2, got), 1);
		assert_memory_equal(got, want_y + t / 2 * TINY_WORDS, TINY_WORDS * sizeof *got);
	}
	kws_runner_destroy(a);
	kws_runner_destroy(b);
	kws_model_close(m);
}

static void output_is_finite_for_any_input(void **state)
{
	(void)state;
	kws_model *m = tiny_model_open(&tiny_default);
	static const float levels[] = { -11.5f, 20.0f, 0.0f, -100.0f, 1e4f };
	static float x[T * MELS], got[(T + 1) * TINY_WORDS];
	for (size_t k = 0; k < sizeof levels / sizeof *levels; k++) {
		for (size_t i = 0; i < T * MELS; i++)
			x[i] = levels[k];
		const size_t n = whole(m, x, got);
		for (size_t i = 0; i < n * TINY_WORDS; i++)
			assert_true(isfinite(got[i]));
	}
	kws_model_close(m);
}

/* The EMA hears on beyond a chunk; only the chunk's keys and values are forgotten. */
static void memory_outlives_the_chunk(void **state)
{
	(void)state;
	tiny_config cfg = tiny_default;
	cfg.chunk = 2;
	cfg.pool = 1;
	kws_model *m = tiny_model_open(&cfg);
	static float x[T * MELS], a[(T + 1) * TINY_WORDS], b[(T + 1) * TINY_WORDS];
	random_frames(x);
	whole(m, x, a);
	for (size_t i = 0; i < 2 * MELS; i++)
		x[i] += 3.0f; /* the first network frame */
	whole(m, x, b);
	assert_memory_not_equal(a + 4 * TINY_WORDS, b + 4 * TINY_WORDS, TINY_WORDS * sizeof *a);
	kws_model_close(m);
}

typedef struct {
	size_t n, n_in[32], n_out[32], rows[32];
} products;

static void note_product(void *ctx, const kws_any_product *any, size_t rows)
{
	products *p = ctx;
	const kws_product *g = any->floats;
	const size_t at = p->n++ % 32;
	p->n_in[at] = g->n_in;
	p->n_out[at] = g->n_out;
	p->rows[at] = rows;
}

/* What a floor is measured with: from the input to the head, each of them with a block's rows. */
static void products_are_the_networks(void **state)
{
	(void)state;
	kws_model *m = tiny_model_open(&tiny_default);
	products p = { 0 };
	kws_network_products(kws_model_network(m), note_product, &p);
	assert_true(p.n > 3 && p.n < 32);
	for (size_t i = 0; i < p.n; i++)
		assert_int_equal(p.rows[i], KWS_BLOCK);
	assert_true(p.n_in[0] == 2 * TINY_MELS && p.n_out[0] == kws_pad(TINY_DIM));
	assert_true(p.n_in[p.n - 2] == TINY_DIM && p.n_out[p.n - 2] == kws_pad(TINY_HEAD));
	assert_true(p.n_in[p.n - 1] == TINY_HEAD && p.n_out[p.n - 1] == kws_pad(TINY_WORDS));
	kws_model_close(m);
	/* with a stem, its own for each stem frame */
	size_t t;
	m = open_kind(9, &t);
	p = (products){ 0 };
	kws_network_products(kws_model_network(m), note_product, &p);
	assert_true(p.n > KWS_BLOCK * kws_model_network(m)->stride);
	kws_model_close(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_agree_with_the_twin),
		cmocka_unit_test(every_cut_gives_the_same_bits),
		cmocka_unit_test(every_kind_gives_the_same_bits),
		cmocka_unit_test(many_streams_are_as_alone),
		cmocka_unit_test(whole_clips_hear_the_future),
		cmocka_unit_test(streams_do_not_interact),
		cmocka_unit_test(output_is_finite_for_any_input),
		cmocka_unit_test(products_are_the_networks),
		cmocka_unit_test(memory_outlives_the_chunk),
	};
	return cmocka_run_group_tests_name("runner", tests, NULL, NULL);
}
