#include "model/tensors.h"

#include "model/blob.h"

#include <math.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kws_tensors {
	json_t *header;	 /* owns the names */
	kws_tensor *all; /* (n,) in the order of their data */
	size_t n;
};

static const struct {
	const char *name;
	enum kws_dtype dtype;
	size_t size;
} dtypes[] = {
	{ "F32", KWS_F32, 4 }, { "I8", KWS_I8, 1 }, { "F64", KWS_F64, 8 }, { "I64", KWS_I64, 8 }
};

enum {
	N_DTYPES = sizeof dtypes / sizeof *dtypes,
	MOST = 1 << 28, /* values of a tensor: their bytes can be counted in 32 bits */
};

const char *kws_dtype_name(enum kws_dtype dtype)
{
	return dtypes[dtype].name;
}

size_t kws_dtype_size(enum kws_dtype dtype)
{
	return dtypes[dtype].size;
}

static uint64_t read_u64(const unsigned char *p)
{
	uint64_t v = 0;
	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

/* Sizes and offsets in the header: whole numbers that fit; otherwise -1. */
static json_int_t whole(const json_t *v)
{
	const json_int_t n = json_is_integer(v) ? json_integer_value(v) : -1;
	return n >= 0 ? n : -1;
}

static enum kws_status parse_shape(kws_tensor *t, const json_t *shape, kws_error *err)
{
	if (!json_is_array(shape) || json_array_size(shape) > KWS_MAX_RANK)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: shape: want an array of at most %d sizes",
				t->name, KWS_MAX_RANK);
	t->rank = json_array_size(shape);
	t->n = 1;
	for (size_t i = 0; i < t->rank; i++) {
		const json_int_t d = whole(json_array_get(shape, i));
		if (d < 0 || d > MOST || (d > 0 && t->n > MOST / (size_t)d))
			return kws_fail(err, KWS_ERR_FORMAT, "%s: shape: size %zu is not sensible",
					t->name, i);
		t->shape[i] = (size_t)d;
		t->n *= (size_t)d;
	}
	return KWS_OK;
}

static enum kws_status parse_one(kws_tensor *t, const char *name, const json_t *v,
				 const unsigned char *data, size_t len, bool of_model,
				 kws_error *err)
{
	*t = (kws_tensor){ .name = name };
	if (!json_is_object(v))
		return kws_fail(err, KWS_ERR_FORMAT, "%s: want an object", name);
	if (json_object_size(v) != 3)
		return kws_fail(err, KWS_ERR_FORMAT,
				"%s: want dtype, shape and data_offsets, nothing else", name);
	const char *dtype = json_string_value(json_object_get(v, "dtype"));
	const size_t known = of_model ? 2 : N_DTYPES;
	size_t k = 0;
	while (k < known && (!dtype || strcmp(dtype, dtypes[k].name) != 0))
		k++;
	if (k == known)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: dtype %.16s, want %s", name,
				dtype ? dtype : "missing",
				of_model ? "F32 or I8" : "F32, F64, I64 or I8");
	t->dtype = dtypes[k].dtype;
	const enum kws_status s = parse_shape(t, json_object_get(v, "shape"), err);
	if (s)
		return s;
	const json_t *offsets = json_object_get(v, "data_offsets");
	const json_int_t begin = whole(json_array_get(offsets, 0)),
			 end = whole(json_array_get(offsets, 1));
	if (json_array_size(offsets) != 2 || begin < 0 || end < begin || (uint64_t)end > len)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: data_offsets do not lie inside the file",
				name);
	if ((uint64_t)(end - begin) != (uint64_t)t->n * dtypes[k].size)
		return kws_fail(err, KWS_ERR_FORMAT,
				"%s: %lld bytes of data, but the shape says %zu values", name,
				(long long)(end - begin), t->n);
	if (begin % 4 && t->dtype != KWS_I8)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: data is not aligned to 4 bytes", name);
	t->data = data + begin;
	return KWS_OK;
}

/* Empty tensors sort before the one that starts at the same place. */
static int by_place(const void *a, const void *b)
{
	const kws_tensor *x = a, *y = b;
	if (x->data != y->data)
		return x->data < y->data ? -1 : 1;
	return (x->n > y->n) - (x->n < y->n);
}

static size_t size_of(const kws_tensor *t)
{
	return t->n * dtypes[t->dtype].size;
}

static enum kws_status check_places(kws_tensors *ts, const unsigned char *data, size_t len,
				    kws_error *err)
{
	const unsigned char *at = data;
	if (ts->n)
		qsort(ts->all, ts->n, sizeof *ts->all, by_place);
	for (size_t i = 0; i < ts->n; i++) {
		if (ts->all[i].data != at)
			return kws_fail(err, KWS_ERR_FORMAT, "%s: data %s", ts->all[i].name,
					ts->all[i].data < at ? "overlaps another tensor's"
							     : "leaves a gap before it");
		at += size_of(&ts->all[i]);
	}
	if (at != data + len)
		return kws_fail(err, KWS_ERR_FORMAT, "%zu bytes after the last tensor",
				(size_t)(data + len - at));
	return KWS_OK;
}

static enum kws_status check_metadata(const json_t *meta, kws_error *err)
{
	const char *key;
	json_t *v;
	if (meta && !json_is_object(meta))
		return kws_fail(err, KWS_ERR_FORMAT, "__metadata__: want an object");
	json_object_foreach((json_t *)(uintptr_t)meta, key, v)
	{
		if (!json_is_string(v))
			return kws_fail(err, KWS_ERR_FORMAT, "__metadata__: %.64s: want a string",
					key);
	}
	return KWS_OK;
}

static enum kws_status parse_header(kws_tensors *ts, const unsigned char *blob, size_t len,
				    bool of_model, kws_error *err)
{
	if (len < 8)
		return kws_fail(err, KWS_ERR_FORMAT, "%zu bytes: too short for a safetensors file",
				len);
	const uint64_t n = read_u64(blob);
	if (n > KWS_MAX_HEADER || n > len - 8)
		return kws_fail(
			err, KWS_ERR_FORMAT, "header of %llu bytes: %s", (unsigned long long)n,
			n > KWS_MAX_HEADER ? "not a safetensors file" : "the file is shorter");
	json_error_t je;
	ts->header = json_loadb((const char *)blob + 8, (size_t)n, JSON_REJECT_DUPLICATES, &je);
	if (!ts->header)
		return kws_fail(err, KWS_ERR_FORMAT, "header: %.200s", je.text);
	if (!json_is_object(ts->header))
		return kws_fail(err, KWS_ERR_FORMAT, "header: want an object");
	enum kws_status s = check_metadata(json_object_get(ts->header, "__metadata__"), err);
	if (s)
		return s;
	ts->all = calloc(json_object_size(ts->header) + 1, sizeof *ts->all);
	if (!ts->all)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	const unsigned char *data = blob + 8 + n;
	const size_t data_len = len - 8 - (size_t)n;
	const char *name;
	json_t *v;
	json_object_foreach(ts->header, name, v)
	{
		if (strcmp(name, "__metadata__") == 0)
			continue;
		if (strlen(name) > 128)
			return kws_fail(err, KWS_ERR_FORMAT, "%.32s...: the name is too long",
					name);
		s = parse_one(&ts->all[ts->n], name, v, data, data_len, of_model, err);
		if (s)
			return s;
		ts->n++;
	}
	return check_places(ts, data, data_len, err);
}

enum kws_status kws_tensors_parse(kws_tensors **out, const void *blob, size_t len, bool of_model,
				  kws_error *err)
{
	*out = NULL;
	kws_tensors *ts = calloc(1, sizeof *ts);
	if (!ts)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	const enum kws_status s = parse_header(ts, blob, len, of_model, err);
	if (s) {
		kws_tensors_free(ts);
		return s;
	}
	*out = ts;
	return KWS_OK;
}

void kws_tensors_free(kws_tensors *ts)
{
	if (!ts)
		return;
	json_decref(ts->header);
	free(ts->all);
	free(ts);
}

const json_t *kws_tensors_metadata(const kws_tensors *ts)
{
	return json_object_get(ts->header, "__metadata__");
}

const char *kws_tensors_meta(const kws_tensors *ts, const char *key)
{
	return json_string_value(json_object_get(kws_tensors_metadata(ts), key));
}

const kws_tensor *kws_tensors_find(kws_tensors *ts, const char *name)
{
	for (size_t i = 0; i < ts->n; i++) {
		if (strcmp(ts->all[i].name, name) == 0) {
			ts->all[i].used = true;
			return &ts->all[i];
		}
	}
	return NULL;
}

/* "[64, 16, 1]" */
static const char *shape_text(char *buf, size_t size, size_t rank, const size_t *shape)
{
	size_t at = (size_t)snprintf(buf, size, "[");
	for (size_t i = 0; i < rank && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, i ? ", %zu" : "%zu", shape[i]);
	if (at < size)
		snprintf(buf + at, size - at, "]");
	return buf;
}

/* The tensor prefix + name, of this dtype and shape. */
static enum kws_status need(const kws_tensor **out, kws_tensors *ts, const char *full,
			    enum kws_dtype dtype, size_t rank, const size_t *shape, kws_error *err)
{
	char want[64], have[64];
	const kws_tensor *t = *out = kws_tensors_find(ts, full);
	if (!t)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: missing, want %sshape %s", full,
				dtype == KWS_I8 ? "bytes of " : "",
				shape_text(want, sizeof want, rank, shape));
	if (t->rank != rank || (rank && memcmp(t->shape, shape, rank * sizeof *shape) != 0))
		return kws_fail(err, KWS_ERR_FORMAT, "%s: shape %s, want %s", full,
				shape_text(have, sizeof have, t->rank, t->shape),
				shape_text(want, sizeof want, rank, shape));
	if (t->dtype != dtype)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: want %s", full,
				dtype == KWS_I8 ? "bytes (I8)" : "float32");
	return KWS_OK;
}

enum kws_status kws_tensors_take(float **out, kws_tensors *ts, const char *prefix, const char *name,
				 size_t rank, const size_t *shape, kws_error *err)
{
	char full[256];
	const kws_tensor *t;
	*out = NULL;
	snprintf(full, sizeof full, "%s%s", prefix, name);
	const enum kws_status status = need(&t, ts, full, KWS_F32, rank, shape, err);
	if (status)
		return status;
	float *x = calloc(t->n ? t->n : 1, sizeof *x);
	if (!x)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	if (t->n)
		memcpy(x, t->data, t->n * sizeof *x);
	for (size_t i = 0; i < t->n; i++) {
		if (!isfinite(x[i])) {
			free(x);
			return kws_fail(err, KWS_ERR_FORMAT, "%s: value %zu is not finite", full,
					i);
		}
	}
	*out = x;
	return KWS_OK;
}

enum kws_status kws_tensors_bytes(const int8_t **out, kws_tensors *ts, const char *prefix,
				  const char *name, size_t rank, const size_t *shape,
				  kws_error *err)
{
	char full[256];
	const kws_tensor *t;
	*out = NULL;
	snprintf(full, sizeof full, "%s%s", prefix, name);
	const enum kws_status status = need(&t, ts, full, KWS_I8, rank, shape, err);
	if (status)
		return status;
	const int8_t *x = (const int8_t *)t->data;
	for (size_t i = 0; i < t->n; i++)
		if (x[i] == INT8_MIN)
			return kws_fail(err, KWS_ERR_FORMAT, "%s: value %zu is not in -127..127",
					full, i);
	*out = x;
	return KWS_OK;
}

enum kws_status kws_tensors_all_used(const kws_tensors *ts, kws_error *err)
{
	for (size_t i = 0; i < ts->n; i++)
		if (!ts->all[i].used)
			return kws_fail(err, KWS_ERR_FORMAT,
					"%s: nothing in the network uses this tensor",
					ts->all[i].name);
	return KWS_OK;
}

size_t kws_tensors_count(const kws_tensors *ts)
{
	return ts->n;
}

const kws_tensor *kws_tensors_at(const kws_tensors *ts, size_t i)
{
	return &ts->all[i];
}

void kws_tensors_hash(const kws_tensors *ts, const char *without, const char *nor, char *hex)
{
	struct sha256_ctx ctx;
	uint8_t digest[SHA256_DIGEST_SIZE];
	sha256_init(&ctx);
	for (size_t i = 0; i < ts->n; i++) {
		const kws_tensor *t = &ts->all[i];
		if (strncmp(t->name, without, strlen(without)) == 0
		    || strncmp(t->name, nor, strlen(nor)) == 0)
			continue;
		sha256_update(&ctx, strlen(t->name) + 1, (const uint8_t *)t->name);
		sha256_update(&ctx, size_of(t), t->data);
	}
	sha256_digest(&ctx, sizeof digest, digest);
	kws_hex(hex, digest, sizeof digest);
}

size_t kws_tensors_n_values(const kws_tensors *ts)
{
	size_t n = 0;
	for (size_t i = 0; i < ts->n; i++)
		n += ts->all[i].n;
	return n;
}
