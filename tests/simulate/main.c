/* simulate SEED HOURS - runs a daemon in a simulated world for HOURS of simulated time. */
#include "tests/simulate/world.h"

#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/signals.h"
#include "tests/fake/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NOTES = 60, NOTE = 512 };
static const double step_s = 0.1, calm_every_s = 1800.0;

world the_world;
static char notes[NOTES][NOTE];
static unsigned long n_notes;
static FILE *out; /* for our own output: the daemon has standard error */

const char *world_path(const char *name)
{
	static char paths[4][PATH];
	static unsigned n;
	char *path = paths[n++ % 4];

	if (snprintf(path, PATH, "%s/%s", the_world.dir, name) >= PATH)
		abort();
	return path;
}

void world_note(const char *format, ...)
{
	char *note = notes[n_notes++ % NOTES];
	va_list args;
	const int at = snprintf(note, NOTE, "%10.2f  ", kws_clock_mono());

	va_start(args, format);
	vsnprintf(note + at, NOTE - (size_t)at, format, args);
	va_end(args);
}

void world_fail(const char *format, ...)
{
	va_list args;

	for (unsigned long i = n_notes > NOTES ? n_notes - NOTES : 0; i < n_notes; i++)
		fprintf(out, "%s\n", notes[i % NOTES]);
	fprintf(out, "FAIL at %.2f s, simulate %llu: ", kws_clock_mono(),
		(unsigned long long)the_world.first_seed);
	va_start(args, format);
	vfprintf(out, format, args);
	va_end(args);
	fprintf(out, "\nthe folder: %s\n", the_world.dir);
	fflush(out);
	_exit(1);
}

static void on_abort(int number)
{
	(void)number;
	world_fail("aborted; %s may say why", world_path("log"));
}

/* ---- leaks ---- */

static size_t descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/* From time to time everything works for a while, and memory and descriptors are counted. First all
 * listeners are created anew: one that has had a high rate keeps its memory. */
static void begin_calm(void)
{
	world *w = &the_world;
	settings s;

	happenings_undo();
	readers_leave();
	settings_default(&s);
	for (unsigned i = 0; i < ROOMS; i++)
		s.on[i] = !s.on[i];
	world_note("calm");
	settings_reload(&s);
	w->calm = true;
	w->calm_until = kws_clock_mono() + 95.0;
}

static void stay_calm(double now)
{
	settings s;

	settings_default(&s);
	if (!settings_are_asked_for() && memcmp(&s, &the_world.now, sizeof s) != 0
	    && now > the_world.calm_until - 90.0)
		settings_reload(&s);
}

static void end_calm(void)
{
	world *w = &the_world;
	const size_t bytes = mallinfo2().uordblks + mallinfo2().hblkhd, n = descriptors();

	w->calm = false;
	w->counted_at = kws_clock_mono();
	w->next_calm = kws_clock_mono() + calm_every_s;
	world_note("%zu bytes and %zu descriptors", bytes, n);
	if (!w->bytes) {
		w->bytes = bytes;
		w->descriptors = n;
		return;
	}
	const kws_clips_stats *c = &w->shot.clips;
	if (c->written + c->dropped + c->failed != watch_events())
		world_fail("of %lu events %lu clips were written, %lu dropped and %lu failed",
			   watch_events(), c->written, c->dropped, c->failed);
	if (n != w->descriptors)
		world_fail("%zu descriptors are open, and were %zu", n, w->descriptors);
	if (bytes > w->bytes + 8192)
		world_fail("%zu bytes are allocated, and were %zu", bytes, w->bytes);
}

/* ---- time ---- */

static void step(void *ctx)
{
	world *w = ctx;
	const double now = kws_clock_mono();

	settings_step();
	kws_service_snapshot(w->service, &w->shot);
	for (unsigned i = 0; i < ROOMS; i++)
		room_step(&w->rooms[i], world_fail);
	watch_step();
	readers_step();
	if (w->calm && now < w->calm_until)
		stay_calm(now);
	else if (w->calm && watch_quiet_s() > 1.5) /* so the last clip is written */
		end_calm();
	else if (w->calm)
		stay_calm(now);
	else if ((now >= w->next_calm || now >= w->ends) && !settings_are_asked_for())
		begin_calm();
	else
		happenings_step();
	if (now >= w->ends && w->counted_at >= w->ends) {
		raise(SIGTERM);
		return;
	}
	fake_clock_at(now + step_s, step, w);
}

/* ---- start and end ---- */

static void say(void *ctx, const char *text)
{
	(void)ctx;
	world_fail("%s", text);
}

static void make_folder(void)
{
	world *w = &the_world;
	const char *tmp = getenv("TMPDIR");

	if (snprintf(w->dir, sizeof w->dir, "%s/kws-simulate.XXXXXX", tmp ? tmp : "/tmp")
		    >= PATH - 24
	    || !mkdtemp(w->dir) || mkdir(world_path("clips"), 0700) != 0)
		abort();
	tone_model_write(world_path("alpha.st"), "alpha", 0);
	tone_model_write(world_path("alpha2.st"), "alpha two", 0);
	tone_model_write(world_path("beta.st"), "beta", TONES_A_MODEL);
}

static void remove_folder(void)
{
	char command[PATH + 16];

	snprintf(command, sizeof command, "rm -rf '%s'", the_world.dir);
	if (system(command) != 0)
		fprintf(out, "%s is left\n", the_world.dir);
}

/* Send standard error of the daemon to a file, which watch.c reads. */
static void take_stderr(void)
{
	const int keep = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);

	out = fdopen(keep, "w");
	const int fd = open(world_path("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (!out || fd < 0)
		abort();
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static void start_daemon(kws_conf_source *src)
{
	static kws_setup setup;
	static char path[PATH];
	kws_error err = { "" };

	strcpy(path, world_path("kwsd.conf"));
	src->path = path;
	if (kws_signals_catch(&err) != KWS_OK || kws_setup_read(&setup, src, say, NULL)
	    || kws_setup_build(&setup, NULL, &err) != KWS_OK
	    || kws_setup_open(&setup, &err) != KWS_OK
	    || kws_service_create(&the_world.service, src, &setup, &err) != KWS_OK)
		world_fail("%s", err.text);
}

static void tell(double took_s)
{
	const world *w = &the_world;
	unsigned long must = 0, may = 0, none = 0, through = 0, events = 0;

	for (unsigned i = 0; i < ROOMS; i++) {
		must += w->rooms[i].must;
		may += w->rooms[i].may;
		none += w->rooms[i].none;
		through += w->rooms[i].through;
		events += w->rooms[i].events;
	}
	fprintf(out,
		"simulate %llu: %.1f hours in %.0f s: %lu happenings, %lu changes taken and %lu "
		"refused; %lu words came whole (%lu through a gate), %lu in part or in doubt, %lu "
		"not "
		"at all; %lu events, %lu lost by slow readers\n",
		(unsigned long long)w->first_seed, (kws_clock_mono() - w->began) / 3600.0, took_s,
		w->happened, w->taken, w->refused, must, through, may, none, events, w->lost);
}

int main(int argc, char **argv)
{
	static const char *const names[ROOMS] = { "desk", "door", "attic" };
	static kws_conf_source src;
	struct timespec began, ended;
	world *w = &the_world;

	/* otherwise free memory in the cache of each thread would count as used */
	if (!getenv("GLIBC_TUNABLES")
	    && setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1) == 0)
		execv("/proc/self/exe", argv);
	const double hours = argc == 3 ? strtod(argv[2], NULL) : 0.0;
	if (!(hours > 0.0)) {
		fprintf(stderr, "usage: simulate SEED HOURS\n");
		return 2;
	}
	w->first_seed = w->seed = strtoull(argv[1], NULL, 10);
	mallopt(M_ARENA_MAX, 1);
	make_folder();
	take_stderr();
	signal(SIGABRT, on_abort);
	clock_gettime(CLOCK_MONOTONIC, &began);
	fake_clock_start(1.8e9);
	fake_devices_start();
	for (unsigned i = 0; i < ROOMS; i++)
		room_begin(&w->rooms[i], names[i], w->seed + 1 + i);
	settings_default(&w->now);
	settings_write(&w->now);
	watch_begin();
	for (unsigned i = 0; i < ROOMS; i++)
		w->rooms[i].off[0] = w->rooms[i].off[1] = w->rooms[i].off[2] = w->rooms[i].off[3] =
			!w->now.on[i];
	start_daemon(&src);
	w->jumped_at = -1e9;
	w->began = kws_clock_mono();
	w->ends = kws_clock_mono() + 3600.0 * hours;
	w->next_calm = kws_clock_mono() + 600.0;
	w->next_happening = kws_clock_mono() + 20.0;
	fake_clock_at(kws_clock_mono() + step_s, step, w);
	const int status = kws_service_run(w->service);
	watch_end();
	if (status != 0)
		world_fail("the daemon ended with status %d", status);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	tell((double)(ended.tv_sec - began.tv_sec)
	     + 1e-9 * (double)(ended.tv_nsec - began.tv_nsec));
	fflush(out);
	remove_folder();
	_exit(0);
}
