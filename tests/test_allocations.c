/* What runs on audio allocates nothing: whatever the rate, however the audio is cut, after a reset, too. */
#include "dsp/mel.h"
#include "dsp/resample.h"
#include "spot/decide.h"
#include "spot/stream.h"
#include "tests/allocations.h"
#include "tests/sound.h"
#include "tests/tiny_model.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

enum { N = 96000, MANY = 5, PIECES = 4 };

static const unsigned rates[] = { 8000, 16000, 44100, 48000, 192000 };
static const size_t pieces[PIECES] = { 1, 160, 441, N };
static float pcm[N];
static size_t heard;

static void on_event(void *ctx, const kws_event *ev)
{
	static char line[KWS_EVENT_JSON];
	assert_true(kws_event_json(ev, ctx, NULL, line, sizeof line) > 0);
	heard++;
}

static void on_frame(void *ctx, const kws_frame *f)
{
	(void)ctx;
	(void)f;
	heard++;
}

static void need_counting(void)
{
	if (allocations_are_counted())
		return;
	print_message("test_allocations: another allocator is in force, skipped\n");
	skip();
}

/* A sound whose events are many, and never the same twice. */
static kws_model *open_model(const tiny_config *config)
{
	sound(pcm, N, 16000, 7);
	return tiny_model_open(config);
}

static kws_spotter_config configured(kws_model *m, kws_spotter_config config)
{
	config.on_event = on_event;
	config.on_frame = on_frame;
	config.ctx = m;
	return config;
}

/* Pieces of k samples; of single ones only some, they take their time. */
static size_t limit_of(size_t k)
{
	return k == 1 ? 3000 : N;
}

static void the_spotter(void **state)
{
	(void)state;
	need_counting();
	kws_model *m = open_model(&tiny_default);
	for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
		kws_spotter *sp;
		kws_spotter_config config = configured(m, (kws_spotter_config)KWS_SPOTTER_CONFIG);
		assert_int_equal(kws_spotter_create(&sp, m, rates[r], &config, NULL), KWS_OK);
		heard = 0;
		const size_t before = n_allocations;
		for (size_t p = 0; p < PIECES; p++) {
			for (size_t at = 0; at < limit_of(pieces[p]); at += pieces[p])
				kws_spotter_process(sp, pcm + at,
						    pieces[p] < N - at ? pieces[p] : N - at);
			config.smooth_ms = (int)(100 * p);
			kws_spotter_configure(sp, &config, NULL);
			kws_spotter_flush(sp);
			kws_spotter_reset(sp);
		}
		assert_int_equal(n_allocations, before);
		assert_true(heard > 20);
		kws_spotter_destroy(sp);
	}
	kws_model_close(m);
}

static void a_group(void **state)
{
	(void)state;
	need_counting();
	kws_model *m = open_model(&tiny_default);
	kws_spotter_config config = configured(m, (kws_spotter_config)KWS_SPOTTER_CONFIG);
	kws_group *g;
	kws_spotter_input in[MANY] = { { 0 } };
	assert_int_equal(kws_group_create(&g, m, NULL), KWS_OK);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(kws_spotter_create_in(&in[i].spotter, g, rates[i], &config, NULL),
				 KWS_OK);
	heard = 0;
	const size_t before = n_allocations;
	for (size_t at = 0; at + 4000 <= N; at += 4000) {
		for (size_t i = 0; i < MANY; i++) {
			in[i].pcm = pcm + at;
			in[i].n = at / 4000 % (i + 2) ? 160 * i : 4000;
		}
		kws_spotter_process_all(in, MANY);
	}
	assert_int_equal(n_allocations, before);
	assert_true(heard > 20);
	for (size_t i = 0; i < MANY; i++)
		kws_spotter_destroy(in[i].spotter);
	kws_group_destroy(g);
	kws_model_close(m);
}

static void the_classifier(void **state)
{
	(void)state;
	need_counting();
	tiny_config whole = tiny_default;
	whole.chunk = -1;
	for (size_t r = 0; r < 2 * (sizeof rates / sizeof *rates); r++) {
		kws_model *m = open_model(r % 2 ? &whole : &tiny_default);
		kws_classifier *c;
		float prob[TINY_WORDS];
		assert_int_equal(kws_classifier_create(&c, m, rates[r / 2], r % 4 < 2, NULL),
				 KWS_OK);
		const size_t before = n_allocations;
		for (size_t p = 0; p < PIECES; p++) {
			for (size_t at = 0; at < limit_of(pieces[p]); at += pieces[p])
				kws_classifier_process(c, pcm + at,
						       pieces[p] < N - at ? pieces[p] : N - at);
			kws_classifier_finish(c, prob);
		}
		assert_int_equal(n_allocations, before);
		assert_true(prob[0] >= 0.0f && prob[0] <= 1.0f);
		kws_classifier_destroy(c);
		kws_model_close(m);
	}
}

static void the_resamplers(void **state)
{
	(void)state;
	static float out[12 * N + 4096];
	(void)state;
	need_counting();
	sound(pcm, N, 16000, 8);
	for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
		kws_resample *rs;
		size_t n = 0;
		assert_int_equal(kws_resample_create(&rs, rates[r], 16000), KWS_OK);
		const size_t before = n_allocations;
		for (size_t p = 0; p < PIECES; p++) {
			for (size_t at = 0; at < limit_of(pieces[p]); at += pieces[p])
				n += kws_resample_process(
					rs, pcm + at, pieces[p] < N - at ? pieces[p] : N - at, out);
			n += kws_resample_flush(rs, out);
			kws_resample_reset(rs);
		}
		assert_int_equal(n_allocations, before);
		assert_true(n > N / 16);
		kws_resample_destroy(rs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_spotter),
		cmocka_unit_test(a_group),
		cmocka_unit_test(the_classifier),
		cmocka_unit_test(the_resamplers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
