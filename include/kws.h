/* kws.h - what every module shares beside the public face, kws/kws.h, whose rules hold inside, too. Nothing below cli/ and
 * daemon/ prints, logs, exits or reads a clock. */
#ifndef KWS_H
#define KWS_H

#include "kws/kws.h"

/* How pitch grows with frequency f in Hz. HTK: mel = 2595 log10(1 + f/700). Slaney (Auditory Toolbox): mel = 3f/200 up to
 * 1 kHz, then 15 + 27 ln(f/1000) / ln 6.4. */
enum kws_mel_scale { KWS_MEL_HTK, KWS_MEL_SLANEY };

/* What errno means, as strerror says it; where a limit is the cause, which one it is. */
const char *kws_strerrno(int code);

/* A format for pthread_create's number as strerror says it. */
#define KWS_NO_THREAD "cannot start a thread: %s (ulimit -u and -v, TasksMax=)"

/* Control characters of text, also those that UTF-8 spells with two bytes, become '?': what comes
 * from outside must not write lines of its own into a log, or steer a terminal. */
void kws_clean(char *text);

/* Bytes of the UTF-8 sequence at text, which ends with a 0; 0: it is none (overlong, surrogate, cut short, beyond
 * U+10FFFF). */
size_t kws_utf8_length(const char *text);

/* Names of microphones, models and sinks: 1 to KWS_NAME - 1 of A-Z a-z 0-9 _ -; the first len bytes of text. */
enum { KWS_NAME = 32 };
bool kws_is_name(const char *text, size_t len);

/* Fill e (may be NULL) like snprintf and return status, so that a failure is one line. */
enum kws_status kws_fail(kws_error *e, enum kws_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
