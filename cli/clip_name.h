/* clip_name.h - what the name of a clip of kwsd says: 20260301T120000.250Z-kitchen-yes-93-near.wav.
 * daemon/clips.h writes them. */
#ifndef KWS_CLI_CLIP_NAME_H
#define KWS_CLI_CLIP_NAME_H

#include <stdbool.h>

typedef struct {
	char when[32];	   /* of the word's start: 2026-03-01 12:00:00.250 */
	char listener[64]; /* "": the only one */
	char word[64];	   /* as kws_clip_name_is_of() compares it */
	unsigned percent;  /* the score */
	bool near;	   /* a near miss: there was no event */
} kws_clip_name;

/* False: it is not the name of a clip. */
bool kws_clip_name_read(kws_clip_name *c, const char *name);

/* Whether the clip is of this word: kwsd writes other bytes than letters and digits as _, and cuts
 * off a long one. */
bool kws_clip_name_is_of(const kws_clip_name *c, const char *word);

#endif
