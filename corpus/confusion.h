/* confusion.h - counts which word was recognised for each expected word. */
#ifndef KWS_CORPUS_CONFUSION_H
#define KWS_CORPUS_CONFUSION_H

#include "kws.h"

/* A matrix. Row n_words is for expected words without a class. */
typedef struct {
	size_t n_words;
	size_t *count; /* (n_words + 1, n_words): expected, heard */
} kws_confusion;       /* starts as all zeros */

enum kws_status kws_confusion_init(kws_confusion *c, size_t n_words); /* KWS_ERR_NOMEM */
void kws_confusion_free(kws_confusion *c);

/* expected <= n_words, heard < n_words. */
void kws_confusion_add(kws_confusion *c, size_t expected, size_t heard);
size_t kws_confusion_at(const kws_confusion *c, size_t expected, size_t heard);

/* Of one row: the number of all, and of those that were recognised correctly. */
size_t kws_confusion_expected(const kws_confusion *c, size_t row);
size_t kws_confusion_hits(const kws_confusion *c, size_t row);

/* Of all rows. */
size_t kws_confusion_total(const kws_confusion *c);
size_t kws_confusion_correct(const kws_confusion *c);

#endif
