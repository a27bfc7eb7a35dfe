/* spool_parts.h - the parts of spool.c and spool_file.c. Only for these files.
 *
 * The file has two kinds of lines:
 *   + SUM NUMBER MILLISECONDS ID TEXT    an event
 *   - SUM NUMBER                         all events up to this one are delivered or dropped
 * SUM is the beginning of the SHA-256 of what follows it. */
#ifndef KWS_GATEWAY_MQTT_SPOOL_PARTS_H
#define KWS_GATEWAY_MQTT_SPOOL_PARTS_H

#include "gateway/mqtt/spool.h"

#include <sys/types.h>

enum { KWS_SPOOL_ID = 128, KWS_SPOOL_RECORD = KWS_SPOOL_LINE + 256 };

typedef struct {
	uint64_t number, id; /* id: a hash */
	double time;
	off_t at;    /* of its line in the file */
	size_t n;    /* bytes of the line, with the line feed */
	size_t text; /* where the text begins in the line */
	char *line;  /* NULL: it is in the file */
	bool done;
} kws_spool_item;

struct kws_spool {
	char path[4096];
	size_t most_bytes;
	double most_age_s;
	int fd;		      /* -1: no file */
	off_t end;	      /* of the file */
	uint64_t last;	      /* number of the last event */
	uint64_t marked;      /* the file says that all up to here are done */
	kws_spool_item *item; /* (room,) those from first to first + n wait */
	size_t first, n, room;
	size_t bytes, in_memory;
	uint64_t recent[KWS_SPOOL_RECENT];
	size_t n_recent;
	unsigned long repeated, full, old, damaged;
	bool broken; /* the file has more than end bytes, or none of its lines can be trusted */
	char record[KWS_SPOOL_RECORD];
};

/* Write an event's line to s->record. Returns its length; *text: where the text begins. */
size_t kws_spool_write(kws_spool *s, uint64_t number, double time, const char *id, const char *text,
		       size_t n, size_t *at_text);
uint64_t kws_spool_hash(const char *id, size_t n);
/* Append an item that waits, the newest. False: no memory. */
bool kws_spool_push(kws_spool *s, const kws_spool_item *it);

/* Open the file and add what waits in it. */
enum kws_status kws_spool_load(kws_spool *s, kws_error *err);
/* Append n bytes to the file: all, or none and errno. sync: wait until they are on the disk. */
bool kws_spool_append(kws_spool *s, const char *text, size_t n, bool sync);
/* Note in the file which events are done. */
void kws_spool_mark(kws_spool *s);
/* Write the file anew, with only what waits and is in it. */
bool kws_spool_rewrite(kws_spool *s);

#endif
