/* asking.h - asks about sounds: was this word said? Each is played and described, and the answer is a
 * line of standard input, of a terminal or of a program:
 *
 *   y        it was said                  r  play it again
 *   n        it was not                   b  back to the one before
 *   WORD     this was said instead        s  skip it
 *   m WORD   this was said, too           q  stop; so does the end of the input */
#ifndef KWS_CLI_ASKING_H
#define KWS_CLI_ASKING_H

#include <stdbool.h>
#include <stddef.h>

enum kws_answer {
	KWS_ANSWER_RIGHT,
	KWS_ANSWER_WRONG,
	KWS_ANSWER_OTHER, /* another word was said */
	KWS_ANSWER_TOO	  /* another word was said, too; the question is still open */
};

/* A sound to ask about. */
typedef struct {
	const char *name; /* of the file */
	const char *word; /* what was heard */
	char about[256];  /* score, time and level, for the user */
	char marked[512]; /* the answer so far; "": none */
	float *pcm;	  /* (n,) freed by the one who asks; NULL: none, nothing is played */
	size_t n;
	unsigned rate_hz;
} kws_question;

typedef struct {
	size_t n;	    /* questions */
	const char *player; /* kws_player_play() */
	bool must_play;	    /* if nothing can be played, stop; otherwise only report it once */
	/* Whether question i needs no answer: it is asked only by going back to it. */
	bool (*answered)(void *ctx, size_t i);
	/* Fill q, which is all zeros, for question i. False: it cannot be asked, which is reported,
	 * and is skipped. */
	bool (*show)(void *ctx, size_t i, kws_question *q);
	/* Take an answer; word: "" for RIGHT and WRONG. first: of this showing, so that it replaces
	 * what was answered before. False: it cannot be kept, which is reported; stop. */
	bool (*take)(void *ctx, size_t i, enum kws_answer answer, const char *word, bool first);
	void *ctx;
} kws_asking;

/* Ask them in order. False: a sound that must be played could not be, or an answer not kept. */
bool kws_ask(const kws_asking *a);

#endif
