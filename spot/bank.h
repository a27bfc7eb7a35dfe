/* bank.h - recordings without the word, as rows of an embedding, a byte a value.
 *
 * A bank is a safetensors file: the tensor rows [n, dim], int8, a row's values times
 * KWS_BANK_SCALE; in its metadata `format` kws-bank, `version` 1, `base`, which tells the
 * embedding that made it (kws_tensors_hash()), `row_ms`, and `parts`, a JSON list of {"name":
 * ..., "rows": n, "use": "fit" or "judge"}, which follow each other. What else stands there is
 * for people. */
#ifndef KWS_SPOT_BANK_H
#define KWS_SPOT_BANK_H

#include "kws.h"

#include <stdbool.h>

#define KWS_BANK_SCALE 32.0f /* rows have a variance of about 1 */

enum { KWS_BANK_NAME = 64, KWS_BANK_PARTS = 4096 };

typedef struct {
	char name[KWS_BANK_NAME];
	size_t first, n; /* rows */
	bool judge;	 /* it sets thresholds; else heads are fitted against it */
} kws_bank_part;

size_t kws_bank_n_parts(const kws_bank *b);
const kws_bank_part *kws_bank_part_at(const kws_bank *b, size_t i);
size_t kws_bank_dim(const kws_bank *b);
const char *kws_bank_base(const kws_bank *b);
double kws_bank_row_hours(const kws_bank *b); /* of one row */

/* rows (n, dim) from row `first` on, as floats. */
void kws_bank_rows(const kws_bank *b, size_t first, size_t n, float *rows);

/* The same the other way: values (n,) as bytes. */
void kws_bank_pack(const float *values, size_t n, signed char *packed);

#endif
