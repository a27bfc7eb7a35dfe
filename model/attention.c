#include "model/attention.h"

#include "model/additive.h"
#include "model/chunk.h"

#include <string.h>

static const kws_attention_kind *const kinds[] = {
	&kws_softmax_attention,
	&kws_laplace_attention,
	&kws_relu2_attention,
	&kws_additive_attention,
};

enum kws_status kws_attention_find(const kws_attention_kind **out, const json_t *conf, const char *where, kws_error *err)
{
	const char *name = json_string_value(json_object_get(conf, "attention"));
	if (!name)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: attention: want a name such as softmax", where);
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		if (strcmp(kinds[k]->name, name) == 0) {
			*out = kinds[k];
			return KWS_OK;
		}
	}
	return kws_fail(err, KWS_ERR_VERSION, "%s: attention: %.64s is not known", where, name);
}

void kws_attention_destroy(kws_attention *a)
{
	if (a)
		a->kind->destroy(a);
}
