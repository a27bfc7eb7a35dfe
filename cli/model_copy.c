#include "cli/model_copy.h"

#include "cli/out.h"
#include "cli/replace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 8, ALIGN = 8 }; /* of safetensors: u64 header length, data aligned */

typedef struct {
	unsigned char *bytes;
	size_t n;
} blob;

/* A model file, which kws_model_open() has found good: its size is bounded. */
static bool read_file(blob *b, const char *path)
{
	FILE *f = fopen(path, "rb");
	long size = -1;
	bool good = f && fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= LENGTH
		    && fseek(f, 0, SEEK_SET) == 0;
	b->n = good ? (size_t)size : 0;
	b->bytes = malloc(b->n + 1);
	good = good && b->bytes && fread(b->bytes, 1, b->n, f) == b->n;
	if (!good)
		kws_out_complain("%s: %s", path, strerror(errno ? errno : EIO));
	if (f)
		fclose(f);
	return good;
}

static size_t header_length(const blob *b)
{
	size_t n = 0;
	for (int i = LENGTH - 1; i >= 0; i--)
		n = n << 8 | b->bytes[i];
	return n <= b->n - LENGTH ? n : b->n - LENGTH;
}

/* The entry as safetensors wants it: a string that holds JSON. Takes nothing. */
static bool set_text(json_t *meta, const char *key, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(7));
	bool good = text && json_object_set_new(meta, key, json_string(text)) == 0;
	free(text);
	return good;
}

/* The new header, padded with spaces. NULL: out of memory, or it is no model's. */
static char *new_header(const blob *old, json_t *decision, json_t *calibration, size_t *n)
{
	char *text = NULL, *padded = NULL;
	json_t *header = json_loadb((const char *)old->bytes + LENGTH, header_length(old), 0, NULL);
	json_t *meta = json_object_get(header, "__metadata__");
	const char *was = json_string_value(json_object_get(meta, "decision"));
	json_t *entry = was ? json_loads(was, 0, NULL) : NULL;
	if (entry && json_object_update(entry, decision) == 0 && set_text(meta, "decision", entry)
	    && set_text(meta, "calibration", calibration))
		text = json_dumps(header, JSON_COMPACT | JSON_REAL_PRECISION(17));
	if (text) {
		size_t len = strlen(text);
		*n = (len + ALIGN - 1) / ALIGN * ALIGN;
		padded = malloc(*n + 1);
		if (padded)
			snprintf(padded, *n + 1, "%-*s", (int)*n, text);
	}
	free(text);
	json_decref(entry);
	json_decref(header);
	return padded;
}

static bool put(const blob *b, const char *path)
{
	kws_replace file;
	kws_error err = { "" };
	kws_model *m = NULL;
	if (!kws_replace_open(&file, path))
		return false;
	fwrite(b->bytes, 1, b->n, file.to);
	bool good = fflush(file.to) == 0 && kws_model_open(&m, file.temporary, &err) == KWS_OK;
	if (!good)
		kws_out_complain("%s: %s", path, *err.text ? err.text : strerror(errno));
	kws_model_close(m);
	return kws_replace_finish(&file, good);
}

bool kws_model_copy(const char *from, const char *to, json_t *decision, json_t *calibration)
{
	blob old = { 0 }, copy = { 0 };
	size_t n = 0;
	bool good = read_file(&old, from);
	char *header = good ? new_header(&old, decision, calibration, &n) : NULL;
	if (header) {
		size_t data = LENGTH + header_length(&old);
		copy.n = LENGTH + n + (old.n - data);
		copy.bytes = malloc(copy.n);
		if (copy.bytes) {
			for (int i = 0; i < LENGTH; i++)
				copy.bytes[i] = (unsigned char)(n >> (8 * i));
			memcpy(copy.bytes + LENGTH, header, n);
			memcpy(copy.bytes + LENGTH + n, old.bytes + data, old.n - data);
		}
	}
	if (good && !copy.bytes)
		kws_out_complain("%s: %s", from, kws_strerror(KWS_ERR_NOMEM));
	good = copy.bytes && put(&copy, to);
	free(header);
	free(old.bytes);
	free(copy.bytes);
	return good;
}
