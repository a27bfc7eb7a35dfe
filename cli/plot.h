/* plot.h - the picture of kws plot: lines of ten seconds, each with the waveform, the level, the
 * spectrogram, the words that were found beside those that were said, and the scores. */
#ifndef KWS_CLI_PLOT_H
#define KWS_CLI_PLOT_H

#include "cli/models.h"

enum { KWS_PLOT_WAVE_HZ = 1000 }; /* stretches of the waveform a second */

/* Consecutive rows of floats. */
typedef struct {
	float *row;
	size_t n, cap;
	double first; /* start of the first row, seconds */
} kws_plot_rows;

/* A model, and what it made of the recording. */
typedef struct {
	const kws_model *model;
	const char *name;	/* "": the only one */
	const float *threshold; /* (n_words,) */
	double rate_hz;
	size_t index, n_words, frame; /* frame: samples */
	size_t colour;		      /* of its first word */
	kws_plot_rows scores;	      /* (n_words,) per network frame */
} kws_plot_model;

/* A word that was found, or a near miss. */
typedef struct {
	kws_event event; /* of a near miss without level and SNR */
	const kws_plot_model *by;
	bool near, stray; /* stray: it was not said, as far as the truth file knows */
} kws_plot_find;

/* A word that was said, by the truth file. */
typedef struct {
	double start, end; /* seconds */
	char *word;
	/* For each model: its index among the words (n_words: no command), and whether it was heard. */
	size_t class[KWS_MODELS_MOST];
	bool heard[KWS_MODELS_MOST];
} kws_plot_said;

/* The results for the range to draw. */
typedef struct {
	kws_plot_model
		model[KWS_MODELS_MOST]; /* (n_models,) sound is shown as the first hears it */
	size_t n_models;
	const char *title;
	double rate_hz, from, to; /* rate_hz, hop, n_mels: of the first; from, to: seconds */
	size_t hop, n_mels;
	kws_plot_rows wave;  /* (2,) lowest and highest sample, KWS_PLOT_WAVE_HZ */
	kws_plot_rows level; /* (1,) mean square per hop */
	kws_plot_rows mels;  /* (n_mels,) per hop */
	kws_plot_find *find; /* (n_finds,) */
	size_t n_finds;
	bool labelled;	     /* there is a truth file */
	kws_plot_said *said; /* (n_said,) */
	size_t n_said;
} kws_plot;

/* Whether a said word is a command of some model; and whether none has heard it. */
bool kws_plot_counts(const kws_plot *p, const kws_plot_said *s);
bool kws_plot_missed(const kws_plot *p, const kws_plot_said *s);

void kws_plot_free(kws_plot *p);

/* Read the truth file beside a recording, if there is one, and compare what was found with it, as kws
 * eval does. */
enum kws_status kws_plot_compare(kws_plot *p, const char *recording, kws_error *err);

/* columns: pixels along the time axis; 0: chosen from the length. False: the reason was printed. */
bool kws_plot_draw(const kws_plot *p, const char *path, unsigned columns);

#endif
