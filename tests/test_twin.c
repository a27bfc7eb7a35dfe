/* C and Python on the same real audio: the features to 1e-4, the shipped model's logits to 1e-4. */
#include "audio/source.h"
#include "dsp/mel.h"
#include "model/model.h"
#include "model/runner.h"
#include "model/tensors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 32000, HOPS = 150, MELS = 40 };

static float pcm[MOST];

typedef struct {
	void *blob;
	kws_tensors *ts;
} file;

static int open_file(file *f, const char *path)
{
	kws_error err = { "" };
	FILE *in = fopen(path, "rb");
	if (!in)
		return 0;
	assert_int_equal(fseek(in, 0, SEEK_END), 0);
	const size_t len = (size_t)ftell(in);
	rewind(in);
	f->blob = malloc(len);
	assert_non_null(f->blob);
	assert_int_equal(fread(f->blob, 1, len, in), len);
	fclose(in);
	if (kws_tensors_parse(&f->ts, f->blob, len, true, &err) != KWS_OK)
		fail_msg("%s: %s", path, err.text);
	return 1;
}

static void close_file(file *f)
{
	kws_tensors_free(f->ts);
	free(f->blob);
}

static void hear(float *frames, const kws_features *f)
{
	kws_error err = { "" };
	kws_source *src;
	kws_mel *mel;
	size_t n = 0, got;
	if (kws_source_open_file(&src, "tests/golden/speech.flac", 0, &err) != KWS_OK)
		fail_msg("%s", err.text);
	do {
		assert_int_equal(kws_source_read(src, pcm + n, MOST - n, &got, &err), KWS_OK);
		n += got;
	} while (got);
	kws_source_close(src);
	assert_int_equal(n, (size_t)HOPS * f->hop);
	assert_int_equal(kws_mel_create(&mel, f, &err), KWS_OK);
	kws_mel_process(mel, pcm, HOPS, frames);
	kws_mel_destroy(mel);
}

static void within(const kws_tensor *want, const float *got, const char *what)
{
	float w, worst = 0.0f;
	for (size_t i = 0; i < want->n; i++) {
		memcpy(&w, want->data + i * sizeof w, sizeof w);
		const float diff = fabsf(got[i] - w);
		worst = fmaxf(worst, diff);
		if (!(diff <= 1e-4f))
			fail_msg("%s: value %zu is %.7g, want %.7g", what, i, (double)got[i],
				 (double)w);
	}
	printf("%s: worst difference %.2g\n", what, (double)worst);
}

static void features_agree(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		kws_features contract;
	} kinds[] = {
		{ "tests/golden/speech_wide.safetensors",
		  { 16000, 480, 160, 512, 40, 20.0f, 7000.0f, 1e-4f, KWS_MEL_HTK } },
		{ "tests/golden/speech_speech-embedding.safetensors",
		  { 16000, 400, 160, 512, 40, 60.0f, 6643.532f, 1e-4f, KWS_MEL_SLANEY } },
	};
	static float frames[HOPS * MELS];
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		file f;
		assert_true(open_file(&f, kinds[i].file));
		const kws_tensor *want = kws_tensors_find(f.ts, "frames");
		assert_non_null(want);
		assert_int_equal(want->n, HOPS * kinds[i].contract.n_mels);
		hear(frames, &kinds[i].contract);
		within(want, frames, kinds[i].file);
		close_file(&f);
	}
}

static void agrees(const char *name)
{
	kws_error err = { "" };
	kws_model *m;
	kws_runner *runner;
	file f;
	char path[256];
	static float frames[HOPS * 128], logits[(HOPS + 1) * 256];
	snprintf(path, sizeof path, "tests/golden/speech_%s.safetensors", name);
	assert_true(open_file(&f, path));
	snprintf(path, sizeof path, "config/models/%s.safetensors", name);
	if (kws_model_open(&m, path, &err) != KWS_OK)
		fail_msg("%s", err.text);
	assert_string_equal(kws_model_hash(m), json_string_value(json_object_get(
						       kws_tensors_metadata(f.ts), "sha256")));
	const kws_tensor *want = kws_tensors_find(f.ts, "logits");
	assert_non_null(want);
	hear(frames, kws_model_features(m));
	assert_int_equal(kws_runner_create(&runner, m), KWS_OK);
	assert_int_equal(kws_runner_run(runner, frames, HOPS, logits) * kws_model_n_words(m),
			 want->n);
	within(want, logits, name);
	kws_runner_destroy(runner);
	kws_model_close(m);
	close_file(&f);
}

static void shipped_models_agree(void **state)
{
	(void)state;
	agrees("commands-12");
	agrees("fastformer-12");
	agrees("commands-21");
	agrees("commands-12-small");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(features_agree),
		cmocka_unit_test(shipped_models_agree),
	};
	return cmocka_run_group_tests_name("twin", tests, NULL, NULL);
}
