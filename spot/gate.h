/* gate.h - when the words of one model count: for some seconds after a word of another.
 *
 * Positions are samples of the stream, at its own rate. A word of the gating model opens a gate that
 * is closed: what is said is heard from KWS_GATE_BACK_S before that word was decided. A further one
 * only moves its end. It is heard to the end until KWS_GATE_REST_S after the last moment at which a
 * word may begin: so long may its decision take. */
#ifndef KWS_SPOT_GATE_H
#define KWS_SPOT_GATE_H

#include "kws.h"

enum { KWS_GATE_WORDS = 32 }; /* that are remembered: more than a gating model says in 6 s */
#define KWS_GATE_BACK_S	   1.0
#define KWS_GATE_REST_S	   2.5
#define KWS_GATE_WITHIN_S  5.0	  /* where nobody says another */
#define KWS_GATE_LONGEST_S 3600.0 /* that a gate may stay open after a word */

/* A word of the gating model. */
typedef struct {
	uint64_t end;
	char word[64], id[64]; /* of its event; "": unknown */
} kws_gate_word;

typedef struct {
	uint64_t within, back, rest;
	bool open;
	uint64_t from, until;		     /* heard while it is open: [from, until) */
	uint64_t told;			     /* the end of the last word that counted */
	kws_gate_word words[KWS_GATE_WORDS]; /* since it opened; the i-th at i % KWS_GATE_WORDS */
	uint64_t n_words;
} kws_gate;

/* Closed, for a new stream. within_s: 0..KWS_GATE_LONGEST_S. */
void kws_gate_init(kws_gate *g, unsigned in_hz, double within_s);

/* Another time from the next word of the gating model on. */
void kws_gate_configure(kws_gate *g, unsigned in_hz, double within_s);

/* A word of the gating model: where it ends, and when it was decided. Returns whether that opened the
 * gate, which was closed. */
bool kws_gate_word_heard(kws_gate *g, const kws_gate_word *word, uint64_t decided);

/* Does a word from start to end count? It does when its middle is not before the end of a gating word,
 * and its start not later than `within` after that; and when it is not one that counted before. Returns
 * the last such gating word, or NULL. It lives until the next call. */
const kws_gate_word *kws_gate_count(kws_gate *g, uint64_t start, uint64_t end);

void kws_gate_close(kws_gate *g);

#endif
