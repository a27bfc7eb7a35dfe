/* source.h - mono float samples from a file or a pipe, in the order and at the rate they were
 * recorded.
 *
 * Everything that is there is heard: to the real end of a file, whatever its header says, through
 * all files that were put one behind the other, and around what is damaged. What could not be heard
 * is an error, told at the end.
 *
 * Reading allocates nothing, but where one file follows another in the same. A source belongs to one
 * thread at a time. */
#ifndef KWS_AUDIO_SOURCE_H
#define KWS_AUDIO_SOURCE_H

#include "audio/encoding.h"
#include "audio/judge.h"
#include "kws.h"

enum { KWS_SOURCE_MIN_HZ = 8000, KWS_SOURCE_MAX_HZ = 192000, KWS_SOURCE_MAX_CHANNELS = 1024 };

typedef struct kws_source kws_source;

/* Open an audio file: WAV in all its kinds, AIFF, AU, CAF, FLAC, Ogg, MP3, and whatever else
 * libsndfile reads.
 *
 *   channel  0: the mean of all channels; n: channel n, counted from 1
 *
 * Errors begin with the path: KWS_ERR_IO when the system refuses it or it is no regular file,
 * KWS_ERR_FORMAT when it is no audio, KWS_ERR_ARG for a rate outside KWS_SOURCE_MIN_HZ ..
 * KWS_SOURCE_MAX_HZ or a channel that it lacks. */
enum kws_status kws_source_open_file(kws_source **out, const char *path, int channel,
				     kws_error *err);

/* How samples without a header are written. */
typedef struct {
	unsigned rate_hz, channels;
	enum kws_encoding enc;
} kws_source_raw;

/* Hear fd (a pipe, a file, a terminal; blocking or not): what its first bytes say it is, else PCM
 * with channels interleaved as raw has it. A pipe is heard as it comes, in constant memory: every
 * format but those that only libsndfile reads; these are refused by name.
 *
 *   name  for errors, "standard input"
 *   quit  waiting ends, as if at the end, when this can be read; -1: never
 *
 * fd stays the caller's: it MUST stay open as long as the source and is not closed with it. Waits for
 * the first bytes, so far as it takes to tell. KWS_ERR_ARG names the argument that is out of range. */
enum kws_status kws_source_open_stream(kws_source **out, int fd, const char *name,
				       const kws_source_raw *raw, int channel, int quit,
				       kws_error *err);

/* A path of any kind: a regular file as kws_source_open_file opens it, a named pipe or a device as a
 * stream. */
enum kws_status kws_source_open_path(kws_source **out, const char *path, const kws_source_raw *raw,
				     int channel, kws_error *err);

/* A stream, but always headerless PCM; waits for nothing. */
enum kws_status kws_source_open_raw(kws_source **out, int fd, unsigned rate_hz, unsigned channels,
				    enum kws_encoding enc, int channel, kws_error *err);
void kws_source_close(kws_source *src);

unsigned kws_source_rate(const kws_source *src); /* Hz */

/* In the file, before the mix. */
unsigned kws_source_channels(const kws_source *src);

/* What it is: "WAV", "Ogg"; "raw PCM" for samples without a header. */
const char *kws_source_format(const kws_source *src);

/* Samples in all, as the file claims; 0: not known. For a bar of progress: how many there are shows
 * only at the end. */
uint64_t kws_source_frames(const kws_source *src);

/* Read up to n > 0 samples into mono (n,); nominal range [-1, 1], integers divided by their full
 * scale, floats as they are.
 *
 * *got is how many came, 0 only at the end. A pipe gives what has arrived, without waiting for n:
 * it blocks only until there is one sample. What is damaged is left out and the rest heard; then,
 * at the end, this fails with the first place where something is missing: "a.flac: at sample 16384:
 * ...". On failure *got is how many good samples came before, perhaps 0. Nothing can be read after a
 * failure or the end. */
enum kws_status kws_source_read(kws_source *src, float *mono, size_t n, size_t *got,
				kws_error *err);

/* A pipe, which may never end? */
bool kws_source_is_pipe(const kws_source *src);

/* Will a read not wait for the pipe? Else it may: PCM for its next byte only, what is coded for more. */
bool kws_source_ready(const kws_source *src);

/* Nothing more comes: it ended or failed. */
bool kws_source_ended(const kws_source *src);

/* At the end: what was odd though all was heard, "the header says 0 samples, ..."; "": nothing. */
const char *kws_source_note(const kws_source *src);

/* At the end: bytes of a last frame that was cut short and left out; else 0. */
size_t kws_source_leftover(const kws_source *src);

/* What is wrong with the sound that was read so far. */
void kws_source_findings(const kws_source *src, kws_findings *out);

#endif
