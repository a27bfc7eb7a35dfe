/* What kws listen suggests: how high scores rose, and the thresholds between. */
#include "cli/peaks.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static const float thresholds[2] = { 0.5f, 0.5f };

/* One word follows these scores, the other stays at nothing. */
static kws_peaks *follow(const float *score, size_t n)
{
	kws_peaks *p = kws_peaks_create(2, thresholds);
	assert_non_null(p);
	for (size_t i = 0; i < n; i++) {
		const float both[2] = { score[i], 0.0f };
		kws_peaks_step(p, both);
	}
	kws_peaks_end(p);
	return p;
}

#define FOLLOW(...) follow((const float[]){ __VA_ARGS__ }, sizeof(float[]){ __VA_ARGS__ } / 4)

static void peaks_are_counted_once(void **state)
{
	(void)state;
	/* Two words, the second in two bumps that do not fall to half; a murmur; a fall's own
	 * wiggles. */
	kws_peaks *p = FOLLOW(0, .3f, .9f, .6f, .4f, .2f, .1f, .15f, .01f, .2f, .05f, 0, .7f, .5f,
			      .8f, .1f, 0);
	const kws_peaks_word *w = kws_peaks_of(p, 0);
	assert_int_equal(w->heard, 2);
	assert_true(w->least == .8f);
	assert_true(w->otherwise == .2f);
	w = kws_peaks_of(p, 1);
	assert_int_equal(w->heard, 0);
	assert_true(w->otherwise == 0.0f);
	assert_true(kws_peaks_threshold(w) < 0.0f);
	kws_peaks_destroy(p);
	/* What has not fallen when it ends counts, too. */
	p = FOLLOW(0, .9f);
	assert_int_equal(kws_peaks_of(p, 0)->heard, 1);
	kws_peaks_destroy(p);
}

static void thresholds_lie_between(void **state)
{
	(void)state;
	const float others[] = { 0.0f, 0.01f, 0.2f, 0.49f }, words[] = { 0.5f, 0.7f, 0.99f, 1.0f };
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++) {
			const kws_peaks_word w = { 1, words[j], others[i] };
			const float x = kws_peaks_threshold(&w);
			assert_true(x > others[i] && x <= words[j] && x >= 0.3f);
		}
	/* Log odds of 0.2 and 0.8 lie on either side of 0. */
	const kws_peaks_word even = { 1, 0.8f, 0.2f }, timid = { 1, 0.31f, 0.0f };
	assert_true(kws_peaks_threshold(&even) >= 0.499f && kws_peaks_threshold(&even) <= 0.5f);
	assert_true(kws_peaks_threshold(&timid) >= 0.299f && kws_peaks_threshold(&timid) <= 0.31f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peaks_are_counted_once),
		cmocka_unit_test(thresholds_lie_between),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
