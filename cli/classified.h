/* classified.h - what kws classify and kws merge print of clips. */
#ifndef KWS_CLI_CLASSIFIED_H
#define KWS_CLI_CLASSIFIED_H

#include "cli/batch.h"

typedef struct {
	const kws_model *model;
	enum kws_format format;
	unsigned top;  /* words of each clip */
	bool expected; /* each clip has an expected word */
} kws_classified;

void kws_classified_head(const kws_classified *style);

/* A kws_batch_fn; its ctx is a kws_classified. */
void kws_classified_clip(void *ctx, const kws_batch_clip *clip);

/* What all clips of a list together are, at the end. quiet: nothing was printed of each. */
void kws_classified_sum(const kws_classified *style, const kws_batch *b, bool quiet);

#endif
