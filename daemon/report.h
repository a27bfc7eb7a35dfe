/* report.h - one event as users see it: the fields, in one table, for JSON, the journal and the
 * hook's environment. */
#ifndef KWS_DAEMON_REPORT_H
#define KWS_DAEMON_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
	char word[64];
	double score, threshold; /* 0..1 */
	uint64_t start_sample, end_sample,
		decided_sample; /* of the audio heard since the daemon's start, at rate_hz */
	uint64_t rate_hz;	/* the model's */
	double start_s, end_s;	/* the same in seconds */
	char start_time[32], end_time[32]; /* RFC 3339, UTC */
	double level_dbfs, snr_db;	   /* not finite: unknown */
	char model[64], model_hash[65];
	char device[192], host[65];
	uint64_t gap_count;  /* times audio was lost since the event before this one */
	double gap_s;	     /* how much of it in all */
	char gap_reason[32]; /* of the last gap; "": none */
	char clip[96];	     /* file in the clips directory; "": none */
	uint64_t dropped;    /* events this sink lost since the last one it took */
} kws_report;

enum { KWS_REPORT_LINE = 2048 };

/* One JSON object on one line, no line feed. Returns its length, always < KWS_REPORT_LINE; 0: out
 * of memory. */
size_t kws_report_json(const kws_report *r, char out[KWS_REPORT_LINE]);

/* Field i as text: its lower-case name and value (at most n - 1 bytes). False: there is no field i.
 */
bool kws_report_field(const kws_report *r, size_t i, const char **name, char *value, size_t n);

/* "yes 0.93 at 12.340 s": for people. */
void kws_report_text(const kws_report *r, char *out, size_t n);

#endif
