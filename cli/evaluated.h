/* evaluated.h - what kws eval prints and draws. */
#ifndef KWS_CLI_EVALUATED_H
#define KWS_CLI_EVALUATED_H

#include "cli/out.h"
#include "corpus/evaluation.h"

typedef struct {
	enum kws_format format;
	const char *picture;		       /* NULL: none */
	double target[KWS_EVALUATION_TARGETS]; /* false alarms per hour */
	size_t n_targets;		       /* 0: the usual ones */
} kws_evaluated_style;

/* Evaluate and print what was measured. failed: recordings that could not be read. Returns an exit status. */
int kws_evaluated_print(const kws_evaluated_style *style, const kws_model *model,
			const kws_material *terms, const kws_measured *measured, size_t failed);

#endif
