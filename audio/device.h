/* device.h - live audio: microphones through PortAudio, and headerless PCM from another program.
 *
 * Opening, closing and listing devices may take seconds, or hang for ever if a sound server dies.
 * Call them from a thread that is free to hang. All other functions are for one reader thread; they
 * neither block nor allocate. An ALSA device has no thread of its own: the reader fetches what the
 * sound system has, which keeps up to 2 s of sound.
 *
 * Names of devices:
 *
 *   default                the sound system's default device
 *   a name from the list   exactly as `kws devices` prints it
 *   hw:CARD=id[,DEV=n]     an ALSA card by its id, also plughw:CARD=id or the id alone
 *   part of a name         in any case; the first match
 *   raw:-  raw:/path       standard input, a file or a named pipe: a sound file with its header, or
 *                          16-bit little-endian PCM
 *
 * A number is refused, because the order of devices may change at each start. */
#ifndef KWS_AUDIO_DEVICE_H
#define KWS_AUDIO_DEVICE_H

#include "audio/judge.h"
#include "kws.h"

#include <stdbool.h>

enum { KWS_DEVICE_MAX = 128, KWS_DEVICE_NAME = 128 };

typedef struct {
	char name[KWS_DEVICE_NAME]; /* PortAudio's name */
	char api[32];		    /* ALSA, JACK Audio Connection Kit, ... */
	/* Stable name, "hw:CARD=Mic,DEV=0"; if there is none, the same as name. */
	char id[64];
	char card[32];		    /* ALSA card id; "": no card */
	unsigned channels, rate_hz; /* most channels; native rate */
	bool is_default;
} kws_device_info;

typedef struct {
	const char *name;
	unsigned rate_hz;    /* 0: 16000; if refused, the device's own, then 48000, then 44100 */
	unsigned channels;   /* 0: one; if refused, two, then all that the device has */
	unsigned channel;    /* 0: the mean of all; n: channel n, counted from 1 */
	unsigned latency_ms; /* 5..1000: a sound system delivers pieces of this length */
	bool patient; /* raw: wait without limit for the first bytes, which may be a header */
} kws_device_config;

typedef struct kws_device kws_device;

/* Call it first in main, before threads start: sets what the sound libraries read from the
 * environment. Does not return in a process that kws_device_list has started from this program. */
void kws_device_prepare(void);

/* List at most max inputs as they are now. A new process of this program looks for them, for two
 * reasons: PortAudio sees only the devices that existed before it opened its first one, and a
 * broken ALSA configuration makes it abort. If there is no device, the result is KWS_OK, and *n is
 * 0. KWS_ERR_DEVICE: the sound system crashes, or does not answer within 10 s. */
enum kws_status kws_device_list(kws_device_info *list, size_t max, size_t *n, kws_error *err);

/* Start to look for the inputs now, for the next call of kws_device_list. For a program that has
 * other things to do before it opens a device. Call it once, and from a thread that stays. */
void kws_device_list_ahead(void);

/* Find the device that name means in list (n,). Returns its index, or -1 and the reason in err. */
int kws_device_match(const char *name, const kws_device_info *list, size_t n, kws_error *err);

/* Write the rates that the device accepts to rates (at most max). Opens the device briefly. Returns
 * how many. */
size_t kws_device_rates(const kws_device_info *info, unsigned *rates, size_t max);

/* Open and start a device. KWS_ERR_DEVICE: it is not there, or cannot be opened; KWS_ERR_ARG: the
 * name is not valid; KWS_ERR_FORMAT: raw: and not in a known sound format. */
enum kws_status kws_device_open(kws_device **out, const kws_device_config *cfg, kws_error *err);

/* Close a device. A pipe that is closed before its end continues where it was when it is opened
 * again. */
void kws_device_close(kws_device *d);
void kws_device_forget(const char *name); /* it will not be opened again: free what is kept */

const char *kws_device_name(const kws_device *d);  /* the stable name */
unsigned kws_device_rate(const kws_device *d);	   /* Hz */
unsigned kws_device_channels(const kws_device *d); /* as opened, before mixing */
bool kws_device_is_pipe(const kws_device *d);	   /* raw: may be faster than real time, or pause */

/* Take what has come since the last call. The functions below see no more than that of an ALSA
 * device. Each call asks the sound system, so call it once for each look. */
void kws_device_fetch(kws_device *d);
/* How many mono samples can be read. */
size_t kws_device_available(const kws_device *d);
/* Read exactly n mono samples, or none. Returns n or 0. n: at most one second. */
size_t kws_device_read(kws_device *d, float *pcm, size_t n);

/* What was seen so far. */
typedef struct {
	unsigned long blocks; /* received */
	/* Times the sound system reported that it lost audio before we got it. */
	unsigned long overflows;
	size_t dropped; /* samples lost because the ring was full */
	bool ended;	/* no more audio: the device was removed, or the pipe was closed */
	/* Ended for good: standard input or a plain file was read to its end. */
	bool finished;
	bool refused; /* finished, because it is not in a known sound format */
} kws_device_state;
void kws_device_state_get(const kws_device *d, kws_device_state *st);

/* Why the device ended, or what part could not be decoded; valid after state says that it ended.
 * "": nothing to report. */
const char *kws_device_trouble(const kws_device *d);

/* What is wrong with the sound since the device was opened, up to the last full second. Reader
 * only. False: nothing is known yet, and out is unchanged. */
bool kws_device_findings(kws_device *d, kws_findings *out);

/* A descriptor that is readable when samples have arrived since the last fetch, or the end. -1: there
 * is none; check every few milliseconds. */
int kws_device_fd(const kws_device *d);

/* Play pcm (n,), mono, on the default output, and wait until it has been heard. Call
 * kws_device_prepare() first. KWS_ERR_DEVICE: there is no output, or it does not take this rate. */
enum kws_status kws_device_play(const float *pcm, size_t n, unsigned rate_hz, kws_error *err);

#endif
