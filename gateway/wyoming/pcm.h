/* pcm.h - the bytes of audio that a client sends, as mono samples.
 *
 * Little-endian integers: unsigned in 1 byte, signed in 2, 3 and 4. Several channels become their
 * mean. The bytes may be cut anywhere, also inside a sample. */
#ifndef KWS_WYOMING_PCM_H
#define KWS_WYOMING_PCM_H

#include "kws.h"

enum {
	KWS_PCM_RATE_MIN = 8000,
	KWS_PCM_RATE_MAX = 192000,
	KWS_PCM_WIDTH_MAX = 4,
	KWS_PCM_CHANNELS_MAX = 32
};

typedef struct {
	unsigned rate_hz, width, channels; /* width: bytes of one channel's sample */
} kws_pcm_format;

typedef struct {
	kws_pcm_format format;
	unsigned char part[KWS_PCM_WIDTH_MAX * KWS_PCM_CHANNELS_MAX]; /* of an unfinished sample */
	size_t n_part;
} kws_pcm;

/* KWS_ERR_ARG: a value is out of range; err names it. */
enum kws_status kws_pcm_check(const kws_pcm_format *f, kws_error *err);

/* Begin anew. f MUST have been checked. */
void kws_pcm_init(kws_pcm *p, const kws_pcm_format *f);

/* Convert bytes (n,) to at most room samples, nominal range [-1, 1], in out. Returns the number of
 * samples; *used: how many bytes were taken, all of them if there was room. */
size_t kws_pcm_take(kws_pcm *p, const char *bytes, size_t n, size_t *used, float *out, size_t room);

#endif
