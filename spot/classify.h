/* classify.h - what the commands need for classified clips, in addition to the public interface. */
#ifndef KWS_SPOT_CLASSIFY_H
#define KWS_SPOT_CLASSIFY_H

#include "kws.h"

/* Index of the largest of prob (n_words,); the first if several are equal. */
size_t kws_classify_best(const float *prob, size_t n_words);

#endif
