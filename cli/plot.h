/* plot.h - the picture of kws plot: a spectrogram, the scores of the words, and the words that were found. */
#ifndef KWS_CLI_PLOT_H
#define KWS_CLI_PLOT_H

#include "model/model.h"

/* Rows of floats, one behind the other. */
typedef struct {
	float *row;
	size_t n, cap;
	double first; /* where the first row begins, seconds */
} kws_plot_rows;

/* What was heard, in the range that is drawn. */
typedef struct {
	const kws_model *model;
	const char *title;
	double rate_hz, from, to; /* from, to: seconds */
	size_t hop, n_mels, n_words, frame;
	kws_plot_rows mels;   /* (n_mels,) a hop */
	kws_plot_rows scores; /* (n_words,) a network frame */
	kws_event *events;    /* (n_events,) */
	size_t n_events;
} kws_plot;

/* columns: pixels along the axis of time; 0: by its length. false: said why not. */
bool kws_plot_draw(const kws_plot *p, const char *path, unsigned columns);

#endif
