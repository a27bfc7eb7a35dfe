#include "audio/device.h"

#include "audio/device_parts.h"
#include "nearest.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- names ---- */

static bool same_text(const char *a, const char *b)
{
	for (; *a && tolower((unsigned char)*a) == tolower((unsigned char)*b); a++, b++)
		continue;
	return !*a && !*b;
}

static bool has_text(const char *in, const char *part)
{
	for (; *in; in++) {
		size_t i = 0;

		while (part[i] && tolower((unsigned char)in[i]) == tolower((unsigned char)part[i]))
			i++;
		if (!part[i])
			return true;
	}
	return false;
}

/* Parse hw:CARD=id,DEV=n and its short form hw:id,n. False: name has another form. dev -1: not
 * given. */
static bool alsa_name(const char *name, char *card, size_t n, int *dev)
{
	size_t len;

	if (!strncmp(name, "plughw:", 7))
		name += 7;
	else if (!strncmp(name, "hw:", 3))
		name += 3;
	else
		return false;
	if (!strncmp(name, "CARD=", 5))
		name += 5;
	len = strcspn(name, ",");
	if (!len || len >= n)
		return false;
	memcpy(card, name, len);
	card[len] = 0;
	name += len;
	*dev = -1;
	if (*name == ',') {
		name++;
		if (!strncmp(name, "DEV=", 4))
			name += 4;
		if (!*name || name[strspn(name, "0123456789")] || strlen(name) > 3)
			return false;
		*dev = atoi(name);
	}
	return true;
}

static int dev_of(const kws_device_info *info)
{
	const char *dev = strstr(info->id, "DEV=");

	return dev ? atoi(dev + 4) : 0;
}

/* Report that no device in the list has this name. */
static int no_match(const char *what, const char *name, const kws_device_info *list, size_t n,
		    kws_error *err)
{
	kws_nearest near;

	kws_nearest_init(&near, name);
	for (size_t i = 0; i < n; i++) {
		kws_nearest_offer(&near, list[i].id);
		kws_nearest_offer(&near, list[i].name);
		kws_nearest_offer(&near, list[i].card);
	}
	kws_fail(err, KWS_ERR_DEVICE, "%s: no such %s among %zu inputs%s", name, what, n,
		 kws_nearest_hint(&near));
	return -1;
}

int kws_device_match(const char *name, const kws_device_info *list, size_t n, kws_error *err)
{
	char card[64];
	int dev;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].name, name) || !strcmp(list[i].id, name))
			return (int)i;
	if (!strcmp(name, "default")) {
		for (size_t i = 0; i < n; i++)
			if (list[i].is_default)
				return (int)i;
		kws_fail(err, KWS_ERR_DEVICE, "there is no default input (%zu inputs)", n);
		return -1;
	}
	if (*name && !name[strspn(name, "0123456789")]) {
		kws_fail(err, KWS_ERR_ARG,
			 "%s: choose a device by name, because numbers change; see kws devices",
			 name);
		return -1;
	}
	if (alsa_name(name, card, sizeof card, &dev)) {
		for (size_t i = 0; i < n; i++)
			if (*list[i].card && same_text(list[i].card, card)
			    && (dev < 0 || dev_of(&list[i]) == dev))
				return (int)i;
		return no_match("card", name, list, n, err);
	}
	for (size_t i = 0; i < n; i++)
		if (*list[i].card && same_text(list[i].card, name))
			return (int)i;
	for (size_t i = 0; *name && i < n; i++)
		if (has_text(list[i].name, name))
			return (int)i;
	return no_match("device", name, list, n, err);
}

/* ---- open devices ---- */

static enum kws_status make_ring(kws_device *d, size_t width, kws_error *err)
{
	for (d->cap = 1024; d->cap < width * d->rate_hz * KWS_DEVICE_RING_S;)
		d->cap *= 2;
	d->room = calloc(d->cap, sizeof *d->room);
	if (!d->room)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	kws_ring_init(&d->ring, d->room, d->cap);
	return KWS_OK;
}

enum kws_status kws_device_room(kws_device *d, kws_error *err)
{
	return make_ring(d, 1, err);
}

enum kws_status kws_device_room_for_channels(kws_device *d, kws_error *err)
{
	d->judge = kws_judge_create(d->rate_hz, d->channels, d->channel);
	d->frames = calloc((size_t)KWS_DEVICE_BLOCK * d->channels, sizeof *d->frames);
	if (!d->judge || !d->frames)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	return make_ring(d, d->channels, err);
}

static kws_device_opener *other;

void kws_device_open_by(kws_device_opener *opener)
{
	other = opener;
}

enum kws_status kws_device_open(kws_device **out, const kws_device_config *cfg, kws_error *err)
{
	kws_device *d = calloc(1, sizeof *d);
	enum kws_status status;

	*out = NULL;
	if (!d)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	d->fd = -1;
	d->channel = cfg->channel;
	if (other)
		status = other(d, cfg, err);
	else if (!strncmp(cfg->name, "raw:", 4))
		status = kws_device_open_raw(d, cfg, err);
	else
		status = kws_device_open_portaudio(d, cfg, err);
	if (status != KWS_OK) {
		kws_device_close(d);
		return status;
	}
	*out = d;
	return KWS_OK;
}

void kws_device_close(kws_device *d)
{
	if (!d)
		return;
	if (d->stop)
		d->stop(d);
	if (d->fd >= 0)
		close(d->fd);
	kws_judge_destroy(d->judge);
	free(d->frames);
	free(d->room);
	free(d);
}

const char *kws_device_name(const kws_device *d)
{
	return d->name;
}

unsigned kws_device_rate(const kws_device *d)
{
	return d->rate_hz;
}

unsigned kws_device_channels(const kws_device *d)
{
	return d->channels;
}

bool kws_device_is_pipe(const kws_device *d)
{
	return d->fd >= 0;
}

/* frames (n, channels) -> mono (n,) */
static void mix(const kws_device *d, const float *frames, size_t n, float *mono)
{
	for (size_t i = 0; i < n; i++, frames += d->channels) {
		float sum = 0.0f;

		for (unsigned c = 0; c < d->channels; c++)
			sum += frames[c];
		mono[i] = d->channel ? frames[d->channel - 1] : sum / (float)d->channels;
	}
}

static size_t in_ring(const kws_device *d)
{
	return kws_ring_available(&d->ring) / (d->judge ? d->channels : 1);
}

static size_t read_ring(kws_device *d, float *pcm, size_t n)
{
	if (!d->judge)
		return kws_ring_read(&d->ring, pcm, n);
	if (in_ring(d) < n)
		return 0;
	for (size_t done = 0, k; done < n; done += k) {
		k = n - done < KWS_DEVICE_BLOCK ? n - done : KWS_DEVICE_BLOCK;
		kws_ring_read(&d->ring, d->frames, k * d->channels);
		mix(d, d->frames, k, pcm + done);
		kws_judge_add(d->judge, d->frames, pcm + done, k);
	}
	return n;
}

void kws_device_fetch(kws_device *d)
{
	if (d->fetch)
		d->fetch(d);
}

size_t kws_device_available(const kws_device *d)
{
	return in_ring(d);
}

size_t kws_device_read(kws_device *d, float *pcm, size_t n)
{
	const size_t got = read_ring(d, pcm, n);

	if (got)
		atomic_fetch_add_explicit(&d->taken, got, memory_order_release);
	return got;
}

void kws_device_state_get(const kws_device *d, kws_device_state *st)
{
	/* read ended first: when it is set, all samples are in the ring */
	st->ended = atomic_load(&d->ended);
	st->finished = atomic_load(&d->finished);
	st->refused = atomic_load(&d->refused);
	st->blocks = atomic_load(&d->blocks);
	st->overflows = atomic_load(&d->overflows);
	st->dropped = kws_ring_dropped(&d->ring);
}

const char *kws_device_trouble(const kws_device *d)
{
	return atomic_load(&d->ended) ? d->trouble : "";
}

bool kws_device_may_leave(const kws_device *d)
{
	return !atomic_load_explicit(&d->left_is_new, memory_order_acquire);
}

void kws_device_leave(kws_device *d)
{
	atomic_store_explicit(&d->left_is_new, true, memory_order_release);
}

bool kws_device_findings(kws_device *d, kws_findings *out)
{
	if (d->judge) {
		kws_judge_find(d->judge, out);
		return out->seconds > 0.0;
	}
	if (atomic_load(&d->ended) && d->has_last) {
		d->taken_findings = d->last;
		d->has_findings = true;
	} else if (atomic_load_explicit(&d->left_is_new, memory_order_acquire)) {
		d->taken_findings = d->left;
		d->has_findings = true;
		atomic_store_explicit(&d->left_is_new, false, memory_order_release);
	}
	if (d->has_findings)
		*out = d->taken_findings;
	return d->has_findings;
}

int kws_device_fd(const kws_device *d)
{
	return d->fd;
}
