/* header.h - what an audio file says of itself in its first bytes, and where its sound really ends.
 *
 * A header is written before its sound, and not written again when the recorder is killed, when it
 * writes into a pipe, or when 32 bits do not hold the size. So the size that it names is only a
 * claim: it holds when what stands behind the sound are chunks, or nothing. */
#ifndef KWS_AUDIO_HEADER_H
#define KWS_AUDIO_HEADER_H

#include "audio/encoding.h"
#include "audio/tape.h"

enum kws_kind {
	KWS_KIND_NONE, /* nothing that is known */
	KWS_KIND_WAV,
	KWS_KIND_RIFX,
	KWS_KIND_RF64, /* and BW64 */
	KWS_KIND_W64,
	KWS_KIND_AIFF, /* and AIFC */
	KWS_KIND_AU,
	KWS_KIND_AU_LE,
	KWS_KIND_CAF,
	KWS_KIND_FLAC,
	KWS_KIND_OGG,
	KWS_KIND_MPEG,
	KWS_KIND_OTHER,	  /* other sound: only its name is known */
	KWS_KIND_NO_SOUND /* neither sound nor film: only its name is known */
};

/* What the tape holds at its place, and its name: "WAV", "MP4 or M4A", "raw PCM". Goes on over ID3
 * tags, else stays. Waits for no more bytes than it takes to tell. */
enum kws_kind kws_header_kind(kws_tape *t, const char **name);

/* Does MP3 begin within the next 64 KiB of a file, where nothing else does? So it is when a radio's
 * stream was cut into, or other bytes stand in front. The tape then stands
 * there, else stays. */
bool kws_header_mpeg_near(kws_tape *t);

enum kws_code { KWS_CODE_PCM, KWS_CODE_MPEG, KWS_CODE_OTHER };

#define KWS_HEADER_UNKNOWN UINT64_MAX

typedef struct {
	enum kws_kind kind;
	enum kws_code code;
	enum kws_encoding enc; /* of KWS_CODE_PCM */
	char coding[8];	       /* its name in the file: "0x0055", "alac"; "": none */
	unsigned rate_hz, channels;
	uint64_t data;	/* place of the first byte of sound */
	uint64_t claim; /* bytes of sound by the header; KWS_HEADER_UNKNOWN: it leaves that open */
	uint64_t size_at,
		whole_at; /* places of the fields that claim so for the sound and the file */
} kws_header;

/* Read a header of KWS_KIND_WAV to KWS_KIND_CAF; the tape then stands at its first byte of sound.
 * KWS_ERR_FORMAT says what is missing. */
enum kws_status kws_header_read(kws_header *h, kws_tape *t, kws_error *err);

/* Bytes of a tag (ID3, APE) at the tape's place, which stays; 0: none. */
uint64_t kws_header_tag(kws_tape *t);

/* Where the sound of a file really ends, from what stands behind it; at most the end of the tape. */
uint64_t kws_header_end(const kws_header *h, kws_tape *t);

/* Does a sound end well at this place of the tape: with nothing, a chunk or tag, or another file?
 * For a pipe, which cannot be looked through to its end. */
bool kws_header_ends_here(const kws_header *h, kws_tape *t);

/* Go on behind the sound, over chunks and tags, to the next file that was put behind this one. false:
 * there is none; or `*more`, another chunk of sound in the same file, which is not heard. */
bool kws_header_next(const kws_header *h, kws_tape *t, bool *more);

#endif
