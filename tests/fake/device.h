/* device.h - fake microphones that a test controls; they run by the fake clock.
 *
 * A microphone has sound at every moment of the monotonic clock, even if it is not open. While it
 * is open and works, it delivers the new sound every 10 ms. All functions are for the test's own
 * thread, unless said otherwise. */
#ifndef KWS_TESTS_FAKE_DEVICE_H
#define KWS_TESTS_FAKE_DEVICE_H

#include "kws.h"

#include <stdbool.h>

typedef struct fake_microphone fake_microphone;

/* Write samples at .. at + n of the sound to pcm, mono, at that rate. Sample 0 is second 0 of the
 * monotonic clock. */
typedef void fake_sound_fn(void *ctx, uint64_t at, unsigned rate_hz, float *pcm, size_t n);

/* The behaviour from now on, also of an open microphone; all zero: it works. */
typedef struct {
	const char *refuses;	      /* open fails, for this reason */
	enum kws_status refuses_as;   /* the status of open; KWS_OK: KWS_ERR_DEVICE */
	bool open_hangs, close_hangs; /* until fake_microphone_release */
	double open_takes_s, close_takes_s;
	bool stalled;  /* delivers nothing; the sound is lost */
	bool late;     /* delivers nothing now, but afterwards all at once, at most 4 s */
	bool constant; /* all samples have the same value */
} fake_behaviour;

/* From now on, opening a device opens the fake one of that name; other devices do not exist. */
void fake_devices_start(void);
void fake_devices_stop(void);

fake_microphone *fake_microphone_add(const char *name, unsigned rate_hz, fake_sound_fn *sound,
				     void *ctx);
fake_behaviour *fake_microphone_does(fake_microphone *m);
void fake_microphone_release(fake_microphone *m);

/* For the running stream, if any. end: the device goes away; for_good: the source has ended, like a
 * file. overflow: the next samples are lost, and the sound after them reports it. */
void fake_microphone_end(fake_microphone *m, bool for_good, const char *trouble);
void fake_microphone_overflow(fake_microphone *m, size_t samples);

/* Takes effect with the next open. */
void fake_microphone_set_rate(fake_microphone *m, unsigned rate_hz);
unsigned fake_microphone_rate(const fake_microphone *m);

/* Whether it has a stream; how often it was opened; how often an open was tried. */
bool fake_microphone_is_open(const fake_microphone *m);
unsigned fake_microphone_opened(const fake_microphone *m);
unsigned fake_microphone_asked(const fake_microphone *m);

/* Called on the test's own thread when the stream has got the sound from .. to, in seconds of the
 * monotonic clock. stream: its number among the streams opened so far. It must not call the
 * microphone. */
typedef void fake_given_fn(void *ctx, unsigned stream, double from, double to);
void fake_microphone_tell(fake_microphone *m, fake_given_fn *given, void *ctx);

#endif
