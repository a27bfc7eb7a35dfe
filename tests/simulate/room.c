#include "tests/simulate/room.h"

#include "runtime/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A word must be found if it came completely, with this much sound before and after it. */
static const double before_s = 0.3, behind_s = 0.8;
/* An event must come within this time after the last part of its word. */
static const double decided_s = 2.0;
/* The time of a word is over this long after its end: late sound has come by then. */
static const double over_s = 8.0;

static uint64_t next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

double draw(uint64_t *seed, double lo, double hi)
{
	return lo + (hi - lo) * (double)(next(seed) >> 11) / (double)(1ull << 53);
}

static word_said *said(room *r, uint64_t n)
{
	return &r->said[n % WORDS];
}

/* ---- the sound ---- */

static void say_next(room *r)
{
	const double after = r->n_said ? said(r, r->n_said - 1)->end : kws_clock_mono();
	const double start = after + 2.5 + draw(&r->seed, 0.0, 1.0) * draw(&r->seed, 0.0, 10.0);

	*said(r, r->n_said++) = (word_said){ .tone = (unsigned)draw(&r->seed, 0.0, TONES),
					     .start = start,
					     .end = start + draw(&r->seed, 0.35, 0.6) };
}

/* Say words until second s, even if the microphone is not open. */
static void say_until(room *r, double s)
{
	while (!r->n_said || said(r, r->n_said - 1)->start < s + 1.0)
		say_next(r);
}

static float noise(uint64_t at)
{
	uint64_t seed = at;

	return 1e-3f * ((float)(next(&seed) >> 40) / (float)(1u << 23) - 1.0f);
}

static void sound(void *ctx, uint64_t at, unsigned rate_hz, float *pcm, size_t n)
{
	room *r = ctx;
	const double from = (double)at / rate_hz, to = (double)(at + n) / rate_hz;

	say_until(r, to);
	for (size_t i = 0; i < n; i++)
		pcm[i] = noise(at + i);
	for (uint64_t k = r->n_said > WORDS ? r->n_said - WORDS : 0; k < r->n_said; k++) {
		const word_said *w = said(r, k);

		if (w->end < from || w->start > to)
			continue;
		for (size_t i = 0; i < n; i++)
			pcm[i] += tone_sound(w->tone, (double)(at + i) / rate_hz - w->start,
					     w->end - w->start);
	}
}

/* Sound was lost since the last piece: note whether the stream reports it. */
static void note_hole(room *r, unsigned stream, double s)
{
	const bool same = r->stream == stream;

	r->stream = stream;
	if (!same || r->overflown) {
		r->unknown_s = 0.0;
	} else if (s > 1e-6) {
		r->unsaid_s += s;
		r->unknown_s += s;
	}
	if (s > 1e-6)
		r->overflown = false;
}

static void given(void *ctx, unsigned stream, double from, double to)
{
	room *r = ctx;
	piece *last = r->n_got ? &r->got[(r->n_got - 1) % PIECES] : NULL;

	note_hole(r, stream, from - r->got_to);
	if (to - from > 0.05)
		r->burst_at = kws_clock_mono();
	r->got_to = to;
	r->got_s += to - from;
	if (fake_microphone_does(r->mic)->constant)
		return;
	if (last && fabs(last->to - from) < 1e-6)
		last->to = to;
	else
		r->got[r->n_got++ % PIECES] = (piece){ from, to };
	for (uint64_t k = r->judged; k < r->n_said; k++)
		if (said(r, k)->came <= 0.0 && to >= said(r, k)->end)
			said(r, k)->came = kws_clock_mono();
}

void room_begin(room *r, const char *name, uint64_t seed)
{
	memset(r, 0, sizeof *r);
	snprintf(r->name, sizeof r->name, "%s", name);
	r->seed = seed;
	r->mic = fake_microphone_add(name, 16000, sound, r);
	fake_microphone_tell(r->mic, given, r);
}

void room_overflow(room *r, size_t samples)
{
	r->overflown = true;
	fake_microphone_overflow(r->mic, samples);
}

void room_doubt_tone(room *r, unsigned tone, double before, double after)
{
	const double now = kws_clock_mono();

	for (uint64_t k = r->judged; k < r->n_said; k++)
		if (said(r, k)->tone == tone && said(r, k)->start < now + after
		    && said(r, k)->end > now - before)
			said(r, k)->doubtful = true;
}

void room_doubt(room *r, double before, double after)
{
	for (unsigned t = 0; t < TONES; t++)
		room_doubt_tone(r, t, before, after);
}

/* ---- events ---- */

/* The fraction of from .. to that has come, 0..1. */
static double share_of(const room *r, double from, double to)
{
	double sum = 0.0;

	for (uint64_t k = r->n_got > PIECES ? r->n_got - PIECES : 0; k < r->n_got; k++) {
		const piece *p = &r->got[k % PIECES];
		const double lo = fmax(p->from, from), hi = fmin(p->to, to);

		if (p->from <= from && p->to >= to)
			return 1.0;
		if (hi > lo)
			sum += (hi - lo) / (to - from);
	}
	return fmin(sum, 0.999);
}

typedef enum { CLOSED, UNSURE, OPEN } gate;

/* Whether the gate is open for w. A word of the first model on the same stream opens it, from its
 * end on; the limits are exact to 0.3 s. */
static gate gate_of(const room *r, const word_said *w)
{
	gate best = CLOSED;

	for (uint64_t k = r->n_said > WORDS ? r->n_said - WORDS : 0; k < r->n_said; k++) {
		const word_said *g = &r->said[k % WORDS];

		if (g->tone >= TONES_A_MODEL || g->start > w->end
		    || w->start > g->end + GATE_S + 0.3)
			continue;
		if (g->heard && !g->cut && !g->doubtful && g->end < w->start
		    && w->start < g->start + GATE_S
		    && share_of(r, g->start - before_s, w->end + behind_s) >= 1.0)
			return OPEN;
		best = UNSURE;
	}
	return best;
}

static void judge(room *r, const word_said *w, room_fail_fn *fail)
{
	const gate way = w->gated ? gate_of(r, w) : OPEN;
	const bool whole = share_of(r, w->start - before_s, w->end + behind_s) >= 1.0;
	const bool nothing = !(share_of(r, w->start, w->end) > 0.0);

	if (nothing && w->heard)
		fail("%s: %s at %.2f was heard, and nothing of it had come", r->name,
		     tone_word(w->tone), w->start);
	const bool must = whole && !w->doubtful && !w->off && way == OPEN;

	if (must && !w->heard)
		fail("%s: %s at %.2f came whole, and was not heard", r->name, tone_word(w->tone),
		     w->start);
	if (w->heard && !w->doubtful && w->off)
		fail("%s: %s at %.2f was heard, and was switched off", r->name, tone_word(w->tone),
		     w->start);
	if (w->heard && !w->doubtful && way == CLOSED)
		fail("%s: %s at %.2f was heard, and its gate was closed", r->name,
		     tone_word(w->tone), w->start);
	r->through += must && w->gated;
	if (nothing)
		r->none++;
	else if (must)
		r->must++;
	else
		r->may++;
}

void room_step(room *r, room_fail_fn *fail)
{
	const double now = kws_clock_mono();

	say_until(r, now);
	r->unknown_s *= 0.999; /* a quarter every 10 s, at most 10 s late: 0.3 every 30 s */
	for (uint64_t k = r->judged; k < r->n_said; k++) {
		word_said *w = said(r, k);

		if (w->wall > 0.0 || now < w->start)
			continue;
		w->wall = kws_clock_wall() - (now - w->start);
		w->off = r->off[w->tone];
		w->gated = r->gated && w->tone >= TONES_A_MODEL;
	}
	while (r->judged < r->n_said && now > said(r, r->judged)->end + over_s)
		judge(r, said(r, r->judged++), fail);
}

double room_next(const room *r)
{
	double first = HUGE_VAL;

	for (uint64_t k = r->judged; k < r->n_said; k++)
		if (r->said[k % WORDS].start > kws_clock_mono())
			first = fmin(first, r->said[k % WORDS].start);
	return first;
}

word_said *room_heard(room *r, unsigned tone, room_fail_fn *fail)
{
	const double now = kws_clock_mono();
	word_said *w = NULL;

	for (uint64_t k = r->judged; k < r->n_said && said(r, k)->start < now; k++)
		if (share_of(r, said(r, k)->start, said(r, k)->end) > 0.0)
			w = said(r, k);
	r->events++;
	/* a word that was cut in two may be found twice */
	const bool twice = w && w->heard && share_of(r, w->start, w->end) >= 1.0;
	if (!w || w->tone != tone || twice || (w->came > 0.0 && now > w->came + decided_s)) {
		fail("%s: %s was heard, and the last that came was %s at %.2f%s", r->name,
		     tone_word(tone), w ? tone_word(w->tone) : "nothing", w ? w->start : 0.0,
		     twice ? ", which was told before" : "");
		return NULL;
	}
	w->heard = true;
	w->cut = share_of(r, w->start - before_s, fmin(w->end, now)) < 1.0;
	return w;
}
