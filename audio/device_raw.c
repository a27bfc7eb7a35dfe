#define _GNU_SOURCE /* pipe2 */
#include "audio/device_parts.h"

#include "audio/source.h"
#include "audio/start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1024 };

typedef struct {
	kws_source *source;
	int fd, quit[2]; /* quit: a pipe that ends the thread's waiting */
	bool comes_back; /* a named pipe: the next writer may come */
	bool running;
	pthread_t thread;
} raw;

/* Wait until fd can be read. False: we are to quit. */
static bool readable(const raw *r)
{
	struct pollfd p[2] = { { .fd = r->quit[0], .events = POLLIN },
			       { .fd = r->fd, .events = POLLIN } };

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		continue;
	return !p[0].revents;
}

/* Wait until the ring has room for a block: a file is read as fast as it is heard. */
static bool room(const kws_device *d, const raw *r, size_t written)
{
	struct pollfd p = { .fd = r->quit[0], .events = POLLIN };

	while (written - atomic_load_explicit(&d->taken, memory_order_acquire) + BLOCK > d->cap)
		if (poll(&p, 1, 1) != 0)
			return false;
	return true;
}

static void *run(void *arg)
{
	kws_device *d = arg;
	raw *r = d->part;
	float pcm[BLOCK];
	size_t got, written = 0;

	for (;;) {
		uint64_t one = 1;

		if (!room(d, r, written) || !readable(r))
			break;
		enum kws_status status = kws_source_read(r->source, pcm, BLOCK, &got, NULL);
		written += kws_ring_write(&d->ring, pcm, got);
		atomic_fetch_add(&d->callbacks, 1);
		if (status != KWS_OK || got == 0) {
			atomic_store(&d->finished, !r->comes_back);
			atomic_store(&d->ended, true);
		}
		if (write(d->fd, &one, sizeof one) < 0 && errno != EAGAIN)
			break;
		if (status != KWS_OK || got == 0)
			break;
	}
	return NULL;
}

static void stop(kws_device *d)
{
	raw *r = d->part;

	if (r->running) {
		close(r->quit[1]); /* the other end reads as hung up */
		r->quit[1] = -1;
		pthread_join(r->thread, NULL);
	}
	kws_source_close(r->source);
	if (r->fd > STDIN_FILENO)
		close(r->fd);
	for (int i = 0; i < 2; i++)
		if (r->quit[i] >= 0)
			close(r->quit[i]);
	free(r);
}

enum kws_status kws_device_open_raw(kws_device *d, const kws_device_config *cfg, kws_error *err)
{
	const char *path = cfg->name + 4;
	raw *r = calloc(1, sizeof *r);
	enum kws_status status;
	struct stat st;
	int failed;

	if (!r)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	r->fd = r->quit[0] = r->quit[1] = -1;
	d->part = r;
	d->stop = stop;
	d->rate_hz = cfg->rate_hz ? cfg->rate_hz : 16000;
	d->channels = cfg->channels ? cfg->channels : cfg->channel ? cfg->channel : 1;
	snprintf(d->name, sizeof d->name, "%s", cfg->name);
	kws_clean(d->name);
	if (!strcmp(path, "-") && !kws_start_has_stdin())
		return kws_fail(err, KWS_ERR_ARG, "%s: standard input is closed", cfg->name);
	r->fd = !strcmp(path, "-") ? STDIN_FILENO
				   : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (r->fd < 0 || fstat(r->fd, &st) != 0)
		return kws_fail(err, KWS_ERR_DEVICE, "%s: %s", cfg->name, kws_strerrno(errno));
	if (S_ISDIR(st.st_mode))
		return kws_fail(err, KWS_ERR_ARG, "%s: is a folder", cfg->name);
	r->comes_back = S_ISFIFO(st.st_mode) && r->fd != STDIN_FILENO;
	status = kws_source_open_raw(&r->source, r->fd, d->rate_hz, d->channels, KWS_ENC_S16_LE,
				     (int)cfg->channel, err);
	if (status == KWS_OK)
		status = kws_device_room(d, err);
	if (status != KWS_OK)
		return status;
	d->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->fd < 0 || pipe2(r->quit, O_CLOEXEC) != 0)
		return kws_fail(err, KWS_ERR_DEVICE, "%s: %s", cfg->name, kws_strerrno(errno));
	failed = pthread_create(&r->thread, NULL, run, d);
	if (failed)
		return kws_fail(err, KWS_ERR_DEVICE, "%s: " KWS_NO_THREAD, cfg->name,
				strerror(failed));
	r->running = true;
	return KWS_OK;
}
