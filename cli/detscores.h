/* detscores.h - how high the scores were, of words that were said and of everything else. */
#ifndef KWS_CLI_DETSCORES_H
#define KWS_CLI_DETSCORES_H

#include "cli/picture.h"
#include "corpus/evaluation.h"

enum { KWS_DETSCORES_HIGH = 320 };

/* Draw it from x left to right, and down from top. */
void kws_detscores_draw(kws_picture *p, const kws_evaluation *e, double left, double top,
			double right);

#endif
