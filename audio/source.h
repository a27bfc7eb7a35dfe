/* source.h - mono float samples from a file or a pipe, in the order and at the rate they were
 * recorded.
 *
 * Two kinds behind one reader: whatever libsndfile opens, and headerless PCM from a file
 * descriptor. Reading allocates nothing. A source belongs to one thread at a time. */
#ifndef KWS_AUDIO_SOURCE_H
#define KWS_AUDIO_SOURCE_H

#include "audio/encoding.h"
#include "kws.h"

enum { KWS_SOURCE_MIN_HZ = 8000, KWS_SOURCE_MAX_HZ = 192000, KWS_SOURCE_MAX_CHANNELS = 1024 };

typedef struct kws_source kws_source;

/* Open an audio file of any format that libsndfile reads.
 *
 *   channel  0: the mean of all channels; n: channel n, counted from 1
 *
 * Errors begin with the path: KWS_ERR_IO when the system refuses it, KWS_ERR_FORMAT when it is no
 * audio, KWS_ERR_ARG for a rate outside KWS_SOURCE_MIN_HZ .. KWS_SOURCE_MAX_HZ or a channel that it
 * lacks. */
enum kws_status kws_source_open_file(kws_source **out, const char *path, int channel,
				     kws_error *err);

/* Read headerless PCM, channels interleaved, from fd (a pipe, a file, a terminal; blocking or not).
 * fd stays the caller's: it MUST stay open as long as the source and is not closed with it.
 * KWS_ERR_ARG names the argument that is out of range. */
enum kws_status kws_source_open_raw(kws_source **out, int fd, unsigned rate_hz, unsigned channels,
				    enum kws_encoding enc, int channel, kws_error *err);
void kws_source_close(kws_source *src);

unsigned kws_source_rate(const kws_source *src); /* Hz */

/* In the file, before the mix. */
unsigned kws_source_channels(const kws_source *src);

/* Samples in all, as the file claims; 0: not known. */
uint64_t kws_source_frames(const kws_source *src);

/* Read up to n > 0 samples into mono (n,); nominal range [-1, 1], integers divided by their full
 * scale, floats as they are.
 *
 * *got is how many came, 0 only at the end. A pipe gives what has arrived, without waiting for n:
 * it blocks only until there is one sample. On failure *got is how many good samples came before,
 * perhaps 0, and the error names the place: "a.flac: at sample 16384: ...". Nothing can be read
 * after a failure or the end. */
enum kws_status kws_source_read(kws_source *src, float *mono, size_t n, size_t *got,
				kws_error *err);

/* At the end of a raw source: bytes of a last frame that was cut short and left out; else 0. */
size_t kws_source_leftover(const kws_source *src);

#endif
