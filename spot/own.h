/* own.h - words of one's own in a model file: put one in, take one out. */
#ifndef KWS_SPOT_OWN_H
#define KWS_SPOT_OWN_H

#include "spot/fit.h"

#include <jansson.h>

/* A model file with one word more, heard by head: its bytes in *out, for the caller to free().
 * notes: an object that says how the word came about, under its name in the metadata entry
 * "own_words". only: the words before it lose their events: their names get a _ on either side.
 * KWS_ERR_ARG: the word is there already, cannot be a name, or 64 are there; KWS_ERR_FORMAT;
 * KWS_ERR_NOMEM. */
enum kws_status kws_own_add(const void *file, size_t len, const char *word, const kws_head *head,
			    float threshold, bool only, const json_t *notes, unsigned char **out,
			    size_t *out_len, kws_error *err);

/* The same file without the word. KWS_ERR_ARG: it is not one of the user's own. */
enum kws_status kws_own_remove(const void *file, size_t len, const char *word, unsigned char **out,
			       size_t *out_len, kws_error *err);

/* May the file take this word? KWS_ERR_ARG: no, and why. */
enum kws_status kws_own_check(const kws_model *m, const char *word, kws_error *err);

#endif
