/* decoder.h - what source.c shares with its decoders: one stream of sound on a tape, from where the
 * tape stands to where that stream ends.
 *
 * A decoder hears all that is there. What it could not hear it skips and remembers: the first such
 * fault, with its place. */
#ifndef KWS_AUDIO_DECODER_H
#define KWS_AUDIO_DECODER_H

#include "audio/header.h"
#include "audio/tape.h"

typedef struct kws_decoder kws_decoder;
struct kws_decoder {
	kws_tape *tape; /* the caller's */
	unsigned rate_hz, channels;
	uint64_t claim;	   /* frames by the header, 0: not known */
	uint64_t position; /* frames read */

	/* Up to n frames into x (n * channels,), at least one, 0 at the end. */
	size_t (*read)(kws_decoder *d, float *x, size_t n);
	void (*close)(kws_decoder *d); /* frees d, too; copes with half of one */

	size_t leftover;   /* bytes of a frame that is not complete */
	uint64_t fault_at; /* frames before what could not be heard */
	kws_error fault;   /* what that is; "": nothing */
	kws_error note;	   /* what was odd though all was heard; "": nothing */
};

/* Remember a fault at this place, unless there was one before. */
__attribute__((format(printf, 3, 4))) void kws_decoder_fault(kws_decoder *d, uint64_t at,
							     const char *format, ...);

/* At the end: does what the header claims agree with what was heard? Less is a fault, more a note.
 * unit: "samples". */
void kws_decoder_settle(kws_decoder *d, uint64_t claimed, uint64_t heard, const char *unit);

/* Each opens one stream and knows its rate and channels then. On failure *out is NULL. */

/* Plain samples: the tape stands at h->data. h NULL: without a header, of this format. */
enum kws_status kws_decoder_pcm(kws_decoder **out, kws_tape *t, const kws_header *h,
				unsigned rate_hz, unsigned channels, enum kws_encoding enc,
				kws_error *err);

/* MPEG 1, 2 and 2.5, layers I to III, to the end of the tape. */
enum kws_status kws_decoder_mpeg(kws_decoder **out, kws_tape *t, kws_error *err);

/* FLAC without Ogg, to the next one that was put behind it. */
enum kws_status kws_decoder_flac(kws_decoder **out, kws_tape *t, kws_error *err);

/* Ogg: Vorbis, Opus, FLAC, to the next link of the chain. */
enum kws_status kws_decoder_ogg(kws_decoder **out, kws_tape *t, kws_error *err);

/* All else that libsndfile reads. h: the header, to be put right, of a kind that it was read from;
 * NULL: none. */
enum kws_status kws_decoder_sndfile(kws_decoder **out, kws_tape *t, const kws_header *h,
				    kws_error *err);

#endif
