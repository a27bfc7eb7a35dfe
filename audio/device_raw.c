#include "audio/device_parts.h"

#include "audio/source.h"
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BLOCK = 1024,
	PATIENCE_MS = 200 /* for the first bytes of a pipe, which may set another rate */
};

typedef struct raw {
	char name[KWS_DEVICE_NAME];
	kws_source_raw format; /* of samples without a header */
	unsigned channel;
	kws_source *source; /* NULL: the first bytes have not arrived yet */
	int fd, quit;	    /* quit: an event that stops the thread's waiting */
	bool pipe;	    /* bytes cannot be read twice */
	bool comes_back;    /* a named pipe: another writer may come */
	bool again;	    /* to be reopened in the format of its header */
	bool running;
	pthread_t thread;
	struct raw *next; /* in the list aside */
} raw;

/* Pipes that were closed before their end, kept for the next open of the same name. The source
 * holds what was read already. */
static raw *aside; /* a list with different names; under the lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Wait for fd or quit, at most timeout_ms. False: quit. */
static bool wait_for(const raw *r, int fd, int timeout_ms)
{
	struct pollfd p[2] = { { .fd = r->quit, .events = POLLIN },
			       { .fd = fd, .events = POLLIN } };

	while (poll(p, fd < 0 ? 1 : 2, timeout_ms) < 0 && errno == EINTR)
		continue;
	return !p[0].revents;
}

/* Wait until the ring has room for a block: a file is read no faster than it is used. */
static bool room(const kws_device *d, const raw *r, size_t written)
{
	while (written - atomic_load_explicit(&d->taken, memory_order_acquire) + BLOCK > d->cap)
		if (!wait_for(r, -1, 1))
			return false;
	return true;
}

/* Open the source by its first bytes; waits for them. */
static enum kws_status begin(raw *r, kws_error *err)
{
	return kws_source_open_stream(&r->source, r->fd, r->name, &r->format, (int)r->channel,
				      r->quit, err);
}

static void wake(const kws_device *d)
{
	const uint64_t one = 1;

	/* it fails only when it is full; then the reader is awake */
	if (write(d->fd, &one, sizeof one) < 0)
		return;
}

/* The thread fills the ring. Samples that come from now on set the event again. */
static void fetch(kws_device *d)
{
	uint64_t wakes;

	while (read(d->fd, &wakes, sizeof wakes) < 0 && errno == EINTR)
		continue;
}

/* Mark the end of the audio, and the reason. */
static void end(kws_device *d, const raw *r, const char *why)
{
	snprintf(d->trouble, sizeof d->trouble, "%s", why);
	d->has_last = r->source != NULL;
	if (r->source)
		kws_source_findings(r->source, &d->last);
	atomic_store(&d->finished, !r->comes_back && !r->again);
	atomic_store(&d->ended, true);
	wake(d);
}

/* The first bytes of a pipe came late, and may set another rate than the device was opened with. */
static bool begin_late(kws_device *d, raw *r)
{
	kws_error err = { "" };

	if (!wait_for(r, r->fd, -1))
		return false;
	if (begin(r, &err) == KWS_OK && kws_source_rate(r->source) == d->rate_hz)
		return true;
	if (r->source) {
		r->again = true;
		kws_fail(&err, KWS_OK, "%s is %s at %u Hz", r->name, kws_source_format(r->source),
			 kws_source_rate(r->source));
	}
	atomic_store(&d->refused, !r->source && !r->comes_back);
	end(d, r, err.text);
	return false;
}

static void leave_findings(kws_device *d, const raw *r)
{
	if (!kws_device_may_leave(d))
		return;
	kws_source_findings(r->source, &d->left);
	kws_device_leave(d);
}

static void *run(void *arg)
{
	kws_device *d = arg;
	raw *r = d->part;
	float pcm[BLOCK];
	size_t written = 0;

	if (!r->source && !begin_late(d, r))
		return NULL;
	while (room(d, r, written)) {
		kws_error err = { "" };
		size_t got;

		if (!kws_source_ready(r->source) && !wait_for(r, r->fd, -1))
			return NULL;
		const enum kws_status status = kws_source_read(r->source, pcm, BLOCK, &got, &err);
		written += kws_ring_write(&d->ring, pcm, got);
		atomic_fetch_add(&d->blocks, 1);
		leave_findings(d, r);
		wake(d);
		if (status != KWS_OK || got == 0) {
			if (wait_for(r, -1, 0))
				end(d, r, status == KWS_OK ? kws_source_note(r->source) : err.text);
			return NULL;
		}
	}
	return NULL;
}

static void discard(raw *r)
{
	if (!r)
		return;
	kws_source_close(r->source);
	if (r->fd > STDIN_FILENO)
		close(r->fd);
	if (r->quit >= 0)
		close(r->quit);
	free(r);
}

/* Take the pipe of this name from the list, or NULL. */
static raw *take(const char *name)
{
	raw *r, **at = &aside;

	pthread_mutex_lock(&lock);
	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	r = *at;
	if (r)
		*at = r->next;
	pthread_mutex_unlock(&lock);
	return r;
}

static void put_aside(raw *r)
{
	discard(take(r->name));
	pthread_mutex_lock(&lock);
	r->next = aside;
	aside = r;
	pthread_mutex_unlock(&lock);
}

void kws_device_forget(const char *name)
{
	discard(take(name));
}

static void stop(kws_device *d)
{
	raw *r = d->part;
	uint64_t one = 1;

	if (r->running) {
		if (write(r->quit, &one, sizeof one) == sizeof one)
			pthread_join(r->thread, NULL);
		r->running = false;
	}
	if (r->pipe && r->source && !d->finished && (r->again || !d->ended))
		put_aside(r);
	else
		discard(r);
}

/* Take the pipe from the list, if it is the one that is wanted. */
static raw *take_wanted(const raw *wanted)
{
	raw *r = take(wanted->name);
	uint64_t one;

	if (!r)
		return NULL;
	const bool has_header = strcmp(kws_source_format(r->source), "raw PCM") != 0;
	if (r->channel != wanted->channel
	    || (!has_header
		&& (r->format.rate_hz != wanted->format.rate_hz
		    || r->format.channels != wanted->format.channels))) {
		discard(r);
		return NULL;
	}
	r->again = false;
	if (read(r->quit, &one, sizeof one) < 0)
		one = 0; /* it was not set */
	return r;
}

static enum kws_status open_fd(raw *r, bool patient, kws_error *err)
{
	const char *path = r->name + 4;
	struct stat st;

	if (!strcmp(path, "-") && !kws_start_has_stdin())
		return kws_fail(err, KWS_ERR_ARG, "%s: standard input is closed", r->name);
	r->fd = !strcmp(path, "-") ? STDIN_FILENO
				   : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (r->fd < 0 || fstat(r->fd, &st) != 0)
		return kws_fail(err, KWS_ERR_DEVICE, "%s: %s", r->name, kws_strerrno(errno));
	if (S_ISDIR(st.st_mode))
		return kws_fail(err, KWS_ERR_ARG, "%s: is a folder", r->name);
	r->pipe = !S_ISREG(st.st_mode);
	r->comes_back = S_ISFIFO(st.st_mode) && r->fd != STDIN_FILENO;
	r->quit = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->quit < 0)
		return kws_fail(err, KWS_ERR_DEVICE, "%s: %s", r->name, kws_strerrno(errno));
	struct pollfd p = { .fd = r->fd, .events = POLLIN };
	const int came = r->pipe ? poll(&p, 1, patient ? -1 : PATIENCE_MS) : 1;
	if (came < 0)
		return kws_fail(err, KWS_ERR_DEVICE, "%s: %s", r->name, kws_strerrno(errno));
	const enum kws_status status = came ? begin(r, err) : KWS_OK;
	/* the next writer may send a known format */
	return status == KWS_ERR_FORMAT && r->comes_back ? KWS_ERR_DEVICE : status;
}

/* Create *out, which then owns everything. */
static enum kws_status prepare(raw **out, const kws_device_config *cfg, kws_error *err)
{
	raw *r = calloc(1, sizeof *r), *old;

	*out = r;
	if (!r)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	r->fd = r->quit = -1;
	r->channel = cfg->channel;
	r->format = (kws_source_raw){ cfg->rate_hz ? cfg->rate_hz : 16000,
				      cfg->channels  ? cfg->channels
				      : cfg->channel ? cfg->channel
						     : 1,
				      KWS_ENC_S16_LE };
	snprintf(r->name, sizeof r->name, "%s", cfg->name);
	old = take_wanted(r);
	if (!old)
		return open_fd(r, cfg->patient, err);
	discard(r);
	*out = old;
	return kws_source_ended(old->source)
		       ? kws_fail(err, KWS_ERR_DEVICE, "%s: cannot continue in the middle",
				  old->name)
		       : KWS_OK;
}

enum kws_status kws_device_open_raw(kws_device *d, const kws_device_config *cfg, kws_error *err)
{
	raw *r;
	enum kws_status status = prepare(&r, cfg, err);
	int failed;

	d->part = r;
	d->stop = r ? stop : NULL;
	if (status != KWS_OK)
		return status;
	snprintf(d->name, sizeof d->name, "%s", cfg->name);
	kws_clean(d->name);
	d->rate_hz = r->source ? kws_source_rate(r->source) : r->format.rate_hz;
	d->channels = r->source ? kws_source_channels(r->source) : r->format.channels;
	status = kws_device_room(d, err);
	if (status != KWS_OK)
		return status;
	d->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->fd < 0)
		return kws_fail(err, KWS_ERR_DEVICE, "%s: %s", cfg->name, kws_strerrno(errno));
	d->fetch = fetch;
	failed = pthread_create(&r->thread, NULL, run, d);
	if (failed)
		return kws_fail(err, KWS_ERR_DEVICE, "%s: " KWS_NO_THREAD, cfg->name,
				kws_strerrno(failed));
	r->running = true;
	return KWS_OK;
}
