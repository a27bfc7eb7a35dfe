/* metrics.h - metrics as Prometheus reads them (text format 0.0.4), from the status of kwsd. */
#ifndef KWS_WEB_METRICS_H
#define KWS_WEB_METRICS_H

#include "kws.h"

#include <jansson.h>

/* What kwsd-web counts itself. */
typedef struct {
	unsigned pages;		/* that look now */
	unsigned long requests; /* answered */
	unsigned long refused;	/* of these: with a status of 400 or more */
	unsigned long slow;	/* pages that were cut off because they did not read */
	double resident_bytes;
} kws_metrics_own;

/* A new text, to be freed; *n: its length. status: of kwsd, as docs/status.schema.json describes it;
 * NULL: kwsd does not answer. What it lacks is left out. NULL: out of memory. */
char *kws_metrics_text(const json_t *status, const kws_metrics_own *own, size_t *n);

#endif
