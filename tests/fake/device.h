/* device.h - microphones that do what a test tells them, by the fake clock.
 *
 * A microphone has a sound at every moment of the monotonic clock, whether anybody hears it or not. While
 * it is open and well, what has sounded since comes every 10 ms. All that is not said to be for another
 * thread is for the test's own. */
#ifndef KWS_TESTS_FAKE_DEVICE_H
#define KWS_TESTS_FAKE_DEVICE_H

#include "kws.h"

#include <stdbool.h>

typedef struct fake_microphone fake_microphone;

/* Samples at .. at + n of its sound at that rate into pcm, mono; sample 0 is second 0 of the monotonic
 * clock. */
typedef void fake_sound_fn(void *ctx, uint64_t at, unsigned rate_hz, float *pcm, size_t n);

/* What it does from now on; all zero: it works. Also while it is open. */
typedef struct {
	const char *refuses;	      /* open fails, for this reason */
	enum kws_status refuses_as;   /* KWS_OK: KWS_ERR_DEVICE */
	bool open_hangs, close_hangs; /* until fake_microphone_release */
	double open_takes_s, close_takes_s;
	bool stalled;  /* nothing comes, and is lost */
	bool late;     /* nothing comes, but comes all at once afterwards, as far as 4 s hold it */
	bool constant; /* all samples have one value */
} fake_behaviour;

/* From now on every device that is opened is one of these, by its name; another is not there. */
void fake_devices_start(void);
void fake_devices_stop(void);

fake_microphone *fake_microphone_add(const char *name, unsigned rate_hz, fake_sound_fn *sound,
				     void *ctx);
fake_behaviour *fake_microphone_does(fake_microphone *m);
void fake_microphone_release(fake_microphone *m);

/* The stream that runs, if one does: the device is gone for it, or for good (a file); the next samples are
 * lost, and what comes behind them says so. */
void fake_microphone_end(fake_microphone *m, bool for_good, const char *trouble);
void fake_microphone_overflow(fake_microphone *m, size_t samples);

/* Takes effect with the next open. */
void fake_microphone_set_rate(fake_microphone *m, unsigned rate_hz);
unsigned fake_microphone_rate(const fake_microphone *m);

/* Has a stream? How often was it opened, and how often asked for? */
bool fake_microphone_is_open(const fake_microphone *m);
unsigned fake_microphone_opened(const fake_microphone *m);
unsigned fake_microphone_asked(const fake_microphone *m);

/* given is called, on the test's own thread, for what has just come to the stream: what sounded from .. to,
 * in seconds of the monotonic clock. stream: the how many-eth that was opened. It must not ask the
 * microphone for anything. */
typedef void fake_given_fn(void *ctx, unsigned stream, double from, double to);
void fake_microphone_tell(fake_microphone *m, fake_given_fn *given, void *ctx);

#endif
