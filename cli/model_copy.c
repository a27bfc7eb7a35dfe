#include "cli/model_copy.h"

#include "cli/base.h"
#include "cli/out.h"
#include "cli/replace.h"
#include "model/write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The old decision with what is new in it; NULL: out of memory, or it is no model's. */
static json_t *merged(const kws_blob *old, json_t *decision)
{
	kws_tensors *ts = NULL;
	json_t *entry = NULL;
	if (kws_tensors_parse(&ts, old->bytes, old->len, true, NULL) == KWS_OK) {
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

static bool put(const void *bytes, size_t n, const char *path)
{
	kws_replace file;
	kws_error err = { "" };
	kws_model *m = NULL;
	if (!kws_replace_open(&file, path))
		return false;
	fwrite(bytes, 1, n, file.to);
	bool good = fflush(file.to) == 0 && kws_model_open(&m, file.temporary, &err) == KWS_OK;
	if (!good)
		kws_out_complain("%s: %s", path, *err.text ? err.text : strerror(errno));
	kws_model_close(m);
	return kws_replace_finish(&file, good);
}

bool kws_model_copy(const char *from, const char *to, json_t *decision, json_t *calibration)
{
	kws_blob old;
	unsigned char *copy = NULL;
	size_t n = 0;
	kws_write *w = NULL;
	kws_error err = { "" };
	bool good = kws_base_read(&old, from);
	json_t *entry = good ? merged(&old, decision) : NULL;
	if (entry && kws_write_create(&w, old.bytes, old.len, &err) == KWS_OK) {
		kws_write_json(w, "decision", entry);
		kws_write_json(w, "calibration", calibration);
		kws_write_bytes(w, &copy, &n, &err);
	}
	if (good && !copy)
		kws_out_complain("%s: %s", from,
				 *err.text ? err.text : kws_strerror(KWS_ERR_NOMEM));
	good = copy && put(copy, n, to);
	kws_write_destroy(w);
	json_decref(entry);
	kws_blob_close(&old);
	free(copy);
	return good;
}
