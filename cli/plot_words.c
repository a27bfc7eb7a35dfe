#include "cli/plot_line.h"

#include "cli/out.h"

#include <math.h>
#include <stdlib.h>

static const float SHOWS = 0.05f;  /* words with lower scores are not drawn */
static const float MATTERS = 0.2f; /* thresholds are drawn where scores are higher */
static const double MARGIN = 0.25; /* seconds of a threshold on either side of a score */
static const unsigned WRONG = 0xc00000, GREY = 0x666666;

/* When the score of a frame is known: at its end. */
static double time_of(const kws_plot_model *m, size_t frame)
{
	return m->scores.first + (double)((frame + 1) * m->frame) / m->rate_hz;
}

static float score_at(const kws_plot_model *m, size_t frame, size_t word)
{
	return m->scores.row[frame * m->n_words + word];
}

bool kws_plot_scores(const kws_plot_model *m, size_t word, double from, double to)
{
	for (size_t i = 0; kws_model_is_command(m->model, word) && i < m->scores.n; i++)
		if (score_at(m, i, word) >= SHOWS && time_of(m, i) >= from && time_of(m, i) <= to)
			return true;
	return false;
}

static unsigned colour(const kws_plot_model *m, size_t word)
{
	return kws_picture_colour(m->colour + word);
}

/* " of NAME", if there are several models. */
static const char *of(const kws_plot_model *m, char text[KWS_NAME + 8])
{
	snprintf(text, KWS_NAME + 8, "%s%s", *m->name ? " of " : "", m->name);
	return text;
}

static double score_y(const kws_plot_line *l, double score)
{
	return l->scores + KWS_SCORES_HIGH * (1.0 - fmin(score, 1.0));
}

/* ---- scores ---- */

static void draw_score_axis(const kws_plot_line *l)
{
	for (int i = 0; i <= 4; i++) {
		const double y = score_y(l, i / 4.0);
		kws_picture_line(l->p, l->left, y, l->left + l->width, y, kws_plot_grid);
		if (i % 2 == 0)
			kws_picture_text(l->p, l->left - 8, y + 4, kws_plot_right, "%g", i / 4.0);
	}
	kws_picture_rect(l->p, l->left, l->scores, l->width, KWS_SCORES_HIGH, kws_plot_frame);
	kws_picture_text(l->p, 14, l->scores + KWS_SCORES_HIGH / 2.0, kws_plot_turned, "score");
}

/* A threshold from here to there, as far as the line goes. */
static void draw_threshold(const kws_plot_line *l, const kws_plot_model *m, size_t word,
			   double from, double to)
{
	const float threshold = m->threshold[word];
	const double y = score_y(l, (double)threshold);
	const double x0 = kws_axis_at(&l->time, from), x1 = kws_axis_at(&l->time, to);
	char name[KWS_NAME + 8];
	if (x1 <= x0 || threshold > 1.0f)
		return;
	kws_picture_line(l->p, x0, y, x1, y,
			 (kws_ink){ colour(m, word), .width = 1.2, .dashed = true });
	kws_picture_title(l->p, x0, y - 3, x1 - x0, 6, "%s%s needs %.7g",
			  kws_model_word(m->model, word), of(m, name), (double)threshold);
}

/* Where a word scores, draw its score and its threshold: elsewhere both would hide the others.
 * point (frames,) is scratch. */
static void draw_score(const kws_plot_line *l, const kws_plot_model *m, size_t word,
		       kws_point *point)
{
	const double step = (double)m->frame / m->rate_hz;
	double begun = (double)NAN, until = (double)NAN;
	size_t n = 0;
	for (size_t i = 0; i < m->scores.n; i++) {
		const double when = time_of(m, i);
		if (when < l->from || when > l->to + step)
			continue;
		if (score_at(m, i, word) >= MATTERS) {
			begun = isnan(begun) ? when : begun;
			until = when;
		} else if (when > until + 2.0 * MARGIN) {
			draw_threshold(l, m, word, begun - MARGIN, until + MARGIN);
			begun = until = (double)NAN;
		}
		point[n++] = (kws_point){ kws_axis_at(&l->time, when),
					  score_y(l, (double)score_at(m, i, word)) };
	}
	if (!isnan(begun))
		draw_threshold(l, m, word, begun - MARGIN, until + MARGIN);
	kws_picture_path(l->p, point, n, (kws_ink){ colour(m, word), .width = 1.5 });
}

static bool draw_scores(const kws_plot_line *l)
{
	size_t most = 1;
	for (size_t i = 0; i < l->t->n_models; i++)
		most += l->t->model[i].scores.n;
	kws_point *point = calloc(most, sizeof *point);
	if (!point) {
		kws_out_complain("%s: %s", l->p->path, kws_strerror(KWS_ERR_NOMEM));
		return false;
	}
	draw_score_axis(l);
	for (const kws_plot_model *m = l->t->model; m < l->t->model + l->t->n_models; m++)
		for (size_t w = 0; w < m->n_words; w++)
			if (kws_plot_scores(m, w, l->from, l->to))
				draw_score(l, m, w, point);
	free(point);
	return true;
}

/* ---- lanes ---- */

/* A box in a lane with a text in it, or beside it if the box is too short. */
static void draw_box(const kws_plot_line *l, double x0, double x1, double top, kws_ink ink,
		     const char *text)
{
	ink.opacity = 0.15;
	kws_picture_fill(l->p, x0, top, x1 - x0, KWS_LANE_HIGH, ink);
	ink.opacity = 1.0;
	kws_picture_rect(l->p, x0, top, x1 - x0, KWS_LANE_HIGH, ink);
	kws_type type = { KWS_MIDDLE, ink.rgb, .size = 11, .bold = !ink.dashed };
	const double wide = kws_picture_text_width(l->p, type, text);
	const bool inside = wide < x1 - x0 - 2.0, behind = x1 + 3.0 + wide < l->left + l->width;
	type.anchor = inside ? KWS_MIDDLE : behind ? KWS_START : KWS_END;
	kws_picture_text(l->p,
			 inside	  ? 0.5 * (x0 + x1)
			 : behind ? x1 + 3.0
				  : x0 - 3.0,
			 top + 14, type, "%s", text);
}

static void draw_decided(const kws_plot_line *l, const kws_plot_find *f, kws_ink ink)
{
	const double when = (double)f->event.sample / f->by->rate_hz;
	if (f->near || when < l->from || when > l->to)
		return;
	const double to = kws_axis_at(&l->time, when), tip = l->scores + 9.0;
	const kws_point mark[] = { { to, tip }, { to - 5.0, tip - 9.0 }, { to + 5.0, tip - 9.0 } };
	kws_picture_area(l->p, mark, 3, ink);
}

static void title_find(const kws_plot_line *l, const kws_plot_find *f, double x0, double x1)
{
	const kws_event *ev = &f->event;
	const char *word = kws_model_word(f->by->model, ev->word);
	char name[KWS_NAME + 8];
	const double hz = f->by->rate_hz, high = l->scores + KWS_SCORES_HIGH - l->top - KWS_HEARD;
	if (f->near)
		kws_picture_title(l->p, x0, l->top + KWS_HEARD, x1 - x0, high,
				  "near miss: %s%s %.3f, needs %.7g; at %.2f s", word,
				  of(f->by, name), (double)ev->score, (double)ev->threshold,
				  (double)ev->start / hz);
	else
		kws_picture_title(l->p, x0, l->top + KWS_HEARD, x1 - x0, high,
				  "%s%s %.3f, needs %.7g; %.2f to %.2f s, decided at %.2f s; %.1f "
				  "dBFS, SNR %.1f dB%s",
				  word, of(f->by, name), (double)ev->score, (double)ev->threshold,
				  (double)ev->start / hz, (double)ev->end / hz,
				  (double)ev->sample / hz, (double)ev->level_dbfs,
				  (double)ev->snr_db, f->stray ? "; not said" : "");
}

static void draw_find(const kws_plot_line *l, const kws_plot_find *f)
{
	const kws_event *ev = &f->event;
	const double start = (double)ev->start / f->by->rate_hz,
		     end = (double)ev->end / f->by->rate_hz;
	const kws_ink ink = { .rgb = f->stray  ? WRONG
				     : f->near ? GREY
					       : colour(f->by, ev->word),
			      .width = 1.5,
			      .dashed = f->near };
	char text[128];
	if (end < l->from || start > l->to)
		return;
	const double x0 = kws_axis_at(&l->time, start),
		     x1 = fmax(kws_axis_at(&l->time, end), x0 + 3.0);
	snprintf(text, sizeof text, "%s%s%s", f->near ? "~" : "",
		 kws_model_word(f->by->model, ev->word), f->stray ? " !" : "");
	if (!f->near)
		kws_picture_fill(l->p, x0, l->scores, x1 - x0, KWS_SCORES_HIGH,
				 (kws_ink){ ink.rgb, .opacity = 0.10 });
	draw_box(l, x0, x1, l->top + KWS_HEARD, ink, text);
	draw_decided(l, f, ink);
	title_find(l, f, x0, x1);
}

static void draw_said(const kws_plot_line *l, const kws_plot_said *s)
{
	const bool counts = kws_plot_counts(l->t, s), missed = kws_plot_missed(l->t, s);
	const kws_ink ink = { .rgb = missed ? WRONG : GREY, .width = missed ? 2.0 : 1.0 };
	if (s->end < l->from || s->start > l->to)
		return;
	const double x0 = kws_axis_at(&l->time, s->start),
		     x1 = fmax(kws_axis_at(&l->time, s->end), x0 + 3.0);
	draw_box(l, x0, x1, l->top + KWS_SAID, ink, s->word);
	kws_picture_title(l->p, x0, l->top + KWS_SAID, x1 - x0, KWS_LANE_HIGH,
			  "said: %s, %.2f to %.2f s; %s", s->word, s->start, s->end,
			  missed   ? "missed"
			  : counts ? "heard"
				   : "no command of the model");
}

bool kws_plot_words(const kws_plot_line *l)
{
	const bool good = draw_scores(l);
	kws_picture_text(l->p, l->left - 8, l->top + KWS_HEARD + 14, kws_plot_right, "heard");
	if (l->t->labelled)
		kws_picture_text(l->p, l->left - 8, l->top + KWS_SAID + 14, kws_plot_right, "said");
	for (size_t i = 0; i < l->t->n_finds; i++)
		draw_find(l, &l->t->find[i]);
	for (size_t i = 0; i < l->t->n_said; i++)
		draw_said(l, &l->t->said[i]);
	return good;
}
