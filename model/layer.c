#include "model/layer.h"

#include "model/fastformer.h"
#include "model/mega.h"
#include "model/nffn.h"

#include <string.h>

static const kws_layer_kind *const kinds[] = {
	&kws_mega_kind,
	&kws_fastformer_kind,
	&kws_nffn_kind,
};

enum kws_status kws_layer_create(kws_layer **out, const json_t *conf, const char *where, size_t dim,
				 kws_tensors *ts, const char *prefix, kws_error *err)
{
	const char *name = json_string_value(json_object_get(conf, "kind"));
	*out = NULL;
	if (!name)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: kind is missing", where);
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
		if (strcmp(kinds[k]->name, name) == 0)
			return kinds[k]->create(out, conf, where, dim, ts, prefix, err);
	return kws_fail(err, KWS_ERR_VERSION, "%s: kind %.64s is not known", where, name);
}

void kws_layer_destroy(kws_layer *l)
{
	if (l)
		l->kind->destroy(l);
}
