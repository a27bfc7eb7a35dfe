/* decoder.h - the interface between source.c and its decoders. A decoder reads one stream of sound
 * from a tape, from the tape's position to the end of that stream.
 *
 * A decoder reads everything that it can. It skips what it cannot decode, and remembers the first
 * such fault and its position. */
#ifndef KWS_AUDIO_DECODER_H
#define KWS_AUDIO_DECODER_H

#include "audio/header.h"
#include "audio/tape.h"

typedef struct kws_decoder kws_decoder;
struct kws_decoder {
	kws_tape *tape; /* the caller's */
	unsigned rate_hz, channels;
	uint64_t claim;	   /* frames according to the header; 0: unknown */
	uint64_t position; /* frames read */

	/* Read up to n frames into x (n * channels,), at least one; 0 at the end. */
	size_t (*read)(kws_decoder *d, float *x, size_t n);
	void (*close)(kws_decoder *d); /* frees d, too; d may be half-built */

	size_t leftover;   /* bytes of an incomplete frame */
	uint64_t fault_at; /* frames before the fault */
	kws_error fault;   /* the first part that could not be decoded; "": none */
	kws_error note;	   /* something odd, although all was decoded; "": nothing */
};

/* Remember a fault at this position, unless there is an earlier one. */
__attribute__((format(printf, 3, 4))) void kws_decoder_fault(kws_decoder *d, uint64_t at,
							     const char *format, ...);

/* At the end, compare the length in the header with the real one. A shorter stream is a fault, a
 * longer one a note. unit: "samples". */
void kws_decoder_settle(kws_decoder *d, uint64_t claimed, uint64_t heard, const char *unit);

/* Each of these opens one stream and then knows its rate and channels. On failure *out is NULL. */

/* Plain samples; the tape is at h->data. h NULL: there is no header, and the samples have this
 * format. */
enum kws_status kws_decoder_pcm(kws_decoder **out, kws_tape *t, const kws_header *h,
				unsigned rate_hz, unsigned channels, enum kws_encoding enc,
				kws_error *err);

/* MPEG 1, 2 and 2.5, layers I to III, to the end of the tape. */
enum kws_status kws_decoder_mpeg(kws_decoder **out, kws_tape *t, kws_error *err);

/* FLAC without Ogg, to the next stream that follows in the file. */
enum kws_status kws_decoder_flac(kws_decoder **out, kws_tape *t, kws_error *err);

/* Ogg: Vorbis, Opus, FLAC, to the next link of the chain. */
enum kws_status kws_decoder_ogg(kws_decoder **out, kws_tape *t, kws_error *err);

/* All other formats that libsndfile reads. h: the header, for kinds whose sizes may need
 * correction; NULL: none. */
enum kws_status kws_decoder_sndfile(kws_decoder **out, kws_tape *t, const kws_header *h,
				    kws_error *err);

#endif
