/* world.h - simulates days of a daemon in minutes: rooms with microphones, programs that read its
 * events, and everything that can happen to it, drawn from a seed. */
#ifndef KWS_TESTS_WORLD_H
#define KWS_TESTS_WORLD_H

#include "daemon/service.h"
#include "tests/simulate/room.h"

enum { PATH = 96 };

/* The configuration. */
typedef struct {
	bool on[ROOMS];
	bool other_model; /* another model with the same words */
	bool gated;	  /* the second model is gated by the first */
	bool off[TONES];
	bool extra, socket, clips; /* whether it exists */
	unsigned outage_s;
	const char *broken; /* an invalid line; NULL: none */
} settings;

typedef struct {
	char dir[PATH];
	uint64_t seed, first_seed;
	double began, ends; /* all times: monotonic clock, seconds */
	room rooms[ROOMS];
	settings now;	    /* in force */
	settings next;	    /* asked for */
	double taken_at;    /* when now came into force */
	double socket_went; /* when a configuration without the socket last came into force */
	kws_service *service;
	kws_snapshot shot;			      /* of this step */
	double jumped_at, jump_s;		      /* last jump of the wall clock */
	unsigned long taken, refused, happened, lost; /* lost: events, by slow readers */
	bool calm; /* nothing happens, so that resources can be counted */
	double calm_until, next_calm, counted_at, next_happening;
	/* in use while all is calm; 0: not known yet */
	size_t bytes, descriptors;
} world;

extern world the_world;

/* Print the error, the seed, the time and what happened last, and exit. */
void world_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Note what happened in one line, to be printed if something fails. */
void world_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The path of a file in the world's folder; valid until the fourth call from now. */
const char *world_path(const char *name);

/* settings.c: write the configuration; over the control socket, reload it or change a word. */
void settings_default(settings *s);
void settings_write(const settings *s);
void settings_reload(const settings *s);
void settings_set(unsigned tone, bool off);
bool settings_are_asked_for(void); /* a change is going on: nothing else may be asked for */
void settings_step(void);

/* happenings.c */
void happenings_step(void);
void happenings_undo(void);		 /* make everything work again */
double happenings_well_s(unsigned room); /* how long its microphone has worked */

/* watch.c: checks the output. */
void watch_begin(void);
void watch_step(void);
void watch_new_listener(unsigned room); /* its counters start at 0 again */
void watch_new_sink(void);		/* those of "extra" do */
void watch_end(void);			/* nothing more will come */
unsigned long watch_events(void);
double watch_quiet_s(void); /* time since the last event */

/* readers.c: programs that read the socket. */
void readers_come(void);
void readers_step(void);
void readers_leave(void);
/* Called with the id of each event, in the order of the events. */
void readers_learn(const char *id);

#endif
