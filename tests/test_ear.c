/* Ears: late or behind, gated and in turns, they hear what a spotter hears, and in one order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/allocations.h"
#include "spot/ear.h"
#include "tests/sound.h"
#include "tests/tiny_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EARS = 4, MOST = 512, SECONDS = 12, MAX_HZ = 48000, LONG = MAX_HZ * SECONDS };

typedef struct {
	size_t ear;
	kws_event ev;
	char after[64];
} note;

typedef struct {
	note note[MOST];
	size_t n;
} record;

typedef struct {
	kws_ears ears;
	kws_ear *ear[EARS];
	int after[EARS]; /* the one that opens it; -1: none */
	record heard;
	kws_history h;
} room;

typedef struct {
	room *room;
	size_t i;
} place;

static float pcm[LONG], ring[LONG];
static kws_model *model[EARS];
static place places[EARS];
static room r;

static void on_event(void *ctx, const kws_event *ev)
{
	const place *p = ctx;
	record *to = &p->room->heard;
	note *n = &to->note[to->n++];
	const kws_gate_word *after = kws_ear_after(p->room->ear[p->i]);
	assert_true(to->n < MOST);
	memset(n, 0, sizeof *n);
	n->ear = p->i;
	n->ev = *ev;
	if (after)
		snprintf(n->after, sizeof n->after, "%s", after->id);
	for (size_t i = 0; i < p->room->ears.n; i++)
		if (p->room->after[i] == (int)p->i) {
			char id[32];
			snprintf(id, sizeof id, "%zu-%llu", p->i, (unsigned long long)ev->sample);
			kws_ear_open(p->room->ear[i], p->room->ear[p->i], ev, id);
		}
}

/* The first of several says little, so that gates close again. */
static kws_spotter_config sensitive(size_t i, kws_event_fn *fn, void *ctx)
{
	static const float threshold[2][TINY_WORDS] = { { 0.4f, 2.0f, 2.0f, 2.0f },
							{ 0.4f, 0.4f, 2.0f, 2.0f } };
	kws_spotter_config c = KWS_SPOTTER_CONFIG;
	const bool quiet = i == 0 && r.ears.n > 1;
	c.threshold = threshold[!quiet];
	c.refractory_ms = quiet ? 4000 : 300;
	c.on_event = fn;
	c.ctx = ctx;
	return c;
}

/* n ears of different networks; after[i]: what opens ear i. */
static void furnish(size_t n, const int *after, double within_s, unsigned in_hz, size_t cap)
{
	memset(&r, 0, sizeof r);
	r.ears = (kws_ears){ .ear = r.ear, .n = n };
	kws_history_init(&r.h, ring, cap);
	for (size_t i = 0; i < n; i++) {
		places[i] = (place){ &r, i };
		const kws_spotter_config c = sensitive(i, on_event, &places[i]);
		assert_int_equal(kws_ear_create(&r.ear[i], model[i], &c, NULL), KWS_OK);
		r.after[i] = after[i];
		if (after[i] >= 0)
			kws_ear_gate(r.ear[i], within_s);
		assert_int_equal(kws_ear_start(r.ear[i], in_hz, 0, NULL), KWS_OK);
	}
}

static void clear_out(void)
{
	for (size_t i = 0; i < r.ears.n; i++)
		kws_ear_destroy(r.ear[i]);
}

/* Hear n samples in pieces of `cut', at most `hops' at a time. */
static void hear(size_t n, size_t cut, size_t hops)
{
	for (size_t at = 0; at < n;) {
		const size_t k = cut < n - at ? cut : n - at;
		kws_history_append(&r.h, pcm + at, k);
		at += k;
		while (!kws_ears_hear(&r.ears, &r.h, hops))
			;
	}
	kws_ears_settle(&r.ears, &r.h);
}

static void assert_same(const record *a, const record *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		const kws_event *x = &a->note[i].ev, *y = &b->note[i].ev;
		assert_int_equal(a->note[i].ear, b->note[i].ear);
		assert_string_equal(a->note[i].after, b->note[i].after);
		assert_true(x->sample == y->sample && x->start == y->start && x->end == y->end
			    && x->word == y->word);
		assert_memory_equal(&x->score, &y->score, sizeof(float));
		assert_memory_equal(&x->level_dbfs, &y->level_dbfs, sizeof(float));
		assert_memory_equal(&x->snr_db, &y->snr_db, sizeof(float));
	}
}

/* ---- what plain spotters make of it ---- */

static void append(void *ctx, const kws_event *ev)
{
	record *to = ctx;
	assert_true(to->n < MOST);
	memset(&to->note[to->n], 0, sizeof *to->note);
	to->note[to->n++].ev = *ev;
}

/* The events of model i in [from, to), counted from the beginning of the stream. */
static void spot(size_t i, unsigned in_hz, uint64_t from, uint64_t to, record *out)
{
	const kws_spotter_config c = sensitive(i, append, out);
	const uint64_t begin = from * 16000 / in_hz;
	const size_t old = out->n;
	kws_spotter *sp;
	assert_int_equal(kws_spotter_create(&sp, model[i], in_hz, &c, NULL), KWS_OK);
	kws_spotter_process(sp, pcm + from, (size_t)(to - from));
	kws_spotter_flush(sp);
	kws_spotter_destroy(sp);
	for (size_t k = old; k < out->n; k++) {
		out->note[k].ear = i;
		out->note[k].ev.sample += begin;
		out->note[k].ev.start += begin;
		out->note[k].ev.end += begin;
	}
}

static void a_late_ear_is_a_spotter_fed_from_there(void **state)
{
	static const unsigned rates[] = { 8000, 16000, 44100, 48000 };
	static record want;
	const int none[] = { -1 };
	size_t events = 0;
	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (unsigned seed = 0; seed < 3; seed++) {
			const unsigned hz = rates[i];
			const size_t n = 4 * (size_t)hz, from = seed * 4321;
			sound(pcm, (size_t)hz * SECONDS, hz, 17);
			furnish(1, none, 0.0, hz, n);
			kws_ear_start(r.ear[0], hz, from, NULL);
			srand(seed);
			for (size_t at = 0, k; at < n; at += k) {
				k = 1 + (size_t)rand() % 3000;
				k = k < n - at ? k : n - at;
				kws_history_append(&r.h, pcm + at, k);
				kws_ears_hear(&r.ears, &r.h, (size_t)rand() % 12);
			}
			kws_ears_settle(&r.ears, &r.h);
			want.n = 0;
			spot(0, hz, from, n, &want);
			assert_same(&want, &r.heard);
			events += want.n;
			clear_out();
		}
	assert_true(events > 20); /* or nothing was compared */
}

/* b after a, c after b, and d for itself. */
static const int chain[EARS] = { -1, 0, 1, -1 };

static void any_cut_gives_the_same_events_in_the_same_order(void **state)
{
	static const unsigned rates[] = { 16000, 44100 };
	static record whole;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const unsigned hz = rates[i];
		const size_t n = (size_t)hz * SECONDS, hop = hz / 100;
		const size_t cuts[] = { 1, 7, hop, hop + 1, 10 * hop, hz };
		size_t of[EARS] = { 0 };
		sound(pcm, (size_t)hz * SECONDS, hz, 17);
		furnish(EARS, chain, 0.8, hz, n);
		hear(n, n, SIZE_MAX);
		whole = r.heard;
		clear_out();
		for (size_t k = 0; k < whole.n; k++)
			of[whole.note[k].ear]++;
		for (size_t k = 0; k < EARS; k++)
			assert_true(of[k] > 0);
		for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++) {
			furnish(EARS, chain, 0.8, hz, 4 * hz);
			hear(n, cuts[c], c % 2 ? 3 : SIZE_MAX);
			assert_same(&whole, &r.heard);
			clear_out();
		}
	}
}

/* The rule, done by hand with two spotters: events of model 1 that count after those of model 0. */
static void gate_by_hand(unsigned hz, size_t n, uint64_t within, record *out)
{
	static record gating, inside;
	gating.n = out->n = 0;
	spot(0, hz, 0, n, &gating);
	for (size_t g = 0; g < gating.n;) {
		const size_t first = g;
		const uint64_t back = hz, decided = gating.note[g].ev.sample * hz / 16000;
		uint64_t until = 0;
		for (; g < gating.n; g++) { /* those that come while it is open */
			const kws_event *ev = &gating.note[g].ev;
			if (g > first && ev->sample * hz / 16000 > until)
				break;
			until = ev->end * hz / 16000 + within + hz * 5 / 2;
		}
		inside.n = 0;
		spot(1, hz, decided > back ? decided - back : 0, until < n ? until : n, &inside);
		for (size_t k = 0; k < inside.n; k++) {
			const kws_event *ev = &inside.note[k].ev;
			const uint64_t start = ev->start * hz / 16000, end = ev->end * hz / 16000;
			size_t by = g;
			while (by-- > first
			       && gating.note[by].ev.end * hz / 16000 > (start + end) / 2)
				;
			if (by + 1 <= first || start > gating.note[by].ev.end * hz / 16000 + within)
				continue;
			note *to = &out->note[out->n++];
			*to = inside.note[k];
			snprintf(to->after, sizeof to->after, "0-%llu",
				 (unsigned long long)gating.note[by].ev.sample);
		}
	}
}

static void a_gated_ear_is_the_rule_done_by_hand(void **state)
{
	static const unsigned rates[] = { 8000, 16000, 48000 };
	static record want, got;
	size_t dropped = 0, counted = 0;
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const unsigned hz = rates[i];
		const size_t n = (size_t)hz * SECONDS;
		sound(pcm, (size_t)hz * SECONDS, hz, 17);
		for (unsigned tenths = 0; tenths < 12; tenths += 3) {
			furnish(2, chain, tenths / 10.0, hz, n);
			hear(n, hz, SIZE_MAX);
			clear_out();
			got.n = 0;
			for (size_t k = 0; k < r.heard.n; k++)
				if (r.heard.note[k].ear == 1)
					got.note[got.n++] = r.heard.note[k];
			gate_by_hand(hz, n, tenths * hz / 10, &want);
			assert_same(&want, &got);
			counted += want.n;
			want.n = 0;
			spot(1, hz, 0, n, &want);
			dropped += want.n - got.n;
		}
	}
	assert_true(counted > 10 && dropped > 50);
}

static void a_closed_ear_costs_nothing(void **state)
{
	const int gated[] = { 0 };
	size_t hops = 0;
	(void)state;
	sound(pcm, (size_t)16000 * SECONDS, 16000, 17);
	furnish(1, gated, 5.0, 16000, 16000);
	kws_history_append(&r.h, pcm, 16000);
	assert_true(kws_ear_hear(r.ear[0], &r.h, 16000, &hops));
	assert_true(kws_ear_next(r.ear[0]) == UINT64_MAX);
	assert_int_equal(kws_ear_heard(r.ear[0]), 0);
	kws_ear_open(r.ear[0], r.ear[0], &(kws_event){ .sample = 16000 }, NULL);
	assert_false(kws_ear_hear(r.ear[0], &r.h, 16000, &hops));
	hops = 101;
	assert_true(kws_ear_hear(r.ear[0], &r.h, 16000, &hops));
	assert_int_equal(hops, 1); /* it has heard the last second */
	assert_int_equal(kws_ear_heard(r.ear[0]), 16000);
	clear_out();
}

static void nothing_is_allocated_while_it_runs(void **state)
{
	(void)state;
	sound(pcm, (size_t)16000 * SECONDS, 16000, 17);
	furnish(EARS, chain, 0.3, 16000, 4 * 16000);
	const size_t calls = n_allocations;
	hear(16000 * SECONDS, 160, 3);
	for (size_t i = 0; i < EARS; i++)
		kws_ear_start(r.ear[i], 16000, 0, NULL);
	assert_int_equal(n_allocations, calls);
	assert_true(r.heard.n > 10);
	clear_out();
}

static void a_history_that_is_too_short_is_told(void **state)
{
	static record want;
	const int none[] = { -1 };
	(void)state;
	sound(pcm, (size_t)16000 * SECONDS, 16000, 17);
	furnish(1, none, 0.0, 16000, 16000);
	for (size_t at = 0; at < 4 * 16000; at += 16000) {
		kws_history_append(&r.h, pcm + at, 16000);
		if (at != 16000) /* a second is missed */
			kws_ears_hear(&r.ears, &r.h, SIZE_MAX);
	}
	kws_ears_settle(&r.ears, &r.h);
	assert_int_equal(kws_ear_lost(r.ear[0]), 16000);
	want.n = 0;
	spot(0, 16000, 0, 16000, &want);
	spot(0, 16000, 2 * 16000, 4 * 16000, &want);
	assert_same(&want, &r.heard);
	assert_true(want.n > 2);
	clear_out();
}

/* Lost audio is a new beginning for what is heard, but not for the gate. */
static void a_gate_stays_open_over_a_gap(void **state)
{
	const int gated[] = { -1, 0 };
	const kws_event word = { .sample = 16000, .end = 16000 };
	(void)state;
	sound(pcm, (size_t)16000 * SECONDS, 16000, 17);
	furnish(2, gated, 5.0, 16000, 4 * 16000);
	kws_history_append(&r.h, pcm, 16000);
	kws_ears_hear(&r.ears, &r.h, SIZE_MAX);
	kws_ear_open(r.ear[1], r.ear[0], &word, "x");
	kws_ears_settle(&r.ears, &r.h);
	assert_true(kws_ear_next(r.ear[1]) == 16000);
	assert_int_equal(kws_ear_heard(r.ear[1]), 16000);
	kws_history_append(&r.h, pcm + 16000, 16000);
	kws_ears_hear(&r.ears, &r.h, SIZE_MAX);
	assert_true(kws_ear_next(r.ear[1]) == 32000);
	kws_ear_start(r.ear[1], 16000, 0, NULL);
	assert_true(kws_ear_next(r.ear[1]) == UINT64_MAX); /* but not over a new stream */
	clear_out();
}

static void bad_wishes_change_nothing(void **state)
{
	const int none[] = { -1 };
	kws_error err = { "" };
	kws_ear *e = r.ear[0];
	kws_spotter_config c = KWS_SPOTTER_CONFIG;
	(void)state;
	c.smooth_ms = 9999;
	assert_int_equal(kws_ear_create(&e, model[0], &c, &err), KWS_ERR_ARG);
	assert_null(e);
	assert_non_null(strstr(err.text, "smooth_ms"));
	sound(pcm, (size_t)16000 * SECONDS, 16000, 17);
	furnish(1, none, 0.0, 16000, 16000);
	kws_history_append(&r.h, pcm, 8000);
	kws_ears_hear(&r.ears, &r.h, SIZE_MAX);
	assert_int_equal(kws_ear_configure(r.ear[0], &c, &err), KWS_ERR_ARG);
	assert_int_equal(kws_ear_start(r.ear[0], 7999, 0, &err), KWS_ERR_ARG);
	assert_non_null(strstr(err.text, "7999 Hz"));
	assert_true(kws_ear_next(r.ear[0]) == 8000);
	kws_history_append(&r.h, pcm + 8000, 8000);
	assert_true(kws_ears_hear(&r.ears, &r.h, SIZE_MAX));
	assert_int_equal(kws_ear_heard(r.ear[0]), 16000);
	clear_out();
}

/* Thresholds that were configured also hold at another rate; callbacks stay. */
static void wishes_outlive_the_rate(void **state)
{
	const int none[] = { -1 };
	float never[TINY_WORDS] = { 2.0f, 2.0f, 2.0f, 2.0f };
	kws_spotter_config c = KWS_SPOTTER_CONFIG;
	(void)state;
	furnish(1, none, 0.0, 16000, 8000 * SECONDS);
	c.threshold = never;
	kws_ear_configure(r.ear[0], &c, NULL);
	never[0] = never[1] = 0.0f; /* copied */
	sound(pcm, (size_t)8000 * SECONDS, 8000, 17);
	kws_ear_start(r.ear[0], 8000, 0, NULL);
	hear(8000 * SECONDS, 80, SIZE_MAX);
	assert_int_equal(r.heard.n, 0);
	c = sensitive(1, NULL, NULL);
	kws_ear_configure(r.ear[0], &c, NULL);
	kws_ear_start(r.ear[0], 8000, 0, NULL);
	r.h.end = r.ears.at = 0;
	hear(8000 * SECONDS, 80, SIZE_MAX);
	assert_true(r.heard.n > 4);
	clear_out();
}

static int set_up(void **state)
{
	static const unsigned seeds[EARS] = { 1, 2, 3, 4 };
	(void)state;
	for (size_t i = 0; i < EARS; i++) {
		tiny_config c = tiny_default;
		c.seed = seeds[i];
		model[i] = tiny_model_open(&c);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < EARS; i++)
		kws_model_close(model[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_late_ear_is_a_spotter_fed_from_there),
		cmocka_unit_test(any_cut_gives_the_same_events_in_the_same_order),
		cmocka_unit_test(a_gated_ear_is_the_rule_done_by_hand),
		cmocka_unit_test(a_closed_ear_costs_nothing),
		cmocka_unit_test(nothing_is_allocated_while_it_runs),
		cmocka_unit_test(a_history_that_is_too_short_is_told),
		cmocka_unit_test(a_gate_stays_open_over_a_gap),
		cmocka_unit_test(bad_wishes_change_nothing),
		cmocka_unit_test(wishes_outlive_the_rate),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
