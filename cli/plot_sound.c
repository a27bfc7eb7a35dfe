#include "cli/plot_line.h"

#include "cli/out.h"
#include "dsp/mel.h"

#include <math.h>
#include <stdlib.h>

static const kws_ink SOUND = { .rgb = 0x33658a };

static bool no_memory(const kws_plot_line *l)
{
	kws_out_complain("%s: %s", l->p->path, kws_strerror(KWS_ERR_NOMEM));
	return false;
}

/* Rows first to last - 1 of what is `step' seconds a row. */
typedef struct {
	size_t first, last;
} range;

/* Those in pixel x of the line: at least one, unless there are none. */
static range rows_at(const kws_plot_line *l, const kws_plot_rows *r, double step, size_t x)
{
	const double per = (l->to - l->from) / l->width;
	const double from = (l->from + (double)x * per - r->first) / step,
		     to = (l->from + (double)(x + 1) * per - r->first) / step;
	range found = { 0, 0 };
	if (to <= 0.0 || from >= (double)r->n)
		return found;
	found.first = from > 0.0 ? (size_t)from : 0;
	found.last = (size_t)fmin(ceil(to), (double)r->n);
	found.last = found.last > found.first ? found.last : found.first + 1;
	return found;
}

/* ---- waveform and level ---- */

static void draw_wave(const kws_plot_line *l)
{
	const double middle = l->top + KWS_WAVE + KWS_WAVE_HIGH / 2.0;
	const double high_per = (KWS_WAVE_HIGH / 2.0 - 1.0) / (double)l->peak;
	kws_picture_line(l->p, l->left, middle, l->left + l->width, middle, kws_plot_grid);
	for (size_t x = 0; x < (size_t)l->width; x++) {
		const range at = rows_at(l, &l->t->wave, 1.0 / KWS_PLOT_WAVE_HZ, x);
		float low = INFINITY, high = -INFINITY;
		for (size_t i = at.first; i < at.last; i++) {
			low = fminf(low, l->t->wave.row[2 * i]);
			high = fmaxf(high, l->t->wave.row[2 * i + 1]);
		}
		if (at.first == at.last)
			continue;
		/* Silence is a line, too. */
		const double top = middle - high_per * (double)high,
			     bottom = middle - high_per * (double)low;
		kws_picture_fill(l->p, l->left + (double)x, top - 0.25, 1.0, bottom - top + 0.5,
				 SOUND);
	}
	kws_picture_rect(l->p, l->left, l->top + KWS_WAVE, l->width, KWS_WAVE_HIGH, kws_plot_frame);
	kws_picture_text(l->p, l->left - 8, middle + 4, kws_plot_right, "\xc2\xb1%.2g",
			 (double)l->peak);
	kws_picture_text(l->p, 14, middle, kws_plot_turned, "wave");
}

static void draw_level_axis(const kws_plot_line *l, const kws_axis *db)
{
	for (int i = -60; i <= 0; i += 30) {
		const double y = kws_axis_at(db, i);
		kws_picture_line(l->p, l->left, y, l->left + l->width, y, kws_plot_grid);
		kws_picture_text(l->p, l->left - 8, y + 4, kws_plot_right, "%d", i);
	}
	kws_picture_rect(l->p, l->left, l->top + KWS_LEVEL, l->width, KWS_LEVEL_HIGH,
			 kws_plot_frame);
	kws_picture_text(l->p, 14, l->top + KWS_LEVEL + KWS_LEVEL_HIGH / 2.0, kws_plot_turned,
			 "dBFS");
}

static bool draw_level(const kws_plot_line *l)
{
	const kws_axis db = { .lo = -75.0,
			      .hi = 0.0,
			      .from = l->top + KWS_LEVEL + KWS_LEVEL_HIGH,
			      .to = l->top + KWS_LEVEL };
	kws_point *point = calloc((size_t)l->width + 1, sizeof *point);
	size_t n = 0;
	if (!point)
		return no_memory(l);
	draw_level_axis(l, &db);
	for (size_t x = 0; x < (size_t)l->width; x++) {
		const range at = rows_at(l, &l->t->level, (double)l->t->hop / l->t->rate_hz, x);
		float most = 0.0f;
		for (size_t i = at.first; i < at.last; i++)
			most = fmaxf(most, l->t->level.row[i]);
		if (at.first == at.last)
			continue;
		point[n++] = (kws_point){ l->left + (double)x + 0.5,
					  kws_axis_at(&db, 10.0 * log10((double)most + 1e-12)) };
	}
	kws_picture_path(l->p, point, n, SOUND);
	free(point);
	return true;
}

/* ---- spectrogram ---- */

/* Dark to bright in steps: black, violet, red, orange, pale yellow. */
static unsigned colour_of(float x)
{
	static const float stops[][3] = { { 0, 0, 4 },	    { 40, 11, 84 },   { 101, 21, 110 },
					  { 159, 42, 99 },  { 212, 72, 66 },  { 245, 125, 21 },
					  { 250, 193, 39 }, { 252, 255, 164 } };
	enum { LAST = sizeof stops / sizeof stops[0] - 1 };
	const float place = fminf(fmaxf(x, 0.0f), 1.0f) * LAST;
	const size_t i = place < LAST ? (size_t)place : LAST - 1;
	const float part = place - (float)i;
	unsigned rgb = 0;
	for (int c = 0; c < 3; c++)
		rgb = rgb << 8
		      | (unsigned)lrintf(stops[i][c] + part * (stops[i + 1][c] - stops[i][c]));
	return rgb;
}

static float range_of(const kws_plot_line *l)
{
	return l->highest > l->lowest ? l->highest - l->lowest : 1.0f;
}

static bool draw_spectrum(const kws_plot_line *l)
{
	const kws_plot *t = l->t;
	const size_t columns = (size_t)l->width, bands = t->n_mels;
	unsigned *pixel = calloc(columns * bands, sizeof *pixel);
	if (!pixel)
		return no_memory(l);
	for (size_t c = 0; c < columns; c++) {
		const range at = rows_at(l, &t->mels, (double)t->hop / t->rate_hz, c);
		for (size_t b = 0; b < bands; b++) {
			float top = l->lowest;
			for (size_t i = at.first; i < at.last; i++)
				top = fmaxf(top, t->mels.row[i * bands + b]);
			pixel[(bands - 1 - b) * columns + c] =
				at.first < at.last ? colour_of((top - l->lowest) / range_of(l))
						   : 0xffffff;
		}
	}
	kws_picture_image(l->p, l->left, l->top + KWS_SPECTRUM, l->width, KWS_SPECTRUM_HIGH, pixel,
			  columns, bands);
	free(pixel);
	return true;
}

static void draw_hz_axis(const kws_plot_line *l)
{
	static const double ticks[] = { 250, 1000, 4000, 8000, 16000 };
	const kws_features *f = kws_model_features(l->t->model[0].model);
	const double first = kws_mel_of_hz(f->mel, (double)f->f_lo_hz);
	const double step =
		(kws_mel_of_hz(f->mel, (double)f->f_hi_hz) - first) / (double)(l->t->n_mels + 1);
	for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
		/* The middle of band b is at b + 1 steps. */
		const double place = ((kws_mel_of_hz(f->mel, ticks[i]) - first) / step - 0.5)
				     / (double)l->t->n_mels;
		const double y = l->top + KWS_SPECTRUM + KWS_SPECTRUM_HIGH * (1.0 - place);
		if (place < 0.0 || place > 1.0)
			continue;
		kws_picture_line(l->p, l->left - 5, y, l->left, y, kws_plot_frame);
		kws_picture_text(l->p, l->left - 8, y + 4, kws_plot_right, "%g", ticks[i]);
	}
	kws_picture_rect(l->p, l->left, l->top + KWS_SPECTRUM, l->width, KWS_SPECTRUM_HIGH,
			 kws_plot_frame);
	kws_picture_text(l->p, 14, l->top + KWS_SPECTRUM + KWS_SPECTRUM_HIGH / 2.0, kws_plot_turned,
			 "Hz, mel");
}

bool kws_plot_sound(const kws_plot_line *l)
{
	draw_wave(l);
	const bool good = draw_level(l) && draw_spectrum(l);
	draw_hz_axis(l);
	return good;
}
