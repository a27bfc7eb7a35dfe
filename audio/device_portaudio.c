#include "audio/device.h"
#include "audio/device_parts.h"

#include <fcntl.h>
#include <pa_linux_alsa.h>
#include <portaudio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- one PortAudio for the whole process, which is not thread-safe ---- */

enum { PATIENCE_MS = 5000, LOOK_MS = 10 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned users; /* who need it initialised; under the lock */
static int kept_stderr = -1;

bool kws_device_is_loud(void)
{
	return getenv("KWS_AUDIO_DEBUG") != NULL;
}

/* PortAudio, ALSA and JACK write messages to stderr. */
static void mute(void)
{
	kept_stderr = kws_device_is_loud() ? -1 : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	int null = kept_stderr < 0 ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0) {
		dup2(null, STDERR_FILENO);
		close(null);
	}
}

static void unmute(void)
{
	if (kept_stderr < 0)
		return;
	dup2(kept_stderr, STDERR_FILENO);
	close(kept_stderr);
}

static void enter(void)
{
	pthread_mutex_lock(&lock);
	mute();
}

static void leave(void)
{
	unmute();
	pthread_mutex_unlock(&lock);
}

/* If a sound server hangs, the lock is never released. A caller that opens a device can then report
 * it instead of hanging, too. */
static bool try_enter(void)
{
	for (int ms = 0; pthread_mutex_trylock(&lock) != 0; ms += LOOK_MS) {
		struct timespec t = { .tv_nsec = LOOK_MS * 1000000L };

		if (ms >= PATIENCE_MS)
			return false;
		nanosleep(&t, NULL);
	}
	mute();
	return true;
}

/* The first user makes PortAudio look for devices anew. */
static PaError use(void)
{
	const PaError e = users ? paNoError : Pa_Initialize();

	users += e == paNoError;
	return e;
}

static void end_use(void)
{
	if (--users == 0)
		Pa_Terminate();
}

/* ---- the list ---- */

/* PortAudio's ALSA names end in "(hw:1,0)". The card's number may change; its id does not. */
static void stable_name(kws_device_info *info)
{
	const char *hw = strstr(info->name, "(hw:");
	char path[64];
	int card, dev;

	snprintf(info->id, sizeof info->id, "%.63s", info->name);
	if (!hw || sscanf(hw, "(hw:%d,%d)", &card, &dev) != 2)
		return;
	snprintf(path, sizeof path, "/sys/class/sound/card%d/id", card);
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(info->card, sizeof info->card, f)) {
		info->card[strcspn(info->card, "\n")] = 0;
		snprintf(info->id, sizeof info->id, "hw:CARD=%s,DEV=%d", info->card, dev);
	}
	fclose(f);
}

/* False: it is not an input. */
static bool describe(int index, kws_device_info *info)
{
	const PaDeviceInfo *pa = Pa_GetDeviceInfo(index);

	if (!pa || pa->maxInputChannels < 1)
		return false;
	memset(info, 0, sizeof *info);
	snprintf(info->name, sizeof info->name, "%s", pa->name);
	snprintf(info->api, sizeof info->api, "%s", Pa_GetHostApiInfo(pa->hostApi)->name);
	info->channels = (unsigned)pa->maxInputChannels;
	info->rate_hz = (unsigned)(pa->defaultSampleRate + 0.5);
	info->is_default = index == Pa_GetDefaultInputDevice();
	stable_name(info);
	kws_clean(info->name);
	kws_clean(info->api);
	kws_clean(info->id);
	kws_clean(info->card);
	return true;
}

void kws_device_look(kws_device_info *list, size_t max, size_t *n, kws_error *err)
{
	const PaError e = Pa_Initialize();

	*n = 0;
	if (e != paNoError)
		kws_fail(err, KWS_ERR_DEVICE, "PortAudio: %s", Pa_GetErrorText(e));
	for (int i = 0; i < Pa_GetDeviceCount() && *n < max; i++)
		*n += describe(i, &list[*n]);
}

/* What PortAudio will open. */
typedef struct {
	PaStreamParameters stream;
	PaAlsaStreamInfo alsa;
} target;

/* PortAudio's own list dates from the opening of the first stream. A device that was added later is
 * opened by its ALSA name. False: that is not possible. */
static bool aim(target *t, const kws_device_info *info)
{
	kws_device_info own;

	t->stream = (PaStreamParameters){ .sampleFormat = paFloat32 };
	for (int i = 0; i < Pa_GetDeviceCount(); i++) {
		t->stream.device = i;
		if (describe(i, &own) && !strcmp(own.name, info->name)
		    && !strcmp(own.api, info->api) && !strcmp(own.id, info->id))
			return true;
	}
	if (strcmp(info->api, "ALSA") != 0 || Pa_HostApiTypeIdToHostApiIndex(paALSA) < 0)
		return false;
	PaAlsa_InitializeStreamInfo(&t->alsa);
	t->alsa.deviceString = info->id;
	t->stream.device = paUseHostApiSpecificDeviceSpecification;
	t->stream.hostApiSpecificStreamInfo = &t->alsa;
	return true;
}

size_t kws_device_rates(const kws_device_info *info, unsigned *rates, size_t max)
{
	static const unsigned try_hz[] = { 8000, 16000, 22050, 32000, 44100, 48000, 96000, 192000 };
	target t;
	size_t n = 0;

	enter();
	if (use() == paNoError) {
		const size_t most = aim(&t, info) ? sizeof try_hz / sizeof try_hz[0] : 0;

		t.stream.channelCount = 1;
		t.stream.suggestedLatency = 0.05;
		for (size_t i = 0; i < most && n < max; i++)
			if (Pa_IsFormatSupported(&t.stream, NULL, try_hz[i]) == paFormatIsSupported)
				rates[n++] = try_hz[i];
		end_use();
	}
	leave();
	return n;
}

/* ---- capture ---- */

/* The sound system keeps the last BUFFER_MS of sound, in at most MOST_PERIODS pieces. */
enum { BUFFER_MS = 2000, MOST_PERIODS = 32 };

/* The device is gone, or the sound system gives up. */
static void give_up(kws_device *d, PaError e)
{
	snprintf(d->trouble, sizeof d->trouble, "the device went away: %s", Pa_GetErrorText(e));
	atomic_store(&d->ended, true);
}

/* Move what the sound system has into the ring. It never waits for more. */
static void fetch(kws_device *d)
{
	signed long left = atomic_load(&d->ended) ? 0 : Pa_GetStreamReadAvailable(d->part);
	PaError e = left < 0 ? (PaError)left : paNoError;

	if (left > 0)
		atomic_fetch_add_explicit(&d->blocks, 1, memory_order_release);
	while (left > 0 && (e == paNoError || e == paInputOverflowed)) {
		const signed long n = left < KWS_DEVICE_BLOCK ? left : KWS_DEVICE_BLOCK;

		e = Pa_ReadStream(d->part, d->frames, (unsigned long)n);
		if (e == paInputOverflowed)
			atomic_fetch_add_explicit(&d->overflows, 1, memory_order_relaxed);
		if (e == paNoError || e == paInputOverflowed)
			kws_ring_write_frames(&d->ring, d->frames, (size_t)n, d->channels);
		left -= n;
	}
	if (e != paNoError && e != paInputOverflowed)
		give_up(d, e);
}

/* Where the sound system has a thread of its own that calls (JACK). No lock, no allocation, no system
 * call. Fetching would not tell of its overflows. */
static int callback(const void *in, void *out, unsigned long n, const PaStreamCallbackTimeInfo *t,
		    PaStreamCallbackFlags flags, void *user)
{
	kws_device *d = user;

	(void)out;
	(void)t;
	if (flags & paInputOverflow)
		atomic_fetch_add_explicit(&d->overflows, 1, memory_order_relaxed);
	if (in)
		kws_ring_write_frames(&d->ring, in, n, d->channels);
	atomic_fetch_add_explicit(&d->blocks, 1, memory_order_release);
	return paContinue;
}

static void finished(void *user)
{
	kws_device *d = user;

	atomic_store(&d->ended, true);
}

static void stop(kws_device *d)
{
	enter();
	/* not Pa_StopStream, which waits 14 s for a device that was removed */
	Pa_AbortStream(d->part);
	Pa_CloseStream(d->part);
	end_use();
	leave();
}

static PaError try_open(kws_device *d, target *t, unsigned latency_ms)
{
	PaStream *s = NULL;
	const unsigned long period = (unsigned long)d->rate_hz * latency_ms / 1000;
	const int periods = BUFFER_MS / latency_ms > MOST_PERIODS ? MOST_PERIODS
								  : (int)(BUFFER_MS / latency_ms);

	t->stream.channelCount = (int)d->channels;
	/* PortAudio makes the buffer one period longer than this */
	t->stream.suggestedLatency = (double)period * (periods - 1) / d->rate_hz;
	PaAlsa_SetNumPeriods(periods);
	/* PortAudio collects pieces for a callback that wants larger ones, and then tells it only of
	 * what happened at the last of them: so the callback takes them as they come */
	PaError e = Pa_OpenStream(&s, &t->stream, NULL, d->rate_hz,
				  d->fetch ? period : paFramesPerBufferUnspecified,
				  paClipOff | paDitherOff, d->fetch ? NULL : callback, d);
	if (e == paNoError)
		d->part = s;
	return e;
}

/* The models want 16 kHz mono. If a device refuses, we take what it has and convert it. */
static PaError negotiate(kws_device *d, const kws_device_config *cfg, const kws_device_info *info,
			 target *t)
{
	unsigned rates[] = { 16000, info->rate_hz, 48000, 44100 };
	unsigned least = cfg->channel ? cfg->channel : 1;
	/* a sound server opened with one channel mixes all: to get the first, open two */
	unsigned counts[] = { cfg->channel == 1 && info->channels > 1 ? 2 : least,
			      cfg->channel == 1 ? 1
			      : least < 2	? 2
						: least,
			      info->channels };
	size_t n_rates = sizeof rates / sizeof rates[0],
	       n_counts = sizeof counts / sizeof counts[0];
	PaError e = paInvalidSampleRate;

	if (cfg->rate_hz) {
		rates[0] = cfg->rate_hz;
		n_rates = 1;
	}
	if (cfg->channels) {
		counts[0] = cfg->channels;
		n_counts = 1;
	}
	for (size_t r = 0; r < n_rates; r++) {
		for (size_t c = 0; c < n_counts; c++) {
			if (counts[c] < least || counts[c] > info->channels || rates[r] < 8000)
				continue;
			d->rate_hz = rates[r];
			d->channels = counts[c];
			e = try_open(d, t, cfg->latency_ms);
			if (e != paInvalidSampleRate && e != paInvalidChannelCount
			    && e != paUnanticipatedHostError)
				return e; /* opened, busy or removed: other rates will not help */
		}
	}
	return e;
}

static enum kws_status refused(PaError e, const kws_device_info *info, kws_error *err)
{
	const char *why = Pa_GetErrorText(e);

	if (e == paBadIODeviceCombination) /* PortAudio's error if ALSA cannot open the device */
		why = "the sound system does not open it";
	if (e == paUnanticipatedHostError && Pa_GetLastHostErrorInfo()
	    && *Pa_GetLastHostErrorInfo()->errorText)
		why = Pa_GetLastHostErrorInfo()->errorText;
	return kws_fail(err, KWS_ERR_DEVICE, "%s: %s", info->id, why);
}

/* Under the lock. */
static enum kws_status open_stream(kws_device *d, const kws_device_config *cfg,
				   const kws_device_info *info, kws_error *err)
{
	target t;
	enum kws_status status;
	PaError e;

	if (!aim(&t, info))
		return kws_fail(err, KWS_ERR_DEVICE,
				"%s: added after a device was opened; %s can open it only when "
				"no device is open",
				info->id, info->api);
	d->fetch = strcmp(info->api, "ALSA") == 0 ? fetch : NULL;
	e = negotiate(d, cfg, info, &t);
	if (e != paNoError)
		return refused(e, info, err);
	status = kws_device_room_for_channels(d, err);
	if (status == KWS_OK) {
		if (!d->fetch)
			Pa_SetStreamFinishedCallback(d->part, finished);
		e = Pa_StartStream(d->part);
		if (e != paNoError)
			status = refused(e, info, err);
	}
	if (status != KWS_OK)
		Pa_CloseStream(d->part);
	return status;
}

static enum kws_status open_device(kws_device *d, const kws_device_config *cfg,
				   const kws_device_info *info, kws_error *err)
{
	enum kws_status status;
	PaError e;

	snprintf(d->name, sizeof d->name, "%s", info->id);
	if (cfg->channel > info->channels)
		return kws_fail(err, KWS_ERR_ARG, "%s: has %u channels, channel %u is wanted",
				d->name, info->channels, cfg->channel);
	if (!try_enter())
		return kws_fail(err, KWS_ERR_DEVICE,
				"%s: another device takes long to open or to close", d->name);
	e = use();
	status = e == paNoError ? open_stream(d, cfg, info, err) : refused(e, info, err);
	if (status == KWS_OK)
		d->stop = stop;
	else if (e == paNoError)
		end_use();
	leave();
	return status;
}

enum kws_status kws_device_open_portaudio(kws_device *d, const kws_device_config *cfg,
					  kws_error *err)
{
	kws_device_info *list = calloc(KWS_DEVICE_MAX, sizeof *list);
	enum kws_status status;
	size_t n;
	int at;

	if (!list)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	/* not under the lock: it may take seconds, and does not use this process's PortAudio */
	status = kws_device_list(list, KWS_DEVICE_MAX, &n, err);
	if (status == KWS_OK) {
		at = kws_device_match(cfg->name, list, n, err);
		status = at < 0 ? KWS_ERR_DEVICE : open_device(d, cfg, &list[at], err);
	}
	free(list);
	return status;
}

static PaError play(const float *pcm, size_t n, unsigned rate_hz)
{
	PaStream *s = NULL;
	PaError e = Pa_OpenDefaultStream(&s, 0, 1, paFloat32, rate_hz, paFramesPerBufferUnspecified,
					 NULL, NULL);
	if (e != paNoError)
		return e;
	e = Pa_StartStream(s);
	if (e == paNoError)
		e = Pa_WriteStream(s, pcm, n);
	if (e == paNoError || e == paOutputUnderflowed)
		e = Pa_StopStream(s); /* after the last sample was heard */
	Pa_CloseStream(s);
	return e;
}

enum kws_status kws_device_play(const float *pcm, size_t n, unsigned rate_hz, kws_error *err)
{
	if (!try_enter())
		return kws_fail(err, KWS_ERR_DEVICE, "a device takes long to open or to close");
	PaError e = use();
	if (e == paNoError) {
		e = play(pcm, n, rate_hz);
		end_use();
	}
	leave();
	return e == paNoError ? KWS_OK : kws_fail(err, KWS_ERR_DEVICE, "%s", Pa_GetErrorText(e));
}
