/* The squelch: what it skips, to the sample, and that the models behind it hear the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spot/cascade.h"
#include "spot/squelch.h"
#include "tests/sound.h"
#include "tests/tiny_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HZ = 16000, SECONDS = 40, MOST_HZ = 44100, EVENTS = 256 };

static float pcm[MOST_HZ * SECONDS];

/* White noise from..to, seconds, with this peak. */
static void noise(double from, double to, unsigned hz, float peak)
{
	for (size_t i = (size_t)(from * hz); i < (size_t)(to * hz); i++)
		pcm[i] = peak * (2.0f * (float)rand() / (float)RAND_MAX - 1.0f);
}

static void tone(double from, double to, double tone_hz, float peak)
{
	for (size_t i = (size_t)(from * HZ); i < (size_t)(to * HZ); i++)
		pcm[i] += peak * sinf((float)(6.2831853 * tone_hz * (double)i / HZ));
}

/* The times at which it opened and closed until `to', by turns; it begins open. Returns how many. */
static size_t changes(kws_squelch *s, double to, double *at, size_t most)
{
	size_t n = 0;
	while (kws_squelch_at(s) < (uint64_t)(to * HZ))
		if (kws_squelch_take(s, pcm + kws_squelch_at(s), HZ / 100)) {
			assert_true(n < most);
			at[n++] = (double)kws_squelch_at(s) / HZ;
		}
	return n;
}

static void assert_about(double got, double want, double off)
{
	if (!(fabs(got - want) <= off))
		fail_msg("%.3f, not %.3f", got, want);
}

static kws_squelch *squelch(double over_db)
{
	kws_squelch *s;
	assert_int_equal(kws_squelch_create(&s, HZ, over_db), KWS_OK);
	return s;
}

static void a_sound_opens_it_and_a_second_before_it_is_heard(void **state)
{
	kws_squelch *s = squelch(6.0);
	double at[4];
	(void)state;
	noise(0.0, 20.0, HZ, 0.001f);
	noise(10.0, 10.3, HZ, 0.1f);
	assert_int_equal(changes(s, 10.2, at, 4), 2);
	assert_about(at[0], 3.0, 1e-6); /* a multiple of 40 ms */
	assert_about(at[1], 10.0, 0.021);
	const uint64_t hop = (uint64_t)(at[1] * HZ + 0.5) - HZ / 100; /* the one that was loud */
	assert_int_equal(kws_squelch_from(s), hop - hop % 640 - HZ);
	assert_int_equal(kws_squelch_skipped(s), kws_squelch_from(s) - 3 * HZ);
	assert_int_equal(changes(s, 20.0, at, 4), 1);
	assert_about(at[0], 10.3 + 0.05 + 2.5, 0.041);
	assert_int_equal(kws_squelch_at(s) % (HZ / 100), 0);
	assert_about(fmod(at[0] + 1e-6, 0.04), 0.0, 1e-5);
	kws_squelch_destroy(s);
}

/* What is being skipped: all but the last second, which may still be heard. */
static void what_is_skipped_is_counted_while_it_is_closed(void **state)
{
	kws_squelch *s = squelch(6.0);
	double at[1];
	(void)state;
	noise(0.0, 20.0, HZ, 0.001f);
	changes(s, 3.5, at, 1);
	assert_int_equal(kws_squelch_skipped(s), 0);
	changes(s, 14.0, at, 1);
	assert_int_equal(kws_squelch_skipped(s), (14 - 3 - 1) * HZ);
	kws_squelch_begin(s, 17 * HZ); /* three seconds were lost, not skipped */
	assert_true(kws_squelch_is_open(s));
	assert_int_equal(kws_squelch_skipped(s), (14 - 3 - 1) * HZ);
	kws_squelch_destroy(s);
}

/* After a loss a stream goes on at any sample, and its hops stay where they are. */
static void it_closes_in_a_stream_that_went_on_anywhere(void **state)
{
	kws_squelch *s = squelch(6.0);
	double at[1];
	(void)state;
	noise(0.0, 20.0, HZ, 0.001f);
	kws_squelch_begin(s, 77);
	kws_squelch_take(s, pcm + 77, 160 - 77);
	assert_int_equal(changes(s, 10.0, at, 1), 1);
	assert_about(at[0], 3.0, 0.041);
	kws_squelch_destroy(s);
}

/* Closed a moment ago: nothing is heard twice, and nothing is skipped. */
static void soon_again_nothing_is_heard_twice(void **state)
{
	kws_squelch *s = squelch(6.0);
	double at[2];
	(void)state;
	noise(0.0, 20.0, HZ, 0.001f);
	noise(3.4, 3.6, HZ, 0.1f);
	assert_int_equal(changes(s, 3.5, at, 2), 2);
	assert_int_equal(kws_squelch_from(s), 3 * HZ);
	assert_int_equal(kws_squelch_skipped(s), 0);
	kws_squelch_destroy(s);
}

/* A fan is switched on: it is a sound until the floor has come up, and then it is the room. */
static void the_floor_follows_the_room(void **state)
{
	kws_squelch *s = squelch(6.0);
	double at[4];
	(void)state;
	noise(0.0, 10.0, HZ, 0.001f);
	noise(10.0, 30.0, HZ, 0.05f);
	assert_int_equal(changes(s, 30.0, at, 4), 3);
	assert_about(at[2], 10.0 + 3.0 + 2.5, 0.5);
	kws_squelch_destroy(s);
}

/* The whistle is 20 dB below the hum. */
static void a_hum_does_not_hide_a_voice(void **state)
{
	kws_squelch *s = squelch(6.0);
	double at[2];
	(void)state;
	noise(0.0, 20.0, HZ, 0.001f);
	tone(0.0, 20.0, 50.0, 0.1f);
	tone(10.0, 10.5, 1500.0, 0.01f);
	assert_int_equal(changes(s, 10.5, at, 2), 2);
	assert_about(at[1], 10.0, 0.051);
	kws_squelch_destroy(s);
}

static void what_is_not_finite_is_silence(void **state)
{
	kws_squelch *s = squelch(6.0);
	double at[2];
	(void)state;
	noise(0.0, 20.0, HZ, 0.001f);
	pcm[5 * HZ] = NAN;
	pcm[6 * HZ + 159] = INFINITY;
	assert_int_equal(changes(s, 20.0, at, 2), 1);
	assert_false(kws_squelch_is_open(s));
	kws_squelch_destroy(s);
}

static void what_cannot_be_is_refused(void **state)
{
	kws_squelch *s;
	(void)state;
	assert_int_equal(kws_squelch_create(&s, 7999, 6.0), KWS_ERR_ARG);
	assert_int_equal(kws_squelch_create(&s, 16000, -0.1), KWS_ERR_ARG);
	assert_int_equal(kws_squelch_create(&s, 16000, (double)NAN), KWS_ERR_ARG);
	assert_null(s);
}

/* ---- with a model behind it ---- */

typedef struct {
	size_t n;
	kws_event event[EVENTS];
	uint64_t offset;
} record;

static void note(void *ctx, const kws_event *ev)
{
	record *r = ctx;
	assert_true(r->n < EVENTS);
	r->event[r->n] = *ev;
	r->event[r->n].sample += r->offset;
	r->event[r->n].start += r->offset;
	r->event[r->n++].end += r->offset;
}

static kws_spotter_config config_of(record *r)
{
	static const float threshold[TINY_WORDS] = { 0.4f, 0.4f, 2.0f, 2.0f };
	kws_spotter_config c = KWS_SPOTTER_CONFIG;
	c.threshold = threshold;
	c.on_event = note;
	c.ctx = r;
	return c;
}

/* A quiet room, and sounds in it now and then. */
static void write_room(unsigned hz)
{
	static float some[MOST_HZ * 4];
	noise(0.0, SECONDS, hz, 0.0001f);
	for (unsigned k = 0; k < 4; k++) {
		sound(some, (size_t)hz * 2, hz, 3 + k);
		memcpy(pcm + (size_t)hz * (6 + 9 * k), some, (size_t)hz * 2 * sizeof *pcm);
	}
}

static void hear(const kws_model *const *m, size_t n_models, unsigned hz, size_t cut, record *r)
{
	const kws_spotter_config c = config_of(r);
	const size_t n = (size_t)hz * SECONDS;
	kws_cascade *cascade;
	r->n = 0;
	assert_int_equal(kws_cascade_create(&cascade, NULL), KWS_OK);
	kws_cascade_squelch(cascade, 6.0);
	for (size_t i = 0; i < n_models; i++)
		assert_int_equal(kws_cascade_add(cascade, NULL, m[i], &c, NULL), KWS_OK);
	for (int again = 0; again < 2; again++) { /* as after a reset */
		r->n = 0;
		assert_int_equal(kws_cascade_start(cascade, hz, NULL, NULL), KWS_OK);
		for (size_t at = 0; at < n; at += cut)
			kws_cascade_process(cascade, pcm + at, cut < n - at ? cut : n - at);
		assert_true(kws_cascade_skipped_s(cascade) > 10.0);
		kws_cascade_flush(cascade);
	}
	kws_cascade_destroy(cascade);
}

static void assert_same(const record *a, const record *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_int_equal(a->event[i].sample, b->event[i].sample);
		assert_int_equal(a->event[i].start, b->event[i].start);
		assert_int_equal(a->event[i].end, b->event[i].end);
		assert_int_equal(a->event[i].word, b->event[i].word);
		assert_memory_equal(&a->event[i].score, &b->event[i].score, sizeof(float));
	}
}

/* One model, and several that take turns; 11025 Hz: a second is not whole hops. */
static void any_cut_gives_the_same_events(void **state)
{
	static const unsigned rates[] = { 16000, 11025, 44100 };
	static const size_t cuts[] = { 1, 7, 160, 640, 4999 };
	static record whole, other;
	const kws_model *const m[] = { *state, *state };
	for (size_t models = 1; models <= 2; models++)
		for (size_t i = 0; i < 3; i++) {
			write_room(rates[i]);
			hear(m, models, rates[i], (size_t)rates[i] * SECONDS, &whole);
			assert_true(whole.n > 2);
			for (size_t k = rates[i] == HZ ? 0 : 3; k < 5; k++) {
				hear(m, models, rates[i], cuts[k], &other);
				assert_same(&whole, &other);
			}
		}
}

/* A spotter that is fed each stretch, from its first sample to its last, and nothing else. */
static void it_is_the_rule_done_by_hand(void **state)
{
	static record whole, hand;
	const kws_model *const m[] = { *state };
	const kws_spotter_config c = config_of(&hand);
	kws_squelch *s = squelch(6.0);
	kws_spotter *spotter;
	uint64_t from = 0;
	write_room(HZ);
	hear(m, 1, HZ, 480, &whole);
	assert_int_equal(kws_spotter_create(&spotter, *state, HZ, &c, NULL), KWS_OK);
	while (kws_squelch_at(s) < (uint64_t)HZ * SECONDS) {
		const bool changed = kws_squelch_take(s, pcm + kws_squelch_at(s), HZ / 100);
		if (changed && kws_squelch_is_open(s)) {
			from = kws_squelch_from(s);
		} else if (changed) {
			hand.offset = from;
			kws_spotter_process(spotter, pcm + from,
					    (size_t)(kws_squelch_at(s) - from));
			kws_spotter_flush(spotter);
			kws_spotter_reset(spotter);
		}
	}
	assert_false(kws_squelch_is_open(s));
	assert_true(hand.n > 2);
	assert_same(&whole, &hand);
	kws_spotter_destroy(spotter);
	kws_squelch_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_opens_it_and_a_second_before_it_is_heard),
		cmocka_unit_test(what_is_skipped_is_counted_while_it_is_closed),
		cmocka_unit_test(it_closes_in_a_stream_that_went_on_anywhere),
		cmocka_unit_test(soon_again_nothing_is_heard_twice),
		cmocka_unit_test(the_floor_follows_the_room),
		cmocka_unit_test(a_hum_does_not_hide_a_voice),
		cmocka_unit_test(what_is_not_finite_is_silence),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(any_cut_gives_the_same_events),
		cmocka_unit_test(it_is_the_rule_done_by_hand),
	};
	return cmocka_run_group_tests(tests, tiny_set_up, tiny_tear_down);
}
