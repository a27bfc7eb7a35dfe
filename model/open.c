#include "model/blob.h"
#include "model/model.h"

enum kws_status kws_model_open(kws_model **out, const char *path, kws_error *err)
{
	kws_error reason = { "" };
	kws_blob blob;
	*out = NULL;
	enum kws_status s = kws_blob_open(&blob, path, &reason);
	if (!s) {
		s = kws_model_parse(out, blob.bytes, blob.len, &reason);
		kws_blob_close(&blob);
	}
	return s ? kws_fail(err, s, "%.100s: %.150s", path, reason.text) : KWS_OK;
}
