/* source_parts.h - shared by source.c and source_link.c. */
#ifndef KWS_AUDIO_SOURCE_PARTS_H
#define KWS_AUDIO_SOURCE_PARTS_H

#include "audio/decoder.h"
#include "audio/source.h"

/* Interleaved samples decoded at a time: 16 frames with the most channels. */
enum { KWS_SOURCE_BLOCK = 16 * KWS_SOURCE_MAX_CHANNELS };

struct kws_source {
	char *name; /* for errors */
	int fd;	    /* -1: not ours to close */
	kws_tape *tape;
	kws_decoder *decoder; /* of the current link */
	kws_header header;    /* of the current link; KWS_KIND_NONE: it has none of these */
	kws_judge *judge;
	const char *format;
	unsigned rate_hz, channels, channel;
	unsigned link;	   /* number of streams so far, one after the other */
	uint64_t frames;   /* as claimed; 0: unknown */
	uint64_t position; /* frames read */
	bool live;	   /* a pipe: returns at once what has arrived */
	bool done;	   /* ended or failed */
	size_t leftover;
	uint64_t fault_at;
	kws_error fault, note; /* the first of each; "": none */
	float *samples;	       /* (KWS_SOURCE_BLOCK,) */
};

/* A link is one stream of several that may follow one another.
 *
 * Open the link at the tape's position. raw: the format of samples without a header; NULL: they are
 * refused. */
enum kws_status kws_source_open_link(kws_source *src, const kws_source_raw *raw, kws_error *err);
/* Close the link, and keep what it has to report. */
void kws_source_close_link(kws_source *src);
/* Close the link, and open the next one that can be read. False: the end. */
bool kws_source_next_link(kws_source *src);

#endif
