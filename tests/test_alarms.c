/* Scores of rows are those that a stream reports in the frames of these rows. */
#include "spot/alarms.h"
#include "spot/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const float logits[] = { -9.0f, 2.0f, 3.0f, -1.0f, 0.0f };

static float p(size_t row)
{
	return kws_logistic(logits[row]);
}

static void near(float have, float want)
{
	if (!(fabsf(have - want) <= 1e-6f))
		fail_msg("%g, want %g", (double)have, (double)want);
}

static void one_frame_is_its_row(void **state)
{
	float scores[5];
	(void)state;
	kws_alarms_smooth(logits, 5, (kws_pace){ 1, 2 }, scores);
	for (size_t i = 0; i < 5; i++)
		near(scores[i], p(i));
}

static void a_row_has_its_best_frame(void **state)
{
	float scores[5];
	(void)state;
	/* Each row lasts two frames, and five are averaged. The first frame of row 2 has rows 2 1 1 0
	 * 0, the second one 2 2 1 1 0. */
	kws_alarms_smooth(logits, 5, (kws_pace){ 5, 2 }, scores);
	near(scores[2], fmaxf((p(2) + 2.0f * p(1) + 2.0f * p(0)) / 5.0f,
			      (2.0f * p(2) + 2.0f * p(1) + p(0)) / 5.0f));
	near(scores[3], fmaxf((p(3) + 2.0f * p(2) + 2.0f * p(1)) / 5.0f,
			      (2.0f * p(3) + 2.0f * p(2) + p(1)) / 5.0f));
	near(scores[0], 2.0f * p(0) / 5.0f); /* before the first row there is nothing */
}

static void scores_may_replace_logits(void **state)
{
	float scores[5], x[5];
	(void)state;
	for (size_t i = 0; i < 5; i++)
		x[i] = logits[i];
	kws_alarms_smooth(logits, 5, (kws_pace){ 5, 2 }, scores);
	kws_alarms_smooth(x, 5, (kws_pace){ 5, 2 }, x);
	assert_memory_equal(x, scores, sizeof x);
}

/* Points drawn at random in place of the judging rows of the bank that ships. */
static void a_margin_makes_false_alarms_fewer(void **state)
{
	kws_bank *b;
	kws_error err = { "" };
	kws_head h;
	kws_alarms a[2];
	float b2[2];
	(void)state;
	if (kws_bank_open(&b, "config/models/own-words.bank", &err))
		fail_msg("%s", err.text);
	size_t n = 0;
	for (size_t i = 0; i < kws_bank_n_parts(b); i++)
		n += kws_bank_part_at(b, i)->judge ? kws_bank_part_at(b, i)->n : 0;
	assert_int_equal(kws_head_create(&h, 1), KWS_OK);
	float *x = calloc(n, sizeof *x);
	kws_random r = kws_random_init(1, 0);
	for (size_t i = 0; i < n; i++)
		x[i] = kws_random_normal(&r);
	h.w1[0] = h.w2[0] = 1.0f;
	for (int k = 0; k < 2; k++) {
		h.b2 = 0.0f;
		assert_int_equal(kws_alarms_limit(&h, b, (kws_points){ x, n }, (kws_pace){ 5, 2 },
						  20.0, (float)k, &a[k]),
				 KWS_OK);
		b2[k] = h.b2;
	}
	near(b2[1], b2[0] - 1.0f);
	assert_in_range(a[0].n, 1, (unsigned)(40.0 * a[0].hours));
	assert_true(a[1].n < a[0].n);
	assert_true(a[1].threshold > 0.3f && a[1].threshold < 0.7f);
	free(x);
	kws_head_free(&h);
	kws_bank_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_frame_is_its_row),
		cmocka_unit_test(a_row_has_its_best_frame),
		cmocka_unit_test(scores_may_replace_logits),
		cmocka_unit_test(a_margin_makes_false_alarms_fewer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
