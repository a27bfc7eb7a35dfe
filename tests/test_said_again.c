/* The decision to the millisecond: each of its times and shares, and words said again. */
#include "tests/decide_ms.h"

#include <stdlib.h>

static const float plain[WORDS] = { 0.7f, 0.7f, 0.7f, 2.0f };

static fine plainly(unsigned smooth_ms, unsigned refractory_ms)
{
	return fine_open(&(kws_decide_config){ smooth_ms, refractory_ms, 0, plain });
}

/* The word is said from here on, for ms, while the score of word 0 is p. */
static void say(fine *f, float p, unsigned ms)
{
	f->voice.count++;
	until(f, f->now + ms, p, 0.0f, true);
}

static unsigned decided(const fine *f, size_t i)
{
	assert_true(i < f->n);
	return (unsigned)(f->hit[i].sample / MS);
}

static void the_hold_is_100_ms(void **state)
{
	(void)state;
	fine f = plainly(0, 500);
	until(&f, 1000, 0.0f, 0.0f, false);
	until(&f, 2000, 0.9f, 0.0f, false);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.hit[0].opened, 1001 * MS);
	assert_int_equal(decided(&f, 0), 1101);
	kws_decide_destroy(f.d);
}

static void a_fall_is_a_twentieth(void **state)
{
	(void)state;
	for (int clear = 0; clear < 2; clear++) {
		fine f = plainly(0, 500);
		until(&f, 10, 0.9f, 0.0f, false);
		until(&f, 50, clear ? 0.849f : 0.851f, 0.0f, false);
		assert_int_equal(f.n, clear);
		until(&f, 200, 0.851f, 0.0f, false);
		assert_int_equal(decided(&f, 0), clear ? 11 : 101);
		kws_decide_destroy(f.d);
	}
}

static void three_quarters_arm_again(void **state)
{
	(void)state;
	for (int low = 0; low < 2; low++) {
		fine f = plainly(0, 100);
		until(&f, 500, 0.9f, 0.0f, false);
		until(&f, 600, low ? 0.524f : 0.526f, 0.0f, false); /* of 0.7 */
		until(&f, 900, 0.9f, 0.0f, false);
		assert_int_equal(f.n, 1 + low);
		kws_decide_destroy(f.d);
	}
}

/* The other word rises 199 or 200 ms after the decision at 101 ms, and stays. */
static void the_dead_time_is_200_ms(void **state)
{
	(void)state;
	for (unsigned late = 0; late < 2; late++) {
		fine f = plainly(0, 500);
		until(&f, 299 + late, 0.9f, 0.0f, false);
		assert_int_equal(decided(&f, 0), 101);
		until(&f, 900, 0.0f, 0.9f, false);
		assert_int_equal(f.n, 1 + late);
		if (late)
			assert_int_equal(f.hit[1].opened, 301 * MS);
		kws_decide_destroy(f.d);
	}
}

static void the_refractory_is_as_it_is_set(void **state)
{
	(void)state;
	for (unsigned late = 0; late < 2; late++) {
		fine f = plainly(0, 500);
		until(&f, 110, 0.9f, 0.0f, false); /* decided at 101 */
		until(&f, 599 + late, 0.0f, 0.0f, false);
		until(&f, 900, 0.9f, 0.0f, false);
		assert_int_equal(f.n, 1 + late);
		kws_decide_destroy(f.d);
	}
}

/* ---- said again ---- */

static void smoothing_is_2_s_at_most(void **state)
{
	(void)state;
	for (unsigned smooth_ms = 1999; smooth_ms < 2002; smooth_ms++) {
		fine f = plainly(smooth_ms, 500);
		until(&f, 10, 0.5f, 0.0f, false);
		float frames = smooth_ms < 2000 ? 1999.0f : 2000.0f;
		assert_float_equal(kws_decide_score(f.d)[0], 5.0f / frames, 1e-7);
		kws_decide_destroy(f.d);
	}
}

/* Said five times, every 1.1 s for 200 ms; the score rises once, and stays up as long as the
 * network remembers the last of them. */
static void a_word_said_again_fires_again(void **state)
{
	(void)state;
	fine f = plainly(200, 700);
	until(&f, 1000, 0.0f, 0.0f, false);
	for (unsigned i = 0; i < 5; i++) {
		say(&f, i ? 0.99f : 0.0f, 200);
		until(&f, 1000 + 1100 * (i + 1), 0.99f, 0.0f, false);
	}
	until(&f, 6700, 0.99f, 0.0f, false);
	until(&f, 9000, 0.0f, 0.0f, false);
	assert_int_equal(f.n, 5);
	/* The mean over 200 ms reached 0.7 at 1342; that is later than the end of the voice. */
	assert_int_equal(decided(&f, 0), 1442);
	assert_int_equal(decided(&f, 1), 1342 + 1200 + 100);
	/* Then each is due a window and the smoothing after the end of the one before it. */
	for (unsigned i = 2; i < 5; i++)
		assert_int_equal(decided(&f, i), 1000 + 1100 * (i - 1) + 200 + 1200 + 100);
	kws_decide_destroy(f.d);
}

static void a_word_drawn_out_fires_once(void **state)
{
	(void)state;
	fine f = plainly(200, 700);
	until(&f, 1000, 0.0f, 0.0f, false);
	say(&f, 0.99f, 8000);
	until(&f, 10100, 0.99f, 0.0f, false);
	until(&f, 12000, 0.0f, 0.0f, false);
	assert_int_equal(f.n, 1);
	kws_decide_destroy(f.d);
}

/* Another sound comes after the word, which is no longer on the score when that counts. */
static void another_sound_is_not_the_word(void **state)
{
	(void)state;
	fine f = plainly(0, 700);
	say(&f, 0.99f, 200);
	until(&f, 900, 0.99f, 0.0f, false);
	say(&f, 0.99f, 150);
	until(&f, 1200, 0.99f, 0.0f, false);
	until(&f, 3000, 0.6f, 0.0f, false);
	assert_int_equal(f.n, 1);
	until(&f, 3300, 0.99f, 0.0f,
	      false); /* it never fell, but a pause and voice have armed it */
	assert_int_equal(f.n, 2);
	kws_decide_destroy(f.d);
}

/* The first frame counts that begins a window and a frame of smoothing after the stretch ended. */
static void the_memory_is_a_window_and_the_smoothing(void **state)
{
	(void)state;
	for (unsigned high = 0; high < 2; high++) {
		fine f = plainly(0, 300);
		say(&f, 0.99f, 800);
		until(&f, 1400, 0.99f, 0.0f, false);
		say(&f, 0.99f, 100);
		until(&f, 1800 + high, 0.99f, 0.0f, false);
		until(&f, 3000, 0.6f, 0.0f, false);
		assert_int_equal(f.n, 1 + high);
		if (high)
			assert_int_equal(f.hit[1].opened, 1801 * MS);
		kws_decide_destroy(f.d);
	}
}

/* A refractory that lasts longer than the memory keeps the word silent. */
static void the_refractory_goes_before(void **state)
{
	(void)state;
	fine f = plainly(200, 3000);
	say(&f, 0.99f, 200); /* crosses at 142, decided at 242 */
	for (unsigned i = 1; i < 6; i++) {
		until(&f, 1000 * i, 0.99f, 0.0f, false);
		say(&f, 0.99f, 200);
	}
	until(&f, 6000, 0.99f, 0.0f, false);
	assert_int_equal(f.n, 2);
	assert_int_equal(decided(&f, 0), 242);
	assert_int_equal(f.hit[1].opened, 3242 * MS);
	kws_decide_destroy(f.d);
}

/* Voice that began before the decision belongs to what was decided. */
static void what_began_before_is_one_utterance(void **state)
{
	(void)state;
	for (int later = 0; later < 2; later++) {
		fine f = plainly(0, 300);
		say(&f, 0.0f, 200);
		until(&f, 350, 0.0f, 0.0f, false);
		say(&f, 0.99f, 60);
		until(&f, 460, 0.99f, 0.0f, false);
		assert_int_equal(decided(&f, 0), 451);
		if (later)
			say(&f, 0.99f, 60);
		until(&f, 5000, 0.99f, 0.0f, false);
		assert_int_equal(f.n, later ? 2 : 1);
		kws_decide_destroy(f.d);
	}
}

/* What rises in the dead time, or in the refractory, belongs to the utterance before: it counts
 * when voice begins anew after it, and a window after the rise. */
static void a_rejected_rise_has_to_be_said_again(void **state)
{
	(void)state;
	for (int own = 0; own < 2; own++) {
		for (int again = 0; again < 2; again++) {
			fine f = plainly(0, own ? 400 : 0);
			float p0 = own ? 0.9f : 0.0f, p1 = 0.9f - p0;
			say(&f, 0.9f, 110); /* decided at 101 */
			until(&f, 200, 0.0f, 0.0f, false);
			f.voice.count++;
			until(&f, 250, 0.0f, 0.0f, true);
			until(&f, 600, p0, p1, false); /* rejected at 251 */
			f.voice.count += (unsigned)again;
			until(&f, 650, p0, p1, again);
			until(&f, 1251, p0, p1, false);
			assert_int_equal(f.n, 1);
			until(&f, 3000, p0, p1, false);
			assert_int_equal(f.n, 1 + again);
			if (again)
				assert_int_equal(f.hit[1].opened, 1252 * MS);
			kws_decide_destroy(f.d);
		}
	}
}

/* Another word that was high as the first was hit counts when voice has begun anew. */
static void the_loser_may_be_said_next(void **state)
{
	(void)state;
	for (int again = 0; again < 2; again++) {
		const float low[WORDS] = { 0.4f, 0.4f, 0.4f, 2.0f };
		fine f = plainly(0, 300);
		kws_decide_config cfg = { 0, 300, 0, low };
		kws_decide_configure(f.d, &cfg);
		f.voice.count++;
		until(&f, 200, 0.5f, 0.45f, true);
		until(&f, 700, 0.1f, 0.45f, false);
		f.voice.count += (unsigned)again;
		until(&f, 900, 0.1f, 0.45f, again);
		until(&f, 2000, 0.1f, 0.45f, false);
		assert_int_equal(f.n, 1 + again);
		assert_int_equal(f.hit[0].word, 0);
		if (again) {
			assert_int_equal(f.hit[1].word, 1);
			assert_int_equal(f.hit[1].opened, 1201 * MS);
		}
		kws_decide_destroy(f.d);
	}
}

static void reset_forgets_what_was_said(void **state)
{
	(void)state;
	fine f = plainly(0, 300);
	say(&f, 0.99f, 300);
	assert_int_equal(f.n, 1);
	kws_decide_reset(f.d);
	f = (fine){ .d = f.d };
	say(&f, 0.99f, 300);
	until(&f, 3000, 0.99f, 0.0f, false);
	assert_int_equal(f.n, 1);
	assert_int_equal(decided(&f, 0), 101);
	kws_decide_destroy(f.d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hold_is_100_ms),
		cmocka_unit_test(a_fall_is_a_twentieth),
		cmocka_unit_test(three_quarters_arm_again),
		cmocka_unit_test(the_dead_time_is_200_ms),
		cmocka_unit_test(the_refractory_is_as_it_is_set),
		cmocka_unit_test(smoothing_is_2_s_at_most),
		cmocka_unit_test(a_word_said_again_fires_again),
		cmocka_unit_test(a_word_drawn_out_fires_once),
		cmocka_unit_test(another_sound_is_not_the_word),
		cmocka_unit_test(the_memory_is_a_window_and_the_smoothing),
		cmocka_unit_test(the_refractory_goes_before),
		cmocka_unit_test(what_began_before_is_one_utterance),
		cmocka_unit_test(a_rejected_rise_has_to_be_said_again),
		cmocka_unit_test(the_loser_may_be_said_next),
		cmocka_unit_test(reset_forgets_what_was_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
