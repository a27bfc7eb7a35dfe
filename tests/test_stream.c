/* The pipeline from PCM to probabilities: however the audio is cut, every bit stays. */
#include "spot/stream.h"
#include "tests/tiny_model.h"
#include "tests/level.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME = 320, MOST = 512 };

typedef struct {
	uint64_t sample[MOST];
	float prob[MOST][TINY_WORDS], logit[MOST][TINY_WORDS], level[MOST][2],
		mel[MOST][2][TINY_MELS];
	size_t n;
} record;

static void on_frame(void *ctx, const kws_frame *f)
{
	record *r = ctx;
	assert_true(r->n < MOST);
	assert_int_equal(f->n_words, TINY_WORDS);
	assert_int_equal(f->stride, 2);
	r->sample[r->n] = f->sample;
	memcpy(r->prob[r->n], f->prob, sizeof r->prob[0]);
	memcpy(r->logit[r->n], f->logit, sizeof r->logit[0]);
	if (f->level)
		memcpy(r->level[r->n], f->level, sizeof r->level[0]);
	if (f->mel && f->n_mels == TINY_MELS)
		memcpy(r->mel[r->n], f->mel, sizeof r->mel[0]);
	r->n++;
}

static kws_stream *open_stream(const kws_model *m, unsigned in_hz, record *r)
{
	kws_stream *s = NULL;
	kws_error err = { "" };
	memset(r, 0, sizeof *r);
	assert_int_equal(kws_stream_create(&s, m, in_hz, on_frame, r, &err), KWS_OK);
	return s;
}

/* Bursts of noise and tones at all levels. */
static void sound(float *pcm, size_t n, unsigned seed)
{
	float gain = 0.1f, step = 0.01f;
	srand(seed);
	for (size_t i = 0; i < n; i++) {
		if (i % 2000 == 0) {
			gain = powf(10.0f, (float)(rand() % 60 - 60) / 20.0f);
			step = 0.02f * (float)(rand() % 100) / 10.0f;
		}
		pcm[i] = gain
			 * (0.5f * sinf(step * (float)i)
			    + 0.5f * ((float)rand() / (float)RAND_MAX - 0.5f));
	}
}

static void assert_same(const record *a, const record *b)
{
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a, b, sizeof *a);
}

enum { LONG = 96000 };
static float pcm[LONG];
static record whole, cut;

static void any_cut_gives_the_same_bits(void **state)
{
	const kws_model *m = *state;
	const unsigned rates[] = { 8000, 11025, 16000, 44100, 48000, 192000 };
	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
		size_t n = rates[i] / 2;
		sound(pcm, n, (unsigned)i);
		kws_stream *s = open_stream(m, rates[i], &whole);
		kws_stream_process(s, pcm, n);
		kws_stream_flush(s);
		assert_int_equal(whole.n, 25);
		kws_stream_destroy(s);
		for (unsigned seed = 0; seed < 7; seed += 2) {
			s = open_stream(m, rates[i], &cut);
			srand(seed);
			/* 0: whole hops, as live; 2: sample by sample at first; then all
			 * lengths. */
			for (size_t at = 0; at < n;) {
				size_t k = seed == 0 ? rates[i] / 100
					   : seed == 2 && at < 2000
						   ? 1
						   : (size_t)rand() % (size_t)(1 << (2 * seed + 2));
				k = k < n - at ? k : n - at;
				kws_stream_process(s, pcm + at, k);
				at += k;
			}
			kws_stream_flush(s);
			assert_same(&whole, &cut);
			kws_stream_destroy(s);
		}
	}
}

/* More streams than a wave has parts, at several rates, that come late, leave early and are fed at random: each reports
 * what it reports alone. */
static void streams_of_a_group_are_as_alone(void **state)
{
	enum { MANY = 60, N = 12000 };
	const unsigned rates[] = { 16000, 48000, 11025, 16000 };
	static record alone[MANY], together[MANY];
	kws_stream *s[MANY] = { NULL };
	size_t at[MANY] = { 0 }, left = MANY;
	kws_group *g;
	assert_int_equal(kws_group_create(&g, *state, NULL), KWS_OK);
	sound(pcm, MANY * 100 + N, 17);
	for (size_t i = 0; i < MANY; i++) {
		kws_stream *lone = open_stream(*state, rates[i % 4], &alone[i]);
		kws_stream_process(lone, pcm + i * 100, N);
		kws_stream_flush(lone);
		kws_stream_destroy(lone);
		memset(&together[i], 0, sizeof together[i]);
	}
	srand(5);
	for (size_t round = 0; left; round++) {
		kws_stream_input in[MANY];
		size_t n = 0;
		for (size_t i = 0; i < MANY && i <= round * 7; i++) {
			if (at[i] == N || rand() % 4 == 0)
				continue;
			if (!s[i])
				assert_int_equal(kws_stream_create_in(&s[i], g, rates[i % 4],
								      on_frame, &together[i], NULL),
						 KWS_OK);
			size_t k = (size_t)rand() % (i % 2 ? 300 : 6000);
			k = k < N - at[i] ? k : N - at[i];
			in[n++] = (kws_stream_input){ s[i], pcm + i * 100 + at[i], k };
			at[i] += k;
		}
		kws_stream_process_all(in, n);
		for (size_t i = 0; i < MANY; i++) {
			if (!s[i] || at[i] < N)
				continue;
			kws_stream_flush(s[i]);
			kws_stream_destroy(s[i]);
			s[i] = NULL;
			assert_same(&alone[i], &together[i]);
			left--;
		}
	}
	kws_group_destroy(g);
}

static void frames_come_at_once(void **state)
{
	record r;
	kws_stream *s = open_stream(*state, 16000, &r);
	sound(pcm, 32000, 3);
	for (size_t i = 1; i <= 32000 / 160; i++) {
		kws_stream_process(s, pcm + (i - 1) * 160, 160);
		assert_int_equal(r.n, i / 2);
		assert_int_equal(kws_stream_heard(s), i * 160);
	}
	for (size_t i = 0; i < r.n; i++)
		assert_int_equal(r.sample[i], (i + 1) * FRAME);
	kws_stream_destroy(s);
}

static void reset_equals_new(void **state)
{
	/* Even and odd numbers of hops before, with a part of a hop, with and without flush. */
	const size_t before[] = { 33333, 33500, 160, 1, 33333 + 441 };
	for (size_t i = 0; i < 20; i++) {
		unsigned rate = i % 4 < 2 ? 16000 : 44100;
		kws_stream *s = open_stream(*state, rate, &whole), *used;
		sound(pcm, 50000, 5);
		kws_stream_process(s, pcm, 20000);
		kws_stream_flush(s);
		kws_stream_destroy(s);
		used = open_stream(*state, rate, &cut);
		kws_stream_process(used, pcm + 1, before[i / 4]);
		if (i % 2)
			kws_stream_flush(used);
		kws_stream_reset(used);
		assert_int_equal(kws_stream_heard(used), 0);
		memset(&cut, 0, sizeof cut);
		kws_stream_process(used, pcm, 20000);
		kws_stream_flush(used);
		assert_same(&whole, &cut);
		kws_stream_destroy(used);
	}
}

static void two_streams_do_not_interact(void **state)
{
	record other;
	sound(pcm, 48000, 6);
	kws_stream *s = open_stream(*state, 48000, &whole);
	kws_stream_process(s, pcm, 48000);
	kws_stream_destroy(s);
	s = open_stream(*state, 48000, &cut);
	kws_stream *o = open_stream(*state, 8000, &other);
	for (size_t at = 0; at < 48000; at += 480) {
		kws_stream_process(s, pcm + at, 480);
		kws_stream_process(o, pcm + 480, 80);
	}
	assert_same(&whole, &cut);
	kws_stream_destroy(s);
	kws_stream_destroy(o);
}

static void probabilities_are_finite_and_sum_to_one(void **state)
{
	const float values[] = { 0.0f,	  1.0f,	    -1.0f,    0.25f, FLT_TRUE_MIN,
				 FLT_MAX, -FLT_MAX, INFINITY, NAN,   1e-20f };
	for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
		for (int alternate = 0; alternate < 2; alternate++) {
			record r;
			kws_stream *s = open_stream(*state, v % 2 ? 16000 : 48000, &r);
			for (size_t i = 0; i < 16000; i++)
				pcm[i] = alternate && i % 2 ? -values[v] : values[v];
			kws_stream_process(s, pcm, 16000);
			kws_stream_flush(s);
			assert_true(r.n >= 16);
			for (size_t i = 0; i < r.n; i++) {
				float sum = 0.0f;
				for (size_t w = 0; w < TINY_WORDS; w++) {
					assert_true(r.prob[i][w] >= 0.0f && r.prob[i][w] <= 1.0f);
					sum += r.prob[i][w];
				}
				assert_float_equal(sum, 1.0, 1e-5);
				assert_true(isfinite(r.level[i][0]) && isfinite(r.level[i][1]));
			}
			kws_stream_destroy(s);
		}
	}
}

static void what_is_not_finite_counts_as_zero(void **state)
{
	sound(pcm, 48000, 7);
	for (size_t i = 1000; i < 1500; i++)
		pcm[i] = 0.0f;
	kws_stream *s = open_stream(*state, 48000, &whole);
	kws_stream_process(s, pcm, 48000);
	kws_stream_destroy(s);
	for (size_t i = 1000; i < 1500; i++)
		pcm[i] = i % 3 ? i % 3 == 1 ? NAN : INFINITY : -INFINITY;
	s = open_stream(*state, 48000, &cut);
	kws_stream_process(s, pcm, 48000);
	kws_stream_destroy(s);
	assert_same(&whole, &cut);
}

/* What is louder than 1e4 counts as that, and what is a little softer as itself. */
static void what_is_too_loud_counts_as_loud(void **state)
{
	const float most = 1e4f, peaks[] = { 2e4f, FLT_MAX, nextafterf(1e4f, 0.0f) };
	for (size_t i = 0; i < 3; i++) {
		for (int negative = 0; negative < 2; negative++) {
			float sign = negative ? -1.0f : 1.0f;
			sound(pcm, 16000, 7);
			for (size_t k = 1000; k < 1200; k++)
				pcm[k] = sign * most;
			kws_stream *s = open_stream(*state, 16000, &whole);
			kws_stream_process(s, pcm, 16000);
			kws_stream_destroy(s);
			for (size_t k = 1000; k < 1200; k++)
				pcm[k] = sign * peaks[i];
			s = open_stream(*state, 16000, &cut);
			kws_stream_process(s, pcm, 16000);
			kws_stream_destroy(s);
			assert_int_equal(memcmp(&whole, &cut, sizeof whole) == 0, i < 2);
		}
	}
}

static void softmax_of_the_logits(void **state)
{
	record r;
	kws_stream *s = open_stream(*state, 16000, &r);
	sound(pcm, 16000, 8);
	kws_stream_process(s, pcm, 16000);
	for (size_t i = 0; i < r.n; i++) {
		double sum = 0.0;
		for (size_t w = 0; w < TINY_WORDS; w++)
			sum += exp((double)r.logit[i][w]);
		for (size_t w = 0; w < TINY_WORDS; w++)
			assert_float_equal(r.prob[i][w], (float)(exp((double)r.logit[i][w]) / sum),
					   1e-6);
	}
	kws_stream_destroy(s);
}

static void flush_completes_the_last_frame_with_silence(void **state)
{
	const size_t lengths[] = { 0, 1, 160, 161, 319, 320, 321, 16000, 16001 };
	record r;
	sound(pcm, 40000, 9);
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		kws_stream *s = open_stream(*state, 16000, &r);
		kws_stream_process(s, pcm, lengths[i]);
		kws_stream_flush(s);
		assert_int_equal(r.n, (lengths[i] + FRAME - 1) / FRAME);
		assert_int_equal(kws_stream_heard(s), lengths[i]);
		kws_stream_destroy(s);
	}
	kws_stream *s = open_stream(*state, 16000, &whole);
	kws_stream_process(s, pcm, 5000);
	kws_stream_flush(s);
	kws_stream_destroy(s);
	memset(pcm + 5000, 0, 120 * sizeof *pcm); /* 16 frames of 320 */
	s = open_stream(*state, 16000, &cut);
	kws_stream_process(s, pcm, 5120);
	kws_stream_destroy(s);
	assert_same(&whole, &cut);
}

/* A model that hears the whole clip first answers at flush, the same however the clip came. */
static void whole_clips_are_answered_at_the_end(void **state)
{
	(void)state;
	kws_error err = { "" };
	kws_model *m;
	assert_int_equal(kws_model_open(&m, "tests/golden/net_fastformer_clip.safetensors", &err),
			 KWS_OK);
	kws_stream *s = open_stream(m, 16000, &whole);
	sound(pcm, 9000, 11);
	kws_stream_process(s, pcm, 9000);
	assert_int_equal(whole.n, 0);
	kws_stream_flush(s);
	assert_int_equal(whole.n, 29);
	for (size_t i = 0; i < whole.n; i++)
		assert_int_equal(whole.sample[i], (i + 1) * FRAME);
	for (size_t piece = 1; piece < 9000; piece = piece * 3 + 7) {
		kws_stream *other = open_stream(m, 16000, &cut);
		kws_stream_process(other, pcm + 4000, 5000);
		kws_stream_reset(other); /* forgets it */
		for (size_t i = 0; i < 9000; i += piece)
			kws_stream_process(other, pcm + i, 9000 - i < piece ? 9000 - i : piece);
		assert_int_equal(cut.n, 0);
		kws_stream_flush(other);
		assert_same(&whole, &cut);
		kws_stream_destroy(other);
	}
	kws_stream_destroy(s);
	kws_model_close(m);
}

static void full_attention_hears_its_length(void **state)
{
	(void)state;
	tiny_config full = tiny_default;
	full.chunk = -1;
	kws_model *m = tiny_model_open(&full);
	record r;
	kws_stream *s = open_stream(m, 16000, &r);
	sound(pcm, 32000, 10);
	for (int again = 0; again < 2; again++) {
		r.n = 0;
		kws_stream_process(s, pcm, 7777);
		kws_stream_process(s, pcm + 7777, 32000 - 7777);
		kws_stream_flush(s);
		assert_int_equal(r.n, 40);
		kws_stream_reset(s);
	}
	kws_stream_destroy(s);
	kws_model_close(m);
}

static void refuses_rates_out_of_range(void **state)
{
	const unsigned rates[] = { 0, 7999, 192001 };
	for (size_t i = 0; i < 3; i++) {
		kws_stream *s = NULL;
		kws_error err = { "" };
		assert_int_equal(kws_stream_create(&s, *state, rates[i], on_frame, NULL, &err),
				 KWS_ERR_ARG);
		assert_null(s);
		assert_non_null(strstr(err.text, "Hz"));
		assert_int_equal(kws_stream_create(&s, *state, rates[i], on_frame, NULL, NULL),
				 KWS_ERR_ARG);
	}
	kws_stream_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_cut_gives_the_same_bits),
		cmocka_unit_test(streams_of_a_group_are_as_alone),
		cmocka_unit_test(frames_come_at_once),
		cmocka_unit_test(reset_equals_new),
		cmocka_unit_test(two_streams_do_not_interact),
		cmocka_unit_test(probabilities_are_finite_and_sum_to_one),
		cmocka_unit_test(what_is_not_finite_counts_as_zero),
		cmocka_unit_test(what_is_too_loud_counts_as_loud),
		cmocka_unit_test(softmax_of_the_logits),
		cmocka_unit_test(flush_completes_the_last_frame_with_silence),
		cmocka_unit_test(whole_clips_are_answered_at_the_end),
		cmocka_unit_test(full_attention_hears_its_length),
		cmocka_unit_test(refuses_rates_out_of_range),
	};
	return cmocka_run_group_tests(tests, tiny_set_up, tiny_tear_down) != 0;
}
