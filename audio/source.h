/* source.h - mono float samples from a file or a pipe, in the order and at the rate of the
 * recording.
 *
 * Everything is read: to the real end of a file, whatever its header says; through all files that
 * follow one another in one file; and past damaged parts. Anything that could not be read is an
 * error, reported at the end.
 *
 * Reading does not allocate, except where one file follows another in the same file. A source
 * belongs to one thread at a time. */
#ifndef KWS_AUDIO_SOURCE_H
#define KWS_AUDIO_SOURCE_H

#include "audio/encoding.h"
#include "audio/judge.h"
#include "kws.h"

enum { KWS_SOURCE_MIN_HZ = 8000, KWS_SOURCE_MAX_HZ = 192000, KWS_SOURCE_MAX_CHANNELS = 1024 };

typedef struct kws_source kws_source;

/* Open an audio file: WAV in all its kinds, AIFF, AU, CAF, FLAC, Ogg, MP3, and all other formats
 * that libsndfile reads.
 *
 *   channel  0: the mean of all channels; n: channel n, counted from 1
 *
 * Errors begin with the path. KWS_ERR_IO: the system refuses it, or it is not a regular file.
 * KWS_ERR_FORMAT: it is not audio. KWS_ERR_ARG: the rate is outside KWS_SOURCE_MIN_HZ ..
 * KWS_SOURCE_MAX_HZ, or the channel does not exist. */
enum kws_status kws_source_open_file(kws_source **out, const char *path, int channel,
				     kws_error *err);

/* The format of samples without a header. */
typedef struct {
	unsigned rate_hz, channels;
	enum kws_encoding enc;
} kws_source_raw;

/* Read from fd (a pipe, a file, a terminal; blocking or not). The first bytes say what it is; if
 * they do not, it is PCM with interleaved channels in the format of raw. A pipe is read as it
 * comes, in constant memory. It may have any format except those that only libsndfile reads; these
 * are refused by name.
 *
 *   name  for errors, "standard input"
 *   quit  waiting ends, as if at the end of the input, when this descriptor is readable; -1: never
 *
 * fd stays the caller's: it MUST stay open as long as the source, and is not closed with it. Waits
 * for the first bytes, as many as are needed. KWS_ERR_ARG names the argument that is out of
 * range. */
enum kws_status kws_source_open_stream(kws_source **out, int fd, const char *name,
				       const kws_source_raw *raw, int channel, int quit,
				       kws_error *err);

/* Open any path: a regular file like kws_source_open_file, a named pipe or a device as a stream. */
enum kws_status kws_source_open_path(kws_source **out, const char *path, const kws_source_raw *raw,
				     int channel, kws_error *err);

/* Open a stream that is always headerless PCM. Does not wait. */
enum kws_status kws_source_open_raw(kws_source **out, int fd, unsigned rate_hz, unsigned channels,
				    enum kws_encoding enc, int channel, kws_error *err);
void kws_source_close(kws_source *src);

unsigned kws_source_rate(const kws_source *src); /* Hz */

/* In the file, before mixing. */
unsigned kws_source_channels(const kws_source *src);

/* The format: "WAV", "Ogg"; "raw PCM" for samples without a header. */
const char *kws_source_format(const kws_source *src);

/* Total samples according to the file; 0: unknown. Good for a progress bar; the real number is
 * known only at the end. */
uint64_t kws_source_frames(const kws_source *src);

/* Read up to n > 0 samples into mono (n,); nominal range [-1, 1]. Integers are divided by their
 * full scale; floats are unchanged.
 *
 * *got is the number of samples read, 0 only at the end. A pipe gives what has arrived and does not
 * wait for n: it blocks only until there is one sample. Damaged parts are left out and the rest is
 * read. Then, at the end, the call fails with the first position where something is missing:
 * "a.flac: at sample 16384: ...". On failure *got is how many good samples came before, perhaps 0.
 * Nothing can be read after a failure or the end. */
enum kws_status kws_source_read(kws_source *src, float *mono, size_t n, size_t *got,
				kws_error *err);

/* Whether the source is a pipe, which may never end. */
bool kws_source_is_pipe(const kws_source *src);

/* Whether a read returns without waiting for the pipe. Otherwise it may wait: for the next byte of
 * PCM, or for more of coded sound. */
bool kws_source_ready(const kws_source *src);

/* Whether the source has ended or failed. */
bool kws_source_ended(const kws_source *src);

/* At the end: something odd, although all was read, "the header says 0 samples, ..."; "":
 * nothing. */
const char *kws_source_note(const kws_source *src);

/* At the end: bytes of an incomplete last frame, which was left out; otherwise 0. */
size_t kws_source_leftover(const kws_source *src);

/* What is wrong with the sound that was read so far. */
void kws_source_findings(const kws_source *src, kws_findings *out);

#endif
