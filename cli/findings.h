/* findings.h - the findings of kws doctor for people or programs: a verdict, what to do, and lines
 * to paste. */
#ifndef KWS_CLI_FINDINGS_H
#define KWS_CLI_FINDINGS_H

#include "cli/out.h"

enum kws_verdict { KWS_FIND_OK, KWS_FIND_ODD, KWS_FIND_BAD };

typedef struct {
	enum kws_format format; /* text or jsonl */
	unsigned n[KWS_FIND_BAD + 1];
	json_t *open; /* with jsonl: the finding that may still get advice */
} kws_diagnosis;

/* Add a finding. */
void kws_find(kws_diagnosis *f, enum kws_verdict verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Add advice to it. */
void kws_find_advise(kws_diagnosis *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Add a line to paste: a command, or a line of a configuration. */
void kws_find_paste(kws_diagnosis *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Quote a name for a shell, for lines to paste. Writes to out (KWS_FIND_QUOTED,) and returns it. */
enum { KWS_FIND_QUOTED = 1024 };
const char *kws_find_quoted(const char *name, char *out);

/* Call it last: prints the totals. */
void kws_find_end(kws_diagnosis *f);

#endif
