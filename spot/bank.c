#include "spot/bank.h"

#include "model/blob.h"
#include "model/json.h"
#include "model/tensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const kws_bank_sound_names[KWS_BANK_SOUNDS] = { "noise", "speech" };

enum { MOST_DIM = 4096 };

struct kws_bank {
	size_t n, dim;
	signed char *rows; /* (n, kws_bank_row_bytes(dim)) */
	struct {
		signed char *frames; /* (n, n_mels) */
		size_t n, n_mels;
	} sounds[KWS_BANK_SOUNDS];
	kws_bank_part *parts;
	size_t n_parts;
	char base[KWS_HASH];
	size_t row_ms;
};

static enum kws_status meta_is(const kws_tensors *ts, const char *key, const char *want,
			       enum kws_status status, kws_error *err)
{
	const char *have = kws_tensors_meta(ts, key);
	return have && strcmp(have, want) == 0
		       ? KWS_OK
		       : kws_fail(err, status, "metadata: %s: %.32s, want %s", key,
				  have ? have : "missing", want);
}

static enum kws_status read_part(kws_bank *b, const json_t *entry, kws_error *err)
{
	static const char *const keys[] = { "name", "rows", "use", NULL };
	static const char *const uses[] = { "fit", "judge", NULL };
	kws_bank_part *part = &b->parts[b->n_parts];
	const kws_bank_part *last = b->n_parts ? part - 1 : NULL;
	const char *name = json_string_value(json_object_get(entry, "name"));
	size_t use;
	enum kws_status status;
	part->first = last ? last->first + last->n : 0;
	if ((status = kws_json_keys(entry, "parts", keys, NULL, err))
	    || (status = kws_json_size(entry, "parts", "rows", 1, b->n, &part->n, err))
	    || (status = kws_json_choice(entry, "parts", "use", uses, &use, err)))
		return status;
	if (!name || strlen(name) >= KWS_BANK_NAME)
		return kws_fail(err, KWS_ERR_FORMAT, "parts: name: want at most %d bytes",
				KWS_BANK_NAME - 1);
	memcpy(part->name, name, strlen(name) + 1);
	kws_clean(part->name);
	part->judge = use == 1;
	b->n_parts++;
	return KWS_OK;
}

static enum kws_status read_parts(kws_bank *b, const kws_tensors *ts, kws_error *err)
{
	const char *text = kws_tensors_meta(ts, "parts");
	json_t *list = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const size_t n = json_array_size(list);
	enum kws_status status = KWS_OK;
	if (n < 1 || n > KWS_BANK_PARTS)
		status = kws_fail(err, KWS_ERR_FORMAT, "metadata: parts: want a list of 1..%d",
				  KWS_BANK_PARTS);
	b->parts = calloc(n + 1, sizeof *b->parts);
	if (!status && !b->parts)
		status = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	for (size_t i = 0; !status && i < n; i++)
		status = read_part(b, json_array_get(list, i), err);
	json_decref(list);
	if (status)
		return status;
	const kws_bank_part *last = &b->parts[n - 1];
	return last->first + last->n == b->n
		       ? KWS_OK
		       : kws_fail(err, KWS_ERR_FORMAT, "parts: of %zu rows, but there are %zu",
				  last->first + last->n, b->n);
}

/* A whole number of the metadata in 1..most; 0: it is none. */
static size_t number(const kws_tensors *ts, const char *key, size_t most)
{
	const char *text = kws_tensors_meta(ts, key);
	const size_t n = text ? (size_t)strtoul(text, NULL, 10) : 0;
	return n <= most ? n : 0;
}

static signed char *copy_of(const kws_tensor *t)
{
	signed char *copy = malloc(t->n);
	if (copy)
		memcpy(copy, t->data, t->n);
	return copy;
}

static enum kws_status read_sound(kws_bank *b, kws_tensors *ts, size_t which, kws_error *err)
{
	const kws_tensor *t = kws_tensors_find(ts, kws_bank_sound_names[which]);
	if (!t)
		return KWS_OK;
	if (t->dtype != KWS_I8 || t->rank != 2 || t->n < 1)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: want a tensor [n, n_mels] of I8",
				kws_bank_sound_names[which]);
	b->sounds[which].n = t->shape[0];
	b->sounds[which].n_mels = t->shape[1];
	b->sounds[which].frames = copy_of(t);
	return b->sounds[which].frames ? KWS_OK : kws_fail(err, KWS_ERR_NOMEM, "out of memory");
}

static enum kws_status read_all(kws_bank *b, kws_tensors *ts, kws_error *err)
{
	const char *base = kws_tensors_meta(ts, "base");
	const kws_tensor *rows = kws_tensors_find(ts, "rows");
	enum kws_status status;
	if ((status = meta_is(ts, "format", "kws-bank", KWS_ERR_FORMAT, err))
	    || (status = meta_is(ts, "version", "2", KWS_ERR_VERSION, err)))
		return status;
	b->row_ms = number(ts, "row_ms", 1000);
	b->dim = number(ts, "dim", MOST_DIM);
	if (!b->row_ms || !b->dim)
		return kws_fail(err, KWS_ERR_FORMAT, "metadata: %s: want 1..%d",
				b->row_ms ? "dim" : "row_ms", b->row_ms ? MOST_DIM : 1000);
	if (!base || strlen(base) != KWS_HASH - 1)
		return kws_fail(err, KWS_ERR_FORMAT, "metadata: base: want %d hex digits",
				KWS_HASH - 1);
	memcpy(b->base, base, KWS_HASH);
	if (!rows || rows->dtype != KWS_I8 || rows->rank != 2 || rows->n < 1
	    || rows->shape[1] != kws_bank_row_bytes(b->dim))
		return kws_fail(err, KWS_ERR_FORMAT, "rows: want a tensor [n, %zu] of I8",
				kws_bank_row_bytes(b->dim));
	b->n = rows->shape[0];
	b->rows = copy_of(rows);
	if (!b->rows)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < KWS_BANK_SOUNDS; i++)
		if ((status = read_sound(b, ts, i, err)))
			return status;
	if ((status = read_parts(b, ts, err)))
		return status;
	return kws_tensors_all_used(ts, err);
}

enum kws_status kws_bank_parse(kws_bank **out, const void *blob, size_t len, kws_error *err)
{
	kws_tensors *ts;
	*out = NULL;
	enum kws_status status = kws_tensors_parse(&ts, blob, len, false, err);
	if (status)
		return status;
	kws_bank *b = calloc(1, sizeof *b);
	status = b ? read_all(b, ts, err) : kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	kws_tensors_free(ts);
	if (status)
		kws_bank_close(b);
	else
		*out = b;
	return status;
}

enum kws_status kws_bank_open(kws_bank **out, const char *path, kws_error *err)
{
	kws_error reason = { "" };
	kws_blob blob;
	*out = NULL;
	enum kws_status status = kws_blob_open(&blob, path, &reason);
	if (!status) {
		status = kws_bank_parse(out, blob.bytes, blob.len, &reason);
		kws_blob_close(&blob);
	}
	return status ? kws_fail(err, status, "%.100s: %.150s", path, reason.text) : KWS_OK;
}

enum kws_status kws_bank_hash(const void *base, size_t len, char *hash, kws_error *err)
{
	kws_tensors *ts;
	const enum kws_status status = kws_tensors_parse(&ts, base, len, true, err);
	if (status)
		return status;
	kws_tensors_hash(ts, "heads.", "head.", hash); /* the words of a base may change */
	kws_tensors_free(ts);
	return KWS_OK;
}

void kws_bank_close(kws_bank *b)
{
	if (!b)
		return;
	free(b->rows);
	for (size_t i = 0; i < KWS_BANK_SOUNDS; i++)
		free(b->sounds[i].frames);
	free(b->parts);
	free(b);
}

static double hours(const kws_bank *b, bool judge)
{
	size_t n = 0;
	for (size_t i = 0; i < b->n_parts; i++)
		n += b->parts[i].judge == judge ? b->parts[i].n : 0;
	return (double)n * kws_bank_row_hours(b);
}

double kws_bank_fit_hours(const kws_bank *b)
{
	return hours(b, false);
}

double kws_bank_judge_hours(const kws_bank *b)
{
	return hours(b, true);
}

size_t kws_bank_n_parts(const kws_bank *b)
{
	return b->n_parts;
}

const kws_bank_part *kws_bank_part_at(const kws_bank *b, size_t i)
{
	return &b->parts[i];
}

size_t kws_bank_dim(const kws_bank *b)
{
	return b->dim;
}

const char *kws_bank_base(const kws_bank *b)
{
	return b->base;
}

double kws_bank_row_hours(const kws_bank *b)
{
	return (double)b->row_ms / 3.6e6;
}

size_t kws_bank_row_bytes(size_t dim)
{
	return (dim + 1) / 2;
}

void kws_bank_rows(const kws_bank *b, size_t first, size_t n, float *rows)
{
	const signed char *from = b->rows + first * kws_bank_row_bytes(b->dim);
	for (size_t r = 0; r < n; r++, from += kws_bank_row_bytes(b->dim))
		for (size_t i = 0; i < b->dim; i++) {
			const int four = ((unsigned char)from[i / 2] >> (i % 2 ? 4 : 0)) & 15;
			*rows++ = (float)(four < 8 ? four : four - 16) / KWS_BANK_SCALE;
		}
}

static int whole(float x, float most)
{
	return (int)lrintf(fminf(fmaxf(x, -most), most));
}

void kws_bank_pack(const float *values, size_t n, size_t dim, signed char *packed)
{
	memset(packed, 0, n * kws_bank_row_bytes(dim));
	for (size_t r = 0; r < n; r++, packed += kws_bank_row_bytes(dim))
		for (size_t i = 0; i < dim; i++) {
			const int four = whole(*values++ * KWS_BANK_SCALE, 7.0f) & 15;
			packed[i / 2] = (signed char)(packed[i / 2] | four << (i % 2 ? 4 : 0));
		}
}

const signed char *kws_bank_sound(const kws_bank *b, enum kws_bank_sound which, size_t *n,
				  size_t *n_mels)
{
	*n = b->sounds[which].n;
	*n_mels = b->sounds[which].n_mels;
	return b->sounds[which].frames;
}

void kws_bank_pack_sound(const float *values, size_t n, signed char *packed)
{
	for (size_t i = 0; i < n; i++)
		packed[i] = (signed char)whole(values[i] * KWS_SOUND_SCALE, 127.0f);
}
