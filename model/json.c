#include "model/json.h"

#include <string.h>

static int listed(const char *const *keys, const char *key)
{
	while (*keys && strcmp(*keys, key) != 0)
		keys++;
	return *keys != NULL;
}

enum kws_status kws_json_keys(const json_t *obj, const char *where, const char *const *keys,
			      const char *const *more, kws_error *err)
{
	if (!json_is_object(obj))
		return kws_fail(err, KWS_ERR_FORMAT, "%s: want an object", where);
	for (void *it = json_object_iter((json_t *)(uintptr_t)obj); it;
	     it = json_object_iter_next((json_t *)(uintptr_t)obj, it)) {
		const char *key = json_object_iter_key(it);
		if (!listed(keys, key) && !(more && listed(more, key)))
			return kws_fail(err, KWS_ERR_FORMAT, "%s: unknown key %.64s", where, key);
	}
	return KWS_OK;
}

enum kws_status kws_json_size(const json_t *obj, const char *where, const char *key, size_t lo,
			      size_t hi, size_t *out, kws_error *err)
{
	const json_t *v = json_object_get(obj, key);
	const json_int_t n = json_integer_value(v);
	if (!v)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: %s is missing", where, key);
	if (!json_is_integer(v) || n < (json_int_t)lo || n > (json_int_t)hi)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: %s: want a whole number in %zu..%zu",
				where, key, lo, hi);
	*out = (size_t)n;
	return KWS_OK;
}

enum kws_status kws_json_real(const json_t *obj, const char *where, const char *key, double lo,
			      double hi, float *out, kws_error *err)
{
	const json_t *v = json_object_get(obj, key);
	const double x = json_number_value(v);
	if (!v)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: %s is missing", where, key);
	if (!json_is_number(v) || !(x >= lo && x <= hi))
		return kws_fail(err, KWS_ERR_FORMAT, "%s: %s: want a number in %g..%g", where, key,
				lo, hi);
	*out = (float)x;
	return KWS_OK;
}

enum kws_status kws_json_bool(const json_t *obj, const char *where, const char *key, bool *out,
			      kws_error *err)
{
	const json_t *v = json_object_get(obj, key);
	if (!json_is_boolean(v))
		return kws_fail(err, KWS_ERR_FORMAT, "%s: %s: want true or false", where, key);
	*out = json_is_true(v);
	return KWS_OK;
}

enum kws_status kws_json_choice(const json_t *obj, const char *where, const char *key,
				const char *const *names, size_t *out, kws_error *err)
{
	const char *s = json_string_value(json_object_get(obj, key));
	if (!s)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: %s: want a name such as %s", where, key,
				names[0]);
	for (size_t k = 0; names[k]; k++) {
		if (strcmp(names[k], s) == 0) {
			*out = k;
			return KWS_OK;
		}
	}
	return kws_fail(err, KWS_ERR_VERSION, "%s: %s: %.64s is not known", where, key, s);
}
