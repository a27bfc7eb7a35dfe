/* The model file: what it says, and hostile files refused by name. */
#include "model/model.h"
#include "tests/read_file.h"
#include "tests/tiny_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void full_attention_names_its_limit(void **state)
{
	(void)state;
	tiny_config cfg = tiny_default;
	cfg.chunk = -1;
	kws_model *m = tiny_model_open(&cfg);
	assert_int_equal(kws_model_max_frames(m), 40);
	kws_model_close(m);
	m = tiny_model_open(&tiny_default);
	assert_int_equal(kws_model_max_frames(m), 0);
	kws_model_close(m);
}

static void getters_tell_what_the_file_says(void **state)
{
	(void)state;
	kws_model *m = tiny_model_open(&tiny_default);
	assert_string_equal(kws_model_name(m), "tiny");
	assert_int_equal(kws_model_n_words(m), TINY_WORDS);
	assert_string_equal(kws_model_word(m, 1), "no");
	assert_int_equal(kws_model_word_index(m, "_silence_"), 3);
	assert_int_equal(kws_model_word_index(m, "maybe"), -1);
	assert_true(fabsf(kws_model_threshold(m, 0) - 0.5f) < 1e-6f);
	assert_true(fabsf(kws_model_threshold(m, 1) - 0.6f) < 1e-6f);
	assert_int_equal(kws_model_features(m)->rate_hz, 16000);
	assert_int_equal(kws_model_window(m), 10);
	assert_int_equal(strlen(kws_model_hash(m)), 64);
	assert_null(kws_model_meta(m, "nothing"));
	kws_model_close(m);
}

/* ---- hostile files ----------------------------------------------------------------------------------------- */

/* A model with every `find` in its header replaced; the header keeps a length that is a multiple of 8. Frees blob. */
static unsigned char *edit(unsigned char *blob, size_t n, const char *find, const char *replace,
			   size_t *len)
{
	size_t header = 0;
	for (int i = 7; i >= 0; i--)
		header = header << 8 | blob[i];
	char *out = calloc(1, header * 2 + 4096);
	assert_non_null(out);
	size_t at = 0, hits = 0;
	for (size_t i = 0; i < header;) {
		if (strncmp((char *)blob + 8 + i, find, strlen(find)) == 0) {
			at += (size_t)sprintf(out + at, "%s", replace);
			i += strlen(find);
			hits++;
		} else {
			out[at++] = (char)blob[8 + i++];
		}
	}
	if (!hits)
		fail_msg("the model has no %s", find);
	while (at % 8)
		out[at++] = ' ';
	*len = 8 + at + n - 8 - header;
	unsigned char *result = malloc(*len);
	assert_non_null(result);
	for (int i = 0; i < 8; i++)
		result[i] = (unsigned char)(at >> (8 * i));
	memcpy(result + 8, out, at);
	memcpy(result + 8 + at, blob + 8 + header, n - 8 - header);
	free(out);
	free(blob);
	return result;
}

static unsigned char *edited(const char *find, const char *replace, size_t *len)
{
	size_t n;
	unsigned char *blob = tiny_model_bytes(&tiny_default, &n);
	return edit(blob, n, find, replace, len);
}

static void refused(const void *blob, size_t len, enum kws_status want, const char *says)
{
	kws_error err = { "" };
	kws_model *m = (kws_model *)(uintptr_t)1;
	const enum kws_status s = kws_model_parse(&m, blob, len, &err);
	if (s != want || !strstr(err.text, says))
		fail_msg("status %d, \"%s\"; want %d and \"%s\"", (int)s, err.text, (int)want,
			 says);
	assert_null(m);
}

static const struct {
	const char *find, *replace;
	enum kws_status status;
	const char *says;
} hostile[] = {
	/* the header */
	{ "\"dtype\":\"F32\"", "\"dtype\":\"F16\"", KWS_ERR_FORMAT, "dtype F16" },
	{ "\"input.weight\":{\"dtype\"", "\"input.weight\":{\"type\"", KWS_ERR_FORMAT,
	  "input.weight: dtype missing" },
	{ "\"input.weight\":{", "\"input.weight\":{\"x\":1,", KWS_ERR_FORMAT,
	  "input.weight: want dtype, shape" },
	{ "\"shape\":[8,20]", "\"shape\":[8,21]", KWS_ERR_FORMAT,
	  "input.weight: 640 bytes of data" },
	{ "\"shape\":[8,20]", "\"shape\":[20,8]", KWS_ERR_FORMAT,
	  "input.weight: shape [20, 8], want [8, 20]" },
	{ "\"shape\":[8,20]", "\"shape\":[160]", KWS_ERR_FORMAT,
	  "input.weight: shape [160], want [8, 20]" },
	{ "\"shape\":[8,20]", "\"shape\":[-8,-20]", KWS_ERR_FORMAT, "input.weight: shape" },
	{ "\"shape\":[8,20]", "\"shape\":[8,20.0]", KWS_ERR_FORMAT, "input.weight: shape" },
	{ "\"shape\":[8,20]", "\"shape\":[4294967296,4294967296]", KWS_ERR_FORMAT,
	  "input.weight: shape" },
	{ "\"shape\":[8,20]", "\"shape\":[1,1,1,8,20]", KWS_ERR_FORMAT, "input.weight: shape" },
	{ "\"shape\":[8,20]", "\"shape\":\"8x20\"", KWS_ERR_FORMAT, "input.weight: shape" },
	{ "\"data_offsets\":[80,720]", "\"data_offsets\":[84,724]", KWS_ERR_FORMAT, "gap" },
	{ "\"data_offsets\":[80,720]", "\"data_offsets\":[40,680]", KWS_ERR_FORMAT, "overlaps" },
	{ "\"data_offsets\":[80,720]", "\"data_offsets\":[82,722]", KWS_ERR_FORMAT, "not aligned" },
	{ "\"data_offsets\":[80,720]", "\"data_offsets\":[80,99999999]", KWS_ERR_FORMAT,
	  "input.weight: data_offsets" },
	{ "\"data_offsets\":[80,720]", "\"data_offsets\":[720,80]", KWS_ERR_FORMAT,
	  "input.weight: data_offsets" },
	{ "\"data_offsets\":[80,720]", "\"data_offsets\":[80]", KWS_ERR_FORMAT,
	  "input.weight: data_offsets" },
	{ "\"data_offsets\":[80,720]", "\"data_offsets\":[80,720,800]", KWS_ERR_FORMAT,
	  "input.weight: data_offsets" },
	{ "\"data_offsets\":[80,720]", "\"data_offsets\":[80,18446744073709551616]", KWS_ERR_FORMAT,
	  "header" },
	{ "\"input.bias\"", "\"input.weight\"", KWS_ERR_FORMAT, "duplicate" },
	{ "\"input.bias\"", "\"input.bias_\"", KWS_ERR_FORMAT, "input.bias: missing" },
	{ "\"input.bias\"", "\"input.bi\\u0000as\"", KWS_ERR_FORMAT, "header" },
	{ "{\"__metadata__\"", "[\"__metadata__\"", KWS_ERR_FORMAT, "header" },
	{ "\"name\":\"tiny\"", "\"name\":7", KWS_ERR_FORMAT, "__metadata__: name" },
	/* the metadata */
	{ "kws-model", "kws-muddle", KWS_ERR_FORMAT, "format" },
	{ "\"version\":\"1\"", "\"version\":\"4\"", KWS_ERR_VERSION, "version 4" },
	{ "\"name\":\"tiny\"", "\"nome\":\"tiny\"", KWS_ERR_FORMAT, "name is missing" },
	{ "\\\"no\\\",", "\\\"yes\\\",", KWS_ERR_FORMAT, "words[1]: yes stands there twice" },
	{ "\\\"no\\\",", "\\\"\\\",", KWS_ERR_FORMAT, "words[1]" },
	{ "[\\\"yes\\\",", "[\\\"maybe\\\",\\\"yes\\\",", KWS_ERR_FORMAT,
	  "head.fc2.weight: shape [4, 16], want [5, 16]" },
	{ "\\\"hop\\\":160", "\\\"hop\\\":0", KWS_ERR_FORMAT, "features: hop" },
	{ "\\\"hop\\\":160", "\\\"hop\\\":80", KWS_ERR_FORMAT, "features: hop" },
	{ "\\\"n_fft\\\":512", "\\\"n_fft\\\":500", KWS_ERR_FORMAT, "features: n_fft" },
	{ "\\\"f_hi_hz\\\":7600.0", "\\\"f_hi_hz\\\":9000.0", KWS_ERR_FORMAT, "features: f_hi_hz" },
	{ "\\\"f_hi_hz\\\":7600.0", "\\\"f_hi_hz\\\":NaN", KWS_ERR_FORMAT, "metadata: features" },
	{ "\\\"log_floor\\\":1e-5", "\\\"log_floor\\\":0", KWS_ERR_FORMAT, "features: log_floor" },
	{ "\\\"kind\\\":\\\"log-mel\\\"", "\\\"kind\\\":\\\"mfcc\\\"", KWS_ERR_VERSION, "mfcc" },
	{ "\\\"kind\\\":\\\"log-mel\\\"", "\\\"kind\\\":\\\"log-mel\\\",\\\"pcen\\\":1",
	  KWS_ERR_FORMAT, "pcen" },
	{ "\\\"normalisation\\\":\\\"affine\\\"", "\\\"normalisation\\\":\\\"none\\\"",
	  KWS_ERR_FORMAT, "features.mean: nothing" },
	{ "\\\"kind\\\":\\\"mega\\\"", "\\\"kind\\\":\\\"lstm\\\"", KWS_ERR_VERSION,
	  "layers[0]: kind lstm" },
	{ "\\\"zdim\\\":4", "\\\"zdim\\\":5", KWS_ERR_FORMAT, "want" },
	{ "\\\"zdim\\\":4", "\\\"zdim\\\":1000000000", KWS_ERR_FORMAT, "layers[0]: zdim" },
	{ "\\\"chunk\\\":7", "\\\"chunk\\\":0", KWS_ERR_FORMAT, "layers[0]: chunk" },
	{ "\\\"chunk\\\":7", "\\\"chunk\\\":-1", KWS_ERR_FORMAT,
	  "layers[0]: max_positions is missing" },
	{ "\\\"chunk\\\":7", "\\\"chunk\\\":8", KWS_ERR_FORMAT,
	  "layers.0.rel_pos_bias.rel_pos_bias: shape [13], want [15]" },
	{ "\\\"attention\\\":\\\"softmax\\\"", "\\\"attention\\\":\\\"hard\\\"", KWS_ERR_VERSION,
	  "hard" },
	{ "\\\"attention\\\":\\\"softmax\\\"", "\\\"attention\\\":\\\"none\\\"", KWS_ERR_FORMAT,
	  "layers[0]: unknown key" },
	{ "\\\"ndim\\\":4", "\\\"ndim\\\":0", KWS_ERR_FORMAT, "layers.0.move.delta: nothing" },
	{ "\\\"prenorm\\\":true", "\\\"prenorm\\\":1", KWS_ERR_FORMAT, "prenorm" },
	{ "\\\"pool\\\":10", "\\\"pool\\\":0", KWS_ERR_FORMAT, "network: pool" },
	{ "\\\"stride\\\":2", "\\\"stride\\\":3", KWS_ERR_FORMAT, "network: stride" },
	{ "\\\"threshold\\\":0.5", "\\\"threshold\\\":1.7", KWS_ERR_FORMAT, "decision: threshold" },
	{ "\\\"no\\\":0.6", "\\\"maybe\\\":0.6", KWS_ERR_FORMAT, "maybe is not one of the words" },
	{ "\\\"smooth_ms\\\":60", "\\\"smooth_ms\\\":60,\\\"sharp\\\":1", KWS_ERR_FORMAT, "sharp" },
	{ "\\\"smooth_ms\\\":60", "\\\"smooth_ms\\\":60,\\\"wait_ms\\\":501", KWS_ERR_FORMAT,
	  "decision: wait_ms" },
};

static void hostile_headers_are_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
		size_t len;
		unsigned char *blob = edited(hostile[i].find, hostile[i].replace, &len);
		refused(blob, len, hostile[i].status, hostile[i].says);
		free(blob);
	}
}

static const struct {
	const char *name, *find, *replace, *says;
} hostile_kinds[] = {
	{ "fastformer_forget", "\\\"heads\\\": 3", "\\\"heads\\\": 5",
	  "layers[0]: heads: 5 do not divide dim, 12" },
	{ "fastformer_forget", "\\\"heads\\\": 3", "\\\"heads\\\": 0",
	  "layers[0]: heads: want a whole number in 1..64" },
	{ "fastformer_forget", "\\\"heads\\\": 3", "\\\"heads\\\": 65",
	  "layers[0]: heads: want a whole number in 1..64" },
	{ "fastformer_forget", "\\\"heads\\\": 3", "\\\"heads\\\": 4",
	  "query_att.weight: shape [3, 12], want [4, 12]" },
	{ "fastformer_forget", "\\\"heads\\\": 3", "\\\"ears\\\": 3",
	  "layers[0]: unknown key ears" },
	{ "fastformer_forget", "\\\"ffn\\\": 10", "\\\"ffn\\\": 11",
	  "intermediate.dense.weight: shape [10, 12], want [11, 12]" },
	{ "fastformer_forget", "\\\"forget\\\": true", "\\\"forget\\\": 1",
	  "layers[0]: forget: want true or false" },
	{ "fastformer_forget", "\\\"forget\\\": true", "\\\"forget\\\": false",
	  "attention.self.forget: nothing" },
	{ "fastformer_forget", "\\\"causal\\\": true", "\\\"causal\\\": false",
	  "forget: only causal attention forgets" },
	{ "fastformer_forget", "\\\"causal\\\": true", "\\\"casual\\\": true",
	  "layers[0]: causal: want true or false" },
	{ "fastformer_forget", "\\\"causal\\\": true",
	  "\\\"causal\\\": true, \\\"max_positions\\\": 9", "unknown key max_positions" },
	{ "fastformer_forget", "0.attention.self.forget", "0.attention.self.forgot",
	  "layers.0.attention.self.forget: missing" },
	{ "fastformer_forget", "0.output.LayerNorm.bias", "0.output.LayerNorm.b",
	  "layers.0.output.LayerNorm.bias: missing" },
	{ "fastformer_clip", "\\\"max_positions\\\": 40", "\\\"max_positions\\\": 0",
	  "layers[0]: max_positions: want" },
	{ "fastformer_clip", ", \\\"max_positions\\\": 40", "",
	  "layers[0]: max_positions is missing" },
	{ "fastformer_clip", "\\\"forget\\\": false", "\\\"forget\\\": true",
	  "forget: only causal attention forgets" },
	{ "fastformer_shared", "\\\"share\\\": 0", "\\\"share\\\": 1",
	  "layers[1]: share: want a whole number in 0..0" },
	{ "fastformer_shared", "\\\"share\\\": 0", "\\\"share\\\": -1",
	  "layers[1]: share: want a whole number in 0..0" },
	{ "fastformer_shared", "\\\"share\\\": 0", "\\\"share\\\": null",
	  "layers[1]: share: want a whole number in 0..0" },
	{ "fastformer_shared", "\\\"share\\\": 0", "\\\"share\\\": 0, \\\"heads\\\": 3",
	  "layers[1]: unknown key heads" },
	{ "fastformer_shared", "[{\\\"kind\\\"", "[{\\\"share\\\": 0}, {\\\"kind\\\"",
	  "layers[0]: share: there is no earlier layer" },
	{ "fastformer_gated", "\\\"heads\\\": 3", "\\\"heads\\\": 3, \\\"zdim\\\": 12",
	  "layers[0]: unknown key zdim" },
	{ "fastformer_gated", "\\\"heads\\\": 3", "\\\"heads\\\": 5",
	  "layers[0]: heads: 5 do not divide hdim, 12" },
	{ "fastformer_gated", "\\\"heads\\\": 3", "\\\"heads\\\": 3, \\\"chunk\\\": 5",
	  "layers[0]: unknown key chunk" },
	{ "fastformer_gated", "additive\\\"", "softmax\\\"", "layers[0]: unknown key heads" },
	{ "fastformer_gated", "0.additive.forget", "0.additive.forgot",
	  "layers.0.additive.forget: missing" },
	{ "stem", "\\\"stem\\\": [", "\\\"stem\\\": {}, \\\"x\\\": [", "network: unknown key x" },
	{ "stem", "\\\"stem\\\": [{", "\\\"stem\\\": [7, {",
	  "network: stem[0]: kind: want a name such as conv" },
	{ "stem", "\\\"channels\\\": 4, ", "", "network: stem[1]: channels is missing" },
	{ "stem", "\\\"channels\\\": 4", "\\\"channels\\\": 0",
	  "network: stem[1]: channels: want a whole number in 1..256" },
	{ "stem", "\\\"channels\\\": 4", "\\\"channels\\\": 257",
	  "network: stem[1]: channels: want a whole number in 1..256" },
	{ "stem", "\\\"channels\\\": 4", "\\\"channels\\\": 5",
	  "stem.1.weight: shape [4, 3, 3, 3], want [5, 3, 3, 3]" },
	{ "stem", "\\\"channels\\\": 4", "\\\"canals\\\": 4",
	  "network: stem[1]: unknown key canals" },
	{ "stem", "\\\"kernel\\\": [3, 3], \\\"stride\\\": [1, 2]",
	  "\\\"kernel\\\": [3, 2], \\\"stride\\\": [1, 2]",
	  "network: stem[0]: kernel: want an odd number of bands" },
	{ "stem", "\\\"kernel\\\": [3, 3], \\\"stride\\\": [1, 2]",
	  "\\\"kernel\\\": [8, 3], \\\"stride\\\": [1, 2]",
	  "network: stem[0]: kernel: want [frames, bands], each in 1..7" },
	{ "stem", "\\\"kernel\\\": [3, 3], \\\"stride\\\": [1, 2]",
	  "\\\"kernel\\\": [3], \\\"stride\\\": [1, 2]",
	  "network: stem[0]: kernel: want [frames, bands]" },
	{ "stem", "\\\"kernel\\\": [3, 3], \\\"stride\\\": [1, 2]",
	  "\\\"kernel\\\": 3, \\\"stride\\\": [1, 2]",
	  "network: stem[0]: kernel: want [frames, bands]" },
	{ "stem", "\\\"stride\\\": [1, 2]", "\\\"stride\\\": [0, 2]",
	  "network: stem[0]: stride: want [frames, bands], each in 1..7" },
	{ "stem", "\\\"stride\\\": [1, 2]", "\\\"stride\\\": [1, 2.0]",
	  "network: stem[0]: stride: want [frames, bands]" },
	{ "stem", "\\\"stride\\\": [2, 2]", "\\\"stride\\\": [2, 3]",
	  "input.weight: shape [8, 8], want [8, 4]" },
	{ "stem_deep", "\\\"size\\\": [2, 2]", "\\\"size\\\": [0, 2]",
	  "network: stem[3]: size: want [frames, bands], each in 1..7" },
	{ "stem_deep", "\\\"size\\\": [2, 2]", "\\\"size\\\": [2, 2], \\\"stride\\\": [2, 2]",
	  "network: stem[3]: unknown key stride" },
	{ "stem_deep", "\\\"size\\\": [2, 2]}",
	  "\\\"size\\\": [7, 1]}, {\\\"kind\\\": \\\"pool\\\", \\\"size\\\": [7, 1]}, "
	  "{\\\"kind\\\": \\\"pool\\\", \\\"size\\\": [7, 1]}",
	  "network: stem[5]: makes one frame of more than 64" },
	{ "stem_deep", "\\\"stack\\\": 1", "\\\"stack\\\": 32",
	  "input.weight: shape [8, 12], want [8, 384]" },
	{ "stem_int8", "\"version\":\"3\"", "\"version\":\"2\"",
	  "stem.1.weight: dtype I8, want F32 in version 2" },
	{ "stem_int8", "\\\"weights\\\": \\\"int8\\\"", "\\\"weights\\\": 8",
	  "network: stem[1]: weights: want a name such as int8" },
	{ "stem_int8", "\\\"weights\\\": \\\"int8\\\"", "\\\"weight\\\": \\\"int8\\\"",
	  "network: stem[1]: unknown key weight" },
	{ "stem_int8", ", \\\"weights\\\": \\\"int8\\\"", "", "stem.1.weight: want float32" },
	{ "stem_int8", "\\\"leaky_relu\\\", \\\"weights\\\"", "\\\"silu\\\", \\\"weights\\\"",
	  "network: stem[1]: weights of int8 want the activation leaky_relu" },
	{ "layers_int8", "layers.0.mx_proj.scale", "layers.0.mx_proj.stale",
	  "layers.0.mx_proj.scale: missing, want shape [32]" },
	{ "stem_int8", "stem.1.step", "stem.1.stop", "stem.1.step: missing, want shape [5]" },
	{ "stem_int8", "stem.1.zero", "stem.1.hero", "stem.1.zero: missing, want shape [5]" },
	{ "stem_int8", "stem.1.scale", "stem.1.stale", "stem.1.scale: missing, want shape [6]" },
	{ "stem_int8", "stem.3.weight", "stem.3.height",
	  "stem.3.weight: missing, want bytes of shape [18, 6, 3, 1]" },
	{ "stem_stacked", "\\\"stack\\\": 3", "\\\"stack\\\": 32",
	  "input.weight: shape [8, 12], want [8, 128]" },
	{ "stem", "stem.1.bias", "stem.1.b", "stem.1.bias: missing" },
};

static void hostile_layers_are_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof hostile_kinds / sizeof *hostile_kinds; i++) {
		char path[256];
		size_t n = 0, len;
		snprintf(path, sizeof path, "tests/golden/net_%s.safetensors",
			 hostile_kinds[i].name);
		unsigned char *blob = read_file(path, &n);
		assert_non_null(blob);
		blob = edit(blob, n, hostile_kinds[i].find, hostile_kinds[i].replace, &len);
		refused(blob, len, KWS_ERR_FORMAT, hostile_kinds[i].says);
		free(blob);
	}
}

/* Small to store, and an hour to hear silence with. */
static void a_stem_that_takes_too_long_is_refused(void **state)
{
	(void)state;
	static const char header[] = "{\"__metadata__\":{\"format\":\"kws-model\",\"version\":"
				     "\"1\",\"name\":\"x\",\"words\":\"[\\\"a\\\""
				     ",\\\"b\\\"]\",\"features\":\"{\\\"kind\\\": \\\"log-mel\\\", "
				     "\\\"rate_hz\\\": 16000, \\\"win\\\""
				     ": 400, \\\"hop\\\": 160, \\\"n_fft\\\": 512, \\\"n_mels\\\": "
				     "128, \\\"f_lo_hz\\\": 20.0, \\\"f_h"
				     "i_hz\\\": 7600.0, \\\"log_floor\\\": 0.0001, \\\"mel\\\": "
				     "\\\"htk\\\", \\\"normalisation\\\": \\\""
				     "none\\\"}\",\"decision\":\"{\\\"smooth_ms\\\": 100, "
				     "\\\"refractory_ms\\\": 500, \\\"threshold\\\""
				     ": 0.5}\",\"network\":\"{\\\"stem\\\": [{\\\"kind\\\": "
				     "\\\"conv\\\", \\\"channels\\\": 256, \\\"k"
				     "ernel\\\": [7, 7], \\\"stride\\\": [1, 1], "
				     "\\\"activation\\\": \\\"silu\\\"}, {\\\"kind\\\": \\\""
				     "pool\\\", \\\"size\\\": [4, 1]}, {\\\"kind\\\": "
				     "\\\"pool\\\", \\\"size\\\": [4, 1]}, {\\\"kind\\\""
				     ": \\\"pool\\\", \\\"size\\\": [4, 1]}], \\\"stack\\\": 1, "
				     "\\\"stride\\\": 1, \\\"dim\\\": 1, \\\""
				     "layers\\\": [], \\\"final_norm\\\": null, \\\"pool\\\": 1, "
				     "\\\"head\\\": 1}\"},\"stem.0.bias\":{"
				     "\"dtype\":\"F32\",\"shape\":[256],\"data_offsets\":[0,1024]},"
				     "\"stem.0.weight\":{\"dtype\":\"F32\""
				     ",\"shape\":[256,1,7,7],\"data_offsets\":[1024,51200]}}     ";
	const size_t n = sizeof header - 1, len = 8 + n + 51200;
	unsigned char *blob = calloc(len, 1);
	assert_non_null(blob);
	blob[0] = (unsigned char)(n & 0xff), blob[1] = (unsigned char)(n >> 8);
	memcpy(blob + 8, header, n);
	refused(blob, len, KWS_ERR_FORMAT,
		"network: stem: 102760448 multiply-adds for a frame: more than 100000000");
	free(blob);
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	size_t len;
	unsigned char *blob = tiny_model_bytes(&tiny_default, &len);
	for (size_t n = 0; n < len; n += n < 64 || len - n < 64 ? 1 : 37) {
		unsigned char *cut = malloc(n ? n : 1); /* so that a read behind it is seen */
		assert_non_null(cut);
		memcpy(cut, blob, n);
		refused(cut, n, KWS_ERR_FORMAT, "");
		free(cut);
	}
	unsigned char *longer = calloc(1, len + 4);
	assert_non_null(longer);
	memcpy(longer, blob, len);
	refused(longer, len + 4, KWS_ERR_FORMAT, "4 bytes after the last tensor");
	longer[7] = 0x7f;
	refused(longer, len, KWS_ERR_FORMAT, "header of");
	free(longer);
	free(blob);
}

static void values_that_are_not_finite_are_refused(void **state)
{
	(void)state;
	static const float bad[] = { NAN, INFINITY, -INFINITY };
	for (size_t i = 0; i < 3; i++) {
		size_t len;
		unsigned char *blob = tiny_model_bytes(&tiny_default, &len);
		memcpy(blob + len - 4, &bad[i], 4);
		refused(blob, len, KWS_ERR_FORMAT, "head.fc2.bias: value 3 is not finite");
		free(blob);
	}
}

/* Finite themselves, but not what they make: the network would be deaf and not say so. */
static void weights_that_overflow_are_refused(void **state)
{
	(void)state;
	static const float huge[] = { 3e38f, -3e38f };
	for (size_t i = 0; i < 2; i++) {
		size_t len;
		unsigned char *blob = tiny_model_bytes(&tiny_default, &len);
		for (size_t at = len - 4 * TINY_WORDS * (TINY_HEAD + 1); at < len; at += 4)
			memcpy(blob + at, &huge[i], 4);
		refused(blob, len, KWS_ERR_FORMAT,
			"the output is not finite: weights are too large");
		free(blob);
	}
}

static void files_that_cannot_be_read_say_why(void **state)
{
	(void)state;
	kws_error err = { "" };
	kws_model *m;
	assert_int_equal(kws_model_open(&m, "tests/no-such-file", &err), KWS_ERR_IO);
	assert_string_equal(err.text, "tests/no-such-file: No such file or directory");
	assert_int_equal(kws_model_open(&m, "tests", &err), KWS_ERR_IO);
	assert_string_equal(err.text, "tests: not a regular file");
	assert_int_equal(kws_model_open(&m, "/dev/null", &err), KWS_ERR_IO);
	assert_int_equal(kws_model_open(&m, "Makefile", NULL), KWS_ERR_FORMAT);
	assert_null(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_attention_names_its_limit),
		cmocka_unit_test(getters_tell_what_the_file_says),
		cmocka_unit_test(hostile_headers_are_refused_by_name),
		cmocka_unit_test(hostile_layers_are_refused_by_name),
		cmocka_unit_test(a_stem_that_takes_too_long_is_refused),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(values_that_are_not_finite_are_refused),
		cmocka_unit_test(weights_that_overflow_are_refused),
		cmocka_unit_test(files_that_cannot_be_read_say_why),
	};
	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
