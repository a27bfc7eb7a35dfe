#include "tests/fake/device.h"

#include "audio/device_parts.h"
#include "runtime/clock.h"
#include "tests/fake/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8, BLOCK = 4096 };
static const double block_s = 0.01;

struct fake_microphone {
	char name[KWS_DEVICE_NAME];
	unsigned rate_hz;
	fake_sound_fn *sound;
	fake_given_fn *given;
	void *ctx, *given_ctx;
	fake_behaviour does;
	kws_device *stream; /* NULL: closed */
	uint64_t next;	    /* the next sample to deliver */
	bool overflown;	    /* the next samples report an overflow */
	bool closing;	    /* nothing more is delivered */
	unsigned asked, opened;
};

/* Threads of captures open and close; the test's own thread does everything else. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static fake_microphone microphones[MOST];
static size_t n_microphones;
static bool running;

static uint64_t sample_now(const fake_microphone *m)
{
	return (uint64_t)(kws_clock_mono() * m->stream->rate_hz + 1e-3);
}

/* ---- delivery ---- */

static void give(fake_microphone *m, size_t n)
{
	static float pcm[BLOCK];
	kws_device *d = m->stream;

	if (m->overflown)
		atomic_fetch_add(&d->overflows, 1);
	m->overflown = false;
	for (size_t k; n; n -= k) {
		k = n < BLOCK ? n : BLOCK;
		if (m->does.constant)
			for (size_t i = 0; i < k; i++)
				pcm[i] = 0.25f;
		else
			m->sound(m->ctx, m->next, d->rate_hz, pcm, k);
		const size_t written = kws_ring_write(&d->ring, pcm, k);
		if (m->given && written)
			m->given(m->given_ctx, m->opened, (double)m->next / d->rate_hz,
				 (double)(m->next + written) / d->rate_hz);
		m->next += k;
	}
	atomic_fetch_add(&d->blocks, 1);
}

static void come(fake_microphone *m)
{
	const uint64_t now = sample_now(m);

	if (m->does.late || now <= m->next)
		return;
	if (m->does.stalled)
		m->next = now;
	else
		give(m, (size_t)(now - m->next));
}

static void every_block(void *ctx)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < n_microphones; i++)
		if (microphones[i].stream && !microphones[i].closing
		    && !atomic_load(&microphones[i].stream->ended))
			come(&microphones[i]);
	if (running)
		fake_clock_at(kws_clock_mono() + block_s, every_block, ctx);
	pthread_mutex_unlock(&lock);
}

/* ---- open and close, on another thread ---- */

static fake_behaviour behaviour(fake_microphone *m)
{
	pthread_mutex_lock(&lock);
	const fake_behaviour b = m->does;
	pthread_mutex_unlock(&lock);
	return b;
}

static void stop(kws_device *d)
{
	fake_microphone *m = d->part;

	pthread_mutex_lock(&lock);
	const fake_behaviour b = m->does;
	m->closing = true;
	pthread_mutex_unlock(&lock);
	if (b.close_hangs)
		fake_clock_hang(m);
	if (b.close_takes_s > 0.0)
		kws_clock_sleep(b.close_takes_s);
	pthread_mutex_lock(&lock);
	m->stream = NULL;
	pthread_mutex_unlock(&lock);
}

static enum kws_status begin(fake_microphone *m, kws_device *d, kws_error *err)
{
	snprintf(d->name, sizeof d->name, "%s", m->name);
	d->rate_hz = m->rate_hz;
	d->channels = 1;
	if (m->stream)
		return kws_fail(err, KWS_ERR_DEVICE, "%s: busy", m->name);
	const enum kws_status status = kws_device_room(d, err);
	if (status != KWS_OK)
		return status;
	d->part = m;
	d->stop = stop;
	m->stream = d;
	m->next = sample_now(m);
	m->overflown = m->closing = false;
	m->opened++;
	return KWS_OK;
}

static enum kws_status open_one(kws_device *d, const kws_device_config *cfg, kws_error *err)
{
	fake_microphone *m = NULL;

	for (size_t i = 0; i < n_microphones; i++)
		if (!strcmp(microphones[i].name, cfg->name))
			m = &microphones[i];
	if (!m)
		return kws_fail(err, KWS_ERR_DEVICE, "%s: no such microphone", cfg->name);
	pthread_mutex_lock(&lock);
	m->asked++;
	pthread_mutex_unlock(&lock);
	if (behaviour(m).open_hangs)
		fake_clock_hang(m);
	if (behaviour(m).open_takes_s > 0.0)
		kws_clock_sleep(behaviour(m).open_takes_s);
	const fake_behaviour b = behaviour(m);
	if (b.refuses)
		return kws_fail(err, b.refuses_as == KWS_OK ? KWS_ERR_DEVICE : b.refuses_as,
				"%s: %s", m->name, b.refuses);
	pthread_mutex_lock(&lock);
	const enum kws_status status = begin(m, d, err);
	pthread_mutex_unlock(&lock);
	return status;
}

/* ---- for the test ---- */

void fake_devices_start(void)
{
	n_microphones = 0;
	running = true;
	kws_device_open_by(open_one);
	fake_clock_at(kws_clock_mono() + block_s, every_block, NULL);
}

void fake_devices_stop(void)
{
	running = false;
	kws_device_open_by(NULL);
}

fake_microphone *fake_microphone_add(const char *name, unsigned rate_hz, fake_sound_fn *sound,
				     void *ctx)
{
	if (n_microphones == MOST)
		abort();
	fake_microphone *m = &microphones[n_microphones];
	*m = (fake_microphone){ .rate_hz = rate_hz, .sound = sound, .ctx = ctx };
	snprintf(m->name, sizeof m->name, "%s", name);
	n_microphones++;
	return m;
}

fake_behaviour *fake_microphone_does(fake_microphone *m)
{
	return &m->does;
}

void fake_microphone_release(fake_microphone *m)
{
	m->does.open_hangs = m->does.close_hangs = false;
	fake_clock_release(m);
}

void fake_microphone_end(fake_microphone *m, bool for_good, const char *trouble)
{
	pthread_mutex_lock(&lock);
	if (m->stream) {
		come(m);
		snprintf(m->stream->trouble, sizeof m->stream->trouble, "%s", trouble);
		atomic_store(&m->stream->finished, for_good);
		atomic_store(&m->stream->ended, true);
	}
	pthread_mutex_unlock(&lock);
}

void fake_microphone_overflow(fake_microphone *m, size_t samples)
{
	pthread_mutex_lock(&lock);
	if (m->stream) {
		come(m);
		m->next += samples;
		m->overflown = true;
	}
	pthread_mutex_unlock(&lock);
}

void fake_microphone_set_rate(fake_microphone *m, unsigned rate_hz)
{
	m->rate_hz = rate_hz;
}

unsigned fake_microphone_rate(const fake_microphone *m)
{
	return m->rate_hz;
}

bool fake_microphone_is_open(const fake_microphone *m)
{
	pthread_mutex_lock(&lock);
	const bool open = m->stream != NULL;
	pthread_mutex_unlock(&lock);
	return open;
}

unsigned fake_microphone_opened(const fake_microphone *m)
{
	pthread_mutex_lock(&lock);
	const unsigned n = m->opened;
	pthread_mutex_unlock(&lock);
	return n;
}

unsigned fake_microphone_asked(const fake_microphone *m)
{
	pthread_mutex_lock(&lock);
	const unsigned n = m->asked;
	pthread_mutex_unlock(&lock);
	return n;
}

void fake_microphone_tell(fake_microphone *m, fake_given_fn *given, void *ctx)
{
	m->given = given;
	m->given_ctx = ctx;
}
