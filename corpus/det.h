/* det.h - misses against false alarms, at every threshold (detection error tradeoff).
 *
 * The network processes each recording once. Its probabilities and the starts of voice are stored,
 * and the decision itself (spot/decide.h) runs over them again for each threshold. So the counts at
 * a threshold are those of `kws spot' at that threshold, event for event.
 *
 * hit: an event of a word, decided between the start of that word and `tolerance' after its end.
 * Each word said counts once, for its first event.
 *
 * false alarm: every other event. There are three kinds. duplicate: within the time of that word,
 * which was hit already. confused: within the time of another word. stray: no word was said. */
#ifndef KWS_CORPUS_DET_H
#define KWS_CORPUS_DET_H

#include "kws.h"
#include "spot/voice.h"

#include <stdbool.h>

typedef struct {
	double start, end; /* seconds */
	size_t word;
} kws_said;

typedef struct {
	float *prob;	    /* (n_frames, n_words) */
	kws_stretch *voice; /* (n_frames,) the newest stretch at each frame's end */
	size_t n_frames;
	kws_said *said; /* (n_said,) by rising start; commands only */
	size_t n_said;
	bool labelled; /* false: nothing is said in it */
	double seconds;
} kws_recording;

typedef struct {
	const kws_recording *recording; /* (n,) */
	size_t n;
	size_t n_words;
	const bool *command; /* (n_words,) others never fire */
	unsigned rate_hz;
	size_t frame;  /* samples between two rows of prob */
	size_t window; /* samples that the network remembers */
	unsigned smooth_ms, refractory_ms, wait_ms;
	double tolerance;     /* seconds */
	double tail;	      /* seconds after its end that a word still affects the scores */
	bool unlabelled_only; /* count false alarms and hours only in recordings without words */
	/* The recordings are cut from that many hours, with all that came near the thresholds: false
	 * alarms are counted in these; 0: in the hours of the recordings. */
	double hours;
} kws_material;

typedef struct {
	size_t said, hits;
	size_t duplicates, confused, strays; /* events that are not hits, in all recordings */
	size_t false_alarms;		     /* those that count */
} kws_count;

void kws_count_add(kws_count *sum, const kws_count *c);

/* said: the word that was hit, of its recording. latency: seconds from the end of the word to the
 * decision; negative if the decision came earlier. */
typedef void kws_hit_fn(void *ctx, const kws_said *said, double latency);

/* Hours of all recordings. */
double kws_det_heard(const kws_material *m);

/* Hours in which false alarms are counted. */
double kws_det_hours(const kws_material *m);

/* Count at these thresholds (n_words,) into count (n_words + 1,); the last element is for all words
 * together. on_hit may be NULL. KWS_ERR_NOMEM. */
enum kws_status kws_det_count(const kws_material *m, const float *threshold, kws_count *count,
			      kws_hit_fn *on_hit, void *ctx);

/* The thresholds of a curve: 0.01 to 0.99 in steps of 0.01, to 0.999 in steps of 0.001, to 0.9999
 * in steps of 0.0001, and 1. */
enum { KWS_DET_GRID = 99 + 9 + 9 + 1 };
float kws_det_threshold(size_t i);

/* Count at each of these thresholds, the same for all words, into curve (KWS_DET_GRID, n_words +
 * 1). */
enum kws_status kws_det_curve(const kws_material *m, kws_count *curve);

/* The Pareto front of column `word' of a curve (n_words + 1 columns): the points that no other
 * point beats in both false alarms and misses. Their indices go to front (KWS_DET_GRID,), by rising
 * false alarms and falling misses; of equal points only the one with the highest threshold. Returns
 * how many. Below some threshold, scores no longer fall far enough to fire again, and both counts
 * get worse: such points are not on the front. */
size_t kws_det_front(const kws_count *curve, size_t n_words, size_t word, size_t *front);

/* The last point of the front with at most `most' false alarms; KWS_DET_GRID: there is none. */
size_t kws_det_operate(const kws_count *curve, size_t n_words, size_t word, double most);

/* Histograms of the scores. Bins are equally wide in log odds; bin b begins at kws_det_bin(b). */
enum { KWS_DET_BINS = 36 };
double kws_det_bin(double b); /* the score where bin b begins, 0 <= b <= KWS_DET_BINS */
size_t kws_det_in_bin(double score);

/* of_words: the highest score of each word said, from its start to `tolerance' after its end.
 * of_rest: the highest score of any command in each second, outside that time and the tail of every
 * word. */
enum kws_status kws_det_histogram(const kws_material *m, size_t of_words[KWS_DET_BINS],
				  size_t of_rest[KWS_DET_BINS]);

#endif
