/* spoil.h - change one thing of a model file, and keep the rest sound: a value of the architecture, of a tensor's entry in the
 * header, a weight, or single bytes. */
#ifndef KWS_TESTS_SPOIL_H
#define KWS_TESTS_SPOIL_H

#include "tests/fuzz/craft.h"

static inline json_t *spoil_value(craft *c)
{
	static const json_int_t numbers[] = { 0,     1,	      -1,	 2,	   3,	7,   16,
					      24,    63,      64,	 65,	   255, 256, 1000,
					      1024,  1025,    512,	 513,	   160, 400, 8192,
					      16000, 48000,   8193,	 4,	   5,	6,   8,
					      128,   1 << 30, 1LL << 40, INT64_MAX };
	static const double reals[] = {
		0.0, 0.5, 1e-12, 1e-5, 1.0, 7600.0, 1e300, -1.0, 5e-324, 2.0
	};
	static const char *const words[] = {
		"mega",	     "nffn",	  "fastformer", "softmax", "laplace",	 "relu2",
		"additive",  "none",	  "simple",	"rotary",  "layernorm",	 "rmsnorm",
		"scalenorm", "batchnorm", "silu",	"conv",	   "leaky_relu", "pool",
		"htk",	     "slaney",	  "affine",	"F32",	   "F64",	 "I64",
		"",	     "yes",	  "_unknown_",	"a\nb",	   "\x1b[2J",	 "\xc3\xa9"
	};
	switch (craft_below(c, 10)) {
	case 0: return json_real(reals[craft_below(c, sizeof reals / sizeof *reals)]);
	case 1:
	case 2: return json_string(words[craft_below(c, sizeof words / sizeof *words)]);
	case 3: return json_boolean(craft_below(c, 2));
	case 4: return craft_below(c, 2) ? json_object() : json_array();
	case 5: return json_null();
	default: return json_integer(numbers[craft_below(c, sizeof numbers / sizeof *numbers)]);
	}
}

static inline size_t spoil_count(const json_t *v)
{
	size_t n = 1, i;
	const char *key;
	json_t *each;
	json_object_foreach((json_t *)(uintptr_t)v, key, each) n += spoil_count(each);
	json_array_foreach(v, i, each) n += spoil_count(each);
	return n;
}

/* Another value in place of one that stands in an array or object: like it, or not at all. */
static inline json_t *spoil_other(craft *c, const json_t *old)
{
	const json_int_t n = json_integer_value(old);
	if (json_is_integer(old) && n > INT64_MIN && n < INT64_MAX && craft_below(c, 2))
		return json_integer(craft_below(c, 2) ? n + 1 : n - 1);
	if (json_is_boolean(old) && craft_below(c, 2))
		return json_boolean(!json_is_true(old));
	return spoil_value(c);
}

static inline void spoil_object(craft *c, json_t *object, const char *key, json_t *old)
{
	switch (craft_below(c, 6)) {
	case 0: json_object_del(object, key); break;
	case 1: json_object_set_new(object, "share", spoil_value(c)); break;
	default: json_object_set_new(object, key, spoil_other(c, old));
	}
}

static inline void spoil_array(craft *c, json_t *array, size_t i, json_t *old)
{
	switch (craft_below(c, 6)) {
	case 0: json_array_remove(array, i); break;
	case 1: json_array_insert_new(array, i, json_deep_copy(old)); break;
	case 2: json_array_append_new(array, json_deep_copy(old)); break;
	default: json_array_set_new(array, i, spoil_other(c, old));
	}
}

/* Change the n-th value below v, counted from 1. Returns 0 when it is done, else what is left to count. */
static inline size_t spoil_nth(craft *c, json_t *v, size_t n)
{
	const char *key;
	size_t i;
	json_t *each;
	json_object_foreach(v, key, each)
	{
		if (n == 1) {
			spoil_object(c, v, key, each);
			return 0;
		}
		if ((n = spoil_nth(c, each, n - 1)) == 0)
			return 0;
	}
	json_array_foreach(v, i, each)
	{
		if (n == 1) {
			spoil_array(c, v, i, each);
			return 0;
		}
		if ((n = spoil_nth(c, each, n - 1)) == 0)
			return 0;
	}
	return n;
}

static inline void spoil_json(craft *c, json_t *v)
{
	const size_t n = spoil_count(v);
	if (n > 1)
		spoil_nth(c, v, 1 + craft_below(c, n - 1));
}

/* One of the metadata's texts that are JSON themselves. */
static inline void spoil_meta(craft *c)
{
	static const char *const keys[] = { "network",	"network",  "network",
					    "features", "decision", "words" };
	const char *key = keys[craft_below(c, sizeof keys / sizeof *keys)];
	const char *text = json_string_value(json_object_get(c->meta, key));
	json_t *v = text ? json_loads(text, 0, NULL) : NULL;
	for (size_t i = 1 + craft_below(c, 2); v && i > 0; i--)
		spoil_json(c, v);
	char *spoilt = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	if (spoilt)
		json_object_set_new(c->meta, key, json_string(spoilt));
	free(spoilt);
	json_decref(v);
}

static inline void spoil_weights(craft *c)
{
	static const float values[] = { 0.0f,	  -0.0f, 1e38f, -1e38f, 3.4e38f, 1e-40f, 1e20f,
					INFINITY, NAN,	 -1.0f, 1e9f,	-1e9f,	 100.0f, -100.0f };
	craft_tensor *t = c->n_tensors ? &c->tensors[craft_below(c, c->n_tensors)] : NULL;
	if (!t || t->n < sizeof(float))
		return;
	const size_t n = t->n / sizeof(float), first = craft_below(c, n);
	const float x = values[craft_below(c, sizeof values / sizeof *values)];
	for (size_t i = first; i < n && i < first + 1 + (craft_below(c, 3) ? 0 : n); i++)
		memcpy(t->bytes + i * sizeof x, &x, sizeof x);
}

static inline void spoil_bytes(craft *c, unsigned char *file, size_t len)
{
	for (size_t i = 1 + craft_below(c, 4); len && i > 0; i--) {
		unsigned char *at = file + craft_below(c, len);
		*at = craft_below(c, 2) ? (unsigned char)(*at ^ 1u << craft_below(c, 8))
					: (unsigned char)craft_below(c, 256);
	}
}

/* The file with one thing changed; to be freed. What is no model file changes in single bytes. */
static inline unsigned char *spoil(const unsigned char *file, size_t len, uint64_t seed,
				   size_t *spoilt_len)
{
	craft *c = craft_open(file, len, seed);
	kws_error err;
	unsigned char *out;
	if (!c || craft_below(c, 8) == 0) {
		craft *any = c ? c : craft_new(seed);
		out = malloc(len + 1);
		if (!out)
			abort();
		if (len)
			memcpy(out, file, len);
		*spoilt_len = len;
		spoil_bytes(any, out, len);
		craft_free(any);
		return out;
	}
	const size_t way = craft_below(c, 8);
	if (way < 5)
		spoil_meta(c);
	else if (way == 5)
		spoil_weights(c);
	if (way
	    < 4) /* with tensors that fit the change, so that more than their shapes is looked at */
		craft_complete(c, &err);
	json_t *header = craft_header(c);
	if (way > 5)
		spoil_json(c, header);
	out = craft_file(c, header, spoilt_len);
	json_decref(header);
	craft_free(c);
	return out;
}

#endif
