/* fuzz_bank - any bytes as a bank: refused with a reason, or parts that follow each other and
 * rows that are numbers. */
#include "spot/bank.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kws_bank *b = NULL;
	kws_error err = { "" };
	const enum kws_status status = kws_bank_parse(&b, data, size, &err);
	demand((status == KWS_OK) == (b != NULL));
	fuzz_accepted = b != NULL;
	if (!b) {
		demand((status == KWS_ERR_FORMAT || status == KWS_ERR_VERSION) && err.text[0]);
		return 0;
	}
	size_t n = 0;
	for (size_t i = 0; i < kws_bank_n_parts(b); i++) {
		const kws_bank_part *part = kws_bank_part_at(b, i);
		float *rows = calloc(part->n * kws_bank_dim(b), sizeof *rows);
		demand(part->first == n && part->n > 0 && rows);
		kws_bank_rows(b, part->first, part->n, rows);
		for (size_t k = 0; k < part->n * kws_bank_dim(b); k++)
			demand(fabsf(rows[k]) <= 4.0f);
		free(rows);
		n += part->n;
	}
	for (size_t i = 0; i < KWS_BANK_SOUNDS; i++) {
		size_t n_frames, n_mels;
		const signed char *sound =
			kws_bank_sound(b, (enum kws_bank_sound)i, &n_frames, &n_mels);
		int sum = 0;
		for (size_t k = 0; k < n_frames * n_mels; k++)
			sum |= sound[k];
		demand(n_frames == 0 || (n_mels > 0 && sum <= 127));
	}
	demand(kws_bank_fit_hours(b) + kws_bank_judge_hours(b) > 0.0);
	kws_bank_close(b);
	return 0;
}
