/* What is wrong with a take: made of tones and hiss, a case on either side of each limit. */
#include "spot/take.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RATE = 16000, MOST = 12 * RATE };

static float pcm[MOST];

static void hiss(float seconds, float level)
{
	unsigned state = 1;
	for (size_t i = 0; i < (size_t)(seconds * RATE); i++) {
		state = state * 1664525u + 1013904223u;
		pcm[i] = level * ((float)(state >> 8) / 8388608.0f - 1.0f);
	}
}

static void say(float at, float seconds, float level)
{
	for (size_t i = 0; i < (size_t)(seconds * RATE); i++)
		pcm[(size_t)(at * RATE) + i] += level * sinf(0.2f * (float)i);
}

static kws_take judge(float seconds)
{
	kws_take t;
	kws_take_judge(pcm, (size_t)(seconds * RATE), RATE, &t);
	return t;
}

static kws_take one_word(float take_s, float at, float word_s, float level)
{
	hiss(take_s, 0.0005f);
	say(at, word_s, level);
	return judge(take_s);
}

static void finds_the_word(void **state)
{
	const kws_take t = one_word(2.0f, 0.7f, 0.6f, 0.2f);
	(void)state;
	assert_int_equal(t.faults, 0);
	assert_in_range(t.start, 0.66 * RATE, 0.71 * RATE);
	assert_in_range(t.end, 1.29 * RATE, 1.34 * RATE);
	assert_true(fabsf(t.level_dbfs - -17.0f) < 0.5f);
	assert_true(t.snr_db > 40.0f);
	assert_true(fabsf(t.seconds - 2.0f) < 1e-3f);
}

static void a_short_pause_belongs_to_the_word(void **state)
{
	(void)state;
	hiss(3.0f, 0.0005f);
	say(1.0f, 0.4f, 0.2f);
	say(1.6f, 0.3f, 0.2f); /* 0.2 s later */
	kws_take t = judge(3.0f);
	assert_int_equal(t.faults, 0);
	assert_in_range(t.end, 1.89 * RATE, 1.94 * RATE);
	hiss(3.0f, 0.0005f);
	say(1.0f, 0.4f, 0.2f);
	say(1.8f, 0.3f, 0.2f); /* 0.4 s later */
	assert_int_equal(judge(3.0f).faults, KWS_TAKE_SEVERAL_WORDS);
}

static void what_is_much_softer_is_no_second_word(void **state)
{
	(void)state;
	hiss(3.0f, 0.0005f);
	say(0.8f, 0.5f, 0.2f);
	say(2.0f, 0.4f, 0.02f);
	assert_int_equal(judge(3.0f).faults, 0);
	hiss(3.0f, 0.0005f);
	say(0.8f, 0.5f, 0.2f);
	say(2.0f, 0.4f, 0.08f);
	assert_int_equal(judge(3.0f).faults, KWS_TAKE_SEVERAL_WORDS);
}

static void lengths_have_limits(void **state)
{
	(void)state;
	assert_int_equal(one_word(2.0f, 0.7f, 0.1f, 0.2f).faults, KWS_TAKE_TOO_SHORT);
	assert_int_equal(one_word(2.0f, 0.7f, 0.25f, 0.2f).faults, 0);
	assert_int_equal(one_word(5.0f, 0.7f, 2.4f, 0.2f).faults, 0);
	assert_int_equal(one_word(5.0f, 0.7f, 2.6f, 0.2f).faults, KWS_TAKE_TOO_LONG);
	assert_int_equal(one_word(7.9f, 0.7f, 0.5f, 0.2f).faults, 0);
	assert_int_equal(one_word(9.0f, 0.7f, 0.5f, 0.2f).faults, KWS_TAKE_TOO_LONG);
	assert_int_equal(one_word(11.0f, 9.5f, 0.5f, 0.2f).faults,
			 KWS_TAKE_TOO_LONG); /* it is late */
}

static void a_word_at_the_edge_is_cut_off(void **state)
{
	(void)state;
	assert_int_equal(one_word(2.0f, 0.0f, 0.5f, 0.2f).faults, KWS_TAKE_CUT_OFF);
	assert_int_equal(one_word(2.0f, 1.5f, 0.5f, 0.2f).faults, KWS_TAKE_CUT_OFF);
	assert_int_equal(one_word(2.0f, 0.1f, 0.5f, 0.2f).faults, 0);
	assert_int_equal(one_word(2.0f, 1.4f, 0.5f, 0.2f).faults, 0);
}

static void levels_have_limits(void **state)
{
	(void)state;
	hiss(2.0f, 0.00001f);
	say(0.7f, 0.5f, 0.003f);
	assert_int_equal(judge(2.0f).faults, KWS_TAKE_TOO_QUIET);
	hiss(2.0f, 0.00001f);
	say(0.7f, 0.5f, 0.006f);
	assert_int_equal(judge(2.0f).faults, 0);
	hiss(2.0f, 0.0005f);
	say(0.7f, 0.5f, 2.0f);
	for (size_t i = 0; i < 2 * RATE; i++)
		pcm[i] = fminf(fmaxf(pcm[i], -1.0f), 1.0f);
	assert_int_equal(judge(2.0f).faults, KWS_TAKE_CLIPPED);
	assert_int_equal(one_word(2.0f, 0.7f, 0.5f, 0.95f).faults, 0);
}

static void silence_and_noise_are_no_speech(void **state)
{
	(void)state;
	memset(pcm, 0, sizeof pcm);
	assert_int_equal(judge(2.0f).faults, KWS_TAKE_NO_SPEECH);
	assert_int_equal(judge(0.0f).faults, KWS_TAKE_NO_SPEECH);
	assert_int_equal(judge(0.005f).faults, KWS_TAKE_NO_SPEECH);
	hiss(2.0f, 0.3f);
	assert_int_equal(judge(2.0f).faults, KWS_TAKE_NO_SPEECH);
	assert_int_equal(one_word(2.0f, 0.7f, 0.02f, 0.5f).faults & ~0u, KWS_TAKE_TOO_SHORT);
}

static void every_fault_has_words(void **state)
{
	(void)state;
	for (unsigned bit = 1; bit <= KWS_TAKE_UNLIKE; bit *= 2)
		assert_true(*kws_take_fault(bit));
	assert_string_equal(kws_take_fault(0), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_word),
		cmocka_unit_test(a_short_pause_belongs_to_the_word),
		cmocka_unit_test(what_is_much_softer_is_no_second_word),
		cmocka_unit_test(lengths_have_limits),
		cmocka_unit_test(a_word_at_the_edge_is_cut_off),
		cmocka_unit_test(levels_have_limits),
		cmocka_unit_test(silence_and_noise_are_no_speech),
		cmocka_unit_test(every_fault_has_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
