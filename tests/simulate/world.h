/* world.h - days of a daemon in minutes: rooms with microphones, programs that read its events, and all
 * that can happen to it, drawn from a seed. */
#ifndef KWS_TESTS_WORLD_H
#define KWS_TESTS_WORLD_H

#include "daemon/service.h"
#include "tests/simulate/room.h"

enum { PATH = 96 };

/* What the configuration says. */
typedef struct {
	bool on[ROOMS];
	bool other_model; /* of the same words */
	bool gated;	  /* the second model, after the first */
	bool off[TONES];
	bool extra, socket, clips; /* is there */
	unsigned poll_ms;
	const char *broken; /* a line that cannot be; NULL: none */
} settings;

typedef struct {
	char dir[PATH];
	uint64_t seed, first_seed;
	double began, ends; /* all times are the monotonic clock's */
	room rooms[ROOMS];
	settings now;	    /* in force */
	settings next;	    /* asked for */
	double taken_at;    /* when now came into force */
	double socket_went; /* when there was last one less */
	kws_service *service;
	kws_snapshot shot;			      /* of this step */
	double jumped_at, jump_s;		      /* the wall clock, last */
	unsigned long taken, refused, happened, lost; /* lost: events, by slow readers */
	bool calm;				      /* nothing happens, to count what is there */
	double calm_until, next_calm, counted_at, next_happening;
	/* what is there when all is calm; 0: not known yet */
	size_t bytes, descriptors;
} world;

extern world the_world;

/* Print what is wrong, the seed, the time and what happened last, and exit. */
void world_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* It happened: one line, to be printed if something fails. */
void world_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Of a file in the world's folder; holds until the fourth call from now. */
const char *world_path(const char *name);

/* settings.c: write the configuration, and over the control socket have it read, or change a word. */
void settings_default(settings *s);
void settings_write(const settings *s);
void settings_reload(const settings *s);
void settings_set(unsigned tone, bool off);
bool settings_are_asked_for(void); /* just now: nothing else may be */
void settings_step(void);

/* happenings.c */
void happenings_step(void);
void happenings_undo(void);		 /* all is well again */
double happenings_well_s(unsigned room); /* for how long nothing was wrong with its microphone */

/* watch.c: what comes out. */
void watch_begin(void);
void watch_step(void);
void watch_new_listener(unsigned room); /* its counters begin anew */
void watch_new_sink(void);		/* "extra" does */
void watch_end(void);			/* nothing more comes */
unsigned long watch_events(void);
double watch_quiet_s(void); /* since the last one */

/* readers.c: programs that read the socket. */
void readers_come(void);
void readers_step(void);
void readers_leave(void);
/* An event's id, in the order of the events. */
void readers_learn(const char *id);

#endif
