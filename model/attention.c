#include "model/attention.h"

#include "model/additive.h"
#include "model/chunk.h"

#include <stdlib.h>
#include <string.h>

static const kws_attention_kind *const kinds[] = {
	&kws_softmax_attention,	 &kws_laplace_attention, &kws_relu2_attention,
	&kws_additive_attention, &kws_no_attention,
};

enum kws_status kws_attention_find(const kws_attention_kind **out, const json_t *conf,
				   const char *where, kws_error *err)
{
	const char *name = json_string_value(json_object_get(conf, "attention"));
	if (!name)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: attention: want a name such as softmax",
				where);
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

static enum kws_status create(kws_attention **out, const kws_attention_kind *kind,
			      const json_t *conf, const char *where, size_t hdim, kws_tensors *ts,
			      const char *prefix, kws_error *err)
{
	(void)conf, (void)where, (void)hdim, (void)ts, (void)prefix;
	*out = calloc(1, sizeof **out);
	if (!*out)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	(*out)->kind = kind;
	return KWS_OK;
}

static void destroy(kws_attention *a)
{
	free(a);
}

static void run(const kws_attention *a, void *state, float *scratch, const float *q, const float *k,
		float *v, size_t t)
{
	(void)a, (void)state, (void)scratch, (void)q, (void)k, (void)v, (void)t;
}

static const char *const keys[] = { NULL };

const kws_attention_kind kws_no_attention = { "none", keys, true, create, destroy, run };
