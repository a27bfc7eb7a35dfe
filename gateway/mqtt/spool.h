/* spool.h - events that wait on disk until the broker has them: a bounded queue in one file.
 *
 * An event is a line of text with an id. Each is in the file as soon as kws_spool_add returns, whole
 * or not at all, so that it survives a crash and a power cut. The oldest events make room for new
 * ones, and those that are too old are dropped. If the disk is full or broken, events wait in
 * memory, where there is room for few, and are written when that is possible again.
 *
 * Functions write to the disk and may take as long as that. One thread at a time. */
#ifndef KWS_GATEWAY_MQTT_SPOOL_H
#define KWS_GATEWAY_MQTT_SPOOL_H

#include "kws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kws_spool kws_spool;

enum { KWS_SPOOL_MEMORY = 256 }; /* events that may wait in memory while the disk refuses them */
enum { KWS_SPOOL_RECENT = 256 }; /* ids of delivered events that are remembered */
enum { KWS_SPOOL_LINE = 8192 };	 /* the longest text of an event */

typedef struct {
	const char *path;  /* "": no file; all events wait in memory */
	size_t most_bytes; /* of all that wait, in the file */
	double most_age_s; /* > 0 */
} kws_spool_config;

/* An event that waits. */
typedef struct {
	uint64_t number;  /* grows with each event */
	double time;	  /* when it was added, seconds since 1970 */
	const char *text; /* lives until the next call of any function */
	size_t n;
} kws_spool_event;

typedef struct {
	size_t waiting;		/* with those that are delivered before an older one is */
	size_t bytes;		/* of their lines in the file */
	size_t in_memory;	/* of those that wait */
	unsigned long repeated; /* not added, because their id was known */
	unsigned long full;	/* dropped, because there was no room */
	unsigned long old;	/* dropped, because they were too old */
	unsigned long damaged;	/* lines of the file that could not be read */
} kws_spool_stats;

/* Open the file, which is made if it is missing, with the events that wait in it. wall: seconds since
 * 1970. KWS_ERR_IO: it cannot be opened, or another process uses it. */
enum kws_status kws_spool_open(kws_spool **out, const kws_spool_config *c, double wall,
			       kws_error *err);
void kws_spool_close(kws_spool *s); /* what waits stays in the file */

/* Add an event. id: at most 127 bytes without blanks; text (n,): one line without its line feed, n <
 * KWS_SPOOL_LINE. Nothing happens if an event with this id waits, or was delivered lately. KWS_ERR_IO:
 * the disk refused it, and it waits in memory; KWS_ERR_ARG: it has no such form; KWS_ERR_NOMEM. */
enum kws_status kws_spool_add(kws_spool *s, const char *id, const char *text, size_t n, double wall,
			      kws_error *err);

/* The oldest event that waits and has a number greater than after. False: there is none. One that
 * cannot be read from the disk is dropped. */
bool kws_spool_next(kws_spool *s, uint64_t after, kws_spool_event *out);

/* The event of this number is delivered. Nothing happens if it does not wait any more. */
void kws_spool_done(kws_spool *s, uint64_t number);

/* Drop what is too old, and write to the disk what could not be written before. Call it now and
 * then. */
void kws_spool_tidy(kws_spool *s, double wall);

void kws_spool_stats_get(const kws_spool *s, kws_spool_stats *st);

#endif
