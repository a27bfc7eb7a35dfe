/* Any bytes as a truth file: refused with a place and a reason, or items that keep what truth.h
 * promises. */
#include "corpus/truth.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kws_truth *t = NULL;
	kws_error err = { "" };
	const enum kws_status s = kws_truth_parse(&t, (const char *)data, size, "a.tsv", &err);
	demand((s == KWS_OK) == (t != NULL));
	fuzz_accepted = t != NULL;
	if (!t) {
		demand(s == KWS_ERR_FORMAT && strncmp(err.text, "a.tsv:", 6) == 0);
		return 0;
	}
	double before = 0.0;
	for (size_t i = 0; i < kws_truth_count(t); i++) {
		const kws_truth_item *item = kws_truth_get(t, i);
		demand(item->start >= before && item->end >= item->start);
		demand(isfinite(item->end) && item->end <= KWS_TRUTH_MAX_S);
		demand(item->word[0] != '\0' && !strpbrk(item->word, "\t\n"));
		before = item->start;
	}
	kws_truth_close(t);
	return 0;
}
