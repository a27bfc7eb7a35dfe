/* plot_line.h - one line of the picture of kws plot: the same seconds in panels below one another. */
#ifndef KWS_CLI_PLOT_LINE_H
#define KWS_CLI_PLOT_LINE_H

#include "cli/picture.h"
#include "cli/plot.h"

/* Heights of the panels, and their places from the top of the line. */
enum {
	KWS_WAVE = 0,
	KWS_WAVE_HIGH = 46,
	KWS_LEVEL = KWS_WAVE + KWS_WAVE_HIGH + 4,
	KWS_LEVEL_HIGH = 42,
	KWS_SPECTRUM = KWS_LEVEL + KWS_LEVEL_HIGH + 4,
	KWS_SPECTRUM_HIGH = 96,
	KWS_HEARD = KWS_SPECTRUM + KWS_SPECTRUM_HIGH + 4,
	KWS_LANE_HIGH = 19,
	KWS_SAID = KWS_HEARD + KWS_LANE_HIGH + 2, /* only with a truth file */
	KWS_SCORES_HIGH = 110
};

typedef struct {
	const kws_plot *t;
	kws_picture *p;
	double from, to;		 /* seconds */
	double left, width, top, scores; /* pixels; scores: the top of that panel */
	kws_axis time;
	float lowest, highest; /* of all mel bands of the picture */
	float peak;	       /* of its samples, above 0 */
} kws_plot_line;

extern const kws_ink kws_plot_frame, kws_plot_grid;
extern const kws_type kws_plot_small, kws_plot_right, kws_plot_centred, kws_plot_turned;

/* Whether a word's score shows in this range. */
bool kws_plot_scores(const kws_plot_model *m, size_t word, double from, double to);

/* The panels above the words: waveform, level, spectrogram. False: out of memory, and reported. */
bool kws_plot_sound(const kws_plot_line *l);

/* The words that were found and said, and the scores. False: the same. */
bool kws_plot_words(const kws_plot_line *l);

#endif
