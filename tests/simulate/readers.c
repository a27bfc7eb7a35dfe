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

enum { MOST = 6, EVENTS = 1 << 20, TEXT = 16384 };

typedef struct {
	int fd;		      /* -1: no reader */
	double next, every_s; /* when it reads: fast, slowly, or not at all for a long time */
	double came, leaves;
	char text[TEXT];
	size_t n;
	unsigned long
		after; /* the last event it got; at first, the one before the first it may get */
} reader;

static reader readers[MOST] = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 },
				{ .fd = -1 }, { .fd = -1 }, { .fd = -1 } };
static uint64_t events[EVENTS]; /* hashes of all ids, from 1 */
static unsigned long n_events;

static uint64_t hash(const char *text)
{
	uint64_t h = 1469598103934665603ull;

	while (*text)
		h = (h ^ (unsigned char)*text++) * 1099511628211ull;
	return h;
}

void readers_learn(const char *id)
{
	events[++n_events % EVENTS] = hash(id);
}

void readers_come(void)
{
	static const double paces[] = { 0.0, 0.0, 5.0, 3000.0 };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	reader *r = readers;

	while (r < readers + MOST && r->fd >= 0)
		r++;
	if (r == readers + MOST || !the_world.now.socket)
		return;
	strcpy(to.sun_path, world_path("socket"));
	r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connect(r->fd, (const struct sockaddr *)&to, sizeof to) != 0)
		world_fail("a reader cannot connect: %s", strerror(errno));
	r->n = 0;
	r->every_s = paces[(size_t)draw(&the_world.seed, 0.0, 4.0)];
	r->came = r->next = kws_clock_mono();
	r->leaves = r->next + draw(&the_world.seed, 1.0, 900.0 + 3.0 * r->every_s);
	r->after = n_events;
	world_note("a reader comes, and reads every %g s", r->every_s);
}

static void leave(reader *r)
{
	close(r->fd);
	r->fd = -1;
}

/* Check that each event is new to this reader and has the right number of lost events before it. */
static void take(reader *r, const char *line)
{
	json_t *event = json_loads(line, 0, NULL);
	const char *id;
	json_int_t dropped;
	unsigned long k = r->after + 1;

	if (!event || json_unpack(event, "{s:s, s:I}", "id", &id, "dropped", &dropped) != 0)
		world_fail("a reader got no event: %s", line);
	while (k <= n_events && events[k % EVENTS] != hash(id))
		k++;
	if (k > n_events)
		world_fail("a reader got what is no event, or for the second time: %s", line);
	/* a reader that had just connected may have missed the first one */
	if (k - r->after - 1 != (unsigned long)dropped)
		world_fail("a reader lost %lu events, and was told of %lld: %s", k - r->after - 1,
			   (long long)dropped, line);
	the_world.lost += (unsigned long)dropped;
	r->after = k;
	json_decref(event);
}

static void read_lines(reader *r)
{
	ssize_t k;

	while ((k = read(r->fd, r->text + r->n, sizeof r->text - r->n)) > 0) {
		char *from = r->text, *end;

		r->n += (size_t)k;
		while ((end = memchr(from, '\n', r->n - (size_t)(from - r->text)))) {
			*end = 0;
			take(r, from);
			from = end + 1;
		}
		r->n -= (size_t)(from - r->text);
		memmove(r->text, from, r->n);
	}
	if (k == 0 && r->came > the_world.socket_went)
		world_fail("a reader was sent away");
	if (k == 0)
		leave(r);
}

void readers_step(void)
{
	const double now = kws_clock_mono();

	for (reader *r = readers; r < readers + MOST; r++) {
		if (r->fd >= 0 && now >= r->next) {
			r->next = now + r->every_s;
			read_lines(r);
		}
		if (r->fd >= 0 && now > r->leaves)
			leave(r);
	}
}

void readers_leave(void)
{
	for (reader *r = readers; r < readers + MOST; r++)
		if (r->fd >= 0)
			leave(r);
}
