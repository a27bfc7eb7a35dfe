/* tally.h - how often each expected word was heard as what. */
#ifndef KWS_CLI_TALLY_H
#define KWS_CLI_TALLY_H

#include "model/model.h"

#include <jansson.h>
#include <stdio.h>

typedef struct kws_tally kws_tally;

enum kws_status kws_tally_create(kws_tally **out, const kws_model *m);
void kws_tally_destroy(kws_tally *t);

/* expected: as kws_vocabulary_class() has it; heard < n_words. */
void kws_tally_add(kws_tally *t, size_t expected, size_t heard);

size_t kws_tally_count(const kws_tally *t);

/* Wilson's score interval for k of n at 95 %, into lo and hi; 0 and 1 for n = 0. */
void kws_tally_wilson(size_t k, size_t n, double *lo, double *hi);

void kws_tally_print(const kws_tally *t, FILE *to);

/* {"n", "correct", "accuracy", "accuracy_ci", "words": {word: {"n", "correct", "recall",
 * "recall_ci"}}, "classes", "confusion"} */
json_t *kws_tally_json(const kws_tally *t);

#endif
