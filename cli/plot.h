/* plot.h - the picture of kws plot: a spectrogram, the scores of the words, and the words that were
 * found. */
#ifndef KWS_CLI_PLOT_H
#define KWS_CLI_PLOT_H

#include "model/model.h"

/* Consecutive rows of floats. */
typedef struct {
	float *row;
	size_t n, cap;
	double first; /* start of the first row, seconds */
} kws_plot_rows;

/* The results for the range to draw. */
typedef struct {
	const kws_model *model;
	const char *title;
	double rate_hz, from, to; /* from, to: seconds */
	size_t hop, n_mels, n_words, frame;
	kws_plot_rows mels;   /* (n_mels,) per hop */
	kws_plot_rows scores; /* (n_words,) per network frame */
	kws_event *events;    /* (n_events,) */
	size_t n_events;
} kws_plot;

/* columns: pixels along the time axis; 0: chosen from the length. False: the reason was printed. */
bool kws_plot_draw(const kws_plot *p, const char *path, unsigned columns);

#endif
