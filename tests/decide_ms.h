/* decide_ms.h - a decision with steps of 1 ms, what it is told, and what it decides. */
#ifndef KWS_TESTS_DECIDE_MS_H
#define KWS_TESTS_DECIDE_MS_H

#include "spot/decide.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdbool.h>

enum { RATE = 16000, MS = RATE / 1000, WINDOW = RATE, WORDS = 4, MOST = 64 };

typedef struct {
	kws_decide *d;
	kws_hit hit[MOST];
	size_t n;
	kws_stretch voice;
	unsigned now; /* ms */
} fine;

static inline fine fine_open(const kws_decide_config *config)
{
	fine f = { .now = 0 };
	assert_int_equal(kws_decide_create(&f.d, WORDS, RATE, MS, WINDOW, config), KWS_OK);
	return f;
}

/* Until this ms words 0 and 1 have these scores; while `talk', voice goes on. */
static inline void until(fine *f, unsigned ms, float p0, float p1, bool talk)
{
	const float prob[WORDS] = { p0, p1, 0.0f, 1.0f - p0 - p1 };
	for (; f->now < ms; f->now++) {
		if (talk)
			f->voice.end = (f->now + 1) * MS;
		if (kws_decide_step(f->d, prob, f->voice, &f->hit[f->n]))
			f->n++;
		assert_true(f->n < MOST);
	}
}

#endif
