/* kws.h - what every module of libkws shares: status codes and the error text.
 *
 * Rules of the whole library, said once:
 *   - Nothing below cli/ and daemon/ prints, logs, exits or reads a clock.
 *   - create() may fail; what runs on audio cannot fail, allocate or block.
 *   - *out is NULL when a create fails; destroy(NULL) does nothing.
 *   - reset() returns to the state just after create() and frees nothing.
 *   - float arrays are row-major, shapes are written (rows, columns).
 *   - Time is a count of samples at the model's rate until somebody prints it. */
#ifndef KWS_H
#define KWS_H

#include <stddef.h>
#include <stdint.h>

#define KWS_VERSION "0.1.0"

enum kws_status {
	KWS_OK = 0,
	KWS_ERR_ARG = -1,     /* the caller asked for something that cannot be */
	KWS_ERR_NOMEM = -2,   /* out of memory */
	KWS_ERR_IO = -3,      /* the system refused to open, read or write */
	KWS_ERR_FORMAT = -4,  /* the content is not what it claims to be */
	KWS_ERR_VERSION = -5, /* well-formed, but of a version or kind we do not know */
	KWS_ERR_DEVICE = -6   /* an audio device refused or went away */
};

/* How pitch grows with frequency f in Hz. HTK: mel = 2595 log10(1 + f/700). Slaney (Auditory Toolbox): mel = 3f/200 up to
 * 1 kHz, then 15 + 27 ln(f/1000) / ln 6.4. */
enum kws_mel_scale { KWS_MEL_HTK, KWS_MEL_SLANEY };

/* A short English sentence, e.g. "out of memory". Never NULL. */
const char *kws_strerror(enum kws_status s);

/* What went wrong and where, e.g. "layers.0.v_proj.weight: shape [128, 63], want [128, 64]".
 * Functions that take a kws_error * accept NULL; text is written only on failure. */
typedef struct {
	char text[256];
} kws_error;

/* Fill e (may be NULL) like snprintf and return s, so that a failure is one line. */
enum kws_status kws_fail(kws_error *e, enum kws_status s, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
