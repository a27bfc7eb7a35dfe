/* fuzz_model_copy - a model file written anew with other thresholds: it opens again, and is the old one but for them.
 *
 * The first 8 bytes choose a threshold for each word (1/255, 0: none); the rest is a model file. */
#include "cli/model_copy.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/spoil.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 8, MOST = 1 << 18 };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	size_t len;
	if ((seed % 4 == 0 || size < HEAD) && LLVMFuzzerMutate)
		return LLVMFuzzerMutate(data, size, max_size);
	unsigned char *file = spoil(data + HEAD, size - HEAD, seed, &len);
	len = len < max_size - HEAD ? len : max_size - HEAD;
	memcpy(data + HEAD, file, len);
	free(file);
	return HEAD + len;
}

static void put(const char *path, const uint8_t *data, size_t size)
{
	FILE *f = fopen(path, "wb");
	demand(f && fwrite(data, 1, size, f) == size && fclose(f) == 0);
}

static unsigned char *get(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	unsigned char *bytes = malloc(2 * MOST);
	demand(f && bytes);
	*n = fread(bytes, 1, 2 * MOST, f);
	fclose(f);
	return bytes;
}

/* The metadata but for the two entries that may change, and the tensors' data, are as they were. */
static void same_but(const uint8_t *old, size_t old_len, const unsigned char *made, size_t made_len)
{
	static const char *const may[] = { "decision", "calibration" };
	const size_t n = craft_length(old, old_len), k = craft_length(made, made_len);
	json_t *a = json_loadb((const char *)old + 8, n, 0, NULL),
	       *b = json_loadb((const char *)made + 8, k, 0, NULL);
	for (size_t i = 0; i < 2; i++) {
		json_object_del(json_object_get(a, "__metadata__"), may[i]);
		json_object_del(json_object_get(b, "__metadata__"), may[i]);
	}
	demand(a && b && json_equal(a, b));
	demand(old_len - n == made_len - k
	       && memcmp(old + 8 + n, made + 8 + k, old_len - 8 - n) == 0);
	json_decref(a);
	json_decref(b);
}

static void same_words(const kws_model *a, const kws_model *b, const uint8_t *choice)
{
	demand(kws_model_n_words(a) == kws_model_n_words(b));
	for (size_t w = 0; w < kws_model_n_words(a); w++) {
		const float want = choice[w % HEAD] ? (float)choice[w % HEAD] / 255.0f
						    : kws_model_decision(b)->threshold;
		demand(strcmp(kws_model_word(a, w), kws_model_word(b, w)) == 0);
		demand(fabsf(kws_model_threshold(b, w) - want) < 1e-6f);
	}
}

static void rewrite(const kws_model *m, const uint8_t *data, size_t size, const char *from,
		    const char *to)
{
	json_t *each = json_object();
	for (size_t w = 0; w < kws_model_n_words(m); w++)
		if (data[w % HEAD])
			json_object_set_new(each, kws_model_word(m, w),
					    json_real((double)data[w % HEAD] / 255.0));
	json_t *decision = json_pack("{s:o}", "thresholds", each),
	       *calibration =
		       json_pack("{s:s, s:i}", "corpus", "fuzz \" \\ \xc3\xa9", "n", (int)size);
	put(from, data + HEAD, size - HEAD);
	demand(decision && calibration && kws_model_copy(from, to, decision, calibration));
	json_decref(decision);
	json_decref(calibration);
	kws_error err = { "" };
	kws_model *made;
	size_t n;
	demand(kws_model_open(&made, to, &err) == KWS_OK);
	unsigned char *bytes = get(to, &n);
	same_but(data + HEAD, size - HEAD, bytes, n);
	same_words(m, made, data);
	free(bytes);
	kws_model_close(made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char folder[] = "/tmp/kws-fuzz-XXXXXX";
	char from[64], to[64];
	kws_error err;
	kws_model *m;
	fuzz_accepted = size >= HEAD && size <= MOST
			&& kws_model_parse(&m, data + HEAD, size - HEAD, &err) == KWS_OK;
	if (!fuzz_accepted)
		return 0;
	demand(mkdtemp(folder) != NULL);
	snprintf(from, sizeof from, "%s/from", folder);
	snprintf(to, sizeof to, "%s/to", folder);
	rewrite(m, data, size, from, to);
	kws_model_close(m);
	unlink(from);
	unlink(to);
	demand(rmdir(folder) == 0);
	memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
	return 0;
}
