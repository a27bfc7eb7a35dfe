/* A gated ear stops hearing where its gate ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spot/ear.h"
#include "tests/sound.h"
#include "tests/tiny_model.h"

enum { LONG = 96000 };

static float pcm[LONG], ring[LONG];

static void last_frame(void *ctx, const kws_frame *f)
{
	*(uint64_t *)ctx = f->sample;
}

/* To the sample, and what is open then is decided: the last frame is completed with silence. */
static void an_ear_hears_no_longer_than_its_gate_is_open(void **state)
{
	const kws_event word = { .sample = 20000, .end = 19999 };
	const uint64_t until = 19999 + 8000 + 40000;
	uint64_t frame = 0;
	kws_spotter_config c = KWS_SPOTTER_CONFIG;
	kws_history h;
	kws_ear *e;
	size_t hops = SIZE_MAX;
	c.on_frame = last_frame;
	c.ctx = &frame;
	sound(pcm, LONG, 16000, 17);
	kws_history_init(&h, ring, LONG);
	kws_history_append(&h, pcm, LONG);
	assert_int_equal(kws_ear_create(&e, *state, &c, NULL), KWS_OK);
	kws_ear_gate(e, 0.5);
	kws_ear_open(e, e, &word, NULL);
	assert_true(kws_ear_hear(e, &h, until - 1, &hops));
	assert_true(kws_ear_next(e) == until - 1);
	assert_true(kws_ear_hear(e, &h, until + 1, &hops));
	assert_true(kws_ear_next(e) == UINT64_MAX);
	assert_int_equal(kws_ear_heard(e), until);
	assert_true(frame >= until && frame < until + 320);
	kws_ear_destroy(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ear_hears_no_longer_than_its_gate_is_open),
	};
	return cmocka_run_group_tests(tests, tiny_set_up, tiny_tear_down);
}
