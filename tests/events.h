/* events.h - an event of the tiny model, and what can be known of it, for the tests of its line. */
#ifndef KWS_TESTS_EVENTS_H
#define KWS_TESTS_EVENTS_H

#include "spot/event.h"
#include "tests/schema.h"
#include "tests/tiny_model.h"

#include <math.h>

static kws_model *model;

static inline int events_set_up(void **state)
{
	(void)state;
	model = tiny_model_open(&tiny_default);
	return model ? 0 : -1;
}

static inline int events_tear_down(void **state)
{
	(void)state;
	kws_model_close(model);
	return 0;
}

static inline kws_event said(void)
{
	return (kws_event){ .sample = 48000,
			    .start = 24001,
			    .end = 40000,
			    .word = 1,
			    .score = 0.91234567f,
			    .threshold = 0.7f,
			    .level_dbfs = -20.5f,
			    .snr_db = NAN };
}

static inline kws_event_context all_known(void)
{
	kws_event_context c = KWS_EVENT_CONTEXT;
	c.file = "a.wav";
	c.device = "mic";
	c.host = "attic";
	c.origin = 16000;
	c.wall = 1767225600.0;
	c.monotonic = 100.0;
	c.gap_count = 2;
	c.gap_s = 0.5;
	c.gap_reason = "overflow";
	c.clip = "b.wav";
	c.dropped = 3;
	c.listener = "kitchen";
	c.spotter = "commands";
	c.after = "jarvis";
	c.after_id = "0123abcd-0123456789abcdef-47000-0";
	return c;
}

/* Its line, read again; it fits the schema. */
static inline json_t *told(const kws_event *ev, const kws_event_context *c)
{
	char line[KWS_EVENT_JSON];
	const size_t n = kws_event_json(ev, model, c, line, sizeof line);
	assert_true(n > 0 && n == strlen(line));
	assert_int_equal(schema_check_lines(line), 1);
	return json_loads(line, 0, NULL);
}

#endif
