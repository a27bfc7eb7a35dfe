/* tiny_model.h - a small model with seeded random weights, for tests that need some network and not a good one. */
#ifndef KWS_TESTS_TINY_MODEL_H
#define KWS_TESTS_TINY_MODEL_H

#include "model/model.h"

typedef struct {
	unsigned seed;
	int chunk;       /* -1: full attention over at most 40 network frames */
	unsigned stack, stride, pool;
	float loudness;  /* of the last layer: the larger, the more sure of itself */
} tiny_config;

/* chunk 7, 2 frames stacked to 20 ms, a window of 10 network frames, sure of itself. */
extern const tiny_config tiny_default;

enum { TINY_WORDS = 4 }; /* yes no _unknown_ _silence_ */

/* The bytes of the model file, to be freed. */
void *tiny_model_bytes(const tiny_config *cfg, size_t *len);

/* The model itself, to be closed; ends the test when it is refused. */
kws_model *tiny_model_open(const tiny_config *cfg);

#endif
