/* event.h - one event as users see it. One table lists its fields for the JSON, the journal, the
 * environment of hooks and all other outputs. docs/event.schema.json explains each field. */
#ifndef KWS_SPOT_EVENT_H
#define KWS_SPOT_EVENT_H

#include "kws.h"

/* An event with everything known about it. It owns all its data except the file's name, so it may
 * be copied, and may wait in a queue after its model is gone. */
typedef struct {
	char word[64];
	double score, threshold, margin;		   /* 0..1 */
	uint64_t start_sample, end_sample, decided_sample; /* at rate_hz */
	uint64_t rate_hz;				   /* the model's */
	double start_s, end_s, decided_s;		   /* the samples in seconds */
	double level_dbfs, snr_db;			   /* not finite: unknown */
	char model[64], model_hash[65];
	char spotter[32]; /* "": unknown; this holds for all texts below */
	char id[64];
	char after[64], after_id[64];
	const char *file; /* NULL: unknown */
	char host[65];
	char start_time[32], end_time[32]; /* RFC 3339, UTC */
	double start_monotonic;		   /* seconds; not finite: unknown */
	bool live;			   /* heard by a device, and what follows is known */
	char listener[32];
	char device[192];
	uint64_t gap_count;  /* times audio was lost since the event before this one */
	double gap_s;	     /* their total length, seconds */
	char gap_reason[32]; /* of the last gap; "": none */
	char clip[96];	     /* file in the clips directory; "": none */
	uint64_t dropped;    /* events that this reader lost since the previous one */
} kws_report;

/* context NULL: only the event and its model are known. Texts that are too long are cut between
 * characters. file points into the context. */
void kws_report_fill(kws_report *r, const kws_event *ev, const kws_model *m,
		     const kws_event_context *context);

/* Like kws_event_json(). Always fits if size >= KWS_EVENT_JSON and there is no file. */
size_t kws_report_json(const kws_report *r, char *out, size_t size);

enum { KWS_REPORT_FIELDS = 32 }; /* most fields that a line can have */

/* Field i of the line: its name in lower case, and its value as text without control characters (at
 * most n - 1 bytes), "" for null. False: there is no field i. */
bool kws_report_field(const kws_report *r, size_t i, const char **name, char *value, size_t n);

/* The event for people: "yes 0.93 at 12.340 s". */
void kws_report_text(const kws_report *r, char *out, size_t n);

/* Format 1970 + t seconds as "2026-03-01T12:00:00.250Z"; n >= 32. A time outside the years 1970 to
 * 9999, or one that is not a number, becomes the first or last second of that range. */
void kws_rfc3339(double t, char *text, size_t n);

#endif
