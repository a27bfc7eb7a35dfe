#include "cli/detscores.h"

#include <math.h>

enum { ABOVE = 50, BELOW = 54 };

static const kws_ink FRAME = { .rgb = 0x444444 }, GRID = { .rgb = 0xdddddd },
		     WORDS = { .rgb = 0x1f77b4, .opacity = 0.55 },
		     REST = { .rgb = 0xd62728, .opacity = 0.35 };
static const kws_type PLAIN = { .rgb = 0x222222 },
		      CENTRED = { .anchor = KWS_MIDDLE, .rgb = 0x222222 },
		      RIGHTS = { .anchor = KWS_END, .rgb = 0x222222 },
		      TURNED = { .anchor = KWS_MIDDLE, .rgb = 0x222222, .turned = true },
		      HEADING = { .rgb = 0x222222, .size = 14, .bold = true };

typedef struct {
	kws_picture *p;
	double left, right, top, bottom;
	kws_axis score, n; /* log odds; counts */
} panel;

static double log_odds(double x)
{
	return log(x / (1.0 - x));
}

static void draw_axes(const panel *x)
{
	static const double ticks[] = { 0.01, 0.05, 0.1,  0.2,	 0.5,	 0.8,
					0.9,  0.95, 0.99, 0.999, 0.9999, 0.99999 };
	for (int i = 0; i <= (int)lround(log10(x->n.hi)); i++) {
		const double v = pow(10.0, i), y = kws_axis_at(&x->n, v);
		kws_picture_line(x->p, x->left, y, x->right, y, GRID);
		kws_picture_text(x->p, x->left - 8, y + 4, RIGHTS, "%g", v);
	}
	for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
		const double to = kws_axis_at(&x->score, log_odds(ticks[i]));
		kws_picture_line(x->p, to, x->bottom, to, x->bottom + 5, FRAME);
		kws_picture_text(x->p, to, x->bottom + 19, CENTRED, "%g", ticks[i]);
	}
	kws_picture_rect(x->p, x->left, x->top, x->right - x->left, x->bottom - x->top, FRAME);
	kws_picture_text(x->p, (x->left + x->right) / 2.0, x->bottom + 40, CENTRED,
			 "highest score (bins equally wide in log odds)");
	kws_picture_text(x->p, 28, (x->top + x->bottom) / 2.0, TURNED, "count");
}

/* An area in a pale colour, with an edge in the full colour. */
static void draw_bar(kws_picture *p, double left, double top, double w, double h, kws_ink ink)
{
	kws_picture_fill(p, left, top, w, h, ink);
	ink.opacity = 1.0;
	kws_picture_rect(p, left, top, w, h, ink);
}

static void draw_bars(const panel *x, const size_t *bins, const char *of, kws_ink ink)
{
	const double wide = (x->right - x->left) / (double)KWS_DET_BINS;
	for (size_t b = 0; b < KWS_DET_BINS; b++) {
		const double left = x->left + wide * (double)b + 0.5;
		const double y = kws_axis_at(&x->n, (double)bins[b]);
		if (!bins[b])
			continue;
		draw_bar(x->p, left, y, wide - 1.0, x->bottom - y, ink);
		kws_picture_title(x->p, left, y, wide - 1.0, x->bottom - y,
				  "%zu %s with %.5g to %.5g", bins[b], of, kws_det_bin((double)b),
				  kws_det_bin((double)b + 1.0));
	}
}

void kws_detscores_draw(kws_picture *p, const kws_evaluation *e, double left, double top,
			double right)
{
	const size_t *words = e->measured->of_words, *rest = e->measured->of_rest;
	panel x = { .p = p,
		    .left = left,
		    .right = right,
		    .top = top + ABOVE,
		    .bottom = top + KWS_DETSCORES_HIGH - BELOW };
	size_t most = 1, n_words = 0, n_rest = 0;
	for (size_t b = 0; b < KWS_DET_BINS; b++) {
		most = words[b] > most ? words[b] : most;
		most = rest[b] > most ? rest[b] : most;
		n_words += words[b];
		n_rest += rest[b];
	}
	x.score = (kws_axis){ log_odds(kws_det_bin(0.0)), log_odds(kws_det_bin(KWS_DET_BINS)), left,
			      right, KWS_LINEAR };
	/* The axis begins below 1, so that a bar of one is visible. */
	x.n = (kws_axis){ 0.5, pow(10.0, ceil(log10((double)most + 1.0))), x.bottom, x.top,
			  KWS_LOG };
	kws_picture_text(p, left, top + 16, HEADING, "Scores");
	draw_axes(&x);
	draw_bars(&x, rest, "seconds", REST);
	draw_bars(&x, words, "words", WORDS);
	draw_bar(p, left, top + 26, 12, 12, WORDS);
	kws_picture_text(p, left + 18, top + 37, PLAIN, "the word, for each of %zu words said",
			 n_words);
	draw_bar(p, left + 300, top + 26, 12, 12, REST);
	kws_picture_text(p, left + 318, top + 37, PLAIN,
			 "any word, in each of %zu seconds outside all words", n_rest);
}
