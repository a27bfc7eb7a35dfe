/* bank.h - recordings without the word, as rows of an embedding, four bits per value; and sounds that
 * takes are degraded with.
 *
 * A bank is a safetensors file. It has the tensor rows [n, (dim + 1) / 2], int8: two values in a
 * byte, the first one in the low four bits, each a whole number -8..7 in halves. Rows have a variance
 * of about 1. The tensors noise [n, n_mels] and speech [n, n_mels], int8, may be missing: log-mel frames of the
 * base's features, in eighths. Its metadata has `format' kws-bank; `version' 2; `base', the hash
 * of the embedding that made it (kws_bank_hash()); `dim'; `row_ms'; and `parts', a JSON list of
 * {"name": ..., "rows": n, "use": "fit" or "judge"}, in the order of their rows. Other metadata is for
 * people. */
#ifndef KWS_SPOT_BANK_H
#define KWS_SPOT_BANK_H

#include "kws.h"

#include <stdbool.h>

#define KWS_BANK_SCALE	2.0f /* values of rows are whole numbers divided by this */
#define KWS_SOUND_SCALE 8.0f /* the same for frames of sounds */

enum { KWS_BANK_NAME = 64, KWS_BANK_PARTS = 4096 };

/* Sounds that takes are degraded with. */
enum kws_bank_sound { KWS_BANK_NOISE, KWS_BANK_SPEECH, KWS_BANK_SOUNDS };

extern const char *const kws_bank_sound_names[KWS_BANK_SOUNDS]; /* names of their tensors */

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

/* Bytes of a row of dim values, and the reverse of kws_bank_rows(): values (n, dim) -> packed
 * (n, kws_bank_row_bytes(dim)). */
size_t kws_bank_row_bytes(size_t dim);
void kws_bank_pack(const float *values, size_t n, size_t dim, signed char *packed);

/* Frames of a sound (n, n_mels), to be divided by KWS_SOUND_SCALE; *n is 0 if there are none. They
 * live as long as the bank. */
const signed char *kws_bank_sound(const kws_bank *b, enum kws_bank_sound which, size_t *n,
				  size_t *n_mels);

/* The reverse: log-mel values (n,) -> packed (n,). */
void kws_bank_pack_sound(const float *values, size_t n, signed char *packed);

#endif
