/* detpanel.h - a panel with misses against false alarms on normal-deviate axes, for one word or all. A
 * false alarm is a share, too: that of the seconds in which there is one. */
#ifndef KWS_CLI_DETPANEL_H
#define KWS_CLI_DETPANEL_H

#include "cli/picture.h"
#include "corpus/evaluation.h"

typedef struct {
	kws_picture *p;
	const kws_evaluation *e;
	size_t n_words;
	double left, right, top, bottom; /* pixels */
	/* Shares. Zero has no place on these axes: it is in a strip before the axis begins. */
	kws_axis rate, miss;
	double strip;
} kws_detpanel;

/* Whether there is a curve of this word, n_words: all. */
bool kws_detpanel_has(const kws_evaluation *e, size_t word);

/* A panel in this place, whose axes hold the curves of all words. */
kws_detpanel kws_detpanel_at(kws_picture *p, const kws_evaluation *e, double left, double top,
			     double right, double bottom);

/* Grid and edges; with numbers at the ticks, and with fewer of them in a small panel. */
void kws_detpanel_frame(const kws_detpanel *d, bool numbers_left, bool numbers_below);

/* What the hours cannot prove. */
void kws_detpanel_shade(const kws_detpanel *d);

/* The interval of the misses of all words, as an area. */
void kws_detpanel_band(const kws_detpanel *d, kws_ink ink);

/* The curve of a word. With titles: they tell the threshold at each of its points. */
void kws_detpanel_curve(const kws_detpanel *d, size_t word, kws_ink ink, bool titles);

/* Where a count is. */
kws_point kws_detpanel_place(const kws_detpanel *d, const kws_count *c);

#endif
