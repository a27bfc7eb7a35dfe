/* Several models on one stream, as a program meets them: their events, what is known of each, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/allocations.h"
#include "tests/schema.h"
#include "tests/sound.h"
#include "tests/tiny_model.h"

enum { MOST = 256, SECONDS = 12, MAX_HZ = 44100 };

typedef struct {
	char line[MOST][KWS_EVENT_JSON];
	size_t n;
} record;

static float pcm[MAX_HZ * SECONDS];
static kws_model *model[2];
static kws_cascade *cascade;
static record heard, other;

static void note(void *ctx, const kws_event *ev)
{
	assert_true(heard.n < MOST);
	assert_true(kws_event_json(ev, ctx, kws_cascade_context(cascade), heard.line[heard.n++],
				   KWS_EVENT_JSON));
}

static kws_spotter_config config_of(size_t i)
{
	static const float threshold[TINY_WORDS] = { 0.4f, 0.4f, 2.0f, 2.0f };
	kws_spotter_config c = KWS_SPOTTER_CONFIG;
	c.threshold = threshold;
	c.refractory_ms = i ? 300 : 3000;
	c.on_event = note;
	c.ctx = model[i];
	return c;
}

static void add(const char *name, size_t i)
{
	const kws_spotter_config c = config_of(i);
	assert_int_equal(kws_cascade_add(cascade, name, model[i], &c, NULL), KWS_OK);
}

static int set_up(void **state)
{
	(void)state;
	heard.n = 0;
	return kws_cascade_create(&cascade, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	kws_cascade_destroy(cascade);
	return 0;
}

/* jarvis, and after it commands. */
static int set_up_gate(void **state)
{
	set_up(state);
	add("commands", 1);
	add("jarvis", 0);
	return kws_cascade_gate(cascade, "commands", "jarvis", 1.0, NULL);
}

static void hear(unsigned in_hz, size_t cut, const char *file)
{
	const size_t n = (size_t)in_hz * SECONDS;
	kws_event_context known = KWS_EVENT_CONTEXT;
	known.file = file;
	heard.n = 0;
	assert_int_equal(kws_cascade_start(cascade, in_hz, &known, NULL), KWS_OK);
	const size_t calls = n_allocations;
	for (size_t at = 0, k; at < n; at += k) {
		k = cut < n - at ? cut : n - at;
		kws_cascade_process(cascade, pcm + at, k);
	}
	kws_cascade_flush(cascade);
	assert_int_equal(n_allocations, calls);
}

static void assert_as_before(void)
{
	assert_int_equal(heard.n, other.n);
	for (size_t i = 0; i < heard.n; i++)
		assert_string_equal(heard.line[i], other.line[i]);
}

static json_t *event(size_t i)
{
	assert_int_equal(schema_check_lines(heard.line[i]), 1);
	return json_loads(heard.line[i], 0, NULL);
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

static void each_event_says_who_heard_it_and_after_what(void **state)
{
	char id[64] = "", word[64] = "";
	size_t gated = 0, n;
	(void)state;
	sound(pcm, (size_t)16000 * SECONDS, 16000, 17);
	hear(16000, 16000, "a.wav");
	for (n = 0; n < heard.n; n++) {
		json_t *o = event(n);
		if (!strcmp(text_of(o, "spotter"), "jarvis")) {
			snprintf(id, sizeof id, "%s", text_of(o, "id"));
			snprintf(word, sizeof word, "%s", text_of(o, "word"));
			assert_null(json_object_get(o, "after"));
		} else {
			assert_string_equal(text_of(o, "spotter"), "commands");
			assert_string_equal(text_of(o, "after"), word);
			assert_string_equal(text_of(o, "after_id"), id);
			gated++;
		}
		json_decref(o);
	}
	assert_true(gated > 1 && gated + 1 < n);
}

static void any_cut_and_rate(void **state)
{
	static const unsigned rates[] = { 16000, 44100, 8000, 16000 };
	static const size_t cuts[] = { 1, 7, 160, 5000 };
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		sound(pcm, (size_t)rates[i] * SECONDS, rates[i], 17);
		hear(rates[i], (size_t)rates[i] * SECONDS, "a.wav");
		assert_true(heard.n > 4);
		other = heard;
		for (size_t k = 0; k < 4; k++) {
			hear(rates[i], cuts[k], "a.wav");
			assert_as_before();
		}
	}
}

static void append(void *ctx, const kws_event *ev)
{
	kws_event_context known = KWS_EVENT_CONTEXT;
	known.file = "a.wav";
	kws_event_json(ev, ctx, &known, other.line[other.n++], KWS_EVENT_JSON);
}

static void one_without_a_name_is_a_spotter(void **state)
{
	kws_spotter_config c = config_of(1);
	kws_spotter *sp;
	(void)state;
	add(NULL, 1);
	sound(pcm, (size_t)16000 * SECONDS, 16000, 17);
	hear(16000, 777, "a.wav");
	c.on_event = append;
	other.n = 0;
	assert_int_equal(kws_spotter_create(&sp, model[1], 16000, &c, NULL), KWS_OK);
	kws_spotter_process(sp, pcm, 16000 * SECONDS);
	kws_spotter_flush(sp);
	kws_spotter_destroy(sp);
	assert_true(other.n > 4);
	assert_as_before();
}

static void count_frame(void *ctx, const kws_frame *f)
{
	(void)f;
	++*(size_t *)ctx;
}

static void frames_are_shown(void **state)
{
	size_t n = 0;
	kws_spotter_config c = KWS_SPOTTER_CONFIG;
	(void)state;
	c.on_frame = count_frame;
	c.ctx = &n;
	assert_int_equal(kws_cascade_add(cascade, "x", model[0], &c, NULL), KWS_OK);
	sound(pcm, (size_t)16000 * SECONDS, 16000, 17);
	hear(16000, 16000, NULL);
	assert_int_equal(n, SECONDS * 50);
}

static void what_cannot_be_is_refused_by_name(void **state)
{
	kws_spotter_config bad = KWS_SPOTTER_CONFIG;
	kws_error err;
	(void)state;
	add("a", 0);
	add("b", 1);
	add(NULL, 0);
	add(NULL, 0); /* those without a name are not alike */
#define REFUSES(call, why)                                                                         \
	do {                                                                                       \
		assert_int_equal(call, KWS_ERR_ARG);                                               \
		assert_string_equal(err.text, why);                                                \
	} while (0)
	REFUSES(kws_cascade_add(cascade, "a", model[0], NULL, &err),
		"a: two models have that name");
	REFUSES(kws_cascade_add(cascade, "a b", model[0], NULL, &err),
		"a b: a name has 1 to 31 of A-Z a-z 0-9 _ -");
	bad.smooth_ms = -2;
	REFUSES(kws_cascade_add(cascade, "c", model[0], &bad, &err),
		"config.smooth_ms: -2 is not in -1..2000");
	REFUSES(kws_cascade_gate(cascade, "c", "a", 5.0, &err), "c: no model has that name");
	REFUSES(kws_cascade_gate(cascade, "a", "c", 5.0, &err), "c: no model has that name");
	REFUSES(kws_cascade_gate(cascade, "a", "", 5.0, &err), ": no model has that name");
	REFUSES(kws_cascade_gate(cascade, "a", "a", 5.0, &err), "a after a: a circle");
	REFUSES(kws_cascade_gate(cascade, "a", "b", -1.0, &err),
		"a: within -1 s is not in 0..3600");
	REFUSES(kws_cascade_gate(cascade, "a", "b", (double)NAN, &err),
		"a: within nan s is not in 0..3600");
	assert_int_equal(kws_cascade_gate(cascade, "a", "b", 5.0, &err), KWS_OK);
	REFUSES(kws_cascade_gate(cascade, "b", "a", 5.0, &err), "b after a: a circle");
	REFUSES(kws_cascade_start(cascade, 100, NULL, &err), "rate: 100 Hz is not in 8000..192000");
	kws_cascade_process(cascade, pcm, 16000); /* nothing is heard */
	kws_cascade_flush(cascade);
	assert_int_equal(heard.n, 0);
	REFUSES(kws_cascade_add(cascade, "c", model[0], NULL, &err),
		"c: models are added before the first start");
	REFUSES(kws_cascade_gate(cascade, "b", "a", 5.0, &err),
		"a: gates are set before the first start");
#undef REFUSES
	sound(pcm, (size_t)16000 * SECONDS, 16000, 17);
	hear(16000, 16000, NULL);
	const size_t n = heard.n;
	assert_true(n > 4);
	assert_int_equal(kws_cascade_start(cascade, 100, NULL, NULL), KWS_ERR_ARG);
	kws_cascade_process(cascade, pcm, 16000 * SECONDS);
	kws_cascade_flush(cascade);
	assert_int_equal(heard.n, n);
}

static void none_at_all_is_silent(void **state)
{
	(void)state;
	hear(16000, 160, NULL);
	assert_int_equal(heard.n, 0);
	kws_cascade_destroy(NULL);
}

static int open_models(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		tiny_config c = tiny_default;
		c.seed = i + 1;
		model[i] = tiny_model_open(&c);
	}
	return 0;
}

static int close_models(void **state)
{
	(void)state;
	kws_model_close(model[0]);
	kws_model_close(model[1]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_event_says_who_heard_it_and_after_what,
						set_up_gate, tear_down),
		cmocka_unit_test_setup_teardown(any_cut_and_rate, set_up_gate, tear_down),
		cmocka_unit_test_setup_teardown(one_without_a_name_is_a_spotter, set_up, tear_down),
		cmocka_unit_test_setup_teardown(frames_are_shown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_is_refused_by_name, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(none_at_all_is_silent, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, open_models, close_models);
}
