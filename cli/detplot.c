#include "cli/detplot.h"

#include "cli/out.h"
#include "cli/picture.h"
#include "corpus/bounds.h"

#include <math.h>
#include <string.h>

/* The page. The strip left of the curve's axis is for zero false alarms, which have no place on a
 * logarithmic axis. */
enum { WIDTH = 1000, HEIGHT = 860, LEFT = 80, RIGHT = 800, STRIP = 44 };
enum { DET_TOP = 70, DET_BOTTOM = 440, SCORE_TOP = 540, SCORE_BOTTOM = 790 };

static const kws_ink FRAME = { .rgb = 0x444444 }, GRID = { .rgb = 0xdddddd },
		     BAND = { .rgb = 0x222222, .opacity = 0.12 };
static const kws_type PLAIN = { .rgb = 0x222222 },
		      CENTRED = { .anchor = KWS_MIDDLE, .rgb = 0x222222 },
		      RIGHTS = { .anchor = KWS_END, .rgb = 0x222222 },
		      TURNED = { .anchor = KWS_MIDDLE, .rgb = 0x222222, .turned = true },
		      HEADING = { .rgb = 0x222222, .size = 14, .bold = true };

typedef struct {
	kws_picture p;
	const kws_evaluation *e;
	const kws_material *m;
	const kws_count *curve;
	double hours;
	kws_axis rate, miss; /* per hour; per cent */
} plot;

static double miss_of(const kws_count *c)
{
	return 100.0 * (double)(c->said - c->hits) / (double)c->said;
}

static const kws_count *at(const plot *x, size_t g, size_t word)
{
	return &x->curve[g * (x->m->n_words + 1) + word];
}

static const char *name_of(const plot *x, size_t word)
{
	return word < x->m->n_words ? kws_model_word(x->e->model, word) : "all words";
}

/* Whether to draw a line for this word: commands that are said, and all words together, the
 * last. */
static bool is_drawn(const plot *x, size_t word)
{
	return (word == x->m->n_words || x->m->command[word]) && at(x, 0, word)->said > 0;
}

static double rate_x(const plot *x, const kws_count *c)
{
	if (c->false_alarms == 0)
		return LEFT + STRIP / 2.0;
	return kws_axis_at(&x->rate, (double)c->false_alarms / x->hours);
}

/* Choose axes that hold all points of all lines. */
static void choose_axes(plot *x)
{
	size_t front[KWS_DET_GRID];
	double most = 1.0 / x->hours, worst = 1.0;
	for (size_t w = 0; w <= x->m->n_words; w++) {
		size_t n = is_drawn(x, w) ? kws_det_front(x->curve, x->m->n_words, w, front) : 0;
		for (size_t i = 0; i < n; i++) {
			most = fmax(most, (double)at(x, front[i], w)->false_alarms / x->hours);
			worst = fmax(worst, miss_of(at(x, front[i], w)));
		}
	}
	double lo = pow(10.0, floor(log10(fmin(1.0 / x->hours, 0.5) + 1e-12)));
	double hi = pow(10.0, ceil(log10(fmax(most, 2.0))));
	double step = kws_axis_step(worst, 5.0);
	x->rate = (kws_axis){ lo, hi, LEFT + STRIP, RIGHT, KWS_LOG };
	x->miss = (kws_axis){ 0.0, fmin(step * ceil(worst / step), 100.0), DET_BOTTOM, DET_TOP,
			      KWS_LINEAR };
}

static void draw_det_frame(plot *x)
{
	kws_picture *p = &x->p;
	double step = kws_axis_step(x->miss.hi, 10.0);
	for (int i = 0; i * step <= x->miss.hi * 1.0001; i++) {
		double y = kws_axis_at(&x->miss, i * step);
		kws_picture_line(p, LEFT, y, RIGHT, y, GRID);
		kws_picture_text(p, LEFT - 8, y + 4, RIGHTS, "%g", i * step);
	}
	int n_lines = 9 * (int)lround(log10(x->rate.hi / x->rate.lo)) + 1;
	for (int i = 0; i < n_lines; i++) {
		int digit = i % 9 + 1, decade = i / 9;
		double v = digit * x->rate.lo * pow(10.0, decade);
		double at_x = kws_axis_at(&x->rate, v);
		if (digit == 1 || digit == 2 || digit == 5)
			kws_picture_text(p, at_x, DET_BOTTOM + 17, CENTRED, "%g", v);
		kws_picture_line(p, at_x, DET_TOP, at_x, DET_BOTTOM, GRID);
	}
	kws_picture_text(p, LEFT + STRIP / 2.0, DET_BOTTOM + 17, CENTRED, "0");
	kws_picture_line(p, LEFT + STRIP, DET_TOP, LEFT + STRIP, DET_BOTTOM, FRAME);
	kws_picture_rect(p, LEFT, DET_TOP, RIGHT - LEFT, DET_BOTTOM - DET_TOP, FRAME);
	kws_picture_text(p, (LEFT + RIGHT) / 2.0, DET_BOTTOM + 38, CENTRED,
			 "false alarms per hour (%.2f h heard)", x->hours);
	kws_picture_text(p, 28, 255, TURNED, "words missed, %%");
}

static void draw_targets(plot *x)
{
	double least = kws_axis_at(&x->rate, kws_poisson_supported(0, x->hours));
	kws_picture_fill(&x->p, LEFT, DET_TOP, least - LEFT, DET_BOTTOM - DET_TOP,
			 (kws_ink){ .rgb = 0xf1e9d8, .opacity = 0.6 });
	kws_picture_text(
		&x->p, LEFT + 6, DET_TOP - 8, (kws_type){ .rgb = 0x8a6d2f },
		"shaded: below %.2f per hour, which these hours cannot prove (rule of three)",
		kws_poisson_supported(0, x->hours));
	for (int i = 0; i < 2; i++) {
		double v = i ? 1.0 : 0.5;
		if (v < x->rate.lo || v > x->rate.hi)
			continue;
		double to = kws_axis_at(&x->rate, v);
		kws_picture_line(&x->p, to, DET_TOP, to, DET_BOTTOM,
				 (kws_ink){ .rgb = 0x888888, .dashed = true });
	}
}

/* Between two points nothing better than the first is known, so a line is a stair. Writes its
 * corners to `corner' (2 * n,); of_point gives the height of a point in per cent of misses. */
static size_t stair(const plot *x, const size_t *front, size_t n, size_t word,
		    double (*of_point)(const kws_count *c), kws_point *corner)
{
	for (size_t i = 0; i < n; i++) {
		const kws_count *c = at(x, front[i], word);
		const double y = kws_axis_at(&x->miss, of_point(c));
		corner[2 * i] = (kws_point){ rate_x(x, c), y };
		corner[2 * i + 1] =
			(kws_point){ i + 1 < n ? rate_x(x, at(x, front[i + 1], word)) : RIGHT, y };
	}
	return 2 * n;
}

static double least_miss(const kws_count *c)
{
	double lo, hi;
	kws_wilson_interval(c->said - c->hits, c->said, &lo, &hi);
	return 100.0 * lo;
}

static double most_miss(const kws_count *c)
{
	double lo, hi;
	kws_wilson_interval(c->said - c->hits, c->said, &lo, &hi);
	return 100.0 * hi;
}

/* The interval of the misses of all words: the upper side forward, the lower side back. */
static void draw_band(plot *x, const size_t *front, size_t n)
{
	kws_point corner[4 * KWS_DET_GRID], back[2 * KWS_DET_GRID];
	size_t forth = stair(x, front, n, x->m->n_words, most_miss, corner);
	for (size_t i = stair(x, front, n, x->m->n_words, least_miss, back); i > 0; i--)
		corner[forth++] = back[i - 1];
	kws_picture_area(&x->p, corner, forth, BAND);
}

static void draw_curve(plot *x, size_t word, kws_ink ink)
{
	size_t front[KWS_DET_GRID], n = kws_det_front(x->curve, x->m->n_words, word, front);
	kws_point corner[2 * KWS_DET_GRID];
	if (word == x->m->n_words)
		draw_band(x, front, n);
	kws_picture_path(&x->p, corner, stair(x, front, n, word, miss_of, corner), ink);
	for (size_t i = 0; i < n; i++)
		kws_picture_dot(&x->p, corner[2 * i].x, corner[2 * i].y, ink.width + 0.5, ink);
}

static void draw_det(plot *x)
{
	size_t n_drawn = 0;
	kws_picture *p = &x->p;
	kws_picture_text(p, LEFT, DET_TOP - 30, HEADING, "Misses against false alarms");
	if (!is_drawn(x, x->m->n_words) || !(x->hours > 0.0)) {
		kws_picture_text(p, LEFT, DET_TOP, PLAIN,
				 "no words said, or no hours for false alarms: no curve");
		return;
	}
	choose_axes(x);
	draw_targets(x);
	draw_det_frame(x);
	for (size_t w = 0; w <= x->m->n_words; w++) {
		if (!is_drawn(x, w))
			continue;
		bool all = w == x->m->n_words;
		kws_ink ink = { .rgb = all ? 0 : kws_picture_colour(n_drawn),
				.width = all ? 2.5 : 1.3 };
		double y = DET_TOP + 10 + 20.0 * (double)n_drawn++;
		draw_curve(x, w, ink);
		ink.width = all ? 3.0 : 2.0;
		kws_picture_line(p, RIGHT + 16, y - 4, RIGHT + 40, y - 4, ink);
		kws_picture_text(p, RIGHT + 48, y, (kws_type){ .rgb = 0x222222, .bold = all },
				 "%s (%zu said)", name_of(x, w), at(x, 0, w)->said);
	}
	double y = DET_TOP + 10 + 20.0 * (double)n_drawn;
	kws_picture_fill(p, RIGHT + 16, y - 12, 24, 14, BAND);
	kws_picture_text(p, RIGHT + 48, y, PLAIN, "all: 95 %% interval");
}

static void draw_score_axis(plot *x, const kws_axis *score, const kws_axis *n)
{
	static const double ticks[] = { 0.01, 0.05, 0.1,  0.2,	 0.5,	 0.8,
					0.9,  0.95, 0.99, 0.999, 0.9999, 0.99999 };
	kws_picture *p = &x->p;
	for (int i = 0; i <= (int)lround(log10(n->hi)); i++) {
		double v = pow(10.0, i), y = kws_axis_at(n, v);
		kws_picture_line(p, LEFT, y, RIGHT, y, GRID);
		kws_picture_text(p, LEFT - 8, y + 4, RIGHTS, "%g", v);
	}
	for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
		double to = kws_axis_at(score, log(ticks[i] / (1.0 - ticks[i])));
		kws_picture_line(p, to, SCORE_BOTTOM, to, SCORE_BOTTOM + 5, FRAME);
		kws_picture_text(p, to, SCORE_BOTTOM + 19, CENTRED, "%g", ticks[i]);
	}
	kws_picture_rect(p, LEFT, SCORE_TOP, RIGHT - LEFT, SCORE_BOTTOM - SCORE_TOP, FRAME);
	kws_picture_text(p, (LEFT + RIGHT) / 2.0, SCORE_BOTTOM + 42, CENTRED,
			 "highest score (bins equally wide in log odds)");
	kws_picture_text(p, 28, 665, TURNED, "count");
}

/* An area in a pale colour, with an edge in the full colour. */
static void draw_bar(plot *x, double left, double top, double w, double h, kws_ink ink)
{
	kws_picture_fill(&x->p, left, top, w, h, ink);
	ink.opacity = 1.0;
	kws_picture_rect(&x->p, left, top, w, h, ink);
}

static void draw_bars(plot *x, const kws_axis *score, const kws_axis *n, const size_t *bins,
		      kws_ink ink)
{
	double wide = (RIGHT - LEFT) / (double)KWS_DET_BINS;
	for (size_t b = 0; b < KWS_DET_BINS; b++) {
		double y = kws_axis_at(n, (double)bins[b]);
		if (bins[b])
			draw_bar(x, score->from + wide * (double)b + 0.5, y, wide - 1.0,
				 SCORE_BOTTOM - y, ink);
	}
}

static void draw_scores(plot *x)
{
	const kws_ink WORDS = { .rgb = 0x1f77b4, .opacity = 0.55 },
		      REST = { .rgb = 0xd62728, .opacity = 0.35 };
	const size_t *words = x->e->measured->of_words, *rest = x->e->measured->of_rest;
	size_t most = 1, n_words = 0, n_rest = 0;
	double lo = kws_det_bin(0.0), hi = kws_det_bin(KWS_DET_BINS);
	for (size_t b = 0; b < KWS_DET_BINS; b++) {
		most = words[b] > most ? words[b] : most;
		most = rest[b] > most ? rest[b] : most;
		n_words += words[b];
		n_rest += rest[b];
	}
	kws_axis score = { log(lo / (1.0 - lo)), log(hi / (1.0 - hi)), LEFT, RIGHT, KWS_LINEAR };
	/* The axis begins below 1, so that a bar of one is visible. */
	kws_axis n = { 0.5, pow(10.0, ceil(log10((double)most + 1.0))), SCORE_BOTTOM, SCORE_TOP,
		       KWS_LOG };
	kws_picture *p = &x->p;
	kws_picture_text(p, LEFT, SCORE_TOP - 30, HEADING, "Scores");
	draw_score_axis(x, &score, &n);
	draw_bars(x, &score, &n, rest, REST);
	draw_bars(x, &score, &n, words, WORDS);
	draw_bar(x, LEFT, SCORE_TOP - 20, 12, 12, WORDS);
	kws_picture_text(p, LEFT + 18, SCORE_TOP - 9, PLAIN, "the word, for each of %zu words said",
			 n_words);
	draw_bar(x, LEFT + 300, SCORE_TOP - 20, 12, 12, REST);
	kws_picture_text(p, LEFT + 318, SCORE_TOP - 9, PLAIN,
			 "any word, in each of %zu seconds outside all words", n_rest);
}

bool kws_detplot(const char *path, const kws_evaluation *e)
{
	plot x = { .e = e, .m = e->terms, .curve = e->curve, .hours = e->hours };
	if (!kws_picture_open(&x.p, path, WIDTH, HEIGHT))
		return false;
	draw_det(&x);
	draw_scores(&x);
	kws_picture_text(&x.p, LEFT, HEIGHT - 12, (kws_type){ .rgb = 0x666666, .size = 11 },
			 "model %s, SHA-256 %.16s; smooth %u ms, refractory %u ms",
			 kws_model_name(e->model), kws_model_hash(e->model), x.m->smooth_ms,
			 x.m->refractory_ms);
	return kws_picture_close(&x.p, true);
}
