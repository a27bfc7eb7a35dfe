#include "model/layer_list.h"

#include "model/json.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_STATE = 128 << 20 }; /* a few numbers in a hostile file must not claim all memory */

/* {"share": i}: layer i again. */
static enum kws_status share(kws_layer_list *l, const json_t *entry, const char *where,
			     kws_error *err)
{
	static const char *const keys[] = { "share", NULL };
	size_t i = 0;
	enum kws_status s = kws_json_keys(entry, where, keys, NULL, err);
	if (!s && !l->n)
		s = kws_fail(err, KWS_ERR_FORMAT, "%s: share: there is no earlier layer", where);
	if (!s)
		s = kws_json_size(entry, where, "share", 0, l->n - 1, &i, err);
	if (!s)
		l->each[l->n] = l->each[i];
	return s;
}

/* Whether this is the first layer with its tensors. */
static int owns(const kws_layer_list *l, size_t layer)
{
	for (size_t i = 0; i < layer; i++)
		if (l->each[i] == l->each[layer])
			return 0;
	return 1;
}

enum kws_status kws_layer_list_init(kws_layer_list *l, const json_t *list, size_t most, size_t dim,
				    kws_tensors *ts, const char *before, kws_error *err)
{
	const size_t n = json_array_size(list);
	*l = (kws_layer_list){ 0 };
	if (!json_is_array(list) || n < 1 || n > most)
		return kws_fail(err, KWS_ERR_FORMAT,
				"network: %slayers: want a list of 1..%zu layers", before, most);
	l->each = calloc(n, sizeof *l->each);
	l->at = calloc(n, sizeof *l->at);
	if (!l->each || !l->at)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	while (l->n < n) {
		char where[64], prefix[64];
		snprintf(where, sizeof where, "network: %slayers[%zu]", before, l->n);
		snprintf(prefix, sizeof prefix, "%slayers.%zu.", before, l->n);
		const json_t *entry = json_array_get(list, l->n);
		const enum kws_status s = json_object_get(entry, "share")
						  ? share(l, entry, where, err)
						  : kws_layer_create(&l->each[l->n], entry, where,
								     dim, ts, prefix, err);
		if (s)
			return s;
		const kws_layer *layer = l->each[l->n];
		if (layer->scratch_floats > l->scratch_floats)
			l->scratch_floats = layer->scratch_floats;
		l->at[l->n++] = l->state_bytes;
		l->state_bytes += (layer->state_bytes + 63) / 64 * 64;
		if (l->state_bytes > MAX_STATE)
			return kws_fail(err, KWS_ERR_FORMAT,
					"%s: the state of a stream grows past %d MiB", where,
					MAX_STATE >> 20);
	}
	return KWS_OK;
}

void kws_layer_list_free(kws_layer_list *l)
{
	for (size_t i = l->n; i-- > 0;)
		if (owns(l, i))
			kws_layer_destroy(l->each[i]);
	free(l->each);
	free(l->at);
	*l = (kws_layer_list){ 0 };
}

void kws_layer_list_run(const kws_layer_list *l, const kws_span *s, size_t n_s, size_t at,
			float *scratch, float *x)
{
	for (size_t i = 0; i < l->n; i++)
		l->each[i]->kind->run(l->each[i], s, n_s, at + l->at[i], scratch, x);
}

void kws_layer_list_products(const kws_layer_list *l, size_t rows, kws_product_fn *fn, void *ctx)
{
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; l->each[i]->products[k]; k++)
			kws_linear_products(l->each[i]->products[k], rows, fn, ctx);
}
