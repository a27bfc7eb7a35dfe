/* kws.h - what all modules share, in addition to the public interface in kws/kws.h. The rules of
 * the public interface apply here, too. Only cli/ and daemon/ may print, log, exit or read a
 * clock. */
#ifndef KWS_H
#define KWS_H

#include "kws/kws.h"

/* The mel scale: pitch as a function of the frequency f in Hz. HTK: mel = 2595 log10(1 + f/700).
 * Slaney (Auditory Toolbox): mel = 3f/200 up to 1 kHz, then 15 + 27 ln(f/1000) / ln 6.4. */
enum kws_mel_scale { KWS_MEL_HTK, KWS_MEL_SLANEY };

/* The features of a network, which it was trained on: what dsp/mel computes. */
typedef struct {
	unsigned rate_hz;	/* 8000 .. 48000 */
	unsigned win;		/* samples, hop .. n_fft */
	unsigned hop;		/* samples, 1 .. win */
	unsigned n_fft;		/* power of two, 64 .. 4096 */
	unsigned n_mels;	/* 1 .. 128 */
	float f_lo_hz, f_hi_hz; /* 0 <= lo < hi <= rate/2 */
	float log_floor;	/* > 0, not subnormal */
	enum kws_mel_scale mel;
} kws_features;

/* The message for an errno, as from strerror. If a limit is the cause, the message names the
 * limit. */
const char *kws_strerrno(int code);

/* Format of the error when pthread_create fails; %s is strerror of its result. */
#define KWS_NO_THREAD "cannot start a thread: %s (ulimit -u and -v, TasksMax=)"

/* Replace control characters in text by '?', including those that UTF-8 encodes in two bytes. Text
 * from outside must not add lines to a log or control a terminal. */
void kws_clean(char *text);

/* Length in bytes of the UTF-8 sequence at the start of text, which ends with a 0. Returns 0 if it
 * is not valid (overlong, a surrogate, truncated, or above U+10FFFF). */
size_t kws_utf8_length(const char *text);

/* Whether the first len bytes of text are a valid name for a microphone, model or sink: 1 to
 * KWS_NAME - 1 characters of A-Z a-z 0-9 _ -. */
enum { KWS_NAME = 32 };
bool kws_is_name(const char *text, size_t len);

/* kws_fail(e, status, format, ...): fill e (may be NULL) like snprintf, and return status. A failure is
 * then one line of code. A text that is too long ends in "...". A macro, so that whoever reads the code by
 * machine knows what comes back. */
#define kws_fail(e, status, ...) kws_failed(status, kws_fail_text(e, __VA_ARGS__))
int kws_fail_text(kws_error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline enum kws_status kws_failed(enum kws_status status, int told)
{
	(void)told;
	return status;
}

#endif
