/* fuzz_model - any bytes as a model file: refused with a reason in bounded time and memory, or a network that runs and says the
 * same however its frames are cut. */
#include "model/model.h"
#include "model/runner.h"
#include "spot/stream.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/spoil.h"

#include <string.h>

enum { FRAMES = 40, MOST = 1 << 18 /* bytes: of what libFuzzer makes */ };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	size_t len;
	if (seed % 8 == 0 && LLVMFuzzerMutate)
		return LLVMFuzzerMutate(data, size, max_size);
	unsigned char *file = spoil(data, size, seed, &len);
	len = len < max_size ? len : max_size;
	memcpy(data, file, len);
	free(file);
	return len;
}

static void look_at(const kws_model *m)
{
	const size_t n = kws_model_n_words(m);
	demand(n >= 2 && strlen(kws_model_hash(m)) == 64 && kws_model_name(m));
	for (size_t w = 0; w < n; w++) {
		demand(kws_model_word_index(m, kws_model_word(m, w)) == (int)w);
		demand(kws_model_threshold(m, w) >= 0.0f && kws_model_threshold(m, w) <= 1.0f);
	}
}

/* frames (t, n_mels) in pieces of so many: the last rows that come out. Returns how many came. */
static size_t listen(const kws_model *m, const float *frames, size_t t, size_t piece, float *logits)
{
	const size_t n_mels = kws_model_features(m)->n_mels;
	kws_runner *runner;
	size_t n = 0;
	demand(kws_runner_create(&runner, m) == KWS_OK);
	for (size_t at = 0; at < t; at += piece)
		n += kws_runner_run(runner, frames + at * n_mels, t - at < piece ? t - at : piece,
				    logits + n * kws_model_n_words(m));
	n += kws_runner_finish(runner, logits);
	kws_runner_destroy(runner);
	return n;
}

static void run(const kws_model *m)
{
	const size_t n_mels = kws_model_features(m)->n_mels, max = kws_model_max_frames(m),
		     n_words = kws_model_n_words(m);
	const size_t most = max && max < FRAMES ? max : FRAMES, t = most * kws_model_stride(m);
	float *frames = calloc(t * n_mels, sizeof *frames);
	float *whole = calloc(most * n_words, sizeof *whole),
	      *cut = calloc(most * n_words, sizeof *cut);
	demand(frames && whole && cut);
	for (size_t i = 0; i < t * n_mels; i++)
		frames[i] = -11.5f + (float)(i * 2654435761u % 1000) / 100.0f;
	demand(listen(m, frames, t, t, whole) == most);
	demand(listen(m, frames, t, 1, cut) == most);
	demand(memcmp(whole, cut, most * n_words * sizeof *whole) == 0);
	free(frames);
	free(whole);
	free(cut);
}

typedef struct {
	size_t n_classes, n;
} frames_heard;

static void on_frame(void *ctx, const kws_frame *f)
{
	frames_heard *heard = ctx;
	float sum = 0.0f;
	for (size_t w = 0; w < heard->n_classes; w++)
		sum += f->prob[w];
	demand(sum > 0.99f && sum < 1.01f);
	for (size_t w = heard->n_classes; w < f->n_words; w++)
		demand(f->prob[w] >= 0.0f && f->prob[w] <= 1.0f);
	heard->n++;
}

/* The features, too, are the file's. */
static void stream(const kws_model *m)
{
	static const float silence[8000];
	kws_error err = { "" };
	kws_stream *s;
	frames_heard heard = { kws_model_n_classes(m), 0 };
	const enum kws_status status = kws_stream_create(&s, m, 16000, on_frame, &heard, &err);
	demand((status == KWS_OK) == (s != NULL) && (s || err.text[0]));
	if (!s)
		return;
	kws_stream_process(s, silence, 8000);
	kws_stream_flush(s);
	demand(heard.n > 0);
	kws_stream_destroy(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kws_error err = { "" };
	kws_model *m;
	const enum kws_status status =
		size <= MOST ? kws_model_parse(&m, data, size, &err) : KWS_ERR_FORMAT;
	fuzz_accepted = status == KWS_OK;
	if (size > MOST)
		return 0;
	demand(status == KWS_OK || status == KWS_ERR_FORMAT || status == KWS_ERR_VERSION);
	demand(m ? status == KWS_OK : status != KWS_OK && err.text[0]);
	if (!m)
		return 0;
	look_at(m);
	run(m);
	stream(m);
	kws_model_close(m);
	return 0;
}
