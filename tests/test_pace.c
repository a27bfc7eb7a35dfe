/* When a listener looks: close behind the pieces; in a quiet room for several at a time; and how long a
 * piece lies there. The pieces come on a clock of their own, and each look takes all that have come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/pace.h"

#include <math.h>

typedef struct {
	kws_pace pace;
	unsigned piece_ms;
	double now;		/* of the next look */
	unsigned long pieces;	/* taken */
	unsigned looks, misses; /* made; that found nothing */
	double oldest;		/* the longest time for which the newest piece had lain there */
} room;

/* Look until that time. The pieces come at 0, piece_ms, 2 piece_ms and so on. */
static void look(room *r, double until, bool quiet)
{
	const double piece_s = 1e-3 * r->piece_ms;

	r->looks = r->misses = 0;
	r->oldest = 0.0;
	while (r->now < until) {
		const unsigned long come = (unsigned long)floor(r->now / piece_s) + 1;
		const unsigned long n = come - r->pieces;

		if (n)
			r->oldest = fmax(r->oldest, r->now - (double)(come - 1) * piece_s);
		r->pieces = come;
		r->looks++;
		r->misses += n == 0;
		r->now += kws_pace_next(&r->pace, r->piece_ms, (double)n * piece_s, quiet);
	}
}

/* From anywhere between two pieces, the looks come close and stay there. */
static void test_the_looks_follow_the_pieces(void **state)
{
	(void)state;
	for (unsigned ms = 20; ms <= 200; ms += 20) {
		room r = { .piece_ms = ms, .now = 0.7e-3 * ms };

		look(&r, 1e-3 * ms * 40, false);
		look(&r, 1e-3 * ms * 440, false);
		assert_true(r.oldest < 1e-3 * ms * 0.13);
		assert_in_range(r.looks, 400, 520); /* one in four or five was too early */
	}
}

/* Quiet: as many pieces at a time as come in 120 ms, and not later than those. */
static void test_a_quiet_room_is_looked_at_less_often(void **state)
{
	static const struct {
		unsigned ms, pieces;
	} cases[] = { { 20, 6 }, { 40, 3 }, { 50, 2 }, { 60, 2 }, { 80, 1 }, { 200, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const unsigned ms = cases[i].ms;
		room r = { .piece_ms = ms };

		look(&r, 1e-3 * ms * 60, true);
		look(&r, 1e-3 * ms * 660, true);
		assert_in_range(r.looks, 600 / cases[i].pieces - 2,
				600 / cases[i].pieces + (cases[i].pieces > 1 ? 2 : 180));
		assert_true(r.oldest < 1e-3 * ms);
		assert_true(r.misses == 0 || cases[i].pieces == 1);
	}
}

/* Voice: the looks are close again at once, without a search for the pieces. */
static void test_voice_is_looked_at_closely(void **state)
{
	(void)state;
	room r = { .piece_ms = 60 };
	look(&r, 60.0, true);
	look(&r, 60.7, false);
	assert_true(r.oldest < 0.060 * 0.2);
	assert_in_range(r.looks, 9, 14);
}

/* Nothing comes: at first often, then as often as pieces. */
static void test_nothing_comes(void **state)
{
	kws_pace p = { 0 };

	(void)state;
	assert_float_equal(kws_pace_next(&p, 60, 0.06, true), 0.12, 0.01);
	for (int i = 1; i < 8; i++)
		assert_float_equal(kws_pace_next(&p, 60, 0.0, true), 0.0075, 1e-9);
	assert_float_equal(kws_pace_next(&p, 60, 0.0, true), 0.06, 1e-9);
	assert_float_equal(kws_pace_next(&p, 60, 0.06, false), 0.06, 0.01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_looks_follow_the_pieces),
		cmocka_unit_test(test_a_quiet_room_is_looked_at_less_often),
		cmocka_unit_test(test_voice_is_looked_at_closely),
		cmocka_unit_test(test_nothing_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
