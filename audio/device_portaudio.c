#include "audio/device.h"
#include "audio/device_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <portaudio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- quiet: PortAudio, ALSA and JACK write what they think to stderr ---- */

static int mute(void)
{
	int keep = getenv("KWS_AUDIO_DEBUG") ? -1 : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	int null = keep < 0 ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0) {
		dup2(null, STDERR_FILENO);
		close(null);
	}
	return keep;
}

static void unmute(int keep)
{
	if (keep < 0)
		return;
	dup2(keep, STDERR_FILENO);
	close(keep);
}

static enum kws_status initialise(kws_error *err)
{
	int keep = mute();
	PaError e = Pa_Initialize();

	unmute(keep);
	if (e != paNoError)
		return kws_fail(err, KWS_ERR_DEVICE, "PortAudio: %s", Pa_GetErrorText(e));
	return KWS_OK;
}

static void terminate(void)
{
	int keep = mute();

	Pa_Terminate();
	unmute(keep);
}

enum kws_status kws_device_probe(unsigned timeout_ms, kws_error *err)
{
	int status = 0;
	pid_t pid = fork(), got = 0;

	if (pid < 0)
		return kws_fail(err, KWS_ERR_DEVICE, "fork: %s", strerror(errno));
	if (pid == 0) {
		mute();
		alarm(timeout_ms / 1000 + 2); /* should our parent be gone */
		_exit(Pa_Initialize() == paNoError ? 0 : 1);
	}
	for (unsigned ms = 0; ms < timeout_ms && (got = waitpid(pid, &status, WNOHANG)) == 0;
	     ms += 5) {
		struct timespec t = { .tv_nsec = 5000000L };
		nanosleep(&t, NULL);
	}
	if (got == 0) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return kws_fail(err, KWS_ERR_DEVICE,
				"the sound system does not answer within %u ms", timeout_ms);
	}
	if (got == pid && WIFSIGNALED(status))
		return kws_fail(err, KWS_ERR_DEVICE,
				"the sound libraries crash (signal %d): does the ALSA "
				"configuration define pcm.!default?",
				WTERMSIG(status));
	return KWS_OK; /* an orderly failure is told by those who initialise next */
}

/* ---- the list ---- */

/* PortAudio's ALSA names end in "(hw:1,0)"; the card's number changes, its id does not. */
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

static size_t fill_list(kws_device_info *list, size_t max)
{
	int n = Pa_GetDeviceCount(), def = Pa_GetDefaultInputDevice();
	size_t found = 0;

	for (int i = 0; i < n && found < max; i++) {
		const PaDeviceInfo *pa = Pa_GetDeviceInfo(i);
		kws_device_info *info = &list[found];

		if (!pa || pa->maxInputChannels < 1)
			continue;
		memset(info, 0, sizeof *info);
		snprintf(info->name, sizeof info->name, "%s", pa->name);
		snprintf(info->api, sizeof info->api, "%s", Pa_GetHostApiInfo(pa->hostApi)->name);
		info->channels = (unsigned)pa->maxInputChannels;
		info->rate_hz = (unsigned)(pa->defaultSampleRate + 0.5);
		info->is_default = i == def;
		info->index = i;
		stable_name(info);
		kws_clean(info->name);
		kws_clean(info->api);
		kws_clean(info->id);
		kws_clean(info->card);
		found++;
	}
	return found;
}

enum kws_status kws_device_list(kws_device_info *list, size_t max, size_t *n, kws_error *err)
{
	enum kws_status status = kws_device_probe(10000, err);

	*n = 0;
	if (status == KWS_OK)
		status = initialise(err);
	if (status != KWS_OK)
		return status;
	*n = fill_list(list, max);
	terminate();
	return KWS_OK;
}

size_t kws_device_rates(const kws_device_info *info, unsigned *rates, size_t max)
{
	static const unsigned try_hz[] = { 8000, 16000, 22050, 32000, 44100, 48000, 96000, 192000 };
	PaStreamParameters p = { info->index, 1, paFloat32, 0.05, NULL };
	size_t n = 0;
	int keep;

	if (initialise(NULL) != KWS_OK)
		return 0;
	keep = mute();
	for (size_t i = 0; i < sizeof try_hz / sizeof try_hz[0] && n < max; i++)
		if (Pa_IsFormatSupported(&p, NULL, try_hz[i]) == paFormatIsSupported)
			rates[n++] = try_hz[i];
	unmute(keep);
	terminate();
	return n;
}

/* ---- capture ---- */

/* Runs on PortAudio's thread: no lock, no allocation, no system call. */
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
	atomic_fetch_add_explicit(&d->callbacks, 1, memory_order_release);
	return paContinue;
}

static void finished(void *user)
{
	kws_device *d = user;

	atomic_store(&d->ended, true);
}

static void stop(kws_device *d)
{
	int keep = mute();

	if (d->part) {
		/* not Pa_StopStream, which waits 14 s for the audio of a device that has gone */
		Pa_AbortStream(d->part);
		Pa_CloseStream(d->part);
	}
	Pa_Terminate();
	unmute(keep);
}

static PaError try_open(kws_device *d, const kws_device_info *info, unsigned latency_ms)
{
	PaStreamParameters p = { info->index, (int)d->channels, paFloat32, 1e-3 * latency_ms,
				 NULL };
	PaStream *s = NULL;
	PaError e = Pa_OpenStream(&s, &p, NULL, d->rate_hz, d->rate_hz / 100,
				  paClipOff | paDitherOff, callback, d);

	if (e == paNoError)
		d->part = s;
	return e;
}

/* 16 kHz mono is what the models want; a device that refuses gives what it has, and we convert. */
static PaError negotiate(kws_device *d, const kws_device_config *cfg, const kws_device_info *info)
{
	unsigned rates[] = { 16000, info->rate_hz, 48000, 44100 };
	/* of one channel a sound server makes the mix of all: who wants the first needs two */
	unsigned least = cfg->channel ? cfg->channel : 1;
	/* of one channel a sound server makes the mix of all: who wants the first opens two */
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
			e = try_open(d, info, cfg->latency_ms);
			if (e != paInvalidSampleRate && e != paInvalidChannelCount
			    && e != paUnanticipatedHostError)
				return e; /* open, or busy, or gone: other rates will not help */
		}
	}
	return e;
}

static enum kws_status refused(PaError e, const kws_device_info *info, kws_error *err)
{
	const char *why = Pa_GetErrorText(e);

	if (e == paUnanticipatedHostError && Pa_GetLastHostErrorInfo()
	    && *Pa_GetLastHostErrorInfo()->errorText)
		why = Pa_GetLastHostErrorInfo()->errorText;
	return kws_fail(err, KWS_ERR_DEVICE, "%s: %s", info->id, why);
}

enum kws_status kws_device_open_portaudio(kws_device *d, const kws_device_config *cfg,
					  kws_error *err)
{
	kws_device_info *list = NULL;
	enum kws_status status = kws_device_probe(10000, err);
	PaError e;
	int at, keep;

	if (status == KWS_OK)
		status = initialise(err);
	if (status != KWS_OK)
		return status;
	d->stop = stop;
	list = calloc(KWS_DEVICE_MAX, sizeof *list);
	if (!list)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	at = kws_device_match(cfg->name, list, fill_list(list, KWS_DEVICE_MAX), err);
	if (at < 0) {
		free(list);
		return KWS_ERR_DEVICE;
	}
	snprintf(d->name, sizeof d->name, "%s", list[at].id);
	if (cfg->channel > list[at].channels)
		status = kws_fail(err, KWS_ERR_ARG, "%s: has %u channels, channel %u is wanted",
				  d->name, list[at].channels, cfg->channel);
	keep = mute();
	e = status == KWS_OK ? negotiate(d, cfg, &list[at]) : paNoError;
	if (e == paNoError && status == KWS_OK)
		status = kws_device_room_for_channels(d, err);
	if (e == paNoError && status == KWS_OK) {
		Pa_SetStreamFinishedCallback(d->part, finished);
		e = Pa_StartStream(d->part);
	}
	unmute(keep);
	if (e != paNoError)
		status = refused(e, &list[at], err);
	free(list);
	return status;
}
