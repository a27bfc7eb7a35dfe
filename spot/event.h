/* event.h - one event as users see it: its fields, in one table, for JSON, the journal, the hook's environment and whoever
 * else tells of it. docs/event.schema.json says what each means. */
#ifndef KWS_SPOT_EVENT_H
#define KWS_SPOT_EVENT_H

#include "kws.h"

/* An event with all that is known of it, whole in itself but for the name of the file: it may be copied, and wait in a queue
 * when its model is gone. */
typedef struct {
	char word[64];
	double score, threshold, margin;		   /* 0..1 */
	uint64_t start_sample, end_sample, decided_sample; /* at rate_hz */
	uint64_t rate_hz;				   /* the model's */
	double start_s, end_s, decided_s;		   /* the same in seconds */
	double level_dbfs, snr_db;			   /* not finite: unknown */
	char model[64], model_hash[65];
	char spotter[32]; /* "": unknown; so for all texts that follow */
	char id[64];
	char after[64], after_id[64];
	const char *file; /* NULL: unknown */
	char host[65];
	char start_time[32], end_time[32]; /* RFC 3339, UTC */
	double start_monotonic;		   /* seconds; not finite: unknown */
	bool live;			   /* a device heard it, and what follows is known */
	char listener[32];
	char device[192];
	uint64_t gap_count;  /* times audio was lost since the event before this one */
	double gap_s;	     /* how much of it in all */
	char gap_reason[32]; /* of the last gap; "": none */
	char clip[96];	     /* file in the clips directory; "": none */
	uint64_t dropped;    /* events this reader lost since the last one it took */
} kws_report;

/* context NULL: nothing is known but the event. Texts that are too long are cut between characters. file stays the
 * context's. */
void kws_report_fill(kws_report *r, const kws_event *ev, const kws_model *m,
		     const kws_event_context *context);

/* As kws_event_json(). With size >= KWS_EVENT_JSON and no file it always fits. */
size_t kws_report_json(const kws_report *r, char *out, size_t size);

enum { KWS_REPORT_FIELDS = 32 }; /* a line has no more */

/* Field i of those that the line has: its lower-case name, and its value as text without control characters (at most n - 1
 * bytes), "" for null. False: there is no field i. */
bool kws_report_field(const kws_report *r, size_t i, const char **name, char *value, size_t n);

/* "yes 0.93 at 12.340 s": for people. */
void kws_report_text(const kws_report *r, char *out, size_t n);

/* "2026-03-01T12:00:00.250Z" for 1970 + t; n >= 32. What lies outside the years 1970 to 9999, or is no number, is the first or
 * last second of them. */
void kws_rfc3339(double t, char *text, size_t n);

#endif
