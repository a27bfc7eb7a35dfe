#include "cli/model_copy.h"

#include "cli/out.h"
#include "cli/replace.h"
#include "model/write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	unsigned char *bytes;
	size_t n;
} blob;

/* A model file, which kws_model_open() has found good: its size is bounded. */
static bool read_file(blob *b, const char *path)
{
	FILE *f = fopen(path, "rb");
	long size = -1;
	bool good = f && fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= 0
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

/* The old decision with what is new in it; NULL: out of memory, or it is no model's. */
static json_t *merged(const blob *old, json_t *decision)
{
	kws_tensors *ts = NULL;
	json_t *entry = NULL;
	if (kws_tensors_parse(&ts, old->bytes, old->n, true, NULL) == KWS_OK) {
		const char *was = kws_tensors_meta(ts, "decision");
		entry = was ? json_loads(was, 0, NULL) : NULL;
	}
	kws_tensors_free(ts);
	if (entry && json_object_update(entry, decision) != 0) {
		json_decref(entry);
		entry = NULL;
	}
	return entry;
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
	kws_write *w = NULL;
	kws_error err = { "" };
	bool good = read_file(&old, from);
	json_t *entry = good ? merged(&old, decision) : NULL;
	if (entry && kws_write_create(&w, old.bytes, old.n, &err) == KWS_OK) {
		kws_write_json(w, "decision", entry);
		kws_write_json(w, "calibration", calibration);
		kws_write_bytes(w, &copy.bytes, &copy.n, &err);
	}
	if (good && !copy.bytes)
		kws_out_complain("%s: %s", from,
				 *err.text ? err.text : kws_strerror(KWS_ERR_NOMEM));
	good = copy.bytes && put(&copy, to);
	kws_write_destroy(w);
	json_decref(entry);
	free(old.bytes);
	free(copy.bytes);
	return good;
}
