/* own.h - the user's own words in a model file: add one, remove one. */
#ifndef KWS_SPOT_OWN_H
#define KWS_SPOT_OWN_H

#include "spot/fit.h"

#include <jansson.h>

/* Add a word, found by head, to a model file. *out gets the bytes of the new file; the caller must
 * free() it. notes: an object that tells how the word was made; it is stored under the word in the
 * metadata entry "own_words". only: the words before it make no events any more; their names get a
 * _ on either side. KWS_ERR_ARG: the word exists already or cannot be a name, or there are 64 own
 * words already; KWS_ERR_FORMAT; KWS_ERR_NOMEM. */
enum kws_status kws_own_add(const void *file, size_t len, const char *word, const kws_head *head,
			    float threshold, bool only, const json_t *notes, unsigned char **out,
			    size_t *out_len, kws_error *err);

/* Remove the word. KWS_ERR_ARG: it is not one of the user's own words. */
enum kws_status kws_own_remove(const void *file, size_t len, const char *word, unsigned char **out,
			       size_t *out_len, kws_error *err);

/* Check whether the word can be added. KWS_ERR_ARG: it cannot; the error has the reason. */
enum kws_status kws_own_check(const kws_model *m, const char *word, kws_error *err);

#endif
