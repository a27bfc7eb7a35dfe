/* detplot.h - the picture of kws eval: misses against false alarms, and the scores behind them. */
#ifndef KWS_CLI_DETPLOT_H
#define KWS_CLI_DETPLOT_H

#include "cli/recordings.h"

/* curve (KWS_DET_GRID, n_words + 1). false: said why not. */
bool kws_detplot(const char *path, const kws_heard *h, const kws_count *curve);

#endif
