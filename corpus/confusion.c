#include "corpus/confusion.h"

#include <stdlib.h>

enum kws_status kws_confusion_init(kws_confusion *c, size_t n_words)
{
	*c = (kws_confusion){ .n_words = n_words };
	c->count = calloc((n_words + 1) * n_words, sizeof *c->count);
	return c->count ? KWS_OK : KWS_ERR_NOMEM;
}

void kws_confusion_free(kws_confusion *c)
{
	free(c->count);
	*c = (kws_confusion){ 0 };
}

void kws_confusion_add(kws_confusion *c, size_t expected, size_t heard)
{
	c->count[expected * c->n_words + heard]++;
}

size_t kws_confusion_at(const kws_confusion *c, size_t expected, size_t heard)
{
	return c->count[expected * c->n_words + heard];
}

size_t kws_confusion_expected(const kws_confusion *c, size_t row)
{
	size_t sum = 0;
	for (size_t w = 0; w < c->n_words; w++)
		sum += kws_confusion_at(c, row, w);
	return sum;
}

size_t kws_confusion_hits(const kws_confusion *c, size_t row)
{
	return row < c->n_words ? kws_confusion_at(c, row, row) : 0;
}

size_t kws_confusion_total(const kws_confusion *c)
{
	size_t sum = 0;
	for (size_t row = 0; row <= c->n_words; row++)
		sum += kws_confusion_expected(c, row);
	return sum;
}

size_t kws_confusion_correct(const kws_confusion *c)
{
	size_t sum = 0;
	for (size_t row = 0; row < c->n_words; row++)
		sum += kws_confusion_hits(c, row);
	return sum;
}
