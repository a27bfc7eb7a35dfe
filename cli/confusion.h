/* confusion.h - how often each expected word was heard as what. */
#ifndef KWS_CLI_CONFUSION_H
#define KWS_CLI_CONFUSION_H

#include "model/model.h"

#include <jansson.h>
#include <stdio.h>

typedef struct kws_confusion kws_confusion;

enum kws_status kws_confusion_create(kws_confusion **out, const kws_model *m);
void kws_confusion_destroy(kws_confusion *t);

/* expected: as kws_vocabulary_class() has it; heard < n_words. */
void kws_confusion_add(kws_confusion *t, size_t expected, size_t heard);

size_t kws_confusion_count(const kws_confusion *t);

void kws_confusion_print(const kws_confusion *t, FILE *to);

/* {"n", "correct", "accuracy", "accuracy_ci", "words": {word: {"n", "correct", "recall",
 * "recall_ci"}}, "classes", "confusion"} */
json_t *kws_confusion_json(const kws_confusion *t);

#endif
