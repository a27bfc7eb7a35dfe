/* The last seconds of a stream, whatever the pieces that it came in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spot/history.h"

enum { CAP = 8, N = 20 };

static float buf[CAP];
static kws_history h;

/* Sample i of the stream is i + 1. */
static int set_up(void **state)
{
	float in[N];
	(void)state;
	for (size_t i = 0; i < N; i++)
		in[i] = (float)i + 1.0f;
	kws_history_init(&h, buf, CAP);
	for (size_t i = 0; i < N; i += 3) /* pieces that do not divide the ring */
		kws_history_append(&h, in + i, i + 3 <= N ? 3 : N - i);
	return 0;
}

static void copies_what_is_held_and_silence_around_it(void **state)
{
	float out[12];
	(void)state;
	assert_int_equal(h.end, N);
	assert_int_equal(kws_history_begin(&h), N - CAP);
	assert_int_equal(kws_history_copy(&h, 10, 12, out), CAP);
	for (size_t i = 0; i < 12; i++)
		assert_true(out[i] == (i < 2 || i >= 10 ? 0.0f : (float)(10 + i) + 1.0f));
	assert_int_equal(kws_history_copy(&h, 0, 4, out), 0);
	assert_int_equal(kws_history_copy(&h, 30, 4, out), 0);
}

static void runs_end_where_the_ring_does(void **state)
{
	(void)state;
	for (uint64_t from = N - CAP; from <= N; from++)
		for (size_t most = 0; most < 12; most++) {
			const size_t ring = CAP - from % CAP, held = (size_t)(N - from);
			size_t n = most;
			const float *run = kws_history_at(&h, from, &n);
			assert_int_equal(n, most < ring	  ? most < held ? most : held
					    : ring < held ? ring
							  : held);
			for (size_t i = 0; i < n; i++)
				assert_true(run[i] == (float)(from + i) + 1.0f);
		}
}

static void is_empty_at_first(void **state)
{
	size_t n = 4;
	kws_history empty;
	(void)state;
	kws_history_init(&empty, buf, CAP);
	assert_int_equal(kws_history_begin(&empty), 0);
	kws_history_at(&empty, 0, &n);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_what_is_held_and_silence_around_it),
		cmocka_unit_test(runs_end_where_the_ring_does),
		cmocka_unit_test(is_empty_at_first),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
