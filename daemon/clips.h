/* clips.h - the sound of each event, and of each near miss, as a WAV file; off by default.
 *
 * Written by a worker under a temporary name and then renamed, oldest removed first when the
 * folder's clips would exceed the quota. Only files whose names look like ours count, and only
 * those are ever removed. */
#ifndef KWS_DAEMON_CLIPS_H
#define KWS_DAEMON_CLIPS_H

#include "daemon/conf.h"
#include "spot/history.h"

#include <stdbool.h>

enum { KWS_CLIP_NAME = 96, KWS_CLIP_WORD_MS = 2000, KWS_CLIPS_WANTED = 16 };

typedef struct kws_clips kws_clips;

typedef struct {
	unsigned long written, dropped, failed, removed;
} kws_clips_stats;

/* KWS_ERR_IO when the folder is missing or cannot be written; off is fine. */
enum kws_status kws_clips_check(const kws_conf_clips *c, kws_error *err);

/* One for all listeners, whose streams have at most most_hz. */
enum kws_status kws_clips_create(kws_clips **out, const kws_conf_clips *c, unsigned most_hz,
				 kws_error *err);
void kws_clips_stop(kws_clips *c, int timeout_ms,
		    bool wait); /* see kws_worker_stop; NULL is fine */

/* Samples of the stream that a history must hold for clips of rate_hz. */
size_t kws_clips_history(const kws_conf_clips *c, unsigned rate_hz);

/* "20260301T120000.250Z-yes-93.wav" for a word of that score that began at that wall time; with a
 * listener's name that is not "", "20260301T120000.250Z-kitchen-yes-93.wav". */
void kws_clips_name(char name[KWS_CLIP_NAME], double wall, const char *listener, const char *word,
		    float score, bool near);

/* What one listener's stream, at hz, is to give: plain bytes, all zero but hz at its start. */
typedef struct {
	unsigned hz;
	size_t n;
	struct {
		char name[KWS_CLIP_NAME];
		uint64_t from, to;
	} wanted[KWS_CLIPS_WANTED];
} kws_clip_list;

/* Keep samples start .. end of the stream, with the rolls around them, as soon as its history has them. */
void kws_clips_want(kws_clips *c, kws_clip_list *list, const char *name, uint64_t start,
		    uint64_t end);
/* h has moved on. last: it will not any more, take what there is. Never waits. */
void kws_clips_step(kws_clips *c, kws_clip_list *list, const kws_history *h, bool last);

void kws_clips_stats_get(kws_clips *c, kws_clips_stats *st);

#endif
