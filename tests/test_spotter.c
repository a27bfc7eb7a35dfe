/* PCM in, events out: however it is cut. */
#include "spot/spotter.h"
#include "tests/sound.h"
#include "tests/tiny_model.h"
#include "tests/level.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 256, SECONDS = 10, LONG = 16000 * SECONDS };

typedef struct {
	kws_event ev[MOST];
	size_t n, n_frames;
	uint64_t last_frame;
	const kws_spotter *spotter;
	float last_score[TINY_WORDS];
} record;

static float pcm[LONG];

static void on_event(void *ctx, const kws_event *ev)
{
	record *r = ctx;
	assert_true(r->n < MOST);
	assert_true(ev->sample == r->last_frame); /* its frame was shown before */
	r->ev[r->n++] = *ev;
}

static void on_frame(void *ctx, const kws_frame *f)
{
	record *r = ctx;
	assert_true(f->sample > r->last_frame);
	r->last_frame = f->sample;
	r->n_frames++;
	if (r->spotter)
		memcpy(r->last_score, kws_spotter_score(r->spotter), sizeof r->last_score);
}

static kws_spotter *open_spotter(const kws_model *m, unsigned in_hz, const kws_spotter_config *cfg,
				 record *r)
{
	kws_spotter *sp = NULL;
	kws_error err = { "" };
	kws_spotter_config own = cfg ? *cfg : (kws_spotter_config)KWS_SPOTTER_CONFIG;
	memset(r, 0, sizeof *r);
	own.on_event = on_event;
	own.on_frame = on_frame;
	own.ctx = r;
	assert_int_equal(kws_spotter_create(&sp, m, in_hz, &own, &err), KWS_OK);
	r->spotter = sp;
	return sp;
}

static void assert_same(const record *a, const record *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->n_frames, b->n_frames);
	for (size_t i = 0; i < a->n; i++) {
		const kws_event *x = &a->ev[i], *y = &b->ev[i];
		assert_true(x->sample == y->sample && x->start == y->start && x->end == y->end
			    && x->word == y->word);
		assert_memory_equal(&x->score, &y->score, sizeof(float));
		assert_memory_equal(&x->level_dbfs, &y->level_dbfs, sizeof(float));
		assert_memory_equal(&x->snr_db, &y->snr_db, sizeof(float));
	}
}

/* Which words the model's numbers are */
enum { YES, NO, UNKNOWN, SILENCE };

static void compare_cuts(const kws_model *m)
{
	const unsigned rates[] = { 8000, 16000, 44100 };
	record whole, cut;
	size_t events = 0;
	for (size_t i = 0; i < 3; i++) {
		size_t n = (size_t)rates[i] * (rates[i] > 16000 ? 3 : SECONDS);
		sound(pcm, n, rates[i], (unsigned)i + 20);
		kws_spotter *sp = open_spotter(m, rates[i], NULL, &whole);
		kws_spotter_process(sp, pcm, n);
		kws_spotter_flush(sp);
		kws_spotter_destroy(sp);
		events += whole.n;
		for (unsigned seed = 0; seed < 3; seed++) {
			srand(seed);
			sp = open_spotter(m, rates[i], NULL, &cut);
			for (size_t at = 0; at < n;) {
				size_t k = seed == 0
						   ? rates[i] / 100
						   : (size_t)rand() % (size_t)(1 << (5 * seed + 3));
				k = k < n - at ? k : n - at;
				kws_spotter_process(sp, pcm + at, k);
				at += k;
			}
			kws_spotter_flush(sp);
			kws_spotter_destroy(sp);
			assert_same(&whole, &cut);
		}
	}
	assert_true(events >= 4); /* or nothing was compared */
}

static void any_cut_gives_the_same_events(void **state)
{
	compare_cuts(*state);
}

static void count_events(const kws_model *m, record *r)
{
	kws_spotter *sp = open_spotter(m, 16000, NULL, r);
	sound(pcm, LONG, 16000, 20);
	kws_spotter_process(sp, pcm, LONG);
	kws_spotter_flush(sp);
	kws_spotter_destroy(sp);
}

/* The wait of the model's file is in force, and depends on no cut. */
static void a_decision_that_waits(void **state)
{
	record plain, waits;
	tiny_config config = tiny_default;
	config.wait_ms = 400;
	kws_model *m = tiny_model_open(&config);
	count_events(*state, &plain);
	count_events(m, &waits);
	assert_true(waits.n < plain.n && waits.n > 0);
	for (size_t i = 0; i < waits.n; i++)
		assert_true(waits.ev[i].score >= waits.ev[i].threshold);
	compare_cuts(m);
	kws_model_close(m);
}

/* Many spotters in one group have the events that one alone has, whatever the others hear. */
static void spotters_of_a_group_are_as_alone(void **state)
{
	enum { MANY = 70, N = LONG / 2, PIECE = 700 };
	static record alone, together[MANY];
	kws_spotter *sp[MANY];
	kws_spotter_input in[MANY];
	kws_group *g;
	size_t events = 0;
	sound(pcm, LONG, 16000, 20);
	assert_int_equal(kws_group_create(&g, *state, NULL), KWS_OK);
	for (size_t i = 0; i < MANY; i++) {
		memset(&together[i], 0, sizeof together[i]);
		kws_spotter_config cfg = KWS_SPOTTER_CONFIG;
		cfg.on_event = on_event;
		cfg.on_frame = on_frame;
		cfg.ctx = &together[i];
		assert_int_equal(kws_spotter_create_in(&sp[i], g, 16000, &cfg, NULL), KWS_OK);
	}
	for (size_t at = 0; at < N; at += PIECE) {
		for (size_t i = 0; i < MANY; i++)
			in[i] = (kws_spotter_input){ sp[i], pcm + i * 1000 + at,
						     PIECE < N - at ? PIECE : N - at };
		kws_spotter_process_all(in, MANY);
	}
	for (size_t i = 0; i < MANY; i++) {
		kws_spotter *lone = open_spotter(*state, 16000, NULL, &alone);
		kws_spotter_process(lone, pcm + i * 1000, N);
		kws_spotter_flush(lone);
		kws_spotter_destroy(lone);
		kws_spotter_flush(sp[i]);
		kws_spotter_destroy(sp[i]);
		assert_same(&alone, &together[i]);
		events += alone.n;
	}
	assert_true(events > MANY);
	kws_group_destroy(g);
}

static void events_are_in_order_and_in_range(void **state)
{
	record r;
	size_t n = 16000 * SECONDS;
	sound(pcm, n, 16000, 30);
	kws_spotter *sp = open_spotter(*state, 16000, NULL, &r);
	kws_spotter_process(sp, pcm, n);
	kws_spotter_flush(sp);
	assert_true(r.n >= 2);
	for (size_t i = 0; i < r.n; i++) {
		const kws_event *ev = &r.ev[i];
		assert_true(ev->start <= ev->end && ev->end <= ev->sample && ev->sample <= n);
		assert_true(ev->score >= ev->threshold && ev->score <= 1.0f);
		assert_true(ev->word == YES || ev->word == NO);
		assert_float_equal(ev->threshold, ev->word == YES ? 0.5f : 0.6f, 1e-6);
		assert_true(ev->level_dbfs >= -100.0f && ev->level_dbfs <= 3.0f
			    && ev->snr_db >= 0.0f);
		if (i)
			assert_true(ev->start >= r.ev[i - 1].end
				    && ev->sample > r.ev[i - 1].sample);
	}
	assert_int_equal(r.n_frames, n / 320);
	assert_int_equal(kws_spotter_heard(sp), n);
	kws_spotter_destroy(sp);
}

/* A word that is open when the audio ends is an event. */
static void the_end_decides_what_is_open(void **state)
{
	record r, cut;
	sound(pcm, 16000 * SECONDS, 16000, 30);
	kws_spotter *sp = open_spotter(*state, 16000, NULL, &r);
	kws_spotter_process(sp, pcm, 16000 * SECONDS);
	kws_spotter_destroy(sp);
	assert_true(r.n >= 2);
	sp = open_spotter(*state, 16000, NULL, &cut);
	kws_spotter_process(sp, pcm, (size_t)r.ev[0].sample - 320); /* a frame too little */
	assert_int_equal(cut.n, 0);
	kws_spotter_flush(sp);
	assert_int_equal(cut.n, 1);
	assert_int_equal(cut.ev[0].word, r.ev[0].word);
	assert_int_equal(cut.ev[0].sample, r.ev[0].sample - 320);
	kws_spotter_destroy(sp);
}

static void only_commands_fire(void **state)
{
	record r;
	const float low[TINY_WORDS] = { 2.0f, 2.0f, 0.01f, 0.01f },
		    yes[TINY_WORDS] = { 0.01f, 2.0f, 0.01f, 0.01f };
	kws_spotter_config cfg = KWS_SPOTTER_CONFIG;
	cfg.smooth_ms = 60;
	cfg.refractory_ms = 100;
	cfg.threshold = low;
	sound(pcm, 16000 * SECONDS, 16000, 31);
	kws_spotter *sp = open_spotter(*state, 16000, &cfg, &r);
	kws_spotter_process(sp, pcm, 16000 * SECONDS);
	kws_spotter_flush(sp);
	assert_int_equal(r.n, 0);
	assert_true(r.last_score[UNKNOWN] + r.last_score[SILENCE] + r.last_score[YES]
			    + r.last_score[NO]
		    > 0.99f);
	/* The same spotter, configured while it runs. */
	cfg.threshold = yes;
	kws_spotter_reset(sp);
	r.last_frame = 0;
	assert_int_equal(kws_spotter_configure(sp, &cfg, NULL), KWS_OK);
	kws_spotter_process(sp, pcm, 16000 * SECONDS);
	assert_true(r.n > 0);
	for (size_t i = 0; i < r.n; i++)
		assert_int_equal(r.ev[i].word, YES);
	kws_spotter_destroy(sp);
}

static void reset_equals_new(void **state)
{
	record a, b;
	sound(pcm, 48000 * 3, 48000, 32);
	kws_spotter *sp = open_spotter(*state, 48000, NULL, &a),
		    *used = open_spotter(*state, 48000, NULL, &b);
	kws_spotter_process(used, pcm + 4800, 48000 * 2 + 123);
	kws_spotter_reset(used);
	b.n = b.n_frames = 0;
	b.last_frame = 0;
	kws_spotter_process(sp, pcm, 48000 * 3);
	kws_spotter_process(used, pcm, 48000 * 3);
	kws_spotter_flush(sp);
	kws_spotter_flush(used);
	assert_same(&a, &b);
	kws_spotter_destroy(sp);
	kws_spotter_destroy(used);
}

static void refuses_full_attention_by_name(void **state)
{
	(void)state;
	tiny_config full = tiny_default;
	full.chunk = -1;
	kws_model *m = tiny_model_open(&full);
	kws_spotter *sp = NULL;
	kws_error err = { "" };
	assert_int_equal(kws_spotter_create(&sp, m, 16000, NULL, &err), KWS_ERR_ARG);
	assert_null(sp);
	assert_non_null(strstr(err.text, "full attention"));
	assert_int_equal(kws_spotter_create(&sp, m, 16000, NULL, NULL), KWS_ERR_ARG);
	kws_model_close(m);
	assert_int_equal(kws_model_open(&m, "tests/golden/net_fastformer_clip.safetensors", &err),
			 KWS_OK);
	assert_int_equal(kws_spotter_create(&sp, m, 16000, NULL, &err), KWS_ERR_ARG);
	assert_non_null(strstr(err.text, "fastformer_clip: full attention"));
	kws_model_close(m);
	kws_spotter_destroy(NULL);
}

/* Each field out of its range is named, and nothing is made or changed. */
static void refuses_bad_configurations(void **state)
{
	const float below[TINY_WORDS] = { 0.5f, -0.1f, 0.5f, 0.5f };
	const struct {
		kws_spotter_config cfg;
		const char *names;
	} bad[] = {
		{ { 3, -1, -1, NULL, NULL, NULL, NULL }, "config.size: 3" },
		{ { sizeof(kws_spotter_config), 2001, -1, NULL, NULL, NULL, NULL },
		  "config.smooth_ms: 2001" },
		{ { sizeof(kws_spotter_config), -2, -1, NULL, NULL, NULL, NULL },
		  "config.smooth_ms: -2" },
		{ { sizeof(kws_spotter_config), -1, 60001, NULL, NULL, NULL, NULL },
		  "config.refractory_ms: 60001" },
		{ { sizeof(kws_spotter_config), -1, -1, below, NULL, NULL, NULL },
		  "config.threshold: no: -0.1" },
	};
	record r;
	kws_spotter *good = open_spotter(*state, 16000, NULL, &r);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		kws_error err = { "" };
		kws_spotter *sp = good;
		assert_int_equal(kws_spotter_create(&sp, *state, 16000, &bad[i].cfg, &err),
				 KWS_ERR_ARG);
		assert_null(sp);
		assert_memory_equal(err.text, bad[i].names, strlen(bad[i].names));
		assert_int_equal(kws_spotter_configure(good, &bad[i].cfg, NULL), KWS_ERR_ARG);
	}
	kws_spotter_destroy(good);
}

/* NaN asks for the model's threshold, word by word; NULL for all of them. */
static void thresholds_that_are_nan_are_the_models(void **state)
{
	const float none[TINY_WORDS] = { NAN, NAN, NAN, NAN };
	const float only_no[TINY_WORDS] = { 2.0f, NAN, NAN, NAN };
	record a, b;
	kws_spotter_config cfg = KWS_SPOTTER_CONFIG;
	sound(pcm, LONG, 16000, 20);
	for (int way = 0; way < 2; way++) {
		kws_spotter *sp = open_spotter(*state, 16000, NULL, &a);
		kws_spotter_process(sp, pcm, LONG);
		kws_spotter_destroy(sp);
		cfg.threshold = way ? only_no : none;
		sp = open_spotter(*state, 16000, &cfg, &b);
		kws_spotter_process(sp, pcm, LONG);
		kws_spotter_destroy(sp);
		assert_true(a.n > 0);
		if (!way)
			assert_same(&a, &b);
		for (size_t i = 0; way && i < b.n; i++)
			assert_int_equal(b.ev[i].word, NO);
	}
}

static void refuses_bad_rates(void **state)
{
	kws_spotter *sp = NULL;
	kws_error err = { "" };
	assert_int_equal(kws_spotter_create(&sp, *state, 100, NULL, &err), KWS_ERR_ARG);
	assert_null(sp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_cut_gives_the_same_events),
		cmocka_unit_test(a_decision_that_waits),
		cmocka_unit_test(spotters_of_a_group_are_as_alone),
		cmocka_unit_test(events_are_in_order_and_in_range),
		cmocka_unit_test(the_end_decides_what_is_open),
		cmocka_unit_test(only_commands_fire),
		cmocka_unit_test(reset_equals_new),
		cmocka_unit_test(refuses_full_attention_by_name),
		cmocka_unit_test(refuses_bad_configurations),
		cmocka_unit_test(thresholds_that_are_nan_are_the_models),
		cmocka_unit_test(refuses_bad_rates),
	};
	return cmocka_run_group_tests(tests, tiny_set_up, tiny_tear_down) != 0;
}
