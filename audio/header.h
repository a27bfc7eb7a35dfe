/* header.h - reads the first bytes of an audio file, and finds where its sound really ends.
 *
 * A header is written before its sound. It is not updated if the recorder is killed, if it writes
 * to a pipe, or if the size does not fit into 32 bits. So the size in the header is only a claim.
 * It is trusted if the sound is followed by chunks or by nothing. */
#ifndef KWS_AUDIO_HEADER_H
#define KWS_AUDIO_HEADER_H

#include "audio/encoding.h"
#include "audio/tape.h"

enum kws_kind {
	KWS_KIND_NONE, /* unknown */
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
	KWS_KIND_OTHER,	  /* other sound, known by name only */
	KWS_KIND_NO_SOUND /* neither sound nor film, known by name only */
};

/* Find the kind of file at the tape's position, and its name: "WAV", "MP4 or M4A", "raw PCM". Moves
 * over ID3 tags, and no further. Waits only for the bytes that it needs. */
enum kws_kind kws_header_kind(kws_tape *t, const char **name);

/* Whether MP3 begins within the next 64 KiB of a file in which nothing else begins. This happens
 * when a recording starts in the middle of a radio stream, or other bytes come first. If so, the
 * tape moves there. */
bool kws_header_mpeg_near(kws_tape *t);

enum kws_code { KWS_CODE_PCM, KWS_CODE_MPEG, KWS_CODE_OTHER };

#define KWS_HEADER_UNKNOWN UINT64_MAX

typedef struct {
	enum kws_kind kind;
	enum kws_code code;
	enum kws_encoding enc; /* of KWS_CODE_PCM */
	char coding[8];	       /* name of the coding in the file: "0x0055", "alac"; "": none */
	unsigned rate_hz, channels;
	uint64_t data;	/* position of the first byte of sound */
	uint64_t claim; /* bytes of sound by the header, or KWS_HEADER_UNKNOWN */
	/* Positions of the size fields of the sound and of the file. */
	uint64_t size_at, whole_at;
} kws_header;

/* Read a header of KWS_KIND_WAV to KWS_KIND_CAF, and move the tape to the first byte of sound.
 * KWS_ERR_FORMAT says what is missing. */
enum kws_status kws_header_read(kws_header *h, kws_tape *t, kws_error *err);

/* Length in bytes of a tag (ID3, APE) at the tape's position, which does not change; 0: none. */
uint64_t kws_header_tag(kws_tape *t);

/* Where the sound of a file really ends, judged by what follows it; at most the end of the tape. */
uint64_t kws_header_end(const kws_header *h, kws_tape *t);

/* Whether sound can end at this position: what follows is nothing, a chunk or tag, or another file.
 * For a pipe, which cannot be searched to its end. */
bool kws_header_ends_here(const kws_header *h, kws_tape *t);

/* Move past the sound, its chunks and tags, to the next file that follows in the same file. False:
 * there is none; *more: there is another chunk of sound in this file, which is not read. */
bool kws_header_next(const kws_header *h, kws_tape *t, bool *more);

#endif
