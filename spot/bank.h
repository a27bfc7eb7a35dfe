/* bank.h - recordings without the word, as rows of an embedding, one byte per value.
 *
 * A bank is a safetensors file. It has the tensor rows [n, dim], int8: values times KWS_BANK_SCALE.
 * Its metadata has `format' kws-bank; `version' 1; `base', the hash of the embedding that made it
 * (kws_tensors_hash()); `row_ms'; and `parts', a JSON list of {"name": ..., "rows": n, "use": "fit"
 * or "judge"}, in the order of their rows. Other metadata is for people. */
#ifndef KWS_SPOT_BANK_H
#define KWS_SPOT_BANK_H

#include "kws.h"

#include <stdbool.h>

#define KWS_BANK_SCALE 32.0f /* rows have a variance of about 1 */

enum { KWS_BANK_NAME = 64, KWS_BANK_PARTS = 4096 };

typedef struct {
	char name[KWS_BANK_NAME];
	size_t first, n; /* rows */
	bool judge;	 /* true: for setting thresholds; false: for fitting heads */
} kws_bank_part;

/* The hash of the embedding of a base (len bytes, a model file) into hash (KWS_HASH,): kws_bank_base()
 * of the banks that it made. KWS_ERR_FORMAT, KWS_ERR_NOMEM. */
enum kws_status kws_bank_hash(const void *base, size_t len, char *hash, kws_error *err);

size_t kws_bank_n_parts(const kws_bank *b);
const kws_bank_part *kws_bank_part_at(const kws_bank *b, size_t i);
size_t kws_bank_dim(const kws_bank *b);
const char *kws_bank_base(const kws_bank *b);
double kws_bank_row_hours(const kws_bank *b); /* of one row */

/* Copy n rows from row `first' on to rows (n, dim), as floats. */
void kws_bank_rows(const kws_bank *b, size_t first, size_t n, float *rows);

/* The reverse: convert values (n,) to bytes. */
void kws_bank_pack(const float *values, size_t n, signed char *packed);

#endif
