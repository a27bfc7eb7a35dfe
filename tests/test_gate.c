/* When a word counts after another, to the sample. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spot/gate.h"

#include <stdio.h>

enum { HZ = 16000, WITHIN = 5 * HZ, BACK = HZ, REST = 5 * HZ / 2 };

static kws_gate gate;

static int set_up(void **state)
{
	(void)state;
	kws_gate_init(&gate, HZ, 5.0);
	return 0;
}

static bool hear(uint64_t end, uint64_t decided, const char *id)
{
	kws_gate_word word = { .end = end, .word = "jarvis" };
	snprintf(word.id, sizeof word.id, "%s", id);
	return kws_gate_word_heard(&gate, &word, decided);
}

static void is_closed_until_the_first_word(void **state)
{
	(void)state;
	assert_false(gate.open);
	assert_null(kws_gate_count(&gate, 0, 10));
	assert_true(hear(40000, 41000, "a"));
	assert_true(gate.open);
}

static void hears_from_a_second_before_the_decision(void **state)
{
	(void)state;
	hear(40000, 41000, "a");
	assert_int_equal(gate.from, 41000 - BACK);
	assert_int_equal(gate.until, 40000 + WITHIN + REST);
	kws_gate_close(&gate);
	hear(7000, 9000, "b"); /* less than a second after the beginning */
	assert_int_equal(gate.from, 0);
	assert_int_equal(gate.until, 7000 + WITHIN + REST);
}

static void the_middle_is_not_before_the_end_of_the_gating_word(void **state)
{
	(void)state;
	hear(40000, 41000, "a");
	assert_null(kws_gate_count(&gate, 39000, 40999)); /* its middle is 39999 */
	assert_non_null(kws_gate_count(&gate, 39000, 41000));
}

static void it_starts_in_time(void **state)
{
	(void)state;
	hear(40000, 41000, "a");
	assert_null(kws_gate_count(&gate, 40000 + WITHIN + 1, 40000 + WITHIN + 8000));
	assert_non_null(kws_gate_count(&gate, 40000 + WITHIN, 40000 + WITHIN + 8000));
}

static void a_further_word_moves_only_the_end(void **state)
{
	(void)state;
	hear(40000, 41000, "a");
	assert_false(hear(90000, 91000, "b"));
	assert_int_equal(gate.from, 41000 - BACK);
	assert_int_equal(gate.until, 90000 + WITHIN + REST);
	assert_string_equal(kws_gate_count(&gate, 60000, 68000)->id, "a");
	assert_string_equal(kws_gate_count(&gate, 90000 + WITHIN, 91000 + WITHIN)->id, "b");
}

/* Open because the decision may take so long, but nobody has said the gating word in time. */
static void between_two_gating_words_too_far_apart_nothing_counts(void **state)
{
	const uint64_t late = 40000 + WITHIN + 20000;
	(void)state;
	hear(40000, 41000, "a");
	hear(late, late + 1000, "b");
	assert_null(kws_gate_count(&gate, late - 10000, late - 2000));
	assert_string_equal(kws_gate_count(&gate, late, late + 8000)->id, "b");
}

static void no_word_counts_twice(void **state)
{
	(void)state;
	hear(40000, 41000, "a");
	assert_non_null(kws_gate_count(&gate, 60000, 68000));
	kws_gate_close(&gate);
	hear(61000, 62000, "b"); /* which hears the same once more */
	assert_null(kws_gate_count(&gate, 60000, 68000));
	assert_non_null(kws_gate_count(&gate, 64000, 72000)); /* the middle is not before 68000 */
}

static void words_of_an_earlier_opening_no_longer_count(void **state)
{
	(void)state;
	hear(40000, 41000, "a");
	kws_gate_close(&gate);
	hear(80000, 81000, "b");
	assert_null(kws_gate_count(&gate, 60000, 68000));
}

static void the_last_words_are_remembered(void **state)
{
	char id[8];
	(void)state;
	for (unsigned i = 0; i < 2 * KWS_GATE_WORDS; i++) {
		snprintf(id, sizeof id, "%u", i);
		hear(10000 * i, 10000 * i + 100, id);
	}
	assert_null(
		kws_gate_count(&gate, 10000 * (KWS_GATE_WORDS - 1), 10000 * KWS_GATE_WORDS - 1));
	assert_string_equal(
		kws_gate_count(&gate, 10000 * KWS_GATE_WORDS, 10000 * KWS_GATE_WORDS + 100)->id,
		"32");
	assert_string_equal(kws_gate_count(&gate, 10000 * 63, 10000 * 63 + 1)->id, "63");
}

static void another_time_counts_from_then_on(void **state)
{
	(void)state;
	hear(40000, 41000, "a");
	kws_gate_configure(&gate, HZ, 1.0);
	assert_true(gate.open);
	assert_null(kws_gate_count(&gate, 40000 + HZ + 1, 40000 + 2 * HZ));
	assert_non_null(kws_gate_count(&gate, 40000 + HZ, 40000 + 2 * HZ));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(is_closed_until_the_first_word, set_up),
		cmocka_unit_test_setup(hears_from_a_second_before_the_decision, set_up),
		cmocka_unit_test_setup(the_middle_is_not_before_the_end_of_the_gating_word, set_up),
		cmocka_unit_test_setup(it_starts_in_time, set_up),
		cmocka_unit_test_setup(a_further_word_moves_only_the_end, set_up),
		cmocka_unit_test_setup(between_two_gating_words_too_far_apart_nothing_counts,
				       set_up),
		cmocka_unit_test_setup(no_word_counts_twice, set_up),
		cmocka_unit_test_setup(words_of_an_earlier_opening_no_longer_count, set_up),
		cmocka_unit_test_setup(the_last_words_are_remembered, set_up),
		cmocka_unit_test_setup(another_time_counts_from_then_on, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
