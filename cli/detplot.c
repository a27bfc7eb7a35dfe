#include "cli/detplot.h"

#include "cli/picture.h"
#include "cli/rate.h"
#include "cli/tally.h"

#include <math.h>
#include <string.h>

/* The page. The strip left of the curve's axis is for no false alarm at all, which has no place on
 * a logarithmic axis. */
enum { WIDTH = 1000, HEIGHT = 860, LEFT = 80, RIGHT = 800, STRIP = 44 };
enum { DET_TOP = 70, DET_BOTTOM = 440, SCORE_TOP = 540, SCORE_BOTTOM = 790 };

static const char BOLD[] = "font-size=\"14\" font-weight=\"bold\"";
static const char FRAME[] = "fill=\"none\" stroke=\"#444\"";
static const char GRID[] = "stroke=\"#ddd\"";
static const char DASHED[] = "stroke=\"#888\" stroke-dasharray=\"5 4\"";

typedef struct {
	kws_picture p;
	const kws_heard *h;
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
	return word < x->m->n_words ? kws_model_word(x->h->model, word) : "all words";
}

/* The lines to draw: commands that are said, and all of them together, which is last. */
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

/* The axes hold every point of every line. */
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
	x->rate = (kws_axis){ lo, hi, LEFT + STRIP, RIGHT, true };
	x->miss = (kws_axis){ 0.0, fmin(step * ceil(worst / step), 100.0), DET_BOTTOM, DET_TOP,
			      false };
}

static void draw_det_frame(plot *x)
{
	kws_picture *p = &x->p;
	double step = kws_axis_step(x->miss.hi, 10.0);
	for (int i = 0; i * step <= x->miss.hi * 1.0001; i++) {
		double y = kws_axis_at(&x->miss, i * step);
		kws_picture_line(p, LEFT, y, RIGHT, y, GRID);
		kws_picture_text(p, LEFT - 8, y + 4, "end", "", "%g", i * step);
	}
	int n_lines = 9 * (int)lround(log10(x->rate.hi / x->rate.lo)) + 1;
	for (int i = 0; i < n_lines; i++) {
		int digit = i % 9 + 1, decade = i / 9;
		double v = digit * x->rate.lo * pow(10.0, decade);
		double at_x = kws_axis_at(&x->rate, v);
		if (digit == 1 || digit == 2 || digit == 5)
			kws_picture_text(p, at_x, DET_BOTTOM + 17, "middle", "", "%g", v);
		kws_picture_line(p, at_x, DET_TOP, at_x, DET_BOTTOM, GRID);
	}
	kws_picture_text(p, LEFT + STRIP / 2.0, DET_BOTTOM + 17, "middle", "", "0");
	kws_picture_line(p, LEFT + STRIP, DET_TOP, LEFT + STRIP, DET_BOTTOM, "stroke=\"#444\"");
	kws_picture_rect(p, LEFT, DET_TOP, RIGHT - LEFT, DET_BOTTOM - DET_TOP, FRAME);
	kws_picture_text(p, (LEFT + RIGHT) / 2.0, DET_BOTTOM + 38, "middle", "",
			 "false alarms per hour (%.2f h heard)", x->hours);
	kws_picture_text(p, 0, 0, "middle", "transform=\"translate(28 255) rotate(-90)\"",
			 "words missed, %%");
}

static void draw_targets(plot *x)
{
	double least = kws_axis_at(&x->rate, kws_rate_supported(0, x->hours));
	kws_picture_rect(&x->p, LEFT, DET_TOP, least - LEFT, DET_BOTTOM - DET_TOP,
			 "fill=\"#f1e9d8\" fill-opacity=\"0.6\"");
	kws_picture_text(
		&x->p, LEFT + 6, DET_TOP - 8, "start", "fill=\"#8a6d2f\"",
		"shaded: below %.2f per hour, which these hours cannot prove (rule of three)",
		kws_rate_supported(0, x->hours));
	for (int i = 0; i < 2; i++) {
		double v = i ? 1.0 : 0.5;
		if (v < x->rate.lo || v > x->rate.hi)
			continue;
		double to = kws_axis_at(&x->rate, v);
		kws_picture_line(&x->p, to, DET_TOP, to, DET_BOTTOM, DASHED);
	}
}

/* The interval of the misses of all words, a stair like its line: its upper side forth, its lower
 * side back. */
static void draw_band(plot *x, const size_t *front, size_t n)
{
	double lo, hi;
	fputs("<polygon fill=\"#222\" fill-opacity=\"0.12\" points=\"", x->p.to);
	for (size_t i = 0; i < 2 * n; i++) {
		bool forth = i < n;
		size_t at_point = forth ? i : 2 * n - 1 - i;
		const kws_count *c = at(x, front[at_point], x->m->n_words);
		kws_tally_wilson(c->said - c->hits, c->said, &lo, &hi);
		double from = rate_x(x, c), to = RIGHT;
		if (at_point + 1 < n)
			to = rate_x(x, at(x, front[at_point + 1], x->m->n_words));
		double y = kws_axis_at(&x->miss, 100.0 * (forth ? hi : lo));
		fprintf(x->p.to, "%.1f,%.1f %.1f,%.1f ", forth ? from : to, y, forth ? to : from,
			y);
	}
	fputs("\"/>\n", x->p.to);
}

/* Between two points nothing better is known than the first: the line is a stair. */
static void draw_curve(plot *x, size_t word, const char *colour, double width)
{
	size_t front[KWS_DET_GRID], n = kws_det_front(x->curve, x->m->n_words, word, front);
	double y = 0.0;
	if (word == x->m->n_words)
		draw_band(x, front, n);
	fprintf(x->p.to,
		"<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\" "
		"stroke-linejoin=\"round\" points=\"",
		colour, width);
	for (size_t i = 0; i < n; i++) {
		const kws_count *c = at(x, front[i], word);
		double to = rate_x(x, c);
		if (i)
			fprintf(x->p.to, "%.1f,%.1f ", to, y);
		y = kws_axis_at(&x->miss, miss_of(c));
		fprintf(x->p.to, "%.1f,%.1f ", to, y);
	}
	fprintf(x->p.to, "%d,%.1f\"/>\n", RIGHT, y);
	for (size_t i = 0; i < n; i++)
		fprintf(x->p.to, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\"/>\n",
			rate_x(x, at(x, front[i], word)),
			kws_axis_at(&x->miss, miss_of(at(x, front[i], word))), width + 0.5, colour);
}

static void draw_det(plot *x)
{
	size_t n_drawn = 0;
	kws_picture *p = &x->p;
	kws_picture_text(p, LEFT, DET_TOP - 30, "start", BOLD, "Misses against false alarms");
	if (!is_drawn(x, x->m->n_words) || !(x->hours > 0.0)) {
		kws_picture_text(p, LEFT, DET_TOP, "start", "",
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
		const char *colour = all ? "#000" : kws_picture_colour(n_drawn);
		double y = DET_TOP + 10 + 20.0 * (double)n_drawn++;
		char style[64];
		draw_curve(x, w, colour, all ? 2.5 : 1.3);
		snprintf(style, sizeof style, "stroke=\"%s\" stroke-width=\"%s\"", colour,
			 all ? "3" : "2");
		kws_picture_line(p, RIGHT + 16, y - 4, RIGHT + 40, y - 4, style);
		kws_picture_text(p, RIGHT + 48, y, "start", all ? "font-weight=\"bold\"" : "",
				 "%s (%zu said)", name_of(x, w), at(x, 0, w)->said);
	}
	double y = DET_TOP + 10 + 20.0 * (double)n_drawn;
	kws_picture_rect(p, RIGHT + 16, y - 12, 24, 14, "fill=\"#222\" fill-opacity=\"0.12\"");
	kws_picture_text(p, RIGHT + 48, y, "start", "", "all: 95 %% interval");
}

static void draw_score_axis(plot *x, const kws_axis *score, const kws_axis *n)
{
	static const double ticks[] = { 0.01, 0.05, 0.1,  0.2,	 0.5,	 0.8,
					0.9,  0.95, 0.99, 0.999, 0.9999, 0.99999 };
	kws_picture *p = &x->p;
	for (int i = 0; i <= (int)lround(log10(n->hi)); i++) {
		double v = pow(10.0, i), y = kws_axis_at(n, v);
		kws_picture_line(p, LEFT, y, RIGHT, y, GRID);
		kws_picture_text(p, LEFT - 8, y + 4, "end", "", "%g", v);
	}
	for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
		double to = kws_axis_at(score, log(ticks[i] / (1.0 - ticks[i])));
		kws_picture_line(p, to, SCORE_BOTTOM, to, SCORE_BOTTOM + 5, "stroke=\"#444\"");
		kws_picture_text(p, to, SCORE_BOTTOM + 19, "middle", "", "%g", ticks[i]);
	}
	kws_picture_rect(p, LEFT, SCORE_TOP, RIGHT - LEFT, SCORE_BOTTOM - SCORE_TOP, FRAME);
	kws_picture_text(p, (LEFT + RIGHT) / 2.0, SCORE_BOTTOM + 42, "middle", "",
			 "highest score (bins equally wide in log odds)");
	kws_picture_text(p, 0, 0, "middle", "transform=\"translate(28 665) rotate(-90)\"", "count");
}

static void draw_bars(plot *x, const kws_axis *score, const kws_axis *n, const size_t *bins,
		      const char *style)
{
	double wide = (RIGHT - LEFT) / (double)KWS_DET_BINS;
	for (size_t b = 0; b < KWS_DET_BINS; b++) {
		double y = kws_axis_at(n, (double)bins[b]);
		if (bins[b])
			kws_picture_rect(&x->p, score->from + wide * (double)b + 0.5, y, wide - 1.0,
					 SCORE_BOTTOM - y, style);
	}
}

static bool draw_scores(plot *x)
{
	static const char WORDS[] = "fill=\"#1f77b4\" fill-opacity=\"0.55\" stroke=\"#1f77b4\"";
	static const char REST[] = "fill=\"#d62728\" fill-opacity=\"0.35\" stroke=\"#d62728\"";
	size_t words[KWS_DET_BINS], rest[KWS_DET_BINS], most = 1, n_words = 0, n_rest = 0;
	double lo = kws_det_bin(0.0), hi = kws_det_bin(KWS_DET_BINS);
	if (kws_det_histogram(x->m, words, rest) != KWS_OK)
		return false;
	for (size_t b = 0; b < KWS_DET_BINS; b++) {
		most = words[b] > most ? words[b] : most;
		most = rest[b] > most ? rest[b] : most;
		n_words += words[b];
		n_rest += rest[b];
	}
	kws_axis score = { log(lo / (1.0 - lo)), log(hi / (1.0 - hi)), LEFT, RIGHT, false };
	/* A bar of one is to be seen: the axis begins below it. */
	kws_axis n = { 0.5, pow(10.0, ceil(log10((double)most + 1.0))), SCORE_BOTTOM, SCORE_TOP,
		       true };
	kws_picture *p = &x->p;
	kws_picture_text(p, LEFT, SCORE_TOP - 30, "start", BOLD, "Scores");
	draw_score_axis(x, &score, &n);
	draw_bars(x, &score, &n, rest, REST);
	draw_bars(x, &score, &n, words, WORDS);
	kws_picture_rect(p, LEFT, SCORE_TOP - 20, 12, 12, WORDS);
	kws_picture_text(p, LEFT + 18, SCORE_TOP - 9, "start", "",
			 "the word, for each of %zu words said", n_words);
	kws_picture_rect(p, LEFT + 300, SCORE_TOP - 20, 12, 12, REST);
	kws_picture_text(p, LEFT + 318, SCORE_TOP - 9, "start", "",
			 "any word, in each of %zu seconds outside all words", n_rest);
	return true;
}

bool kws_detplot(const char *path, const kws_heard *h, const kws_count *curve)
{
	plot x = {
		.h = h, .m = &h->material, .curve = curve, .hours = kws_det_hours(&h->material)
	};
	if (!kws_picture_open(&x.p, path, WIDTH, HEIGHT))
		return false;
	draw_det(&x);
	bool good = draw_scores(&x);
	kws_picture_text(&x.p, LEFT, HEIGHT - 12, "start", "fill=\"#666\" font-size=\"11\"",
			 "model %s, SHA-256 %.16s; smooth %u ms, refractory %u ms",
			 kws_model_name(h->model), kws_model_hash(h->model), x.m->smooth_ms,
			 x.m->refractory_ms);
	return kws_picture_close(&x.p, good);
}
