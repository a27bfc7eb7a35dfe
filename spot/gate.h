/* gate.h - decides when the words of a gated model count: for some seconds after a word of the
 * gating model.
 *
 * Positions are samples of the stream, at the stream's rate. A word of the gating model opens a
 * closed gate. The gated model then listens from KWS_GATE_BACK_S before that word was decided.
 * Further gating words only move the end. It listens until KWS_GATE_REST_S after the last moment at
 * which a word may begin, because a decision may take that long. */
#ifndef KWS_SPOT_GATE_H
#define KWS_SPOT_GATE_H

#include "kws.h"

enum { KWS_GATE_WORDS = 32 }; /* words remembered: more than a gating model says in 6 s */
#define KWS_GATE_BACK_S	   1.0
#define KWS_GATE_REST_S	   2.5
#define KWS_GATE_WITHIN_S  5.0	  /* the default */
#define KWS_GATE_LONGEST_S 3600.0 /* longest time after a word */

/* A word of the gating model. */
typedef struct {
	uint64_t end;
	char word[64], id[64]; /* of its event; "": unknown */
} kws_gate_word;

typedef struct {
	uint64_t within, back, rest;
	bool open;
	uint64_t from, until;		     /* range to listen to: [from, until) */
	uint64_t told;			     /* the end of the last word that counted */
	kws_gate_word words[KWS_GATE_WORDS]; /* since it opened; word i at i % KWS_GATE_WORDS */
	uint64_t n_words;
} kws_gate;

/* Initialise a closed gate for a new stream. within_s: 0..KWS_GATE_LONGEST_S. */
void kws_gate_init(kws_gate *g, unsigned in_hz, double within_s);

/* Change the time, from the next gating word on. */
void kws_gate_configure(kws_gate *g, unsigned in_hz, double within_s);

/* A gating word was heard and was decided at sample `decided'. Opens the gate; returns false if it
 * was open already. */
bool kws_gate_word_heard(kws_gate *g, const kws_gate_word *word, uint64_t decided);

/* Whether a word from start to end counts. Its middle must not be before the end of a gating word,
 * its start must be at most `within' after that end, and the word must not have counted before.
 * Returns the last such gating word, which lives until the next call, or NULL. */
const kws_gate_word *kws_gate_count(kws_gate *g, uint64_t start, uint64_t end);

void kws_gate_close(kws_gate *g);

#endif
