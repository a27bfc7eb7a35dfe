/* tensors.h - the tensors of a safetensors blob. All are checked before any can be looked up.
 *
 * The blob may be hostile. It MUST outlive the object: only names are copied. */
#ifndef KWS_MODEL_TENSORS_H
#define KWS_MODEL_TENSORS_H

#include "kws.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum kws_dtype { KWS_F32, KWS_I8, KWS_F64, KWS_I64 };
enum { KWS_MAX_RANK = 4, KWS_MAX_HEADER = 1 << 20 };

typedef struct {
	const char *name;
	enum kws_dtype dtype;
	size_t rank, shape[KWS_MAX_RANK];
	size_t n;		   /* elements */
	const unsigned char *data; /* little-endian, any alignment */
	bool used;
} kws_tensor;

typedef struct kws_tensors kws_tensors;

/* Check the header's length and JSON, and of every tensor its name, dtype, shape, size and
 * place: inside the data, numbers aligned to 4 bytes, no overlap, no gap. of_model refuses dtypes
 * other than F32 and I8. KWS_ERR_FORMAT naming the tensor and the reason, KWS_ERR_NOMEM. */
enum kws_status kws_tensors_parse(kws_tensors **out, const void *blob, size_t len, bool of_model,
				  kws_error *err);
void kws_tensors_free(kws_tensors *ts);

/* The metadata object (strings only), or NULL; and one of its values, or NULL. They live as long as
 * ts. */
const json_t *kws_tensors_metadata(const kws_tensors *ts);
const char *kws_tensors_meta(const kws_tensors *ts, const char *key);

/* Find a tensor by name and mark it as used; NULL if there is none. */
const kws_tensor *kws_tensors_find(kws_tensors *ts, const char *name);

/* Copy the float32 tensor prefix + name into a new array *out, which the caller frees with free().
 * It MUST have this shape and only finite values. KWS_ERR_FORMAT names the tensor if it is missing
 * or different. */
enum kws_status kws_tensors_take(float **out, kws_tensors *ts, const char *prefix, const char *name,
				 size_t rank, const size_t *shape, kws_error *err);

/* The same for bytes, which live as long as the blob: *out points to its numbers -127..127. */
enum kws_status kws_tensors_bytes(const int8_t **out, kws_tensors *ts, const char *prefix,
				  const char *name, size_t rank, const size_t *shape,
				  kws_error *err);

/* KWS_ERR_FORMAT, with a tensor's name, if that tensor was never used. */
enum kws_status kws_tensors_all_used(const kws_tensors *ts, kws_error *err);

/* All of them, in the order of their data; i below the count. */
size_t kws_tensors_count(const kws_tensors *ts);
const kws_tensor *kws_tensors_at(const kws_tensors *ts, size_t i);

/* "F32", and bytes of an element. */
const char *kws_dtype_name(enum kws_dtype dtype);
size_t kws_dtype_size(enum kws_dtype dtype);

/* SHA-256 of the names and data of all tensors, but those whose names begin with `without` or
 * `nor`, into hex (65,): what tells one embedding from another, whatever heads stand on it. */
void kws_tensors_hash(const kws_tensors *ts, const char *without, const char *nor, char *hex);

/* Number of elements in all tensors. */
size_t kws_tensors_n_values(const kws_tensors *ts);

#endif
