/* enrolled.h - what `kws enrol` says of takes and words. */
#ifndef KWS_CLI_ENROLLED_H
#define KWS_CLI_ENROLLED_H

#include "cli/enrol.h"

/* On stderr: what is wrong with which take. */
void kws_enrolled_takes(const kws_enrol *e, const kws_spoken_list *r);

/* What is to be expected of the word that now stands in the model file `path`. */
void kws_enrolled_report(const char *path, const char *word, const kws_enrol_report *r,
			 double per_hour, enum kws_format format);

/* The own words of a model file. An exit status. */
int kws_enrolled_list(const char *path, enum kws_format format);

#endif
