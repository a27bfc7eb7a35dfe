#include "cli/detplot.h"

#include "cli/detpanel.h"
#include "cli/detscores.h"
#include "cli/out.h"
#include "corpus/bounds.h"

#include <assert.h>
#include <math.h>

/* The page, from above: what it means, all words, each word, scores. */
enum { WIDTH = 1000, LEFT = 80, RIGHT = 960, DET_TOP = 104, DET_RIGHT = 620, DET_BOTTOM = 470 };
enum {
	SIDE = 646,
	EACH_TOP = DET_BOTTOM + 104,
	EACH_COLUMNS = 5,
	EACH_WIDE = 160,
	EACH_HIGH = 112
};
enum { EACH_GAP = (RIGHT - LEFT - EACH_COLUMNS * EACH_WIDE) / (EACH_COLUMNS - 1), EACH_TITLE = 34 };
enum { EACH_STEP = EACH_HIGH + EACH_TITLE + 22, FOOT = 30 };

static const kws_ink ALL = { .width = 2.5 }, BAND = { .rgb = 0x222222, .opacity = 0.12 },
		     PALE = { .rgb = 0xbbbbbb, .width = 1.2 };
static const kws_type PLAIN = { .rgb = 0x222222 }, SMALL = { .rgb = 0x666666, .size = 11 },
		      CENTRED = { .anchor = KWS_MIDDLE, .rgb = 0x222222 },
		      TURNED = { .anchor = KWS_MIDDLE, .rgb = 0x222222, .turned = true },
		      HEADING = { .rgb = 0x222222, .size = 14, .bold = true };

typedef struct {
	kws_picture p;
	const kws_evaluation *e;
	size_t n_words;
} plot;

static const kws_count *all_at(const plot *x, size_t point)
{
	const kws_count *count = x->e->point[point].count;
	return count ? &count[x->n_words] : NULL;
}

/* ---- what it means, in one sentence ---- */

static void draw_sentence(plot *x)
{
	const kws_count *c = all_at(x, 0);
	assert(c); /* its own thresholds are always counted */
	const kws_rates r = kws_rates_of(c, x->e->hours);
	kws_picture *p = &x->p;
	if (c->said)
		kws_picture_text(
			p, LEFT, 52, PLAIN,
			"With its own thresholds, %s misses %.1f %% of the %zu words said (95 %% "
			"interval %.1f to %.1f %%),",
			kws_model_name(x->e->model), 100.0 * r.miss, c->said, 100.0 * r.miss_lo,
			100.0 * r.miss_hi);
	else
		kws_picture_text(p, LEFT, 52, PLAIN, "None of its words is said to %s,",
				 kws_model_name(x->e->model));
	if (!(x->e->hours > 0.0))
		kws_picture_text(p, LEFT, 70, PLAIN, "and there are no hours for false alarms.");
	else if (c->false_alarms)
		kws_picture_text(
			p, LEFT, 70, PLAIN,
			"and hears a word that is not there %zu time%s in %.2f hours: %.2f an hour "
			"(%.2f to %.2f).",
			c->false_alarms, c->false_alarms == 1 ? "" : "s", x->e->hours, r.rate,
			r.rate_lo, r.rate_hi);
	else
		kws_picture_text(
			p, LEFT, 70, PLAIN,
			"and hears no word that is not there in %.2f hours: fewer than %.2f an "
			"hour (95 %%).",
			x->e->hours, kws_poisson_supported(0, x->e->hours));
}

/* ---- all words, and the operating points ---- */

static unsigned colour_of_point(size_t i)
{
	return i ? kws_picture_colour(i + 1) : 0xd62728;
}

/* A mark at its place, with its name beside it, moved down from the one before if need be. */
static void draw_mark(plot *x, const kws_detpanel *d, size_t i, kws_point *last)
{
	const kws_evaluation_point *point = &x->e->point[i];
	const kws_count *c = all_at(x, i);
	const unsigned rgb = colour_of_point(i);
	if (!c || !c->said)
		return;
	const kws_point at = kws_detpanel_place(d, c);
	kws_point text = { at.x + 9.0, at.y - 8.0 };
	if (fabs(text.x - last->x) < 150.0 && text.y - last->y < 15.0)
		text.y = last->y + 15.0;
	*last = text;
	kws_picture_dot(&x->p, at.x, at.y, 7.0, (kws_ink){ .rgb = 0xffffff });
	kws_picture_dot(&x->p, at.x, at.y, 5.0, (kws_ink){ .rgb = rgb });
	kws_type type = { .rgb = rgb, .bold = true };
	/* On the other side, if it would leave the panel. */
	if (text.x + 160.0 > d->right) {
		type.anchor = KWS_END;
		text.x = at.x - 9.0;
	}
	char words[64] = "the model's thresholds";
	if (!isnan(point->target))
		snprintf(words, sizeof words, "asked for: %g an hour", point->target);
	/* The curve must not run through the words. */
	const double wide = kws_picture_text_width(&x->p, type, words);
	kws_picture_fill(&x->p, type.anchor == KWS_END ? text.x - wide : text.x, text.y - 10.0,
			 wide, 13.0, (kws_ink){ .rgb = 0xffffff, .opacity = 0.8 });
	kws_picture_text(&x->p, text.x, text.y, type, "%s", words);
}

/* The same in words. Returns where the next may stand. */
static double tell_point(plot *x, size_t i, double y)
{
	const kws_evaluation_point *point = &x->e->point[i];
	const kws_count *c = all_at(x, i);
	const kws_type type = { .rgb = colour_of_point(i), .bold = true };
	if (isnan(point->target))
		kws_picture_text(&x->p, SIDE, y, type, "the model's thresholds");
	else
		kws_picture_text(&x->p, SIDE, y, type, "asked for: %g false alarms an hour",
				 point->target);
	if (!c) {
		kws_picture_text(&x->p, SIDE, y + 16, PLAIN, "no threshold is strict enough");
		return y + 44;
	}
	const kws_rates r = kws_rates_of(c, x->e->hours);
	if (!isnan(point->target))
		kws_picture_text(&x->p, SIDE, y += 16, PLAIN, "threshold %g for all words",
				 (double)point->threshold);
	kws_picture_text(&x->p, SIDE, y + 16, PLAIN, "%.1f %% missed, %.2f false alarms an hour",
			 100.0 * r.miss, r.rate);
	return y + 44;
}

static void draw_side(plot *x)
{
	kws_picture *p = &x->p;
	double y = DET_TOP + 10;
	kws_picture_line(p, SIDE, y - 4, SIDE + 24, y - 4, ALL);
	kws_picture_text(p, SIDE + 32, y, PLAIN, "all words, one threshold for them");
	y += 18;
	kws_picture_fill(p, SIDE, y - 11, 24, 12, BAND);
	kws_picture_text(p, SIDE + 32, y, PLAIN, "95 %% interval of the misses");
	y += 18;
	kws_picture_fill(p, SIDE, y - 11, 24, 12, (kws_ink){ .rgb = 0xf1e9d8 });
	kws_picture_text(p, SIDE + 32, y, PLAIN, "below %.2f an hour: these hours",
			 kws_poisson_supported(0, x->e->hours));
	kws_picture_text(p, SIDE + 32, y += 15, PLAIN, "cannot prove it (rule of three)");
	y += 34;
	for (size_t i = 0; i < x->e->n_points; i++)
		y = tell_point(x, i, y);
}

static void draw_all(plot *x)
{
	const kws_detpanel d = kws_detpanel_at(&x->p, x->e, LEFT, DET_TOP, DET_RIGHT, DET_BOTTOM);
	kws_point last = { -1e9, -1e9 };
	kws_detpanel_shade(&d);
	kws_detpanel_frame(&d, true, true);
	kws_detpanel_band(&d, BAND);
	kws_detpanel_curve(&d, x->n_words, ALL, true);
	for (size_t i = 0; i < x->e->n_points; i++)
		draw_mark(x, &d, i, &last);
	kws_picture_text(&x->p, (LEFT + DET_RIGHT) / 2.0, DET_BOTTOM + 38, CENTRED,
			 "false alarms an hour (%.2f h heard); both axes in normal deviates",
			 x->e->hours);
	kws_picture_text(&x->p, 28, (DET_TOP + DET_BOTTOM) / 2.0, TURNED, "words missed, %%");
	draw_side(x);
}

/* ---- each word ---- */

static size_t n_drawn(const plot *x)
{
	size_t n = 0;
	for (size_t w = 0; w < x->n_words; w++)
		n += kws_detpanel_has(x->e, w);
	return n;
}

static void draw_each(plot *x, size_t word, size_t i, size_t n)
{
	const kws_count *c = &x->e->point[0].count[word];
	const size_t row = i / EACH_COLUMNS;
	const double left = LEFT + (double)(i % EACH_COLUMNS * (EACH_WIDE + EACH_GAP));
	const double top = EACH_TOP + EACH_TITLE + (double)(EACH_STEP * row);
	const kws_detpanel d =
		kws_detpanel_at(&x->p, x->e, left, top, left + EACH_WIDE, top + EACH_HIGH);
	const kws_ink ink = { .rgb = kws_picture_colour(i), .width = 1.8 };
	const kws_point at = kws_detpanel_place(&d, c);
	kws_detpanel_frame(&d, i % EACH_COLUMNS == 0, i + EACH_COLUMNS >= n);
	kws_detpanel_curve(&d, x->n_words, PALE, false);
	kws_detpanel_curve(&d, word, ink, true);
	kws_picture_dot(&x->p, at.x, at.y, 5.0, (kws_ink){ .rgb = 0xffffff });
	kws_picture_dot(&x->p, at.x, at.y, 3.5, (kws_ink){ .rgb = 0x222222 });
	kws_picture_text(&x->p, left, top - 20, (kws_type){ .rgb = ink.rgb, .bold = true },
			 "%s, needs %.7g", kws_model_word(x->e->model, word),
			 (double)kws_model_threshold(x->e->model, word));
	kws_picture_text(&x->p, left, top - 6, SMALL, "%zu of %zu missed, %zu false",
			 c->said - c->hits, c->said, c->false_alarms);
}

static void draw_words(plot *x)
{
	const size_t n = n_drawn(x);
	size_t i = 0;
	kws_picture_text(&x->p, LEFT, EACH_TOP - 24, HEADING, "Each word");
	kws_picture_text(
		&x->p, LEFT + 96, EACH_TOP - 24, PLAIN,
		"the dot is at the model's threshold, which the word needs; grey: all words; "
		"axes as above");
	for (size_t w = 0; w < x->n_words; w++)
		if (kws_detpanel_has(x->e, w))
			draw_each(x, w, i++, n);
}

/* ---- all of it ---- */

bool kws_detplot(const char *path, const kws_evaluation *e)
{
	plot x = { .e = e, .n_words = e->terms->n_words };
	const bool any = kws_detpanel_has(e, x.n_words);
	const size_t rows = (n_drawn(&x) + EACH_COLUMNS - 1) / EACH_COLUMNS;
	const double scores = any ? EACH_TOP + (double)(rows * EACH_STEP) : DET_TOP;
	const double height = scores + KWS_DETSCORES_HIGH + FOOT;
	if (!kws_picture_open(&x.p, path, WIDTH, height))
		return false;
	kws_picture_text(&x.p, LEFT, 28, HEADING, "Misses against false alarms");
	draw_sentence(&x);
	if (any) {
		draw_all(&x);
		draw_words(&x);
	}
	kws_detscores_draw(&x.p, e, LEFT, scores, RIGHT);
	kws_picture_text(&x.p, LEFT, height - 12, SMALL,
			 "model %s, SHA-256 %.16s; smooth %u ms, refractory %u ms",
			 kws_model_name(e->model), kws_model_hash(e->model), e->terms->smooth_ms,
			 e->terms->refractory_ms);
	return kws_picture_close(&x.p, true);
}
