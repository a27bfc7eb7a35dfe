/* clips.h - writes the sound of each event and near miss to a WAV file; off by default.
 *
 * A worker writes each clip under a temporary name and then renames it. If the clips in the folder
 * would exceed the quota, it removes the oldest ones first. Only files with names of the form below
 * count, and only those are ever removed. */
#ifndef KWS_DAEMON_CLIPS_H
#define KWS_DAEMON_CLIPS_H

#include "conf/conf.h"
#include "spot/history.h"

#include <stdbool.h>

enum { KWS_CLIP_NAME = 96, KWS_CLIPS_WANTED = 16 };

typedef struct kws_clips kws_clips;

typedef struct {
	unsigned long written, dropped, failed, removed;
} kws_clips_stats;

/* KWS_ERR_IO: the folder is missing or not writable. KWS_OK if clips are off. */
enum kws_status kws_clips_check(const kws_conf_clips *c, kws_error *err);

/* One for all listeners. most_hz: the highest sample rate of their streams. */
enum kws_status kws_clips_create(kws_clips **out, const kws_conf_clips *c, unsigned most_hz,
				 kws_error *err);
void kws_clips_stop(kws_clips *c, int timeout_ms,
		    bool wait); /* see kws_worker_stop; NULL is fine */

/* How many samples a history at rate_hz must hold for clips. */
size_t kws_clips_history(const kws_conf_clips *c, unsigned rate_hz);

/* "20260301T120000.250Z-yes-93.wav": wall time of the word's start, word, score in percent. With a
 * listener's name other than "": "20260301T120000.250Z-kitchen-yes-93.wav". */
void kws_clips_name(char name[KWS_CLIP_NAME], double wall, const char *listener, const char *word,
		    float score, bool near);

/* The clips to be cut from one listener's stream. Plain data; all zero except hz at the start. */
typedef struct {
	unsigned hz;
	size_t n;
	struct {
		char name[KWS_CLIP_NAME];
		uint64_t from, to;
	} wanted[KWS_CLIPS_WANTED];
} kws_clip_list;

/* Write samples start .. end of the stream, with pre_ms before and post_ms after, as soon as its
 * history has them. */
void kws_clips_want(kws_clips *c, kws_clip_list *list, const char *name, uint64_t start,
		    uint64_t end);
/* Samples were added to h. last: no more will come; take what is there. Never waits. */
void kws_clips_step(kws_clips *c, kws_clip_list *list, const kws_history *h, bool last);

void kws_clips_stats_get(kws_clips *c, kws_clips_stats *st);

#endif
