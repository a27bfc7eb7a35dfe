#include "cli/detpanel.h"

#include "corpus/bounds.h"

#include <math.h>

static const kws_ink FRAME = { .rgb = 0x444444 }, GRID = { .rgb = 0xdddddd },
		     SHADE = { .rgb = 0xf1e9d8, .opacity = 0.6 };

/* False alarms an hour, and shares of the words; the ticks, rising. */
static const double rates[] = { 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1,    2,    5,
				10,   20,   50,	  100, 200, 500, 1000, 2000, 3000 };
static const double misses[] = { 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,
				 0.2,	 0.4,	0.6,   0.8,   0.9,  0.95, 0.98, 0.99 };
enum { N_RATES = sizeof rates / sizeof *rates, N_MISSES = sizeof misses / sizeof *misses };
enum { STRIP = 26, SMALL = 250, SECONDS_PER_HOUR = 3600 };

static const kws_count *at(const kws_detpanel *d, size_t g, size_t word)
{
	return &d->e->curve[g * (d->n_words + 1) + word];
}

bool kws_detpanel_has(const kws_evaluation *e, size_t word)
{
	const size_t n_words = e->terms->n_words;
	return (word == n_words || e->terms->command[word]) && e->curve[word].said > 0
	       && e->hours > 0.0;
}

/* ---- axes ---- */

static double miss_of(const kws_count *c)
{
	return (double)(c->said - c->hits) / (double)c->said;
}

static double rate_of(const kws_detpanel *d, const kws_count *c)
{
	return (double)c->false_alarms / d->e->hours;
}

/* The last tick at or below x, or the first at or above it. */
static double tick_below(const double *tick, size_t n, double x)
{
	while (n > 1 && tick[n - 1] > x)
		n--;
	return tick[n - 1];
}

static double tick_above(const double *tick, size_t n, double x)
{
	size_t i = 0;
	while (i + 1 < n && tick[i] < x)
		i++;
	return tick[i];
}

static void choose_axes(kws_detpanel *d)
{
	size_t front[KWS_DET_GRID];
	double most = 1.0 / d->e->hours, worst = 0.05, best = 0.01;
	for (size_t w = 0; w <= d->n_words; w++) {
		if (!kws_detpanel_has(d->e, w))
			continue;
		const size_t n = kws_det_front(d->e->curve, d->n_words, w, front);
		for (size_t i = 0; i < n; i++) {
			const kws_count *c = at(d, front[i], w);
			most = fmax(most, rate_of(d, c));
			worst = fmax(worst, miss_of(c));
			best = c->said > c->hits ? fmin(best, miss_of(c)) : best;
		}
	}
	const double lo = tick_below(rates, N_RATES, fmin(1.0 / d->e->hours, 0.5));
	const double hi = tick_above(rates, N_RATES, fmax(most, 2.0));
	d->rate = (kws_axis){ lo / SECONDS_PER_HOUR, hi / SECONDS_PER_HOUR, d->left + d->strip,
			      d->right, KWS_DEVIATE };
	d->miss = (kws_axis){ tick_below(misses, N_MISSES, best),
			      tick_above(misses, N_MISSES, 1.1 * worst), d->bottom - d->strip,
			      d->top, KWS_DEVIATE };
}

kws_detpanel kws_detpanel_at(kws_picture *p, const kws_evaluation *e, double left, double top,
			     double right, double bottom)
{
	kws_detpanel d = { .p = p, .e = e, .n_words = e->terms->n_words };
	d.left = left;
	d.right = right;
	d.top = top;
	d.bottom = bottom;
	d.strip = right - left < SMALL ? STRIP / 2.0 : STRIP;
	choose_axes(&d);
	return d;
}

static double rate_x(const kws_detpanel *d, double per_hour)
{
	return per_hour > 0.0 ? kws_axis_at(&d->rate, per_hour / SECONDS_PER_HOUR)
			      : d->left + d->strip / 2.0;
}

static double miss_y(const kws_detpanel *d, double miss)
{
	return miss > 0.0 ? kws_axis_at(&d->miss, miss) : d->bottom - d->strip / 2.0;
}

kws_point kws_detpanel_place(const kws_detpanel *d, const kws_count *c)
{
	return (kws_point){ rate_x(d, rate_of(d, c)), miss_y(d, miss_of(c)) };
}

/* ---- frame ---- */

static kws_type type_of(const kws_detpanel *d, enum kws_anchor anchor)
{
	return (kws_type){ anchor, 0x222222, .size = d->right - d->left < SMALL ? 9.0 : 12.0 };
}

/* Numbers that would run into one another are left out. */
static void draw_rates(const kws_detpanel *d, bool numbers)
{
	const kws_type type = type_of(d, KWS_MIDDLE);
	const double room = type.size * 2.6;
	double last = rate_x(d, 0.0);
	if (numbers)
		kws_picture_text(d->p, last, d->bottom + type.size + 4, type, "0");
	for (size_t i = 0; i < N_RATES; i++) {
		const double share = rates[i] / SECONDS_PER_HOUR, x = rate_x(d, rates[i]);
		if (share < d->rate.lo * 0.999 || share > d->rate.hi * 1.001)
			continue;
		kws_picture_line(d->p, x, d->top, x, d->bottom, GRID);
		if (!numbers || x - last < room)
			continue;
		kws_picture_text(d->p, x, d->bottom + type.size + 4, type, "%g", rates[i]);
		last = x;
	}
}

static void draw_misses(const kws_detpanel *d, bool numbers)
{
	const kws_type type = type_of(d, KWS_END);
	double last = miss_y(d, 0.0);
	if (numbers)
		kws_picture_text(d->p, d->left - 6, last + type.size / 3.0, type, "0");
	for (size_t i = 0; i < N_MISSES; i++) {
		const double y = miss_y(d, misses[i]);
		if (misses[i] < d->miss.lo * 0.999 || misses[i] > d->miss.hi * 1.001)
			continue;
		kws_picture_line(d->p, d->left, y, d->right, y, GRID);
		if (!numbers || last - y < type.size * 1.1)
			continue;
		kws_picture_text(d->p, d->left - 6, y + type.size / 3.0, type, "%g",
				 100.0 * misses[i]);
		last = y;
	}
}

void kws_detpanel_frame(const kws_detpanel *d, bool numbers_left, bool numbers_below)
{
	draw_rates(d, numbers_below);
	draw_misses(d, numbers_left);
	kws_picture_line(d->p, d->left + d->strip, d->top, d->left + d->strip, d->bottom, FRAME);
	kws_picture_line(d->p, d->left, d->bottom - d->strip, d->right, d->bottom - d->strip,
			 FRAME);
	kws_picture_rect(d->p, d->left, d->top, d->right - d->left, d->bottom - d->top, FRAME);
}

void kws_detpanel_shade(const kws_detpanel *d)
{
	const double least = rate_x(d, kws_poisson_supported(0, d->e->hours));
	kws_picture_fill(d->p, d->left, d->top, least - d->left, d->bottom - d->top, SHADE);
}

/* ---- curves ---- */

/* Between two points nothing better than the first is known, so a line is a stair. Writes its
 * corners to `corner' (2 * n,); of_point gives the height of a point, a share of misses. */
static size_t stair(const kws_detpanel *d, const size_t *front, size_t n, size_t word,
		    double (*of_point)(const kws_count *c), kws_point *corner)
{
	for (size_t i = 0; i < n; i++) {
		const kws_count *c = at(d, front[i], word);
		const double y = miss_y(d, of_point(c));
		const double next =
			i + 1 < n ? rate_x(d, rate_of(d, at(d, front[i + 1], word))) : d->right;
		corner[2 * i] = (kws_point){ rate_x(d, rate_of(d, c)), y };
		corner[2 * i + 1] = (kws_point){ next, y };
	}
	return 2 * n;
}

static double least_miss(const kws_count *c)
{
	double lo, hi;
	kws_wilson_interval(c->said - c->hits, c->said, &lo, &hi);
	return lo;
}

static double most_miss(const kws_count *c)
{
	double lo, hi;
	kws_wilson_interval(c->said - c->hits, c->said, &lo, &hi);
	return hi;
}

void kws_detpanel_band(const kws_detpanel *d, kws_ink ink)
{
	size_t front[KWS_DET_GRID];
	kws_point corner[4 * KWS_DET_GRID], back[2 * KWS_DET_GRID];
	const size_t n = kws_det_front(d->e->curve, d->n_words, d->n_words, front);
	/* the upper side forward, the lower side back */
	size_t forth = stair(d, front, n, d->n_words, most_miss, corner);
	for (size_t i = stair(d, front, n, d->n_words, least_miss, back); i > 0; i--)
		corner[forth++] = back[i - 1];
	kws_picture_area(d->p, corner, forth, ink);
}

void kws_detpanel_curve(const kws_detpanel *d, size_t word, kws_ink ink, bool titles)
{
	size_t front[KWS_DET_GRID];
	kws_point corner[2 * KWS_DET_GRID];
	const size_t n = kws_det_front(d->e->curve, d->n_words, word, front);
	kws_picture_path(d->p, corner, stair(d, front, n, word, miss_of, corner), ink);
	for (size_t i = 0; titles && i < n; i++) {
		const kws_count *c = at(d, front[i], word);
		kws_picture_title(d->p, corner[2 * i].x - 4, corner[2 * i].y - 4, 8, 8,
				  "threshold %g: %.2f %% missed, %.2f false alarms an hour",
				  (double)kws_det_threshold(front[i]), 100.0 * miss_of(c),
				  rate_of(d, c));
	}
}
