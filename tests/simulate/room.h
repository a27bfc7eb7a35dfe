/* room.h - rooms of the simulated world, each with a microphone and words that are said at known
 * times. Tells which of them must be found, and whether an event is right. Times are seconds of the
 * monotonic clock. */
#ifndef KWS_TESTS_ROOM_H
#define KWS_TESTS_ROOM_H

#include "tests/fake/device.h"
#include "tests/simulate/tones.h"

enum { ROOMS = 3, WORDS = 64, PIECES = 64, GATE_S = 5 };

typedef struct {
	unsigned tone;
	double start, end, wall; /* wall: of the start; 0: not started yet */
	bool heard;
	bool off;      /* the word was off */
	bool gated;    /* counts only after a word of the first model */
	bool doubtful; /* something happened meanwhile that may have hidden it */
	bool cut;      /* not all of it had come, so it may start later for the daemon */
	double came;   /* when the daemon got its last part; 0: not yet */
} word_said;

/* Audio without a gap. */
typedef struct {
	double from, to;
} piece;

typedef struct {
	char name[16];
	fake_microphone *mic;
	uint64_t seed;
	word_said said[WORDS]; /* the last words and the next ones; word i at i % WORDS */
	uint64_t n_said;       /* words so far */
	uint64_t judged;       /* of those, words whose time is over */
	piece got[PIECES];     /* the last ones */
	uint64_t n_got;
	double got_s; /* in all */
	/* Lost in the middle of a stream without a report; how much of it the daemon may not know
	 * yet. */
	double unsaid_s, unknown_s;
	unsigned stream; /* number of the stream of the last piece */
	double got_to;	 /* the end of that piece */
	double burst_at; /* when much audio last came at once: processing it takes a moment */
	bool overflown;	 /* the stream will report the next gap */
	unsigned long must, may, none, through,
		events;	 /* through: of those that must, through a gate */
	bool off[TONES]; /* the word is off */
	bool gated; /* words of the second model count only for GATE_S after one of the first */
} room;

void room_begin(room *r, const char *name, uint64_t seed);

/* Something happened that may hide words from before_s ago until after_s from now. */
void room_doubt(room *r, double before_s, double after_s);
void room_doubt_tone(room *r, unsigned tone, double before_s, double after_s);

/* Call it at least once a second. Notes wall times, and judges words whose time is over. Calls fail
 * for each error. */
typedef void room_fail_fn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void room_step(room *r, room_fail_fn *fail);

/* These samples are lost in the middle of a stream, which reports it. */
void room_overflow(room *r, size_t samples);

/* The start of the next word that has not begun yet. */
double room_next(const room *r);

/* An event of this room came. Returns its word; NULL: it is wrong, and fail was called. */
word_said *room_heard(room *r, unsigned tone, room_fail_fn *fail);

/* A random number, uniform in lo..hi, from the seed. */
double draw(uint64_t *seed, double lo, double hi);

#endif
