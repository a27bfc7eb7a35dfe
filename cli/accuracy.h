/* accuracy.h - how many of the clips of a list were heard as what they are: the summary of kws classify --manifest and of
 * kws eval --manifest. */
#ifndef KWS_CLI_ACCURACY_H
#define KWS_CLI_ACCURACY_H

#include "cli/batch.h"

/* A table on `to', or with jsonl one line on stdout: {"summary": {"n", "correct", "accuracy", "accuracy_ci", "words": {word: {"n", "correct",
 * "recall", "recall_ci"}}, "classes", "confusion", ...}}. */
void kws_accuracy_print(const kws_batch *b, enum kws_format format, FILE *to);

#endif
