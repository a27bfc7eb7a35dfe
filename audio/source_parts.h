/* source_parts.h - what source.c shares with source_link.c. */
#ifndef KWS_AUDIO_SOURCE_PARTS_H
#define KWS_AUDIO_SOURCE_PARTS_H

#include "audio/decoder.h"
#include "audio/source.h"

/* Interleaved samples decoded at a time: 16 frames of the most channels. */
enum { KWS_SOURCE_BLOCK = 16 * KWS_SOURCE_MAX_CHANNELS };

struct kws_source {
	char *name; /* for errors */
	int fd;	    /* -1: not ours to close */
	kws_tape *tape;
	kws_decoder *decoder; /* of the link that is being heard */
	kws_header header;    /* of that link; kind KWS_KIND_NONE: it has none of these */
	kws_judge *judge;
	const char *format;
	unsigned rate_hz, channels, channel;
	unsigned link;	   /* how many streams there were, one behind the other */
	uint64_t frames;   /* as claimed, 0: not known */
	uint64_t position; /* frames read */
	bool live;	   /* a pipe: what there is comes at once */
	bool done;	   /* ended or failed */
	size_t leftover;
	uint64_t fault_at;
	kws_error fault, note; /* the first of each; "": none */
	float *samples;	       /* (KWS_SOURCE_BLOCK,) */
};

/* A link is one stream, of perhaps several that stand one behind the other.
 *
 * Open the one that begins at the tape's place. raw: how samples without a header are written; NULL:
 * they are refused. */
enum kws_status kws_source_open_link(kws_source *src, const kws_source_raw *raw, kws_error *err);
/* Keep what this one has to tell. */
void kws_source_close_link(kws_source *src);
/* Close this one, and open the next, if there is one that can be heard. false: the end. */
bool kws_source_next_link(kws_source *src);

#endif
