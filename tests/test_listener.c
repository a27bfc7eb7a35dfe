/* The listener: another model takes over in the middle of a stream, a little at a time, and no event is
 * lost or told twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audio/device_parts.h"
#include "daemon/listener.h"
#include "tiny_model.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HZ = 16000, SECONDS = 20, SWAP_S = 9, EVENTS = 64 };

static char dir[64];

typedef struct {
	size_t n;
	struct {
		char word[64], model[65];
		double start_s, end_s, decided_s;
	} event[EVENTS];
} heard;

static void note(void *ctx, const kws_report *r, bool near)
{
	heard *h = ctx;

	if (near)
		return;
	assert_true(h->n < EVENTS);
	snprintf(h->event[h->n].word, sizeof h->event[0].word, "%s", r->word);
	snprintf(h->event[h->n].model, sizeof h->event[0].model, "%s", r->model_hash);
	h->event[h->n].start_s = r->start_s;
	h->event[h->n].end_s = r->end_s;
	h->event[h->n].decided_s = (double)r->decided_sample / (double)r->rate_hz;
	h->n++;
}

static void ignore(void *ctx, const char *listener, const char *spotter, const kws_frame *f,
		   const float *score, double time_s)
{
	(void)ctx;
	(void)listener;
	(void)spotter;
	(void)f;
	(void)score;
	(void)time_s;
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

/* The same network under another hash: spaces at the end of the header. */
static void write_model(const char *name, bool other)
{
	size_t len;
	unsigned char *bytes = tiny_model_bytes(&tiny_default, &len);
	FILE *f = fopen(path_of(name), "wb");
	unsigned char n[8];

	assert_non_null(f);
	memcpy(n, bytes, sizeof n);
	n[0] = (unsigned char)(n[0] + (other ? 8 : 0)); /* its length is a multiple of 8 */
	assert_true(!other || n[0] >= 8);
	size_t header = 0;
	for (int i = 7; i >= 0; i--)
		header = header * 256 + bytes[i];
	fwrite(n, 1, 8, f);
	fwrite(bytes + 8, 1, header, f);
	if (other)
		fwrite("        ", 1, 8, f);
	fwrite(bytes + 8 + header, 1, len - 8 - header, f);
	assert_int_equal(fclose(f), 0);
	free(bytes);
}

/* Noise that comes and goes, so that the random network changes its mind now and then. */
static void write_sound(const char *name)
{
	FILE *f = fopen(path_of(name), "wb");
	unsigned noise = 7;

	assert_non_null(f);
	for (unsigned i = 0; i < SECONDS * HZ; i++) {
		unsigned beat = i / (HZ / 5);

		noise = noise * 1664525u + 1013904223u;
		short v = (short)((int)(noise >> 20) - 2048);
		v = (short)(v * (int)((beat * 2654435761u >> 28) % 8)
			    + (short)(i % (20 + beat % 50)) * 40);
		fwrite(&v, sizeof v, 1, f);
	}
	assert_int_equal(fclose(f), 0);
}

static kws_engine *engine(kws_conf *c, const char *model)
{
	kws_engine *e = NULL;
	kws_models m;
	kws_error err = { "" };

	snprintf(c->model[0].path, sizeof c->model[0].path, "%s", path_of(model));
	if (kws_models_load(&m, c, NULL, &err) != KWS_OK
	    || kws_engine_create(&e, m.model[0], c, &c->model[0], &err) != KWS_OK)
		fail_msg("%s", err.text);
	kws_models_release(&m);
	return e;
}

static void pause_briefly(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 500000L }, NULL);
}

static void hear_with(kws_listener *l, kws_engine *e)
{
	kws_hearing_engines(kws_listener_hearing(l), &e, 1);
}

static uint64_t come_to(kws_listener *l)
{
	return kws_ear_heard(kws_engine_ear(kws_hearing_engine(kws_listener_hearing(l), "")));
}

/* Hear the file; swap_at not NULL: another model takes over after SWAP_S, and that is the sample.
 * Returns the largest number of samples by which one step brought the engine on while it was behind.
 */
static uint64_t hear(heard *h, uint64_t *swap_at)
{
	kws_conf c;
	kws_listener *listener;
	kws_error err = { "" };
	enum kws_capture_state state = KWS_CAPTURE_CLOSED;
	uint64_t most = 0;
	bool swapped = false, behind = false;

	memset(h, 0, sizeof *h);
	kws_conf_defaults(&c);
	snprintf(c.audio[0].device, sizeof c.audio[0].device, "raw:%s", path_of("sound"));
	const kws_observer to = { note, ignore, h };
	assert_int_equal(kws_listener_create(&listener, &c.audio[0], &to, &err), KWS_OK);
	hear_with(listener, engine(&c, "a"));
	while (state != KWS_CAPTURE_ENDED) {
		uint64_t before = come_to(listener);

		state = kws_listener_step(listener);
		double now = kws_listener_heard_s(listener);
		uint64_t after = come_to(listener);
		if (behind && after > before && after - before > most)
			most = after - before;
		behind = behind && (double)after < now * HZ - HZ;
		if (swap_at && !swapped && now >= SWAP_S) {
			swapped = behind = true;
			*swap_at = after;
			hear_with(listener, engine(&c, "b"));
			/* nothing is heard within the swap */
			assert_true((double)come_to(listener) <= (now - 2.9) * HZ);
		}
		pause_briefly();
	}
	kws_listener_finish(listener);
	assert_true(kws_listener_destroy(listener, 5000));
	return most;
}

typedef struct {
	heard *h;
	uint64_t at; /* the swap */
	size_t old;  /* events before it */
} rest;

/* An event of the new engine alone: told, unless the old engine decided there, or told of it. */
static void note_rest(void *ctx, kws_engine *e, const kws_event *ev, bool near)
{
	(void)e;
	rest *r = ctx;
	heard *h = r->h;
	double start = (double)ev->start / HZ, end = (double)ev->end / HZ;

	if (near || (double)ev->sample + 0.3 * HZ < (double)r->at)
		return;
	for (size_t i = 0; i < r->old; i++)
		if (ev->start < r->at && start < h->event[i].end_s && h->event[i].start_s < end)
			return;
	assert_true(h->n < EVENTS);
	h->event[h->n].start_s = start;
	h->event[h->n++].decided_s = (double)ev->sample / HZ;
}

/* What must be told: of the old engine's events those before the swap, then what the new one makes
 * of the sound from three seconds before the swap on. */
static void expect(heard *h, uint64_t at)
{
	kws_conf c;
	static float sound[SECONDS * HZ];
	const uint64_t from = at - 3 * HZ;
	size_t hops = SIZE_MAX, n = 0;
	FILE *f = fopen(path_of("sound"), "rb");
	short v;

	while (h->n && h->event[h->n - 1].decided_s * HZ > (double)at)
		h->n--;
	rest r = { h, at, h->n };
	kws_conf_defaults(&c);
	kws_engine *e = engine(&c, "b");
	assert_non_null(f);
	while (fread(&v, sizeof v, 1, f) == 1)
		sound[n++] = (float)v / 32768.0f;
	fclose(f);
	assert_int_equal(n, SECONDS * HZ);
	const kws_history all = { sound, n, n };
	kws_engine_listen(e, note_rest, NULL, &r);
	assert_int_equal(kws_engine_start(e, HZ, from, NULL), KWS_OK);
	assert_true(kws_ear_hear(kws_engine_ear(e), &all, n, &hops));
	kws_ear_skip(kws_engine_ear(e), n);
	kws_engine_destroy(e);
}

static void test_swap(void **state)
{
	heard want, got;
	uint64_t at;
	size_t of_b = 0;

	(void)state;
	hear(&want, NULL);
	assert_true(want.n >= 8);
	uint64_t most = hear(&got, &at);
	assert_in_range(most, 1, HZ / 2); /* and not three seconds in one go */
	expect(&want, at);
	assert_int_equal(got.n, want.n);
	for (size_t i = 0; i < got.n; i++) {
		assert_true(got.event[i].start_s == want.event[i].start_s);
		assert_true(got.event[i].decided_s == want.event[i].decided_s);
		of_b += strcmp(got.event[i].model, got.event[0].model) != 0;
	}
	assert_in_range(of_b, 1, got.n - 1);
}

static unsigned fetched;

/* A sound system that has another piece each time that it is asked. */
static void fetch(kws_device *d)
{
	static const float piece[6 * HZ / 100];

	kws_ring_write(&d->ring, piece, sizeof piece / sizeof *piece);
	atomic_fetch_add(&d->blocks, 1);
	fetched++;
}

static enum kws_status open_fetched(kws_device *d, const kws_device_config *cfg, kws_error *err)
{
	snprintf(d->name, sizeof d->name, "%s", cfg->name);
	d->rate_hz = HZ;
	d->channels = 1;
	d->fetch = fetch;
	return kws_device_room(d, err);
}

/* Asking the sound system costs as much as hearing a hop. */
static void test_a_step_fetches_once(void **state)
{
	kws_conf c;
	kws_listener *listener;
	heard h = { 0 };

	(void)state;
	kws_conf_defaults(&c);
	const kws_observer to = { note, ignore, &h };
	kws_device_open_by(open_fetched);
	assert_int_equal(kws_listener_create(&listener, &c.audio[0], &to, NULL), KWS_OK);
	hear_with(listener, engine(&c, "a"));
	while (!(kws_listener_heard_s(listener) > 0.0)) {
		kws_listener_step(listener);
		pause_briefly();
	}
	for (unsigned i = 1; i <= 10; i++) {
		assert_int_equal(fetched, i);
		assert_in_range(come_to(listener), 1, i * 6 * HZ / 100);
		kws_listener_step(listener);
	}
	kws_listener_finish(listener);
	assert_true(kws_listener_destroy(listener, 5000));
	kws_device_open_by(NULL);
}

/* Whether the descriptor comes to rest: a thread may still tell of what was fetched already, but not
 * for ever. */
static bool rests(kws_listener *l)
{
	struct pollfd p = { .fd = kws_listener_data_fd(l), .events = POLLIN };
	int told = 1;

	for (int i = 0; i < 10 && told == 1; i++) {
		told = poll(&p, 1, 100);
		kws_listener_step(l);
	}
	return told == 0;
}

/* A pipe that pauses wakes nobody, even in the middle of a hop. */
static void test_a_pipe_rests(void **state)
{
	static const short s[HZ / 100 + 90];
	enum { N = sizeof s / sizeof *s };
	kws_conf c;
	kws_listener *listener;
	heard h = { 0 };

	(void)state;
	kws_conf_defaults(&c);
	assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
	snprintf(c.audio[0].device, sizeof c.audio[0].device, "raw:%s", path_of("pipe"));
	const kws_observer to = { note, ignore, &h };
	assert_int_equal(kws_listener_create(&listener, &c.audio[0], &to, NULL), KWS_OK);
	hear_with(listener, engine(&c, "a"));
	for (; kws_listener_data_fd(listener) < 0; pause_briefly())
		kws_listener_step(listener);
	const int w = open(path_of("pipe"), O_WRONLY);
	for (uint64_t n = N; n < 4 * N; n += N) {
		assert_int_equal(write(w, s, sizeof s), sizeof s);
		for (; come_to(listener) < n / (HZ / 100) * (HZ / 100); pause_briefly())
			kws_listener_step(listener);
		assert_true(rests(listener));
	}
	close(w);
	unlink(path_of("pipe"));
	assert_true(kws_listener_destroy(listener, 5000));
}

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/kws-listener.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	write_model("a", false);
	write_model("b", true);
	write_sound("sound");
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "a", "b", "sound" };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		unlink(path_of(names[i]));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_swap),
					    cmocka_unit_test(test_a_step_fetches_once),
					    cmocka_unit_test(test_a_pipe_rests) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
