/* accuracy.h - the summary of kws classify --manifest and kws eval --manifest: how many clips of a
 * list were recognised correctly. */
#ifndef KWS_CLI_ACCURACY_H
#define KWS_CLI_ACCURACY_H

#include "cli/batch.h"

/* Print a table to `to' or, with jsonl, one line to stdout: {"summary": {"n", "correct",
 * "accuracy", "accuracy_ci", "words": {word: {"n", "correct", "recall", "recall_ci"}}, "classes",
 * "confusion", ...}}. */
void kws_accuracy_print(const kws_batch *b, enum kws_format format, FILE *to);

#endif
