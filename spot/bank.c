#include "spot/bank.h"

#include "model/blob.h"
#include "model/json.h"
#include "model/tensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct kws_bank {
	size_t n, dim;
	signed char *rows; /* (n, dim) */
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

static enum kws_status read_all(kws_bank *b, kws_tensors *ts, kws_error *err)
{
	const char *base = kws_tensors_meta(ts, "base"), *ms = kws_tensors_meta(ts, "row_ms");
	const kws_tensor *rows = kws_tensors_find(ts, "rows");
	enum kws_status status;
	if ((status = meta_is(ts, "format", "kws-bank", KWS_ERR_FORMAT, err))
	    || (status = meta_is(ts, "version", "1", KWS_ERR_VERSION, err)))
		return status;
	b->row_ms = ms ? (size_t)strtoul(ms, NULL, 10) : 0;
	if (b->row_ms < 1 || b->row_ms > 1000)
		return kws_fail(err, KWS_ERR_FORMAT, "metadata: row_ms: want 1..1000");
	if (!base || strlen(base) != KWS_HASH - 1)
		return kws_fail(err, KWS_ERR_FORMAT, "metadata: base: want %d hex digits",
				KWS_HASH - 1);
	memcpy(b->base, base, KWS_HASH);
	if (!rows || rows->dtype != KWS_I8 || rows->rank != 2 || rows->n < 1)
		return kws_fail(err, KWS_ERR_FORMAT, "rows: want a tensor [n, dim] of I8");
	b->n = rows->shape[0];
	b->dim = rows->shape[1];
	b->rows = malloc(rows->n);
	if (!b->rows)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	memcpy(b->rows, rows->data, rows->n);
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

void kws_bank_rows(const kws_bank *b, size_t first, size_t n, float *rows)
{
	const signed char *from = b->rows + first * b->dim;
	for (size_t i = 0; i < n * b->dim; i++)
		rows[i] = (float)from[i] / KWS_BANK_SCALE;
}

void kws_bank_pack(const float *values, size_t n, signed char *packed)
{
	for (size_t i = 0; i < n; i++)
		packed[i] = (signed char)lrintf(
			fminf(fmaxf(values[i] * KWS_BANK_SCALE, -127.0f), 127.0f));
}
