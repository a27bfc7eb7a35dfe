/* Clips in, probabilities out: however they are cut. */
#include "spot/classify.h"
#include "spot/stream.h"
#include "tests/level.h"
#include "tests/sound.h"
#include "tests/tiny_model.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { YES, NO, LONG = 48000 };

static float pcm[LONG];

/* What a stream says of every frame. */
typedef struct {
	float prob[4096][TINY_WORDS];
	size_t n;
} every;

static void keep(void *ctx, const kws_frame *f)
{
	every *e = ctx;
	memcpy(e->prob[e->n++], f->prob, sizeof e->prob[0]);
}

static void frames_of(const kws_model *m, unsigned in_hz, size_t n, every *e)
{
	kws_stream *s = NULL;
	e->n = 0;
	assert_int_equal(kws_stream_create(&s, m, in_hz, keep, e, NULL), KWS_OK);
	kws_stream_process(s, pcm, n);
	kws_stream_flush(s);
	kws_stream_destroy(s);
}

static kws_classifier *open_classifier(const kws_model *m, unsigned in_hz, bool at_end)
{
	kws_classifier *c = NULL;
	kws_error err = { "" };
	assert_int_equal(kws_classifier_create(&c, m, in_hz, at_end, &err), KWS_OK);
	return c;
}

static const float *best_of(const every *e, size_t from, size_t to)
{
	size_t best = from;
	for (size_t i = from; i < to; i++)
		if (fmaxf(e->prob[i][YES], e->prob[i][NO])
		    > fmaxf(e->prob[best][YES], e->prob[best][NO]))
			best = i;
	return e->prob[best];
}

static void a_clip_is_its_best_frame(void **state)
{
	static every e;
	/* The window is 10 network frames of 320 samples. Each length with the frames that
	 * count. */
	const struct {
		size_t n, from, to;
	} clips[] = { { 3200, 9, 10 }, { 3201, 9, 10 },	 { 3519, 9, 10 },
		      { 3520, 9, 11 }, { 16000, 9, 50 }, { 16319, 9, 50 } };
	for (unsigned seed = 0; seed < 2; seed++) {
		sound(pcm, 20000, 16000, seed + 40);
		kws_classifier *c = open_classifier(*state, 16000, false);
		for (size_t i = 0; i < sizeof clips / sizeof clips[0]; i++) {
			float prob[TINY_WORDS];
			frames_of(*state, 16000, clips[i].n, &e);
			kws_classifier_process(c, pcm, clips[i].n);
			kws_classifier_finish(c, prob);
			assert_memory_equal(prob, best_of(&e, clips[i].from, clips[i].to),
					    sizeof prob);
		}
		kws_classifier_destroy(c);
	}
}

/* The last frame of a recording alone is what a stream says there. */
static void the_end_is_the_last_frame(void **state)
{
	static every e;
	const struct {
		size_t n, last;
	} clips[] = { { 3200, 9 },   { 3519, 9 },   { 3520, 10 },
		      { 16000, 49 }, { 16319, 49 }, { 20000, 61 } };
	sound(pcm, 20000, 16000, 41);
	kws_classifier *c = open_classifier(*state, 16000, true);
	for (size_t i = 0; i < sizeof clips / sizeof clips[0]; i++) {
		float prob[TINY_WORDS];
		frames_of(*state, 16000, clips[i].n, &e);
		kws_classifier_process(c, pcm, clips[i].n);
		kws_classifier_finish(c, prob);
		assert_memory_equal(prob, e.prob[clips[i].last], sizeof prob);
	}
	kws_classifier_destroy(c);
}

static void a_short_clip_goes_on_in_silence(void **state)
{
	const unsigned rates[] = { 8000, 16000, 44100, 192000 };
	for (size_t i = 0; i < 4; i++) {
		float prob[TINY_WORDS], want[TINY_WORDS];
		size_t window = rates[i] / 5, n = rates[i] / 9;
		sound(pcm, window, rates[i], 50);
		kws_classifier *c = open_classifier(*state, rates[i], false);
		kws_classifier_process(c, pcm, n);
		kws_classifier_finish(c, prob);
		memset(pcm + n, 0, (window - n) * sizeof *pcm);
		kws_classifier_process(c, pcm, window);
		kws_classifier_finish(c, want);
		assert_memory_equal(prob, want, sizeof prob);
		sound(pcm, window, rates[i], 51); /* also behind a longer one */
		kws_classifier_process(c, pcm, window);
		kws_classifier_finish(c, prob);
		assert_memory_not_equal(prob, want, sizeof prob);
		sound(pcm, window, rates[i], 50);
		kws_classifier_process(c, pcm, n);
		kws_classifier_finish(c, prob);
		assert_memory_equal(prob, want, sizeof prob);
		kws_classifier_finish(c, prob); /* nothing at all is silence */
		assert_float_equal(prob[0] + prob[1] + prob[2] + prob[3], 1.0, 1e-5);
		kws_classifier_destroy(c);
	}
}

static void clips_may_be_cut_and_follow_each_other(void **state)
{
	float whole[TINY_WORDS], cut[TINY_WORDS];
	sound(pcm, 44100, 44100, 60);
	kws_classifier *c = open_classifier(*state, 44100, false);
	kws_classifier_process(c, pcm, 44100);
	kws_classifier_finish(c, whole);
	for (unsigned seed = 0; seed < 10; seed += 3) {
		srand(seed);
		for (size_t at = 0; at < 44100;) {
			size_t k = (size_t)rand() % (size_t)(1 << (seed + 3));
			k = k < 44100 - at ? k : 44100 - at;
			kws_classifier_process(c, pcm + at, k);
			at += k;
		}
		kws_classifier_finish(c, cut);
		assert_memory_equal(whole, cut, sizeof whole);
	}
	kws_classifier_destroy(c);
}

static void full_attention_takes_clips(void **state)
{
	(void)state;
	static every e;
	tiny_config full = tiny_default;
	full.chunk = -1;
	kws_model *m = tiny_model_open(&full);
	kws_classifier *c = open_classifier(m, 16000, false);
	float prob[TINY_WORDS];
	sound(pcm, 32000, 16000, 70);
	frames_of(m, 16000, 32000, &e);
	assert_int_equal(e.n, 40);
	kws_classifier_process(c, pcm, 32000);
	kws_classifier_finish(c, prob);
	assert_memory_equal(prob, best_of(&e, 9, 40), sizeof prob);
	kws_classifier_destroy(c);
	kws_model_close(m);
}

static void best_takes_the_first_of_equals(void **state)
{
	(void)state;
	const float prob[5] = { 0.1f, 0.3f, 0.3f, 0.2f, 0.1f };
	assert_int_equal(kws_classify_best(prob, 5), 1);
	assert_int_equal(kws_classify_best(prob, 1), 0);
}

static void refuses_bad_rates(void **state)
{
	kws_error err = { "" };
	kws_classifier *c = NULL;
	assert_int_equal(kws_classifier_create(&c, *state, 1000000, false, &err), KWS_ERR_ARG);
	assert_null(c);
	kws_classifier_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clip_is_its_best_frame),
		cmocka_unit_test(the_end_is_the_last_frame),
		cmocka_unit_test(a_short_clip_goes_on_in_silence),
		cmocka_unit_test(clips_may_be_cut_and_follow_each_other),
		cmocka_unit_test(full_attention_takes_clips),
		cmocka_unit_test(best_takes_the_first_of_equals),
		cmocka_unit_test(refuses_bad_rates),
	};
	return cmocka_run_group_tests(tests, tiny_set_up, tiny_tear_down) != 0;
}
