/* write.h - make the bytes of a model file, or of another safetensors file, out of those of an
 * old one.
 *
 * What is not touched stays byte for byte: metadata, tensors and their order. Nothing is checked
 * but what makes it a safetensors file; kws_model_parse() judges the result. */
#ifndef KWS_MODEL_WRITE_H
#define KWS_MODEL_WRITE_H

#include "model/tensors.h"

typedef struct kws_write kws_write;

/* blob (len,): the old file, which MUST outlive the object; NULL: begin with nothing.
 * KWS_ERR_FORMAT, KWS_ERR_NOMEM. */
enum kws_status kws_write_create(kws_write **out, const void *blob, size_t len, kws_error *err);
void kws_write_destroy(kws_write *w);

/* What follows fails only for want of memory, and remembers it: kws_write_bytes() says so. */

/* An entry of the metadata. value is JSON and becomes a string that holds it; text is a string
 * as it is. NULL: none. */
void kws_write_json(kws_write *w, const char *key, const json_t *value);
void kws_write_text(kws_write *w, const char *key, const char *text);

/* A tensor in place of the one of that name, or behind all others; numbers go before bytes (KWS_I8)
 * that come last, behind which they might not be aligned. data is copied: n elements, the product of
 * shape (rank,). */
void kws_write_tensor(kws_write *w, const char *name, enum kws_dtype dtype, size_t rank,
		      const size_t *shape, const void *data);
void kws_write_drop(kws_write *w, const char *name);

/* The whole file, for the caller to free(). KWS_ERR_NOMEM. */
enum kws_status kws_write_bytes(const kws_write *w, unsigned char **out, size_t *len,
				kws_error *err);

#endif
