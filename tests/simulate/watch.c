#define _GNU_SOURCE /* memmem, strptime */
#include "tests/simulate/world.h"

#include "runtime/clock.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 4096, LOG_LINES = 64 };

/* A growing file that is read as it grows. */
typedef struct {
	int fd;
	char text[4 * LINE];
	size_t n;
	unsigned long lines;
} tail;

static tail all, extra, logged;
static double last_event;
static unsigned long extra_from; /* events before "extra" existed */

/* The gaps that events of a room have reported since its listener began. */
typedef struct {
	double since;		/* its first audio; 0: none yet */
	double got_s, unsaid_s; /* those of the room at that time */
	unsigned gaps;
	double gap_s;
	double ran_at;	    /* when it was last running */
	unsigned seen_gaps; /* from its statistics, in the last step */
	double seen_gap_s;
} account;
static account accounts[ROOMS];

static struct {
	char text[LINE];
	double at;
} said[LOG_LINES];
static size_t n_said;

static void tail_open(tail *t, const char *path)
{
	t->fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	if (t->fd < 0)
		abort();
}

/* Call fn for each new complete line. */
static void tail_read(tail *t, void (*fn)(char *line))
{
	ssize_t k;

	while ((k = read(t->fd, t->text + t->n, sizeof t->text - t->n)) > 0) {
		char *from = t->text, *end;

		t->n += (size_t)k;
		while ((end = memchr(from, '\n', t->n - (size_t)(from - t->text)))) {
			*end = 0;
			t->lines++;
			fn(from);
			from = end + 1;
		}
		t->n -= (size_t)(from - t->text);
		memmove(t->text, from, t->n);
	}
}

/* ---- the log ---- */

static void on_log(char *line)
{
	const double now = kws_clock_mono();

	for (size_t i = 0; i < LOG_LINES; i++)
		if (said[i].at > now - 1.0 && !strcmp(said[i].text, line))
			world_fail("twice in a second in the log: %s", line);
	world_note("    %.200s", line);
	snprintf(said[n_said % LOG_LINES].text, LINE, "%s", line);
	said[n_said++ % LOG_LINES].at = now;
}

/* ---- events ---- */

static double seconds_of(const char *iso)
{
	struct tm tm = { 0 };
	double fraction = 0.0;
	const char *rest = strptime(iso, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!rest || sscanf(rest, "%lfZ", &fraction) != 1)
		world_fail("no time: %s", iso);
	return (double)timegm(&tm) + fraction;
}

static unsigned room_of(const char *name)
{
	unsigned i = 0;

	while (i < ROOMS && strcmp(the_world.rooms[i].name, name) != 0)
		i++;
	if (i == ROOMS)
		world_fail("an event of %s", name);
	return i;
}

/* The wall time may be off as much as the start of the word, and by the time that the machine was
 * suspended or the wall clock was moved meanwhile. */
static void check_wall(const room *r, const word_said *w, double start)
{
	double may = 0.3 + r->unknown_s;

	if (w->cut || w->doubtful)
		may += w->end - w->start;
	if (the_world.jumped_at > w->start - 1.0)
		may += fabs(the_world.jump_s);
	if (fabs(start - w->wall) > may)
		world_fail("%s: %s at %.2f: its time is %.2f s off, of %.2f", r->name,
			   tone_word(w->tone), w->start, start - w->wall, may);
}

static void account_for(unsigned i, const json_t *event)
{
	account *a = &accounts[i];

	a->gaps += (unsigned)json_integer_value(json_object_get(event, "gap_count"));
	a->gap_s += json_number_value(json_object_get(event, "gap_s"));
	if (a->gaps < a->seen_gaps || a->gap_s < a->seen_gap_s - 0.01)
		world_fail("%s: events told of %u gaps of %.2f s, and there were %u of %.2f s",
			   the_world.rooms[i].name, a->gaps, a->gap_s, a->seen_gaps, a->seen_gap_s);
}

static void on_event(char *line)
{
	json_error_t err;
	json_t *event = json_loads(line, 0, &err);
	const char *name, *word, *time, *id, *spotter, *after = "";

	if (!event)
		world_fail("no JSON: %s: %s", err.text, line);
	if (json_unpack(event, "{s:s, s:s, s:s, s:s, s:s, s?s}", "listener", &name, "word", &word,
			"start_time", &time, "id", &id, "spotter", &spotter, "after", &after)
	    != 0)
		world_fail("an event lacks something: %s", line);
	const unsigned i = room_of(name);
	world_note("%s: %s", name, line);
	const word_said *w = room_heard(&the_world.rooms[i], tone_of_word(word), world_fail);
	check_wall(&the_world.rooms[i], w, seconds_of(time));
	if (the_world.now.gated && kws_clock_mono() > the_world.taken_at + 3.0
	    && !strcmp(spotter, "beta") && !*after)
		world_fail("an event of a model that waits for another names none: %s", line);
	account_for(i, event);
	last_event = kws_clock_mono();
	readers_learn(id);
	json_decref(event);
}

static void nothing(char *line)
{
	(void)line;
}

/* ---- counters ---- */

static const kws_listener_stats *stats_of(unsigned i)
{
	for (size_t k = 0; k < the_world.shot.n_listeners; k++)
		if (!strcmp(the_world.shot.listener[k].name, the_world.rooms[i].name))
			return &the_world.shot.listener[k];
	return NULL;
}

/* Audio heard and audio lost must add up to the time since the listener began. */
static void check_account(unsigned i)
{
	account *a = &accounts[i];
	room *r = &the_world.rooms[i];
	const kws_listener_stats *st = stats_of(i);

	if (!st) {
		if (the_world.now.on[i])
			world_fail("%s is not listened to", r->name);
		return;
	}
	if (!(a->since > 0.0) && st->heard_s > 0.0) {
		a->since = kws_clock_mono() - st->heard_s - st->gap_s;
		a->got_s = r->got_s - st->heard_s;
		a->unsaid_s = r->unsaid_s;
	}
	if (a->gaps > st->gaps || a->gap_s > st->gap_s + 0.01)
		world_fail("%s: events told of %u gaps of %.2f s, and there were %u of %.2f s",
			   r->name, a->gaps, a->gap_s, st->gaps, st->gap_s);
	a->seen_gaps = st->gaps;
	a->seen_gap_s = st->gap_s;
	if (!strcmp(st->state, "running"))
		a->ran_at = kws_clock_mono();
	/* backoff_max_s, and a slow close */
	if (fmin(kws_clock_mono() - a->ran_at, happenings_well_s(i)) > 35.0)
		world_fail("%s: its microphone is well, and it is %s", r->name, st->state);
	if (strcmp(st->state, "running") != 0 || st->quiet_s > 0.05
	    || kws_clock_mono() < r->burst_at + 1.0)
		return;
	/* the daemon may know of losses that nobody has reported */
	const double time = kws_clock_mono() - a->since, told = st->heard_s + st->gap_s;
	const double off = 0.2 + 0.06 * st->gaps, unsaid = r->unsaid_s - a->unsaid_s;
	if (told > time + off || told < time - off - unsaid)
		world_fail("%s: %.2f s heard and %.2f s lost in %u gaps are not %.2f s", r->name,
			   st->heard_s, st->gap_s, st->gaps, time);
	if (r->got_s - a->got_s < st->heard_s - 0.1
	    || r->got_s - a->got_s > st->heard_s + 0.2 + 0.06 * st->streams)
		world_fail("%s: %.2f s came, and %.2f s were heard", r->name, r->got_s - a->got_s,
			   st->heard_s);
}

static void check_sinks(void)
{
	for (size_t i = 0; i < the_world.shot.n_sinks; i++) {
		const kws_sink_stats *s = &the_world.shot.sink[i];

		if (!strcmp(s->name, "all") && (s->taken != all.lines || s->dropped || s->failed))
			world_fail("[file all] took %lu, dropped %lu, and has %lu lines", s->taken,
				   s->dropped, all.lines);
		if (!strcmp(s->name, "extra") && s->taken + s->dropped != all.lines - extra_from)
			world_fail("[file extra] took %lu, dropped %lu, of %lu events", s->taken,
				   s->dropped, all.lines - extra_from);
	}
}

void watch_new_listener(unsigned i)
{
	accounts[i] = (account){ .ran_at = kws_clock_mono() };
}

void watch_new_sink(void)
{
	extra_from = all.lines;
}

unsigned long watch_events(void)
{
	return all.lines;
}

double watch_quiet_s(void)
{
	return kws_clock_mono() - last_event;
}

void watch_begin(void)
{
	for (unsigned i = 0; i < ROOMS; i++)
		watch_new_listener(i);
	tail_open(&all, world_path("all"));
	tail_open(&extra, world_path("extra.jsonl"));
	tail_open(&logged, world_path("log"));
}

void watch_step(void)
{
	tail_read(&logged, on_log);
	tail_read(&all, on_event);
	tail_read(&extra, nothing);
	for (unsigned i = 0; i < ROOMS; i++)
		check_account(i);
	check_sinks();
}

void watch_end(void)
{
	tail_read(&logged, on_log);
	tail_read(&all, on_event);
}
