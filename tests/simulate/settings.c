#define _GNU_SOURCE /* SOCK_NONBLOCK */
#include "tests/simulate/world.h"

#include "runtime/clock.h"

#include <errno.h>
#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void settings_default(settings *s)
{
	*s = (settings){
		.on = { true, true }, .extra = true, .socket = true, .clips = true, .outage_s = 300
	};
}

void settings_write(const settings *s)
{
	const char *dir = the_world.dir;
	FILE *f = fopen(world_path("kwsd.conf"), "w");

	if (!f)
		abort();
	fprintf(f, "[model alpha]\npath = %s/alpha%s.st\n", dir, s->other_model ? "2" : "");
	fprintf(f, "[model beta]\npath = %s/beta.st\n%s", dir,
		s->gated ? "after = alpha\nwithin_s = 5\n" : "");
	for (unsigned i = 0; i < ROOMS; i++)
		if (s->on[i])
			fprintf(f, "[audio %s]\ndevice = %s\nsilence_s = 10\n",
				the_world.rooms[i].name, the_world.rooms[i].name);
	fprintf(f, "[threshold alpha]\n%s%s[threshold beta]\n%s%s", s->off[0] ? "ut = off\n" : "",
		s->off[1] ? "re = off\n" : "", s->off[2] ? "mi = off\n" : "",
		s->off[3] ? "fa = off\n" : "");
	fprintf(f, "[file all]\npath = %s/all\nqueue = 1000\n", dir);
	if (s->extra)
		fprintf(f, "[file extra]\npath = %s/extra\nqueue = 20\n", dir);
	if (s->socket)
		fprintf(f, "[socket]\npath = %s/socket\nbuffer_kb = 4\n", dir);
	if (s->clips)
		fprintf(f, "[clips]\ndir = %s/clips\nquota_mb = 1\n", dir);
	fprintf(f,
		"[control]\npath = %s/control\nstate =\n[stdout]\nenabled = "
		"no\n[journal]\nenabled = "
		"no\n[log]\nstats_s = 600\n",
		dir);
	fprintf(f, "[service]\noutage_s = %u\n%s", s->outage_s, s->broken ? s->broken : "");
	if (fclose(f) != 0)
		abort();
}

/* A change may hide words that are said at that moment, but no others. */
static void take(const settings *s)
{
	world *w = &the_world;

	for (unsigned i = 0; i < ROOMS; i++) {
		room *r = &w->rooms[i];

		for (unsigned t = 0; t < TONES; t++) {
			const bool off = !s->on[i] || s->off[t];

			if (off != r->off[t])
				room_doubt_tone(r, t, 3.0, 1.0);
			r->off[t] = off;
			if (s->gated != r->gated && t >= TONES_A_MODEL)
				room_doubt_tone(r, t, GATE_S + 3.0, GATE_S + 1.0);
		}
		r->gated = s->gated;
		if (s->on[i] && !w->now.on[i])
			watch_new_listener(i);
	}
	if (s->extra && !w->now.extra)
		watch_new_sink();
	if (!s->socket)
		w->socket_went = kws_clock_mono();
	w->now = *s;
	w->taken_at = kws_clock_mono();
}

/* ---- over the control socket ---- */

static int control = -1;
static double asked_at; /* 0: no request is open */
static double answered_at;

static void ask(const char *request)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (control < 0) {
		strcpy(to.sun_path, world_path("control"));
		control = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connect(control, (const struct sockaddr *)&to, sizeof to) != 0)
			world_fail("control: %s", strerror(errno));
	}
	if (write(control, request, strlen(request)) != (ssize_t)strlen(request))
		world_fail("control: %s", strerror(errno));
	asked_at = kws_clock_mono();
}

bool settings_are_asked_for(void)
{
	return asked_at > 0.0 || kws_clock_mono() < answered_at + 1.5;
}

void settings_reload(const settings *s)
{
	the_world.next = *s;
	settings_write(s);
	ask("{\"request\":\"reload\"}\n");
}

void settings_set(unsigned tone, bool off)
{
	char request[128];

	the_world.next = the_world.now;
	the_world.next.off[tone] = off;
	snprintf(request, sizeof request,
		 "{\"request\":\"set\",\"values\":{\"threshold %s.%s\":%s}}\n",
		 tone < TONES_A_MODEL ? "alpha" : "beta", tone_word(tone), off ? "\"off\"" : "0.5");
	ask(request);
}

static void on_answer(const char *line)
{
	world *w = &the_world;
	json_t *answer = json_loads(line, 0, NULL);
	const char *error = "";
	int ok = false;

	if (!answer || json_unpack(answer, "{s:b, s?s}", "ok", &ok, "error", &error) != 0)
		world_fail("control: %s", line);
	world_note("control: %s", line);
	if (ok == !!w->next.broken)
		world_fail("control: %s", line);
	asked_at = 0.0;
	answered_at = kws_clock_mono();
	if (ok) {
		w->taken++;
		take(&w->next);
	} else {
		w->refused++;
		settings_write(&w->now);
	}
	json_decref(answer);
}

void settings_step(void)
{
	static char text[16384];
	static size_t n;
	char *end;

	if (!(asked_at > 0.0))
		return;
	const ssize_t k = read(control, text + n, sizeof text - n);
	n += k > 0 ? (size_t)k : 0;
	if (n && (end = memchr(text, '\n', n))) {
		*end = 0;
		n = 0;
		on_answer(text);
	} else if (k == 0 || kws_clock_mono() > asked_at + 5.0) {
		world_fail("control: no answer");
	}
}
