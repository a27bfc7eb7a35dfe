/* json.h - strict reading of the JSON objects in a model file: every key known, present and in its range.
 *
 * where names the object in messages, e.g. "network: layers[2]". All return KWS_ERR_FORMAT with a message. */
#ifndef KWS_MODEL_JSON_H
#define KWS_MODEL_JSON_H

#include "kws.h"

#include <jansson.h>
#include <stdbool.h>

/* KWS_ERR_FORMAT unless obj is an object whose keys all stand in keys or in more (NULL at the end; more NULL: nothing). */
enum kws_status kws_json_keys(const json_t *obj, const char *where, const char *const *keys,
			      const char *const *more, kws_error *err);
enum kws_status kws_json_size(const json_t *obj, const char *where, const char *key, size_t lo,
			      size_t hi, size_t *out, kws_error *err);
enum kws_status kws_json_real(const json_t *obj, const char *where, const char *key, double lo,
			      double hi, float *out, kws_error *err);
enum kws_status kws_json_bool(const json_t *obj, const char *where, const char *key, bool *out,
			      kws_error *err);
/* The index in names (NULL at the end) of a string value. */
enum kws_status kws_json_choice(const json_t *obj, const char *where, const char *key,
				const char *const *names, size_t *out, kws_error *err);

#endif
