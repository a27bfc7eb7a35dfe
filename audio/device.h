/* device.h - live audio: microphones through PortAudio, and headerless PCM that another program
 * writes.
 *
 * Opening, closing and listing may take seconds, or hang for good when a sound server dies: call
 * them from a thread you can do without. All else is for one reader thread, and neither blocks nor
 * allocates.
 *
 * How a device is named:
 *   default                what the sound system calls so
 *   a name of the list     exactly as `kws devices` prints it
 *   hw:CARD=id[,DEV=n]     an ALSA card by its id, also plughw:CARD=id or the id alone
 *   part of a name         in any case; the first that matches
 *   raw:-  raw:/path       standard input, a file or a named pipe: a sound file with its header, or
 *                          16-bit little-endian PCM
 *
 * A number is refused: the order of devices changes from one start to the next. */
#ifndef KWS_AUDIO_DEVICE_H
#define KWS_AUDIO_DEVICE_H

#include "audio/judge.h"
#include "kws.h"

#include <stdbool.h>

enum { KWS_DEVICE_MAX = 128, KWS_DEVICE_NAME = 128 };

typedef struct {
	char name[KWS_DEVICE_NAME]; /* as PortAudio says it */
	char api[32];		    /* ALSA, JACK Audio Connection Kit, ... */
	char id[64];   /* name that stays: "hw:CARD=Mic,DEV=0"; else the same as name */
	char card[32]; /* ALSA card id; "": no card */
	unsigned channels, rate_hz; /* at most; native */
	bool is_default;
} kws_device_info;

typedef struct {
	const char *name;
	unsigned rate_hz;  /* 0: 16000, else the device's own, else 48000 or 44100 */
	unsigned channels; /* 0: one, else two, else all that it has */
	unsigned channel;  /* 0: the mean of all; n: channel n, counted from 1 */
	unsigned latency_ms;
	bool patient; /* raw: wait for the first bytes, which may be a header, however long */
} kws_device_config;

typedef struct kws_device kws_device;

/* First thing in a program's main, before threads: settings that the sound libraries take from the
 * environment. It does not come back where kws_device_list has started this program anew. */
void kws_device_prepare(void);

/* Inputs only, at most max, as they are now. Looked for by a new process of this program, because
 * PortAudio knows only what was there before it opened its first device, and because a broken ALSA
 * configuration makes it abort. No device at all is KWS_OK with *n = 0. KWS_ERR_DEVICE: the sound system
 * crashes, or does not answer within 10 s. */
enum kws_status kws_device_list(kws_device_info *list, size_t max, size_t *n, kws_error *err);

/* Which of list (n,) is meant by name: its place in the list, or -1 and why. */
int kws_device_match(const char *name, const kws_device_info *list, size_t n, kws_error *err);

/* Rates of list[i] that are accepted, into rates (at most max). Opens the device for a moment.
 * Returns how many. */
size_t kws_device_rates(const kws_device_info *info, unsigned *rates, size_t max);

/* Open and start. KWS_ERR_DEVICE: it is not there, or refuses; KWS_ERR_ARG: the name cannot be one;
 * KWS_ERR_FORMAT: raw:, and it is no sound that can be heard. */
enum kws_status kws_device_open(kws_device **out, const kws_device_config *cfg, kws_error *err);

/* A pipe that is closed before its end goes on where it stood when it is opened again. */
void kws_device_close(kws_device *d);
void kws_device_forget(const char *name); /* it will not be: let go of what is kept of it */

const char *kws_device_name(const kws_device *d);  /* the stable one */
unsigned kws_device_rate(const kws_device *d);	   /* Hz */
unsigned kws_device_channels(const kws_device *d); /* as opened, before the mix */
bool kws_device_is_pipe(const kws_device *d);	   /* raw: may be faster than time, or pause */

/* Exactly n samples, mono, or none: returns n or 0. n at most a second. */
size_t kws_device_read(kws_device *d, float *pcm, size_t n);
size_t kws_device_available(const kws_device *d);

/* What the source's thread has seen so far. */
typedef struct {
	unsigned long callbacks; /* blocks that came */
	unsigned long
		overflows; /* times the sound system said that it lost audio before it reached us */
	size_t dropped;	   /* samples that found the ring full */
	bool ended;	   /* no more will come: the device went, or the pipe was closed */
	bool finished; /* ended, and for good: standard input or a plain file was read to its end */
	bool refused;  /* finished, because it is no sound that can be heard */
} kws_device_state;
void kws_device_state_get(const kws_device *d, kws_device_state *st);

/* Why it ended, or what of it could not be heard, once state says that it ended; "": nothing to
 * tell. */
const char *kws_device_trouble(const kws_device *d);

/* What is wrong with the sound since it was opened, as of the last second. Only for the reader.
 * false: nothing is known yet, and out is unchanged. */
bool kws_device_findings(kws_device *d, kws_findings *out);

/* Ready for input when samples have come, or -1: look every few milliseconds. Reading clears it. */
int kws_device_fd(const kws_device *d);

#endif
