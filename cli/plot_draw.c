#include "cli/plot.h"

#include "cli/out.h"
#include "cli/picture.h"
#include "dsp/mel.h"

#include <math.h>
#include <stdlib.h>

/* The page: a spectrogram, a strip for the words, scores, the time axis. */
enum { LEFT = 64, RIGHT_MARGIN = 130, TOP = 40, SPECTRUM = 220, STRIP = 44, SCORES = 200 };
enum { SCORE_TOP = TOP + SPECTRUM + STRIP, SCORE_BOTTOM = SCORE_TOP + SCORES };
enum { HEIGHT = SCORE_BOTTOM + 66 };

static const kws_ink FRAME = { .rgb = 0x444444 }, GRID = { .rgb = 0xe4e4e4 };
static const kws_type PLAIN = { .rgb = 0x222222 }, GREY = { .rgb = 0x666666 },
		      CENTRED = { .anchor = KWS_MIDDLE, .rgb = 0x222222 },
		      RIGHTS = { .anchor = KWS_END, .rgb = 0x222222 },
		      TURNED = { .anchor = KWS_MIDDLE, .rgb = 0x222222, .turned = true };

/* Dark to bright in steps: black, violet, red, orange, pale yellow. */
static unsigned colour_of(float x)
{
	static const float stops[][3] = { { 0, 0, 4 },	    { 40, 11, 84 },   { 101, 21, 110 },
					  { 159, 42, 99 },  { 212, 72, 66 },  { 245, 125, 21 },
					  { 250, 193, 39 }, { 252, 255, 164 } };
	enum { LAST = sizeof stops / sizeof stops[0] - 1 };
	float place = fminf(fmaxf(x, 0.0f), 1.0f) * LAST;
	size_t i = place < LAST ? (size_t)place : LAST - 1;
	float part = place - (float)i;
	unsigned rgb = 0;
	for (int c = 0; c < 3; c++)
		rgb = rgb << 8
		      | (unsigned)lrintf(stops[i][c] + part * (stops[i + 1][c] - stops[i][c]));
	return rgb;
}

/* Rows of column c of n: [first, *last) of n_rows; at least one. */
static size_t rows_of(size_t c, size_t n, size_t n_rows, size_t *last)
{
	size_t first = c * n_rows / n;
	*last = (c + 1) * n_rows / n;
	*last = *last > first ? *last : first + 1;
	return first;
}

static bool draw_spectrum(const kws_plot *t, kws_picture *p, double width)
{
	const float *mel = t->mels.row;
	size_t columns = fmin((double)t->mels.n, 2.0 * width) >= (double)t->mels.n
				 ? t->mels.n
				 : (size_t)(2.0 * width);
	unsigned *pixel = calloc(columns * t->n_mels, sizeof *pixel);
	float hi = mel[0], lo = mel[0];
	if (!pixel) {
		kws_out_complain("%s: %s", p->path, kws_strerror(KWS_ERR_NOMEM));
		return false;
	}
	for (size_t i = 0; i < t->mels.n * t->n_mels; i++) {
		hi = fmaxf(hi, mel[i]);
		lo = fminf(lo, mel[i]);
	}
	lo = fmaxf(lo, hi - 16.0f); /* 70 dB, in nepers of power */
	for (size_t c = 0; c < columns; c++) {
		size_t last, first = rows_of(c, columns, t->mels.n, &last);
		for (size_t b = 0; b < t->n_mels; b++) {
			float top = mel[first * t->n_mels + b];
			for (size_t i = first + 1; i < last; i++)
				top = fmaxf(top, mel[i * t->n_mels + b]);
			pixel[(t->n_mels - 1 - b) * columns + c] =
				colour_of(hi > lo ? (top - lo) / (hi - lo) : 0.0f);
		}
	}
	kws_picture_image(p, LEFT, TOP, width, SPECTRUM, pixel, columns, t->n_mels);
	free(pixel);
	return true;
}

static void draw_hz_axis(const kws_plot *t, kws_picture *p, double width)
{
	static const double ticks[] = { 100, 250, 500, 1000, 2000, 4000, 8000, 16000 };
	const kws_features *f = kws_model_features(t->model);
	double first = kws_mel_of_hz(f->mel, (double)f->f_lo_hz);
	double step = (kws_mel_of_hz(f->mel, (double)f->f_hi_hz) - first) / (double)(t->n_mels + 1);
	for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
		/* The middle of band b is at b + 1 steps. */
		double place = ((kws_mel_of_hz(f->mel, ticks[i]) - first) / step - 0.5)
			       / (double)t->n_mels;
		double y = TOP + SPECTRUM * (1.0 - place);
		if (place < 0.0 || place > 1.0)
			continue;
		kws_picture_line(p, LEFT - 5, y, LEFT, y, FRAME);
		kws_picture_text(p, LEFT - 8, y + 4, RIGHTS, "%g", ticks[i]);
	}
	kws_picture_rect(p, LEFT, TOP, width, SPECTRUM, FRAME);
	kws_picture_text(p, 16, TOP + SPECTRUM / 2.0, TURNED, "Hz, %zu mel bands", t->n_mels);
}

static void draw_time_axis(const kws_plot *t, kws_picture *p, const kws_axis *time, double width)
{
	double step = kws_axis_step(t->to - t->from, width / 70.0);
	for (double i = ceil(t->from / step); i * step <= t->to + 1e-9; i += 1.0) {
		double x = kws_axis_at(time, i * step);
		kws_picture_line(p, x, SCORE_TOP, x, SCORE_BOTTOM, GRID);
		kws_picture_line(p, x, SCORE_BOTTOM, x, SCORE_BOTTOM + 5, FRAME);
		kws_picture_text(p, x, SCORE_BOTTOM + 18, CENTRED, "%g", i * step);
	}
	kws_picture_text(p, LEFT + width / 2.0, SCORE_BOTTOM + 38, CENTRED, "time, s");
}

static void draw_score_axis(kws_picture *p, double width)
{
	for (int i = 0; i <= 5; i++) {
		double y = SCORE_BOTTOM - SCORES * i / 5.0;
		kws_picture_line(p, LEFT, y, LEFT + width, y, GRID);
		kws_picture_text(p, LEFT - 8, y + 4, RIGHTS, "%.1f", i / 5.0);
	}
	kws_picture_rect(p, LEFT, SCORE_TOP, width, SCORES, FRAME);
	kws_picture_text(p, 16, SCORE_TOP + SCORES / 2.0, TURNED, "score");
}

/* Draw one line. If there are more frames than pixels, each pixel shows its highest score. point
 * (n,) is scratch. */
static void draw_score(const kws_plot *t, kws_picture *p, const kws_axis *time, size_t word,
		       size_t n, kws_point *point)
{
	for (size_t c = 0; c < n; c++) {
		size_t last, first = rows_of(c, n, t->scores.n, &last);
		float top = 0.0f;
		for (size_t i = first; i < last; i++)
			top = fmaxf(top, t->scores.row[i * t->n_words + word]);
		/* The score of a frame is known at its end. */
		double when = t->scores.first + (double)(last * t->frame) / t->rate_hz;
		point[c] =
			(kws_point){ kws_axis_at(time, when), SCORE_BOTTOM - SCORES * (double)top };
	}
	kws_picture_path(p, point, n, (kws_ink){ .rgb = kws_picture_colour(word), .width = 1.5 });
}

static void draw_threshold(const kws_plot *t, kws_picture *p, size_t word, double width)
{
	double y = SCORE_BOTTOM - SCORES * (double)kws_model_threshold(t->model, word);
	kws_picture_line(p, LEFT, y, LEFT + width, y,
			 (kws_ink){ kws_picture_colour(word), .opacity = 0.8, .dashed = true });
}

/* Whether to draw the word: words that are never heard in this range would hide the others. */
static bool is_drawn(const kws_plot *t, size_t word)
{
	float top = 0.0f;
	for (size_t i = 0; i < t->scores.n; i++)
		top = fmaxf(top, t->scores.row[i * t->n_words + word]);
	return kws_model_is_command(t->model, word) && top >= 0.05f;
}

static bool draw_scores(const kws_plot *t, kws_picture *p, const kws_axis *time, double width)
{
	size_t n_drawn = 0, n = (size_t)fmin((double)t->scores.n, width);
	double x = LEFT + width + 14;
	kws_point *point = calloc(n ? n : 1, sizeof *point);
	if (!point) {
		kws_out_complain("%s: %s", p->path, kws_strerror(KWS_ERR_NOMEM));
		return false;
	}
	for (size_t w = 0; w < t->n_words; w++) {
		if (!is_drawn(t, w))
			continue;
		double y = SCORE_TOP + 10 + 18.0 * (double)n_drawn++;
		draw_score(t, p, time, w, n, point);
		draw_threshold(t, p, w, width);
		kws_picture_line(p, x, y - 4, x + 20, y - 4,
				 (kws_ink){ kws_picture_colour(w), .width = 2.0 });
		kws_picture_text(p, x + 26, y, PLAIN, "%s", kws_model_word(t->model, w));
	}
	double y = SCORE_TOP + 10 + 18.0 * (double)n_drawn;
	kws_picture_line(p, x, y - 4, x + 20, y - 4, (kws_ink){ 0x666666, .dashed = true });
	kws_picture_text(p, x + 26, y, GREY, "threshold");
	kws_picture_text(p, x, y + 18, GREY, "\xe2\x96\xbe decided");
	free(point);
	return true;
}

static void draw_event(const kws_plot *t, kws_picture *p, const kws_axis *time, const kws_event *ev,
		       double *last_x)
{
	double start = (double)ev->start / t->rate_hz, end = (double)ev->end / t->rate_hz;
	double decided = (double)ev->sample / t->rate_hz;
	const kws_ink ink = { kws_picture_colour(ev->word), .width = 1.5 };
	if (end < t->from || start > t->to)
		return;
	double x0 = kws_axis_at(time, start), x1 = kws_axis_at(time, end);
	kws_picture_rect(p, x0, TOP, x1 - x0, SPECTRUM,
			 (kws_ink){ 0xffffff, .opacity = 0.7, .width = 3.5 });
	kws_picture_rect(p, x0, TOP, x1 - x0, SPECTRUM, ink);
	kws_picture_fill(p, x0, TOP + SPECTRUM, x1 - x0, STRIP + SCORES,
			 (kws_ink){ ink.rgb, .opacity = 0.13 });
	/* Words that are close to each other go on two lines. */
	double x = 0.5 * (x0 + x1), y = TOP + SPECTRUM + (x - *last_x < 70.0 ? 34 : 17);
	*last_x = y > TOP + SPECTRUM + 20 ? -1e9 : x;
	kws_picture_text(p, x, y, (kws_type){ KWS_MIDDLE, ink.rgb, .bold = true }, "%s %.2f",
			 kws_model_word(t->model, ev->word), (double)ev->score);
	if (decided <= t->to) {
		const double to = kws_axis_at(time, decided), tip = SCORE_TOP + 9.0;
		const kws_point mark[] = { { to, tip },
					   { to - 5.0, tip - 9.0 },
					   { to + 5.0, tip - 9.0 } };
		kws_picture_area(p, mark, 3, ink);
	}
}

bool kws_plot_draw(const kws_plot *t, const char *path, unsigned columns)
{
	double seconds = t->to - t->from, last_x = -1e9;
	double width = columns ? (double)columns : fmin(fmax(80.0 * seconds, 900.0), 4000.0);
	kws_axis time = { t->from, t->to, LEFT, LEFT + width, false };
	kws_picture picture, *p = &picture;
	if (!kws_picture_open(p, path, LEFT + width + RIGHT_MARGIN, HEIGHT))
		return false;
	kws_picture_text(p, LEFT, 22, (kws_type){ .rgb = 0x222222, .size = 14, .bold = true }, "%s",
			 t->title);
	bool good = draw_spectrum(t, p, width);
	draw_hz_axis(t, p, width);
	draw_time_axis(t, p, &time, width);
	draw_score_axis(p, width);
	for (size_t i = 0; i < t->n_events; i++)
		draw_event(t, p, &time, &t->events[i], &last_x);
	good = draw_scores(t, p, &time, width) && good;
	kws_picture_text(p, LEFT, HEIGHT - 10, (kws_type){ .rgb = 0x666666, .size = 11 },
			 "model %s, SHA-256 %.16s; smooth %u ms, refractory %u ms",
			 kws_model_name(t->model), kws_model_hash(t->model),
			 kws_model_decision(t->model)->smooth_ms,
			 kws_model_decision(t->model)->refractory_ms);
	return kws_picture_close(p, good);
}
