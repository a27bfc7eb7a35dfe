/* detplot.h - the picture of kws eval: misses against false alarms, and the scores behind them. */
#ifndef KWS_CLI_DETPLOT_H
#define KWS_CLI_DETPLOT_H

#include "corpus/evaluation.h"

/* False: the reason was printed. */
bool kws_detplot(const char *path, const kws_evaluation *e);

#endif
