/* room.h - the rooms of the simulated world: in each a microphone, and words that are said at known times;
 * who of them must have been heard, and whether an event tells the truth. Times are seconds of the
 * monotonic clock. */
#ifndef KWS_TESTS_ROOM_H
#define KWS_TESTS_ROOM_H

#include "tests/fake/device.h"
#include "tests/simulate/tones.h"

enum { ROOMS = 3, WORDS = 64, PIECES = 64, GATE_S = 5 };

typedef struct {
	unsigned tone;
	double start, end, wall; /* wall: of the start; 0: it has not come yet */
	bool heard;
	bool off;      /* it was not listened for */
	bool gated;    /* only after a word of the first model */
	bool doubtful; /* something happened meanwhile that may cost it */
	bool cut;      /* not all of it had come: it began later for whoever heard it */
	double came;   /* when its last part had come to the daemon; 0: it has not */
} word_said;

/* Audio that came in one piece. */
typedef struct {
	double from, to;
} piece;

typedef struct {
	char name[16];
	fake_microphone *mic;
	uint64_t seed;
	word_said said[WORDS]; /* the last ones, and what will be said next, by number */
	uint64_t n_said;       /* numbers given so far */
	uint64_t judged;       /* of those, whose time is over */
	piece got[PIECES];     /* the last ones */
	uint64_t n_got;
	double got_s; /* in all */
	/* Lost in the middle of a stream, and nobody says so; and how much of it the daemon may not know yet. */
	double unsaid_s, unknown_s;
	unsigned stream; /* number of the one that the last piece came in */
	double got_to;	 /* where that ended */
	double burst_at; /* when much came at once, last: hearing it takes a moment */
	bool overflown;	 /* the next hole is one that the stream tells of */
	unsigned long must, may, none, through,
		events;	 /* through: of those that must, through a gate */
	bool off[TONES]; /* is not listened for */
	bool gated; /* the words of the second model count only for GATE_S after one of the first */
} room;

void room_begin(room *r, const char *name, uint64_t seed);

/* Something happened that may cost what is said about now. */
void room_doubt(room *r, double before_s, double after_s);
void room_doubt_tone(room *r, unsigned tone, double before_s, double after_s);

/* Once or more often a second: note walls, judge what is over. fail is told what is wrong. */
typedef void room_fail_fn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void room_step(room *r, room_fail_fn *fail);

/* So many samples are lost in the middle of a stream, which says so. */
void room_overflow(room *r, size_t samples);

/* When the next word begins that has not begun yet. */
double room_next(const room *r);

/* An event of this room came: which word it is, or NULL, and fail was told. */
word_said *room_heard(room *r, unsigned tone, room_fail_fn *fail);

/* From the seed, evenly from lo to hi. */
double draw(uint64_t *seed, double lo, double hi);

#endif
