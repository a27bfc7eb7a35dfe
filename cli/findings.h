/* findings.h - what kws doctor found, as lines for eyes or for programs: a verdict, what is to be
 * done, and what can be pasted to do it. */
#ifndef KWS_CLI_FINDINGS_H
#define KWS_CLI_FINDINGS_H

#include "cli/out.h"

enum kws_verdict { KWS_FIND_OK, KWS_FIND_ODD, KWS_FIND_BAD };

typedef struct {
	enum kws_format format; /* text or jsonl */
	unsigned n[KWS_FIND_BAD + 1];
	json_t *open; /* the finding that advice still comes to, with jsonl */
} kws_diagnosis;

/* The next finding. */
void kws_find(kws_diagnosis *f, enum kws_verdict verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What to do about it. */
void kws_find_advise(kws_diagnosis *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* One line to paste: a command, or a line of a configuration. */
void kws_find_paste(kws_diagnosis *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A name as a shell takes it, into out (KWS_FIND_QUOTED,), which is returned: for lines to paste. */
enum { KWS_FIND_QUOTED = 1024 };
const char *kws_find_quoted(const char *name, char *out);

/* To be called last: the sum of all. */
void kws_find_end(kws_diagnosis *f);

#endif
