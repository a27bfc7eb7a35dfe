/* plot.h - the picture of kws plot: lines of ten seconds, each with the waveform, the level, the
 * spectrogram, the words that were found beside those that were said, and the scores. */
#ifndef KWS_CLI_PLOT_H
#define KWS_CLI_PLOT_H

#include "model/model.h"

#include <stdbool.h>

enum { KWS_PLOT_WAVE_HZ = 1000 }; /* stretches of the waveform a second */

/* Consecutive rows of floats. */
typedef struct {
	float *row;
	size_t n, cap;
	double first; /* start of the first row, seconds */
} kws_plot_rows;

/* A word that was found, or a near miss. */
typedef struct {
	kws_event event;  /* of a near miss without level and SNR */
	bool near, stray; /* stray: it was not said, as far as the truth file knows */
} kws_plot_find;

/* A word that was said, by the truth file. */
typedef struct {
	double start, end; /* seconds */
	char *word;
	size_t class; /* n_words: no command of the model */
	bool heard;
} kws_plot_said;

/* The results for the range to draw. */
typedef struct {
	const kws_model *model;
	const char *title;
	double rate_hz, from, to; /* from, to: seconds */
	size_t hop, n_mels, n_words, frame;
	kws_plot_rows wave;   /* (2,) lowest and highest sample, KWS_PLOT_WAVE_HZ */
	kws_plot_rows level;  /* (1,) mean square per hop */
	kws_plot_rows mels;   /* (n_mels,) per hop */
	kws_plot_rows scores; /* (n_words,) per network frame */
	kws_plot_find *find;  /* (n_finds,) */
	size_t n_finds;
	bool labelled;	     /* there is a truth file */
	kws_plot_said *said; /* (n_said,) */
	size_t n_said;
} kws_plot;

void kws_plot_free(kws_plot *p);

/* Read the truth file beside a recording, if there is one, and compare what was found with it, as kws
 * eval does. */
enum kws_status kws_plot_compare(kws_plot *p, const char *recording, kws_error *err);

/* columns: pixels along the time axis; 0: chosen from the length. False: the reason was printed. */
bool kws_plot_draw(const kws_plot *p, const char *path, unsigned columns);

#endif
