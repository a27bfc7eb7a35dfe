#include "cli/page.h"

#include "cli/columns.h"
#include "cli/page_row.h"

#include <math.h>
#include <string.h>

enum { LEAST_LOG = 3, STRIP = 3, MOST_LABEL = 24 };

/* The rows for each part. */
typedef struct {
	size_t words, first; /* so many, from this one on */
	size_t strip, log;
} layout;

typedef struct {
	const kws_page *p;
	const kws_listening *l;
	FILE *to;
	size_t at; /* rows so far */
} page;

const char *kws_page_clock(double s, char text[24])
{
	const unsigned long tenths = (unsigned long)(s * 10.0);
	const unsigned long minutes = tenths / 600;
	if (minutes < 60)
		snprintf(text, 24, "%lu:%04.1f", minutes, (double)(tenths % 600) / 10.0);
	else
		snprintf(text, 24, "%lu:%02lu:%04.1f", minutes / 60, minutes % 60,
			 (double)(tenths % 600) / 10.0);
	return text;
}

const char *kws_page_threshold(float x, char text[16])
{
	if (x > 1.0f)
		return "off";
	snprintf(text, 16, "%.4f", (double)x);
	/* two decimals, and more where they say something */
	for (size_t n = strlen(text); n > strlen("0.00") && text[n - 1] == '0'; n--)
		text[n - 1] = '\0';
	return text;
}

/* ---- rows ---- */

static kws_row begin(const page *g)
{
	/* The last column stays free: some terminals would go on to the next row. */
	return kws_row_begin(g->p->columns ? g->p->columns - 1 : 0, g->p->colour, g->p->utf8);
}

static void end(page *g, kws_row *r)
{
	if (g->at >= g->p->rows)
		return;
	fprintf(g->to, "%s%s\033[K", g->at++ ? "\r\n" : "", kws_row_text(r));
}

static const char *pick(const kws_row *r, const char *utf8, const char *ascii)
{
	return r->utf8 ? utf8 : ascii;
}

static void draw_title(page *g)
{
	kws_row r = begin(g);
	char clock[24];
	kws_page_clock(kws_listening_seconds(g->l), clock);
	const size_t wide = strlen(clock) + 1, all = kws_row_left(&r);
	char title[4 * KWS_PAGE_MOST + 1];
	kws_columns_fit(g->p->title, all > wide ? all - wide : 0, title);
	kws_row_put(&r, KWS_BOLD, "%s", title);
	kws_row_put(&r, KWS_DIM, " %s", clock);
	end(g, &r);
}

static void draw_level(page *g)
{
	const float db = 10.0f * log10f(g->l->power + 1e-12f);
	kws_row r = begin(g);
	kws_row_put(&r, KWS_PLAIN, "%6.1f dBFS ", (double)db);
	const size_t wide = kws_row_left(&r);
	const long full = lrintf((db + 72.0f) * (float)wide / 72.0f);
	for (size_t i = 0; i < wide; i++) {
		const bool on = full > (long)i;
		const bool loud = i * 72 > wide * 66;
		kws_row_put(&r, on ? loud ? KWS_RED : KWS_CYAN : KWS_DIM, "%s",
			    on ? pick(&r, "\xe2\x96\x88", "#") : pick(&r, "\xc2\xb7", "."));
	}
	end(g, &r);
}

/* ---- words ---- */

/* A cell of a bar that is filled by so many eighths. */
static const char *filled(const kws_row *r, long eighths)
{
	static const char *const parts[] = { "\xc2\xb7",     "\xe2\x96\x8f", "\xe2\x96\x8e",
					     "\xe2\x96\x8d", "\xe2\x96\x8c", "\xe2\x96\x8b",
					     "\xe2\x96\x8a", "\xe2\x96\x89", "\xe2\x96\x88" };
	if (!r->utf8)
		return eighths >= 4 ? "=" : ".";
	return parts[eighths < 0 ? 0 : eighths > 8 ? 8 : eighths];
}

/* The cell of a bar that a score ends in. */
static size_t cell_of(float score, size_t wide)
{
	const size_t i = (size_t)(score * (float)wide);
	return i < wide ? i : wide - 1;
}

static void draw_bar(kws_row *r, const kws_listening_word *w, size_t wide)
{
	const bool over = w->score >= w->threshold;
	const long full = lrintf(8.0f * w->score * (float)wide);
	for (size_t i = 0; i < wide; i++) {
		const long part = full - 8 * (long)i;
		if (w->threshold <= 1.0f && i == cell_of(w->threshold, wide))
			kws_row_put(r, over ? KWS_GREEN : KWS_YELLOW, "%s",
				    pick(r, "\xe2\x94\x83", "|"));
		else if (w->held > 0.05f && i == cell_of(w->held, wide) && part < 8)
			kws_row_put(r, w->held >= w->threshold ? KWS_GREEN : KWS_BOLD, "%s",
				    pick(r, "\xe2\x80\xa2", "o"));
		else
			kws_row_put(r,
				    part <= 0 ? KWS_DIM
				    : over    ? KWS_GREEN
					      : KWS_CYAN,
				    "%s", filled(r, part));
	}
}

static size_t label_width(const page *g)
{
	size_t most = 1;
	for (size_t i = 0; i < g->l->n_words; i++) {
		const size_t n = kws_columns_of(g->l->word[i].label);
		most = n > most ? n : most;
	}
	const size_t third = g->p->columns / 3;
	most = most < MOST_LABEL ? most : MOST_LABEL;
	return most < third ? most : third;
}

static void draw_word(page *g, size_t i, size_t label_columns)
{
	enum { COUNTS = 10, BAR_LEAST = 8 };
	const kws_listening_word *w = &g->l->word[i];
	const bool chosen = i == g->p->chosen, waits = kws_listening_waits(g->l, w->model);
	const enum kws_style style = chosen ? KWS_BOLD : waits ? KWS_DIM : KWS_PLAIN;
	char label[4 * MOST_LABEL + 1], threshold[16];
	kws_row r = begin(g);
	kws_columns_fit(w->label, label_columns, label);
	kws_row_put(&r, style, "%s%s %-6s ", chosen ? "> " : "  ", label,
		    kws_page_threshold(w->threshold, threshold));
	const bool counts = kws_row_left(&r) >= BAR_LEAST + 5 + COUNTS;
	const size_t rest = kws_row_left(&r), right = 5 + (counts ? COUNTS : 0);
	draw_bar(&r, w, rest > right ? rest - right : 0);
	kws_row_put(&r, w->held >= w->threshold ? KWS_GREEN : KWS_PLAIN, " %.2f", (double)w->held);
	if (counts)
		kws_row_put(&r, style, " %4zu %4zu", w->heard, w->missed);
	end(g, &r);
}

static void draw_heading(page *g, size_t label_columns)
{
	kws_row r = begin(g);
	kws_row_put(&r, KWS_DIM, "  %-*s %-6s ", (int)label_columns, "word", "needs");
	const size_t left = kws_row_left(&r);
	if (left >= 8 + 5 + 10)
		kws_row_put(&r, KWS_DIM, "%*s", (int)left, "best heard near");
	else if (left >= 5)
		kws_row_put(&r, KWS_DIM, "%*s", (int)left, "best");
	end(g, &r);
}

/* ---- the last 30 seconds ---- */

/* Columns stand for fixed times, so that they move as a whole. */
typedef struct {
	size_t wide;
	double column_s;
	long newest; /* column of the stream */
} strip;

/* The highest power in a column of so many cells. */
static float loudest(const kws_listening *l, double column, double cells)
{
	const long newest = (long)l->cell, end = (long)floor((column + 1.0) * cells);
	long cell = (long)floor(column * cells);
	float most = 0.0f;
	do
		if (cell >= 0 && cell <= newest && cell > newest - KWS_LISTENING_CELLS)
			most = fmaxf(most, l->strip[cell % KWS_LISTENING_CELLS]);
	while (++cell < end);
	return most;
}

static void draw_levels(page *g, const strip *s)
{
	static const char *const blocks[] = { " ",
					      "\xe2\x96\x81",
					      "\xe2\x96\x82",
					      "\xe2\x96\x83",
					      "\xe2\x96\x84",
					      "\xe2\x96\x85",
					      "\xe2\x96\x86",
					      "\xe2\x96\x87",
					      "\xe2\x96\x88" };
	static const char *const ascii[] = { " ", "_", "_", ".", ".", "-", "-", "=", "#" };
	const kws_listening *l = g->l;
	kws_row r = begin(g);
	kws_row_put(&r, KWS_DIM, "%d s ", KWS_LISTENING_STRIP_S);
	for (size_t i = 0; i < s->wide; i++) {
		const float most = loudest(l, (double)(s->newest - (long)(s->wide - 1 - i)),
					   s->column_s * KWS_LISTENING_CELLS_S);
		const float db = 10.0f * log10f(most + 1e-12f);
		const long high = lrintf(fminf(fmaxf((db + 72.0f) / 8.0f, 0.0f), 8.0f));
		kws_row_put(&r, KWS_CYAN, "%s", pick(&r, blocks[high], ascii[high]));
	}
	end(g, &r);
}

/* Write a label from this cell on, as far as there is room; a label that it runs into is cut. */
static void put_label(char (*cell)[8], size_t wide, size_t at, const char *label)
{
	if (at > 0 && cell[at - 1][0] != ' ')
		memcpy(cell[at - 1], " ", 2);
	size_t columns;
	for (size_t bytes; *label && at < wide; label += bytes, at += columns) {
		bytes = kws_columns_next(label, &columns);
		if (columns == 0 || bytes >= sizeof cell[0] || at + columns > wide)
			continue;
		memcpy(cell[at], label, bytes);
		cell[at][bytes] = '\0';
		for (size_t i = 1; i < columns; i++)
			cell[at + i][0] = '\0';
	}
	if (at < wide)
		memcpy(cell[at], " ", 2);
}

/* The words that were found where they begin, or the near misses. */
static void draw_names(page *g, const strip *s, bool near)
{
	const kws_listening *l = g->l;
	char cell[KWS_PAGE_MOST][8];
	kws_row r = begin(g);
	for (size_t i = 0; i < s->wide; i++)
		memcpy(cell[i], " ", 2);
	size_t first = l->n_finds > KWS_LISTENING_FINDS ? l->n_finds - KWS_LISTENING_FINDS : 0;
	for (; first < l->n_finds; first++) {
		const kws_listening_find *f = &l->find[first % KWS_LISTENING_FINDS];
		const long back = s->newest - (long)floor(f->start_s / s->column_s);
		if (f->near == near && back >= 0 && back < (long)s->wide)
			put_label(cell, s->wide, s->wide - 1 - (size_t)back,
				  kws_listening_name(l, f->word));
	}
	kws_row_put(&r, KWS_DIM, "%s", near ? "near " : "     ");
	for (size_t i = 0; i < s->wide; i++)
		kws_row_put(&r, near ? KWS_DIM : KWS_GREEN, "%s", cell[i]);
	end(g, &r);
}

static void draw_strip(page *g)
{
	const kws_row r = begin(g);
	strip s = { .wide = kws_row_left(&r) > 5 ? kws_row_left(&r) - 5 : 1 };
	s.column_s = (double)KWS_LISTENING_STRIP_S / (double)s.wide;
	s.newest = (long)(kws_listening_seconds(g->l) / s.column_s);
	draw_levels(g, &s);
	draw_names(g, &s, false);
	draw_names(g, &s, true);
}

/* ---- what was found, the newest first ---- */

static void draw_find(page *g, const kws_listening_find *f)
{
	kws_row r = begin(g);
	char clock[24], threshold[16], label[4 * MOST_LABEL + 1];
	kws_columns_fit(g->l->word[f->word].label, label_width(g), label);
	const enum kws_style style = f->near ? KWS_DIM : KWS_PLAIN;
	kws_row_put(&r, style, "%s%9s  ", f->near ? "~ " : "  ", kws_page_clock(f->start_s, clock));
	kws_row_put(&r, f->near ? KWS_DIM : KWS_GREEN, "%s", label);
	kws_row_put(&r, style, "  %.3f of %s", (double)f->score,
		    kws_page_threshold(f->threshold, threshold));
	if (!f->near) {
		kws_row_put(&r, KWS_DIM, "  %.1f dBFS", (double)f->level_dbfs);
		kws_row_put(&r, KWS_DIM, "  SNR %.1f dB", (double)f->snr_db);
	}
	end(g, &r);
}

static void draw_log(page *g, size_t rows)
{
	const kws_listening *l = g->l;
	kws_row r = begin(g);
	if (!rows)
		return;
	kws_row_put(&r, KWS_DIM, "found, the newest first");
	kws_row_put(&r, KWS_DIM, "; ~ a near miss");
	end(g, &r);
	for (size_t i = 0; i + 1 < rows; i++) {
		kws_row none = begin(g);
		if (i < l->n_finds && i < KWS_LISTENING_FINDS)
			draw_find(g, &l->find[(l->n_finds - 1 - i) % KWS_LISTENING_FINDS]);
		else
			end(g, &none);
	}
}

/* ---- all of it ---- */

static void draw_keys(page *g)
{
	kws_row r = begin(g);
	kws_row_put(&r, KWS_DIM, "%s", pick(&r, "\xe2\x86\x91\xe2\x86\x93 word", "up/down word"));
	kws_row_put(&r, KWS_DIM, "%s",
		    pick(&r, "  \xe2\x86\x90\xe2\x86\x92 needs", "  left/right needs"));
	kws_row_put(&r, KWS_DIM, "  q end");
	kws_row_put(&r, KWS_DIM, "  m model's");
	kws_row_put(&r, KWS_DIM, "  o off");
	end(g, &r);
}

/* Title, level, heading and keys always; then as many words as there is room for, around the chosen
 * one; and a strip and a log if there is more room. */
static layout lay_out(const kws_page *p, const kws_listening *l)
{
	const size_t fixed = 4 + (*p->warning != '\0');
	size_t rest = p->rows > fixed ? p->rows - fixed : 0;
	layout y = { 0 };
	if (rest >= STRIP + 4) {
		y.strip = STRIP;
		rest -= STRIP;
	}
	const size_t log = rest > LEAST_LOG + 3 ? LEAST_LOG : 0;
	y.words = l->n_words < rest - log ? l->n_words : rest - log;
	y.log = rest - y.words;
	if (p->chosen >= y.words && y.words)
		y.first = p->chosen - y.words + 1;
	return y;
}

void kws_page_draw(const kws_page *p, const kws_listening *l, FILE *to)
{
	page g = { p, l, to, 0 };
	const layout y = lay_out(p, l);
	const size_t label = label_width(&g);
	fputs("\033[H", to);
	draw_title(&g);
	draw_level(&g);
	if (*p->warning) {
		kws_row r = begin(&g);
		char text[4 * KWS_PAGE_MOST + 1];
		kws_columns_fit(p->warning, kws_row_left(&r), text);
		kws_row_put(&r, KWS_RED, "%s", text);
		end(&g, &r);
	}
	draw_heading(&g, label);
	for (size_t i = 0; i < y.words; i++)
		draw_word(&g, y.first + i, label);
	if (y.strip)
		draw_strip(&g);
	draw_log(&g, y.log);
	draw_keys(&g);
	fputs("\033[J", to);
}
