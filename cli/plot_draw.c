#include "cli/plot_line.h"

#include "cli/columns.h"

#include <math.h>

/* The page: a heading with the colours of the words, lines, and what it was made with. */
enum { LEFT = 64, RIGHT_MARGIN = 24, TITLE = 22, ROW = 17, TIME_AXIS = 26, GAP = 18 };
enum { MOST_LINES = 60, NARROWEST = 400, WIDEST = 1000, PER_S = 100 };

const kws_ink kws_plot_frame = { .rgb = 0x444444 }, kws_plot_grid = { .rgb = 0xe4e4e4 };
const kws_type kws_plot_plain = { .rgb = 0x222222 },
	       kws_plot_small = { .rgb = 0x666666, .size = 11 },
	       kws_plot_right = { .anchor = KWS_END, .rgb = 0x222222, .size = 11 },
	       kws_plot_centred = { .anchor = KWS_MIDDLE, .rgb = 0x222222, .size = 11 },
	       kws_plot_turned = {
		       .anchor = KWS_MIDDLE, .rgb = 0x222222, .size = 11, .turned = true
	       };

/* Seconds of a line: ten, or more where the page would get too long. */
static double line_seconds(double seconds)
{
	static const double all[] = { 10.0, 20.0, 30.0, 60.0 };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (seconds <= all[i] * MOST_LINES)
			return fmin(all[i], seconds);
	return ceil(seconds / MOST_LINES);
}

static double line_height(const kws_plot *t)
{
	return (t->labelled ? KWS_SAID : KWS_HEARD) + KWS_LANE_HIGH + 2 + KWS_SCORES_HIGH
	       + TIME_AXIS + GAP;
}

static void draw_time_axis(const kws_plot_line *l, double until)
{
	const double bottom = l->scores + KWS_SCORES_HIGH;
	const double step = kws_axis_step(l->to - l->from, fmax(l->width / 60.0, 1.0));
	for (double i = ceil(l->from / step); i * step <= fmin(l->to, until) + 1e-9; i += 1.0) {
		const double x = kws_axis_at(&l->time, i * step);
		kws_picture_line(l->p, x, bottom, x, bottom + 5, kws_plot_frame);
		kws_picture_text(l->p, x, bottom + 17, kws_plot_centred, "%g s", i * step);
	}
}

static bool draw_line(const kws_plot *t, kws_picture *p, kws_plot_line *l)
{
	/* The last line ends where the recording does. */
	const double whole = l->to - l->from, full = l->width;
	l->to = fmin(l->to, t->to);
	l->width = fmax(floor(full * (l->to - l->from) / whole), 1.0);
	l->time =
		(kws_axis){ .lo = l->from, .hi = l->to, .from = l->left, .to = l->left + l->width };
	l->scores = l->top + (t->labelled ? KWS_SAID : KWS_HEARD) + KWS_LANE_HIGH + 2;
	l->t = t;
	l->p = p;
	const bool good = kws_plot_sound(l) && kws_plot_words(l);
	draw_time_axis(l, t->to);
	l->width = full;
	return good;
}

/* ---- texts that go on in a new row where the page ends ---- */

typedef struct {
	kws_picture *p; /* NULL: only to know how many rows they take */
	double right, x, y;
} flow;

static void put(flow *f, kws_type type, const char *text)
{
	/* About; no picture is needed to know it. */
	const double wide = (type.bold ? 9.0 : 7.0) * (double)kws_columns_of(text) + 12.0;
	if (f->x > LEFT && f->x + wide > f->right) {
		f->x = LEFT;
		f->y += ROW;
	}
	if (f->p)
		kws_picture_text(f->p, f->x, f->y, type, "%s", text);
	f->x += wide;
}

static void new_row(flow *f)
{
	f->x = LEFT;
	f->y += ROW;
}

/* The words of a model that score, in their colours, behind its name if there are several. */
static void put_words(flow *f, const kws_plot_model *m, double from, double to)
{
	char name[KWS_NAME + 2];
	bool first = *m->name;
	for (size_t w = 0; w < m->n_words; w++) {
		if (!kws_plot_scores(m, w, from, to))
			continue;
		snprintf(name, sizeof name, "%s:", m->name);
		if (first)
			put(f, kws_plot_small, name);
		first = false;
		put(f, (kws_type){ .rgb = kws_picture_colour(m->colour + w), .bold = true },
		    kws_model_word(m->model, w));
	}
}

/* The words that score, and what the marks mean. */
static void put_legend(flow *f, const kws_plot *t)
{
	new_row(f);
	for (size_t i = 0; i < t->n_models; i++)
		put_words(f, &t->model[i], t->from, t->to);
	if (f->x > LEFT)
		new_row(f);
	put(f, kws_plot_small, "- - threshold");
	put(f, kws_plot_small, "\xe2\x96\xbe decided");
	put(f, kws_plot_small, "~ near miss");
	if (t->labelled) {
		put(f, kws_plot_small, "red: missed,");
		put(f, kws_plot_small, "or heard but not said (!)");
	}
	f->y += ROW;
}

static void put_model(flow *f, const kws_plot_model *m)
{
	char text[128];
	new_row(f);
	snprintf(text, sizeof text, "model %s%s%.60s", m->name, *m->name ? ": " : "",
		 kws_model_name(m->model));
	put(f, kws_plot_small, text);
	snprintf(text, sizeof text, "SHA-256 %.16s", kws_model_hash(m->model));
	put(f, kws_plot_small, text);
	snprintf(text, sizeof text, "smooth %u ms, refractory %u ms",
		 kws_model_decision(m->model)->smooth_ms,
		 kws_model_decision(m->model)->refractory_ms);
	put(f, kws_plot_small, text);
}

static void put_foot(flow *f, const kws_plot *t)
{
	for (size_t i = 0; i < t->n_models; i++)
		put_model(f, &t->model[i]);
}

static void find_range(const kws_plot *t, kws_plot_line *l)
{
	l->highest = l->lowest = t->mels.row[0];
	for (size_t i = 0; i < t->mels.n * t->n_mels; i++) {
		l->highest = fmaxf(l->highest, t->mels.row[i]);
		l->lowest = fminf(l->lowest, t->mels.row[i]);
	}
	l->lowest = fmaxf(l->lowest, l->highest - 16.0f); /* 70 dB, in nepers of power */
	l->peak = 1e-4f;
	for (size_t i = 0; i < 2 * t->wave.n; i++)
		l->peak = fmaxf(l->peak, fabsf(t->wave.row[i]));
}

/* All texts and lines; without a picture, only f->y comes to the page's end. */
static bool draw_page(const kws_plot *t, flow *f, double width)
{
	const double seconds = t->to - t->from, each = line_seconds(seconds);
	const size_t n_lines = (size_t)fmax(ceil(seconds / each - 1e-9), 1.0);
	kws_plot_line l = { .left = LEFT, .width = width };
	bool good = true;
	find_range(t, &l);
	if (f->p)
		kws_picture_text(f->p, LEFT, TITLE,
				 (kws_type){ .rgb = 0x222222, .size = 14, .bold = true }, "%s",
				 t->title);
	f->y = TITLE;
	put_legend(f, t);
	for (size_t i = 0; good && i < n_lines; i++, f->y += line_height(t)) {
		l.from = t->from + (double)i * each;
		l.to = l.from + each;
		l.top = f->y;
		good = !f->p || draw_line(t, f->p, &l);
	}
	f->y -= GAP;
	put_foot(f, t);
	return good;
}

bool kws_plot_draw(const kws_plot *t, const char *path, unsigned columns)
{
	const double each = line_seconds(t->to - t->from);
	const double width =
		columns ? (double)columns : fmin(fmax(floor(PER_S * each), NARROWEST), WIDEST);
	kws_picture p;
	flow f = { .right = LEFT + width + RIGHT_MARGIN };
	draw_page(t, &f, width);
	if (!kws_picture_open(&p, path, f.right, f.y + 10.0))
		return false;
	f.p = &p;
	return kws_picture_close(&p, draw_page(t, &f, width));
}
