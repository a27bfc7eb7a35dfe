#include "tests/simulate/world.h"

#include "runtime/clock.h"
#include "tests/fake/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MEAN_S = 12 };

static double well_at[ROOMS], well_since[ROOMS], disk_well_at, clips_well_at, swap_at;
static bool disk_full, clips_gone;

static double some(double lo, double hi)
{
	return draw(&the_world.seed, lo, hi);
}

/* A random time in lo..hi, log-uniform: mostly short, sometimes long. */
static double a_while(double lo, double hi)
{
	return lo * pow(hi / lo, some(0.0, 1.0));
}

static unsigned some_room(void)
{
	return (unsigned)some(0.0, ROOMS);
}

/* Draw a room, for something that lasts s seconds; NULL: its microphone does not work now. */
static room *well(double *until, double s)
{
	const unsigned i = some_room();

	if (well_at[i] > 0.0)
		return NULL;
	well_at[i] = *until = kws_clock_mono() + s;
	return &the_world.rooms[i];
}

static void is_unplugged(void)
{
	double until;
	room *r = well(&until, a_while(0.5, 300.0));

	if (!r)
		return;
	world_note("%s: unplugged until %.2f", r->name, until);
	fake_microphone_does(r->mic)->refuses = "unplugged";
	if (some(0.0, 1.0) < 0.5)
		fake_microphone_end(r->mic, false, "unplugged");
	else
		fake_microphone_does(r->mic)->stalled = true;
}

static void stalls(void)
{
	double until;
	room *r = well(&until, a_while(0.05, 8.0));

	if (!r)
		return;
	world_note("%s: stalls until %.2f", r->name, until);
	fake_microphone_does(r->mic)->stalled = true;
}

/* Audio is late and then comes all at once. */
static void is_late(void)
{
	double until;
	room *r = well(&until, a_while(0.05, 3.0));

	if (!r)
		return;
	world_note("%s: late until %.2f", r->name, until);
	fake_microphone_does(r->mic)->late = true;
}

static void is_muted(void)
{
	double until;
	room *r = well(&until, a_while(1.0, 200.0));

	if (!r)
		return;
	world_note("%s: muted until %.2f", r->name, until);
	fake_microphone_does(r->mic)->constant = true;
}

static void opens_slowly(void)
{
	double until;
	room *r = well(&until, 60.0);

	if (!r)
		return;
	world_note("%s: gone, and slow until %.2f", r->name, until);
	fake_microphone_does(r->mic)->open_takes_s = some(1.0, 12.0);
	fake_microphone_does(r->mic)->close_takes_s = some(0.0, 2.5);
	fake_microphone_end(r->mic, false, "gone");
}

static void has_another_rate(void)
{
	static const unsigned rates[] = { 48000, 44100, 8000 };
	const unsigned hz = rates[(size_t)some(0.0, 3.0)];
	double until;
	room *r = well(&until, a_while(5.0, 60.0));

	if (!r)
		return;
	world_note("%s: %u Hz until %.2f", r->name, hz, until);
	fake_microphone_set_rate(r->mic, hz);
	fake_microphone_end(r->mic, false, "it has another rate");
}

static void overflows(void)
{
	room *r = &the_world.rooms[some_room()];
	const size_t n = (size_t)a_while(100.0, 6000.0);

	world_note("%s: %zu samples lost", r->name, n);
	room_overflow(r, n);
}

static void server_dies(void)
{
	const double until = kws_clock_mono() + a_while(0.5, 120.0);

	world_note("the sound server is dead until %.2f", until);
	for (unsigned i = 0; i < ROOMS; i++) {
		fake_behaviour *b = fake_microphone_does(the_world.rooms[i].mic);

		well_at[i] = until;
		b->refuses = "connection refused";
		b->stalled = some(0.0, 1.0) < 0.3;
		if (!b->stalled)
			fake_microphone_end(the_world.rooms[i].mic, false, "the server has gone");
	}
}

static void is_suspended(void)
{
	const double s = a_while(0.2, 50000.0);

	world_note("suspended for %.2f s", s);
	fake_clock_suspend(s);
	for (unsigned i = 0; i < ROOMS; i++)
		room_doubt(&the_world.rooms[i], 3.0, 1.0);
	the_world.jumped_at = kws_clock_mono();
	the_world.jump_s = s;
}

static void wall_jumps(void)
{
	const double s = a_while(1.5, 1e6) * (some(0.0, 1.0) < 0.5 ? -1.0 : 1.0);

	world_note("the wall clock is set by %.2f s", s);
	fake_clock_set_wall(s);
	the_world.jumped_at = kws_clock_mono();
	the_world.jump_s = s;
}

/* Make "extra" a link to its file, or to /dev/full. */
static void link_extra(bool full)
{
	const char *to = full ? "/dev/full" : world_path("extra.jsonl"),
		   *tmp = world_path("extra.new");

	if (symlink(to, tmp) != 0 || rename(tmp, world_path("extra")) != 0)
		abort();
}

static void disk_fills(void)
{
	if (disk_full)
		return;
	disk_well_at = kws_clock_mono() + a_while(1.0, 600.0);
	world_note("the disk is full until %.2f", disk_well_at);
	disk_full = true;
	link_extra(true);
}

static void move_clips(bool away)
{
	if (rename(world_path(away ? "clips" : "clips.away"),
		   world_path(away ? "clips.away" : "clips"))
	    != 0)
		abort();
	clips_gone = away;
}

static void clips_go(void)
{
	if (clips_gone)
		return;
	clips_well_at = kws_clock_mono() + a_while(1.0, 200.0);
	world_note("the folder of the clips is away until %.2f", clips_well_at);
	move_clips(true);
}

static void is_reloaded(void)
{
	settings s = the_world.now;

	s.broken = NULL;
	switch ((int)some(0.0, 9.0)) {
	case 0: s.on[1] = !s.on[1]; break;
	case 1: s.on[2] = !s.on[2]; break;
	case 2:
	case 3: s.other_model = !s.other_model; break;
	case 4: s.gated = !s.gated; break;
	case 5: s.off[(unsigned)some(0.0, TONES)] ^= true; break;
	case 6: s.extra = !s.extra; break;
	case 7: s.socket = !s.socket; break;
	default: s.outage_s = (unsigned)some(300.0, 600.0);
	}
	if (clips_gone || settings_are_asked_for())
		return; /* it would be refused */
	world_note("reload");
	settings_reload(&s);
}

/* Plan a swap in the middle of a word, or just before or after it. */
static void is_to_be_swapped(void)
{
	swap_at = room_next(&the_world.rooms[some_room()]) + some(-0.2, 1.0);
}

static void swap(void)
{
	settings s = the_world.now;

	swap_at = 0.0;
	if (clips_gone || settings_are_asked_for())
		return;
	s.other_model = !s.other_model;
	world_note("another model");
	settings_reload(&s);
}

static void a_word_is_set(void)
{
	const unsigned t = (unsigned)some(0.0, TONES);

	if (settings_are_asked_for())
		return;
	world_note("%s is switched %s", tone_word(t), the_world.now.off[t] ? "on" : "off");
	settings_set(t, !the_world.now.off[t]);
}

static void is_reloaded_in_vain(void)
{
	static const char *const wrong[] = { "nonsense = 3\n", "[model gamma]\npath = /none.st\n",
					     "[audio\n", "outage_s = many\n",
					     "[file all2]\npath = /\n" };
	settings s = the_world.now;

	if (settings_are_asked_for())
		return;
	s.broken = wrong[(size_t)some(0.0, 5.0)];
	world_note("reload of what cannot be");
	settings_reload(&s);
}

/* Make a microphone work again. A stream keeps its rate, so another rate needs a new stream. */
static void be_well(unsigned i)
{
	well_at[i] = 0.0;
	well_since[i] = kws_clock_mono();
	*fake_microphone_does(the_world.rooms[i].mic) = (fake_behaviour){ .refuses = NULL };
	if (fake_microphone_rate(the_world.rooms[i].mic) != 16000) {
		fake_microphone_set_rate(the_world.rooms[i].mic, 16000);
		fake_microphone_end(the_world.rooms[i].mic, false, "it has another rate");
	}
}

void happenings_undo(void)
{
	for (unsigned i = 0; i < ROOMS; i++)
		be_well(i);
	if (disk_full)
		link_extra(false);
	disk_full = false;
	if (clips_gone)
		move_clips(false);
}

static void undo_what_is_over(double now)
{
	for (unsigned i = 0; i < ROOMS; i++)
		if (well_at[i] > 0.0 && now >= well_at[i]) {
			world_note("%s: well again", the_world.rooms[i].name);
			be_well(i);
		}
	if (disk_full && now >= disk_well_at) {
		world_note("the disk has room again");
		link_extra(false);
		disk_full = false;
	}
	if (clips_gone && now >= clips_well_at) {
		world_note("the clips' folder is back");
		move_clips(false);
	}
}

double happenings_well_s(unsigned i)
{
	return well_at[i] > 0.0 ? 0.0 : kws_clock_mono() - well_since[i];
}

void happenings_step(void)
{
	static const struct {
		void (*happens)(void);
		unsigned weight;
	} all[] = { { is_unplugged, 3 },  { stalls, 6 },
		    { is_late, 6 },	  { is_muted, 2 },
		    { opens_slowly, 1 },  { has_another_rate, 1 },
		    { overflows, 4 },	  { server_dies, 1 },
		    { is_suspended, 1 },  { wall_jumps, 2 },
		    { disk_fills, 1 },	  { clips_go, 1 },
		    { is_reloaded, 6 },	  { is_reloaded_in_vain, 1 },
		    { a_word_is_set, 2 }, { is_to_be_swapped, 8 },
		    { readers_come, 4 } };
	const double now = kws_clock_mono();
	unsigned sum = 0, i = 0;

	undo_what_is_over(now);
	if (swap_at > 0.0 && now >= swap_at)
		swap();
	if (now < the_world.next_happening)
		return;
	the_world.next_happening = now - MEAN_S * log(1.0 - some(0.0, 1.0));
	for (size_t k = 0; k < sizeof all / sizeof *all; k++)
		sum += all[k].weight;
	for (double at = some(0.0, sum); at >= all[i].weight; i++)
		at -= all[i].weight;
	the_world.happened++;
	all[i].happens();
}
