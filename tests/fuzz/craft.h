/* craft.h - model files made and spoilt piece by piece: for the seeds, the model fuzzers and the test of hostile files.
 *
 * A crafted file is its metadata and its tensors; the header's offsets are written when the bytes are asked for, so that a
 * change in one place leaves the rest sound, and what stands behind the header is reached. Which tensors a network needs
 * craft.h does not know: it asks the reader, which names what is missing (craft_complete). */
#ifndef KWS_TESTS_CRAFT_H
#define KWS_TESTS_CRAFT_H

#include "model/model.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CRAFT_TENSORS = 512, CRAFT_FLOATS = 65536, CRAFT_MOST = 1 << 20 };

typedef struct {
	char *name;
	json_t *shape;
	unsigned char *bytes;
	size_t n;  /* bytes */
	bool int8; /* numbers of 8 bits; they come last, since what follows need not be aligned */
} craft_tensor;

typedef struct {
	json_t *meta;
	craft_tensor tensors[CRAFT_TENSORS];
	size_t n_tensors;
	uint64_t state; /* of the random numbers */
} craft;

static inline uint32_t craft_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 32);
}

static inline size_t craft_below(craft *c, size_t n)
{
	return craft_random(&c->state) % n;
}

static inline craft *craft_new(uint64_t seed)
{
	craft *c = calloc(1, sizeof *c);
	if (!c)
		abort();
	c->state = seed * 0x9e3779b97f4a7c15u + 1;
	c->meta = json_object();
	return c;
}

static inline void craft_drop(craft *c, size_t i)
{
	free(c->tensors[i].name);
	json_decref(c->tensors[i].shape);
	free(c->tensors[i].bytes);
	c->n_tensors--;
	memmove(c->tensors + i, c->tensors + i + 1, (c->n_tensors - i) * sizeof *c->tensors);
}

static inline void craft_free(craft *c)
{
	while (c && c->n_tensors)
		craft_drop(c, c->n_tensors - 1);
	if (c)
		json_decref(c->meta);
	free(c);
}

static inline size_t craft_length(const unsigned char *file, size_t len)
{
	size_t n = 0;
	for (int i = 7; len >= 8 && i >= 0; i--)
		n = n << 8 | file[i];
	return len >= 8 && n <= len - 8 ? n : 0;
}

/* What of a file is sound enough; NULL: not even the header is JSON. */
static inline craft *craft_open(const unsigned char *file, size_t len, uint64_t seed)
{
	const size_t n = craft_length(file, len);
	json_t *header = n ? json_loadb((const char *)file + 8, n, 0, NULL) : NULL, *entry;
	const char *name;
	if (!json_is_object(header)) {
		json_decref(header);
		return NULL;
	}
	craft *c = craft_new(seed);
	json_object_foreach(header, name, entry)
	{
		const json_t *at = json_object_get(entry, "data_offsets");
		const json_int_t from = json_integer_value(json_array_get(at, 0)),
				 to = json_integer_value(json_array_get(at, 1));
		if (strcmp(name, "__metadata__") == 0 && json_is_object(entry))
			json_object_update(c->meta, entry);
		if (json_array_size(at) != 2 || from < 0 || to < from || (size_t)to > len - 8 - n
		    || c->n_tensors == CRAFT_TENSORS)
			continue;
		craft_tensor *t = &c->tensors[c->n_tensors++];
		t->name = strdup(name);
		t->shape = json_deep_copy(json_object_get(entry, "shape"));
		const char *dtype = json_string_value(json_object_get(entry, "dtype"));
		t->int8 = dtype && strcmp(dtype, "I8") == 0;
		t->n = (size_t)(to - from);
		t->bytes = calloc(1, t->n + 1);
		if (!t->name || !t->bytes)
			abort();
		memcpy(t->bytes, file + 8 + n + from, t->n);
	}
	json_decref(header);
	return c;
}

/* A file of this header, padded with blanks, and the tensors' data. To be freed. */
static inline unsigned char *craft_file(const craft *c, const json_t *header, size_t *len)
{
	char *text = json_dumps(header, JSON_COMPACT | JSON_ENCODE_ANY);
	const size_t n = text ? strlen(text) : 0, padded = (n + 7) / 8 * 8;
	*len = 8 + padded;
	for (size_t i = 0; i < c->n_tensors; i++)
		*len += c->tensors[i].n;
	unsigned char *file = calloc(1, *len), *at = file + 8 + padded;
	if (!file)
		abort();
	for (int i = 0; i < 8; i++)
		file[i] = (unsigned char)((unsigned long long)padded >> (8 * i));
	memset(file + 8, ' ', padded);
	if (n)
		memcpy(file + 8, text, n);
	for (size_t i = 0; i < c->n_tensors; at += c->tensors[i].n, i++)
		memcpy(at, c->tensors[i].bytes, c->tensors[i].n);
	free(text);
	return file;
}

static inline json_t *craft_header(const craft *c)
{
	json_t *header = json_object();
	json_int_t at = 0;
	json_object_set(header, "__metadata__", c->meta);
	for (size_t i = 0; i < c->n_tensors; i++) {
		const craft_tensor *t = &c->tensors[i];
		const json_int_t end = at + (json_int_t)t->n;
		json_object_set_new(header, t->name,
				    json_pack("{s:s, s:O?, s:[I, I]}", "dtype",
					      t->int8 ? "I8" : "F32", "shape", t->shape,
					      "data_offsets", at, end));
		at = end;
	}
	return header;
}

static inline unsigned char *craft_bytes(const craft *c, size_t *len)
{
	json_t *header = craft_header(c);
	unsigned char *file = craft_file(c, header, len);
	json_decref(header);
	return file;
}

/* ---- what the reader wants --------------------------------------------------------------------------------- */

/* Random values that a network runs on: scales around 1, variances above 0, zeros of 8 bits. */
static inline void craft_fill(craft *c, craft_tensor *t)
{
	const bool scale = strstr(t->name, "norm") || strstr(t->name, "Norm")
			   || strstr(t->name, "scale") || strstr(t->name, "running_var")
			   || strstr(t->name, ".step");
	const bool zero = strstr(t->name, ".zero");
	for (size_t i = 0; i < t->n && t->int8; i++)
		t->bytes[i] = (unsigned char)(craft_below(c, 255) - 127);
	for (size_t i = 0; i + sizeof(float) <= t->n && !t->int8; i += sizeof(float)) {
		const float u = (float)(craft_random(&c->state) >> 8) / 8388608.0f - 1.0f;
		const float x = zero				    ? (float)craft_below(c, 256)
				: scale && !strstr(t->name, "bias") ? 1.0f + 0.25f * u
								    : u;
		memcpy(t->bytes + i, &x, sizeof x);
	}
}

/* "NAME: missing, want shape [2, 3]", or "want bytes of shape": add it. False: no more room. */
static inline bool craft_add(craft *c, const char *name, const char *shape, bool int8)
{
	char *end;
	size_t n = 1, have = 0;
	json_t *list = json_array();
	for (const char *p = shape + 1; *p && *p != ']'; p = end + strspn(end, ", ")) {
		const long size = strtol(p, &end, 10);
		if (end == p)
			break;
		json_array_append_new(list, json_integer(size));
		n = n > CRAFT_FLOATS ? n : n * (size_t)size;
	}
	for (size_t i = 0; i < c->n_tensors; i++)
		have += c->tensors[i].n / sizeof(float);
	if (c->n_tensors == CRAFT_TENSORS || have + n > CRAFT_FLOATS) {
		json_decref(list);
		return false;
	}
	size_t at = c->n_tensors++;
	for (; at && !int8 && c->tensors[at - 1].int8; at--)
		c->tensors[at] = c->tensors[at - 1];
	craft_tensor *t = &c->tensors[at];
	*t = (craft_tensor){ strdup(name), list, calloc(n + 1, sizeof(float)),
			     n * (int8 ? 1 : sizeof(float)), int8 };
	if (!t->name || !t->bytes)
		abort();
	craft_fill(c, t);
	return true;
}

/* Do what the reader's complaint asks for: add, or leave out. False: it asks for neither. */
static inline bool craft_obey(craft *c, const char *complaint)
{
	char name[128];
	const char *colon = strstr(complaint, ": "), *want = strstr(complaint, "shape [");
	if (!colon || colon - complaint >= (long)sizeof name)
		return false;
	snprintf(name, sizeof name, "%.*s", (int)(colon - complaint), complaint);
	if (want && strncmp(colon, ": missing", 9) == 0)
		return craft_add(c, name, want + strlen("shape "),
				 strstr(complaint, "want bytes of shape"));
	for (size_t i = 0; i < c->n_tensors; i++)
		if (strcmp(c->tensors[i].name, name) == 0) {
			craft_drop(c, i);
			return true;
		}
	return false;
}

/* Add and leave out tensors until the reader takes the file, or complains of something else. True: it takes it. */
static inline bool craft_complete(craft *c, kws_error *err)
{
	for (int tries = 0; tries < 2 * CRAFT_TENSORS; tries++) {
		size_t len;
		kws_model *m = NULL;
		unsigned char *file = craft_bytes(c, &len);
		const enum kws_status status = kws_model_parse(&m, file, len, err);
		free(file);
		kws_model_close(m);
		if (status == KWS_OK || !craft_obey(c, err->text))
			return status == KWS_OK;
	}
	return false;
}

/* A model of this architecture, complete with tensors; ends the program when the reader wants none of it. */
static inline unsigned char *craft_model(const char *name, const char *features,
					 const char *network, const char *decision, uint64_t seed,
					 size_t *len)
{
	kws_error err = { "" };
	craft *c = craft_new(seed);
	json_object_update_new(c->meta,
			       json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "format",
					 "kws-model", "version",
					 strstr(network, "int8") || strstr(network, "width") ? "3"
					 : strstr(network, "embedding")			     ? "2"
											     : "1",
					 "name", name, "licence", "CC0-1.0", "words",
					 "[\"yes\",\"no\",\"_unknown_\",\"_silence_\"]", "features",
					 features, "network", network, "decision", decision));
	if (!craft_complete(c, &err)) {
		fprintf(stderr, "%s: %s\n", name, err.text);
		exit(1);
	}
	unsigned char *file = craft_bytes(c, len);
	craft_free(c);
	return file;
}

#endif
