#include "model/write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 8, ALIGN = 8 }; /* of safetensors: u64 header length, data aligned */

typedef struct {
	char *name;
	enum kws_dtype dtype;
	size_t rank, shape[KWS_MAX_RANK], bytes;
	const unsigned char *data;
	unsigned char *own; /* data, when it is not the old file's */
} entry;

struct kws_write {
	kws_tensors *old; /* NULL: none */
	json_t *meta;	  /* object of strings */
	entry *entries;	  /* (n,) in the order of their data */
	size_t n, room;
	bool failed; /* no memory */
};

static entry *find(const kws_write *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->entries[i].name, name) == 0)
			return &w->entries[i];
	return NULL;
}

/* A new entry at the end, but before entries of bytes, behind which numbers would not be aligned.
 * NULL: no memory. */
static entry *append(kws_write *w, const char *name, enum kws_dtype dtype)
{
	if (w->n == w->room) {
		const size_t room = 2 * w->room + 64;
		entry *larger = realloc(w->entries, room * sizeof *larger);
		if (!larger)
			return NULL;
		w->entries = larger;
		w->room = room;
	}
	char *copy = strdup(name);
	if (!copy)
		return NULL;
	size_t at = w->n++;
	while (at && dtype != KWS_I8 && w->entries[at - 1].dtype == KWS_I8)
		at--;
	entry *e = w->entries + at;
	memmove(e + 1, e, (w->n - 1 - at) * sizeof *e);
	*e = (entry){ .name = copy, .dtype = dtype };
	return e;
}

static size_t set_shape(entry *e, enum kws_dtype dtype, size_t rank, const size_t *shape)
{
	e->dtype = dtype;
	e->rank = rank;
	e->bytes = kws_dtype_size(dtype);
	for (size_t i = 0; i < rank; i++) {
		e->shape[i] = shape[i];
		e->bytes *= shape[i];
	}
	return e->bytes;
}

static void take_old(kws_write *w)
{
	for (size_t i = 0; i < kws_tensors_count(w->old); i++) {
		const kws_tensor *t = kws_tensors_at(w->old, i);
		entry *e = append(w, t->name, KWS_I8); /* in its place */
		w->failed |= !e;
		if (e) {
			set_shape(e, t->dtype, t->rank, t->shape);
			e->data = t->data;
		}
	}
	const json_t *meta = kws_tensors_metadata(w->old);
	json_decref(w->meta);
	w->meta = meta ? json_deep_copy(meta) : json_object();
	w->failed |= !w->meta;
}

enum kws_status kws_write_create(kws_write **out, const void *blob, size_t len, kws_error *err)
{
	enum kws_status status = KWS_OK;
	*out = NULL;
	kws_write *w = calloc(1, sizeof *w);
	if (!w)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	w->meta = json_object();
	if (blob)
		status = kws_tensors_parse(&w->old, blob, len, false, err);
	if (!status && blob)
		take_old(w);
	if (status) {
		kws_write_destroy(w);
		return status;
	}
	*out = w;
	return KWS_OK;
}

void kws_write_destroy(kws_write *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n; i++) {
		free(w->entries[i].name);
		free(w->entries[i].own);
	}
	free(w->entries);
	json_decref(w->meta);
	kws_tensors_free(w->old);
	free(w);
}

void kws_write_text(kws_write *w, const char *key, const char *text)
{
	if (!text)
		json_object_del(w->meta, key);
	else if (json_object_set_new(w->meta, key, json_string(text)) != 0)
		w->failed = true;
}

void kws_write_json(kws_write *w, const char *key, const json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(7)) : NULL;
	w->failed |= value && !text;
	kws_write_text(w, key, text);
	free(text);
}

void kws_write_tensor(kws_write *w, const char *name, enum kws_dtype dtype, size_t rank,
		      const size_t *shape, const void *data)
{
	entry *e = find(w, name);
	if (!e)
		e = append(w, name, dtype);
	if (e) {
		const size_t n = set_shape(e, dtype, rank, shape);
		free(e->own);
		e->data = e->own = malloc(n ? n : 1);
		if (e->own && n)
			memcpy(e->own, data, n);
	}
	w->failed |= !e || !e->own;
}

void kws_write_drop(kws_write *w, const char *name)
{
	entry *e = find(w, name);
	if (!e)
		return;
	free(e->name);
	free(e->own);
	memmove(e, e + 1, (size_t)(w->entries + --w->n - e) * sizeof *e);
}

/* {"dtype": ..., "shape": [...], "data_offsets": [at, at + bytes]}; NULL: no memory */
static json_t *describe(const entry *e, size_t at)
{
	json_t *shape = json_array();
	for (size_t i = 0; i < e->rank; i++)
		json_array_append_new(shape, json_integer((json_int_t)e->shape[i]));
	return json_pack("{s:s, s:o, s:[I, I]}", "dtype", kws_dtype_name(e->dtype), "shape", shape,
			 "data_offsets", (json_int_t)at, (json_int_t)at + (json_int_t)e->bytes);
}

/* The header's text, padded with spaces; and the bytes of all tensors. NULL: no memory. */
static char *header_text(const kws_write *w, size_t *n, size_t *data)
{
	json_t *header = json_object();
	char *text = NULL, *padded = NULL;
	bool good = header && json_object_set(header, "__metadata__", w->meta) == 0;
	*data = 0;
	for (size_t i = 0; i < w->n; *data += w->entries[i++].bytes)
		good = good
		       && json_object_set_new(header, w->entries[i].name,
					      describe(&w->entries[i], *data))
				  == 0;
	if (good)
		text = json_dumps(header, JSON_COMPACT);
	if (text) {
		*n = (strlen(text) + ALIGN - 1) / ALIGN * ALIGN;
		padded = malloc(*n + 1);
		if (padded)
			snprintf(padded, *n + 1, "%-*s", (int)*n, text);
	}
	free(text);
	json_decref(header);
	return padded;
}

enum kws_status kws_write_bytes(const kws_write *w, unsigned char **out, size_t *len,
				kws_error *err)
{
	size_t n = 0, data = 0;
	*out = NULL;
	char *header = w->failed ? NULL : header_text(w, &n, &data);
	unsigned char *bytes = header ? malloc(LENGTH + n + data) : NULL;
	if (bytes) {
		for (size_t i = 0; i < LENGTH; i++)
			bytes[i] = (unsigned char)((uint64_t)n >> (8 * i));
		memcpy(bytes + LENGTH, header, n);
		unsigned char *to = bytes + LENGTH + n;
		for (size_t i = 0; i < w->n; to += w->entries[i++].bytes)
			if (w->entries[i].bytes)
				memcpy(to, w->entries[i].data, w->entries[i].bytes);
		*out = bytes;
		*len = LENGTH + n + data;
	}
	free(header);
	return bytes ? KWS_OK : kws_fail(err, KWS_ERR_NOMEM, "out of memory");
}
