/* enrolled.h - reports of `kws enrol` on takes and words. */
#ifndef KWS_CLI_ENROLLED_H
#define KWS_CLI_ENROLLED_H

#include "cli/enrol.h"

/* Print the faults of each take to stderr. */
void kws_enrolled_takes(const kws_enrol *e, const kws_spoken_list *r);

/* Print what to expect of the word that was added to the model file `path`. */
void kws_enrolled_report(const char *path, const char *word, const kws_enrol_report *r,
			 double per_hour, enum kws_format format);

/* List the own words of a model file. Returns an exit status. */
int kws_enrolled_list(const char *path, enum kws_format format);

#endif
