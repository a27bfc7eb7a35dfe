/* source.h - mono float samples from a file or a pipe, in the order and at the rate they were recorded.
 *
 * Two kinds behind one reader: whatever libsndfile opens, and headerless PCM from a file descriptor. Reading
 * allocates nothing. A source belongs to one thread at a time. */
#ifndef KWS_AUDIO_SOURCE_H
#define KWS_AUDIO_SOURCE_H

#include "kws.h"

enum {
	KWS_SOURCE_MIN_HZ = 8000,
	KWS_SOURCE_MAX_HZ = 192000,
	KWS_SOURCE_MAX_CHANNELS = 1024
};

/* How one sample of headerless PCM is written. LE and BE: byte order. */
enum kws_encoding {
	KWS_ENC_S8,
	KWS_ENC_U8,
	KWS_ENC_S16_LE,
	KWS_ENC_S16_BE,
	KWS_ENC_S24_LE, /* three bytes */
	KWS_ENC_S24_BE,
	KWS_ENC_S24_IN_32_LE, /* the low three of four bytes */
	KWS_ENC_S24_IN_32_BE,
	KWS_ENC_S32_LE,
	KWS_ENC_S32_BE,
	KWS_ENC_F32_LE,
	KWS_ENC_F32_BE,
	KWS_ENC_F64_LE,
	KWS_ENC_F64_BE,
	KWS_ENC_MU_LAW,
	KWS_ENC_A_LAW,
	KWS_N_ENCODINGS
};

/* Find an encoding by name, in any case. Names:
 *
 *   s8 u8 s16 s24 s32 f32 f64 (and with le or be behind: s16be), mulaw, alaw
 *   arecord's: S8 U8 S16_LE S24_3LE S24_LE (in 32 bits) S32_LE FLOAT_LE FLOAT64_LE MU_LAW A_LAW, and _BE
 *   sox's: signed-integer unsigned-integer floating-point mu-law a-law u-law, whose width is bits
 *
 * Without a byte order: little-endian. bits: 0 when not given; else it MUST agree with the name.
 * KWS_ERR_ARG names the name or the width. */
enum kws_status kws_encoding_parse(enum kws_encoding *out, const char *name, unsigned bits, kws_error *err);

/* The short name, e.g. "s16be". Never NULL. */
const char *kws_encoding_name(enum kws_encoding enc);

/* Bytes of one sample of one channel, 1 to 8. */
size_t kws_encoding_bytes(enum kws_encoding enc);

typedef struct kws_source kws_source;

/* Open an audio file of any format that libsndfile reads.
 *
 *   channel  0: the mean of all channels; n: channel n, counted from 1
 *
 * Errors begin with the path: KWS_ERR_IO when the system refuses it, KWS_ERR_FORMAT when it is no audio,
 * KWS_ERR_ARG for a rate outside KWS_SOURCE_MIN_HZ .. KWS_SOURCE_MAX_HZ or a channel that it lacks. */
enum kws_status kws_source_open_file(kws_source **out, const char *path, int channel, kws_error *err);

/* Read headerless PCM, channels interleaved, from fd (a pipe, a file, a terminal; blocking or not). fd stays the caller's:
 * it MUST stay open as long as the source and is not closed with it. KWS_ERR_ARG names the argument that is out of range. */
enum kws_status kws_source_open_raw(kws_source **out, int fd, unsigned rate_hz, unsigned channels, enum kws_encoding enc,
				    int channel, kws_error *err);
void kws_source_close(kws_source *src);

unsigned kws_source_rate(const kws_source *src);     /* Hz */
unsigned kws_source_channels(const kws_source *src); /* in the file, before the mix */
uint64_t kws_source_frames(const kws_source *src);   /* samples in all, as the file claims; 0: not known */

/* Read up to n > 0 samples into mono (n,); nominal range [-1, 1], integers divided by their full scale, floats as they are.
 *
 * *got is how many came, 0 only at the end. A pipe gives what has arrived, without waiting for n: it blocks only
 * until there is one sample. On failure *got is how many good samples came before (0 is possible), and
 * the error names the place: "a.flac: at sample 16384: ...". Nothing can be read after a failure or the end. */
enum kws_status kws_source_read(kws_source *src, float *mono, size_t n, size_t *got, kws_error *err);

/* At the end of a raw source: bytes of a last frame that was cut short and left out; else 0. */
size_t kws_source_leftover(const kws_source *src);

#endif
