/* classify.h - what the commands need of a classified clip beside the public face. */
#ifndef KWS_SPOT_CLASSIFY_H
#define KWS_SPOT_CLASSIFY_H

#include "kws.h"

/* The most probable of prob (n_words,); of equals the first. */
size_t kws_classify_best(const float *prob, size_t n_words);

#endif
