/* Which events are told around a reload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/handover.h"

#include <stdio.h>

static void test_without_a_handover(void **state)
{
	kws_handover h = { 0 };

	(void)state;
	kws_handover_told(&h, "yes", 1.0, 1.5);
	assert_false(kws_handover_was_decided(&h, "yes", 1.0, 1.5, 1.6, false));
}

static void test_what_was_decided(void **state)
{
	kws_handover h = { 0 };

	(void)state;
	kws_handover_begin(&h, 10.0);
	/* long before: the old model has told of it, or found it to be nothing */
	assert_true(kws_handover_was_decided(&h, "yes", 8.0, 8.5, 8.7, false));
	/* what it may not have decided yet is the new one's */
	assert_true(kws_handover_was_decided(&h, "yes", 9.0, 9.4, 9.29, false));
	assert_false(kws_handover_was_decided(&h, "yes", 9.0, 9.4, 9.31, false));
	assert_false(kws_handover_was_decided(&h, "yes", 9.9, 10.3, 10.4, false));
	/* a near miss is over at its end: nothing is left undecided */
	assert_true(kws_handover_was_decided(&h, "yes", 9.0, 9.4, 9.99, true));
	assert_false(kws_handover_was_decided(&h, "yes", 9.0, 9.4, 10.01, true));
}

/* The second model is replaced while it is still behind: what the first one told stays told. */
static void test_replaced_while_behind(void **state)
{
	kws_handover h = { 0 };

	(void)state;
	kws_handover_told(&h, "down", 8.0, 8.5);
	kws_handover_begin(&h, 10.0);
	kws_handover_begin(&h, 7.0);
	assert_true(kws_handover_was_decided(&h, "down", 8.0, 8.5, 8.7, false));
	assert_false(kws_handover_was_decided(&h, "on", 9.9, 10.3, 10.4, false));
	kws_handover_begin(&h, 12.0);
	assert_true(kws_handover_was_decided(&h, "on", 9.9, 10.3, 10.4, false));
}

static void test_what_was_told(void **state)
{
	kws_handover h = { 0 };

	(void)state;
	kws_handover_told(&h, "yes", 9.3, 9.8);
	kws_handover_begin(&h, 10.0);
	/* the same word, though the new model places it a little elsewhere */
	assert_true(kws_handover_was_decided(&h, "yes", 9.4, 9.9, 10.1, false));
	assert_true(kws_handover_was_decided(&h, "yes", 9.2, 9.31, 10.1, false));
	/* another word, the same word before or after it, and one that began after the handover */
	assert_false(kws_handover_was_decided(&h, "no", 9.4, 9.9, 10.1, false));
	assert_false(kws_handover_was_decided(&h, "yes", 9.0, 9.3, 10.1, false));
	assert_false(kws_handover_was_decided(&h, "yes", 9.8, 10.2, 10.3, false));
	kws_handover_told(&h, "yes", 9.9, 10.9);
	assert_false(kws_handover_was_decided(&h, "yes", 10.1, 10.8, 10.9, false));
}

/* All that is remembered counts, not only the last. */
static void test_many(void **state)
{
	kws_handover h = { 0 };
	char word[8];

	(void)state;
	for (int i = 0; i < KWS_HANDOVER_RECENT + 4; i++) {
		snprintf(word, sizeof word, "w%d", i);
		kws_handover_told(&h, word, 9.0, 9.5);
	}
	kws_handover_begin(&h, 9.6);
	assert_false(kws_handover_was_decided(&h, "w3", 9.0, 9.5, 9.7, false)); /* forgotten */
	assert_true(kws_handover_was_decided(&h, "w4", 9.0, 9.5, 9.7, false));
	assert_true(kws_handover_was_decided(&h, "w19", 9.0, 9.5, 9.7, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_handover),
		cmocka_unit_test(test_what_was_decided),
		cmocka_unit_test(test_what_was_told),
		cmocka_unit_test(test_replaced_while_behind),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
