/* json.h - strict reading of the JSON objects in a model file: each key must be known, present and
 * in range.
 *
 * `where' names the object in messages, e.g. "network: layers[2]". All functions return
 * KWS_ERR_FORMAT with a message. */
#ifndef KWS_MODEL_JSON_H
#define KWS_MODEL_JSON_H

#include "kws.h"

#include <jansson.h>
#include <stdbool.h>

/* Check that obj is an object, and that each of its keys is in keys or in more (NULL at the end;
 * more may be NULL). */
enum kws_status kws_json_keys(const json_t *obj, const char *where, const char *const *keys,
			      const char *const *more, kws_error *err);
enum kws_status kws_json_size(const json_t *obj, const char *where, const char *key, size_t lo,
			      size_t hi, size_t *out, kws_error *err);
enum kws_status kws_json_real(const json_t *obj, const char *where, const char *key, double lo,
			      double hi, float *out, kws_error *err);
enum kws_status kws_json_bool(const json_t *obj, const char *where, const char *key, bool *out,
			      kws_error *err);
/* Read a string value as its index in names (NULL at the end). */
enum kws_status kws_json_choice(const json_t *obj, const char *where, const char *key,
				const char *const *names, size_t *out, kws_error *err);

#endif
