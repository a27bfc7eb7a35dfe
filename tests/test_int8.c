/* Convolutions of 8-bit integers: every level gives the sums and bits of the plain formula, whatever the shape. */
#include "model/network.h"
#include "spot/own.h"
#include "tests/fuzz/craft.h"
#include "tests/fuzz/kinds.h"
#include "vec/vec.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const levels[] = { "baseline",  "x86-64-v3",	     "x86-64-v3-vnni",
				      "x86-64-v4", "x86-64-v4-vnni", "dotprod" };

enum { MOST_OUT = 112, MOST_LD = 112, MOST_ROWS = 12, MOST_K = 600, SPACE = 16 };

static unsigned seed = 1;

static unsigned below(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (unsigned)(((uint64_t)seed * n) >> 32);
}

static float uniform(float lo, float hi)
{
	return lo + (hi - lo) * (float)below(1 << 24) / 16777216.0f;
}

/* One convolution in plain numbers. */
typedef struct {
	size_t taps, tap, n_in, step, n_out, rows, ld;
	bool linear;
	uint8_t image[4096];
	int8_t w[MOST_OUT * MOST_K];
	int32_t start[MOST_LD];
	float scale[MOST_LD], bias[MOST_LD], to_scale[MOST_LD], to_zero[MOST_LD];
} shape;

static shape s;

static void any_numbers(size_t n_out)
{
	for (size_t i = 0; i < sizeof s.image; i++)
		s.image[i] = (uint8_t)below(256);
	for (size_t i = 0; i < sizeof s.w; i++)
		s.w[i] = (int8_t)((int)below(255) - 127);
	for (size_t o = 0; o < MOST_LD; o++) {
		const bool used = o < n_out;
		s.start[o] = used ? (int32_t)below(200000) - 100000 : 0;
		s.scale[o] = used ? uniform(1e-6f, 1e-4f) : 0.0f;
		s.bias[o] = used ? uniform(-1.0f, 1.0f) : 0.0f;
		s.to_scale[o] = used ? uniform(1.0f, 60.0f) : 0.0f;
		s.to_zero[o] = used ? (float)below(100) : 0.0f;
	}
}

/* The largest numbers of one sign: what would overflow 16 bits, or saturate. */
static void largest_numbers(void)
{
	memset(s.image, 255, sizeof s.image);
	memset(s.w, 127, sizeof s.w / 2);
	memset(s.w + sizeof s.w / 2, -127, sizeof s.w - sizeof s.w / 2);
}

/* In plain C, with one rounding after the other. */
static float plain(size_t r, size_t o)
{
	int32_t sum = s.start[o];
	for (size_t p = 0; p < s.taps; p++)
		for (size_t i = 0; i < s.n_in; i++)
			sum += (int32_t)s.image[r * s.step + p * s.tap + i]
			       * s.w[o * s.taps * s.n_in + p * s.n_in + i];
	volatile float y = (float)sum * s.scale[o]; /* no fused multiply-add */
	y = y + s.bias[o];
	if (s.linear)
		return y;
	const float low = fmaxf(y * 0.2f, -0.4f);
	return fmaxf(y, low);
}

static float code_of(float x, float scale, float zero)
{
	volatile float t = x * scale;
	t = t + zero;
	return nearbyintf(fminf(fmaxf(t, 0.0f), 255.0f));
}

/* Floats that encode to themselves. */
static void image_of(const kws_int8 *v, const uint8_t *numbers, size_t n, void *to)
{
	static float ones[8192], none[8192], x[8192];
	for (size_t i = 0; i < n; i++) {
		ones[i] = 1.0f;
		x[i] = (float)numbers[i];
	}
	v->encode(to, (kws_int8_code){ ones, none }, x, 1, n);
}

static void product_is_the_formula(const kws_int8 *v, bool coded)
{
	static _Alignas(64) unsigned char w[MOST_K * MOST_LD * 2], image[2 * sizeof s.image];
	static unsigned char want[MOST_ROWS * MOST_OUT * 4], got[MOST_ROWS * MOST_OUT * 4 + SPACE];
	const size_t ldy = kws_int8_pad(s.n_out), bytes = coded ? v->width : sizeof(float);
	int32_t start[MOST_LD];
	memcpy(start, s.start, sizeof start);
	v->pack(w, start, s.w, s.n_out, s.taps * s.n_in, s.ld);
	image_of(v, s.image, sizeof s.image, image);
	const kws_int8_product g = { s.taps,
				     s.tap,
				     s.n_in,
				     s.step,
				     s.n_out,
				     s.ld,
				     w,
				     start,
				     s.scale,
				     s.bias,
				     { coded ? s.to_scale : NULL, s.to_zero },
				     s.linear };
	memset(got, 0x55, sizeof got);
	v->product(&g, image, s.rows, got, ldy);
	for (size_t i = s.rows * ldy * bytes; i < s.rows * ldy * bytes + SPACE; i++)
		assert_int_equal(got[i], 0x55);
	for (size_t r = 0; r < s.rows; r++) {
		float y[MOST_OUT];
		uint8_t number[MOST_OUT] = { 0 };
		for (size_t o = 0; o < s.n_out; o++) {
			y[o] = plain(r, o);
			number[o] = (uint8_t)code_of(y[o], s.to_scale[o], s.to_zero[o]);
		}
		if (coded)
			image_of(v, number, ldy, want);
		else
			memcpy(want, y, s.n_out * sizeof *y);
		assert_memory_equal(got + r * ldy * bytes, want, s.n_out * bytes);
	}
}

/* Kernels of one and three frames, strides, every number of rows and columns. */
static void every_shape_is_the_formula(void **state)
{
	const kws_int8 *v = ((const kws_vec *)*state)->int8;
	for (size_t n_out = 1; n_out <= MOST_OUT; n_out += n_out < 40 ? 1 : 8)
		for (size_t rows = 1; rows <= MOST_ROWS; rows += n_out % 8 ? 4 : 1) {
			s.taps = 1 + n_out % 3;
			s.n_in = 4 * (1 + n_out % 5);
			s.tap = 200 + 4 * (n_out % 2);
			s.step = 4 * (1 + rows % 4);
			s.n_out = n_out;
			s.ld = (n_out + 15) / 16 * 16;
			s.rows = rows;
			s.linear = n_out % 4 == 1;
			any_numbers(n_out);
			product_is_the_formula(v, rows % 2);
			product_is_the_formula(v, rows % 2 == 0);
		}
}

static void nothing_saturates(void **state)
{
	const kws_int8 *v = ((const kws_vec *)*state)->int8;
	any_numbers(MOST_OUT);
	largest_numbers();
	s.taps = 3, s.tap = 800, s.n_in = 200, s.step = 72, s.n_out = MOST_OUT, s.ld = MOST_LD;
	s.rows = 5;
	product_is_the_formula(v, false);
}

/* Ties go to the even number, what lies outside to the ends; the padding takes up its place. */
static void numbers_are_the_nearest(void **state)
{
	const kws_int8 *v = ((const kws_vec *)*state)->int8;
	enum { N = 21, ROWS = 3, LD = 24 };
	float x[N * ROWS], scale[32] = { 0 }, zero[32] = { 0 };
	uint8_t want[LD * ROWS] = { 0 };
	unsigned char got[LD * ROWS * 2], image[LD * ROWS * 2];
	for (size_t i = 0; i < N * ROWS; i++)
		x[i] = (float)(int)(i - 8) / 2.0f * (i % 7 == 6 ? 40.0f : 1.0f);
	x[0] = -INFINITY, x[1] = INFINITY, x[2] = 1e30f, x[3] = -1e30f, x[4] = NAN, x[5] = 0.0f;
	for (size_t i = 0; i < N; i++) {
		scale[i] = i % 2 ? 1.0f : 2.5f;
		zero[i] = (float)(i % 5);
	}
	for (size_t r = 0; r < ROWS; r++)
		for (size_t i = 0; i < N; i++)
			want[r * LD + i] =
				isnan(x[r * N + i])
					? 0
					: (uint8_t)code_of(x[r * N + i], scale[i], zero[i]);
	v->encode(got, (kws_int8_code){ scale, zero }, x, ROWS, N);
	image_of(v, want, LD * ROWS, image);
	for (size_t r = 0; r < ROWS; r++)
		assert_memory_equal(got + r * LD * v->width, image + r * LD * v->width,
				    N * v->width);
}

/* The step is the largest value over 127, whatever else is in the row. */
static void a_row_is_its_own_measure(void **state)
{
	const kws_int8 *v = ((const kws_vec *)*state)->int8;
	enum { MOST = 70 };
	unsigned char got[2 * (MOST + 4)], want[2 * (MOST + 4)];
	for (size_t n = 1; n <= MOST; n++) {
		float x[MOST], top = 0.0f;
		uint8_t number[MOST + 4] = { 0 };
		for (size_t i = 0; i < n; i++) {
			x[i] = n % 7 == 3 ? 0.0f : uniform(-30.0f, 20.0f);
			top = fmaxf(top, fabsf(x[i]));
		}
		const float step = v->encode_row(got, x, n);
		assert_true(step == top / 127.0f);
		for (size_t i = 0; i < n; i++)
			number[i] =
				(uint8_t)code_of(x[i], top > 0.0f ? 127.0f / top : 0.0f, 128.0f);
		image_of(v, number, n, want);
		assert_memory_equal(got, want, n * v->width);
	}
}

static void max_takes_the_greater(void **state)
{
	const kws_int8 *v = ((const kws_vec *)*state)->int8;
	enum { N = 4096 };
	uint8_t a[N], b[N], want[N];
	static unsigned char x[2 * N], y[2 * N], z[2 * N];
	for (size_t i = 0; i < N; i++) {
		a[i] = (uint8_t)below(256);
		b[i] = (uint8_t)below(256);
	}
	for (size_t n = 0; n <= N; n += n < 80 ? KWS_INT8_GROUP : 672) {
		for (size_t i = 0; i < N; i++)
			want[i] = i < n && a[i] > b[i] ? a[i] : b[i];
		image_of(v, a, N, x);
		image_of(v, b, N, y);
		image_of(v, want, N, z);
		v->max(y, x, y, n);
		assert_memory_equal(y, z, N * v->width);
	}
}

/* Two strides of convolutions with nothing but 8 bits: the same features at any level become the same bits. */
static void every_level_hears_the_same(void **state)
{
	enum { FRAMES = 24, MELS = 6, MOST = 256 };
	static const char network[] =
		NETWORK("1", "1",
			"\"stem\":[" CONV8("7", "[3,3]", "[1,1]") "," POOL("[2,2]") "," CONV8(
				"21", "[3,1]", "[1,1]") "," CONV8("5", "[2,3]", "[2,1]") "],",
			NFFN("layernorm", "true"), "null");
	static float want[FRAMES * MOST], got[FRAMES * MOST];
	static bool known;
	kws_error err = { "" };
	kws_model *m;
	size_t len;
	seed = 7;
	kws_vec_choose(*state);
	unsigned char *file =
		craft_model("int8", FEATURES("htk", "affine"), network, DECISION, 3, &len);
	assert_int_equal(kws_model_parse(&m, file, len, &err), KWS_OK);
	const kws_stem *stem = &kws_model_network(m)->stem;
	const size_t n = FRAMES / stem->stride;
	float x[FRAMES * MELS], *carried = calloc(stem->state_floats, sizeof *carried),
				*scratch = calloc(stem->scratch_floats, sizeof *scratch);
	assert_true(carried && scratch && n * stem->n_out <= sizeof got / sizeof *got);
	for (size_t i = 0; i < FRAMES * MELS; i++)
		x[i] = uniform(-40.0f, 90.0f);
	memcpy(carried, stem->start, stem->state_floats * sizeof *carried);
	kws_stem_run(stem, carried, scratch, x, n, got);
	if (!known)
		memcpy(want, got, sizeof got);
	known = true;
	assert_memory_equal(got, want, sizeof got);
	for (size_t i = 1; i < n; i++)
		assert_memory_not_equal(got, got + i * stem->n_out, stem->n_out * sizeof *got);
	free(carried);
	free(scratch);
	free(file);
	kws_model_close(m);
}

/* One value of the file that a convolution of 8 bits cannot have. */
static void what_is_no_code_is_refused(void **state)
{
	static const struct {
		const char *tensor, *says;
		float value;
	} table[] = {
		{ "stem.2.step", "stem.2.step: value 1 is not in", 0.0f },
		{ "stem.2.step", "stem.2.step: value 1 is not in", -0.5f },
		{ "stem.2.step", "stem.2.step: value 1 is not in", 1e13f },
		{ "stem.2.step", "stem.2.step: value 1 is not finite", NAN },
		{ "stem.2.zero", "stem.2.zero: value 1 is no whole number in 0..255", 1.5f },
		{ "stem.2.zero", "stem.2.zero: value 1 is no whole number in 0..255", -1.0f },
		{ "stem.2.zero", "stem.2.zero: value 1 is no whole number in 0..255", 256.0f },
		{ "stem.2.scale", "stem.2.scale: value 1 is not finite", INFINITY },
		{ "stem.2.weight", "stem.2.weight: value 4 is not in -127..127", -1.7e38f },
	};
	(void)state;
	size_t len, n;
	unsigned char *file = craft_model(
		"int8", FEATURES("htk", "affine"),
		NETWORK("2", "1", STEM_INT8, NFFN("layernorm", "true"), "null"), DECISION, 3, &len);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		kws_error err = { "" };
		kws_model *m;
		craft *c = craft_open(file, len, 1);
		size_t t = 0;
		while (strcmp(c->tensors[t].name, table[i].tensor) != 0)
			t++;
		memcpy(c->tensors[t].bytes + sizeof(float), &table[i].value, sizeof(float));
		if (c->tensors[t].int8)
			c->tensors[t].bytes[4] = 0x80;
		unsigned char *spoilt = craft_bytes(c, &n);
		assert_int_equal(kws_model_parse(&m, spoilt, n, &err), KWS_ERR_FORMAT);
		if (!strstr(err.text, table[i].says))
			fail_msg("%s; want %s", err.text, table[i].says);
		free(spoilt);
		craft_free(c);
	}
	free(file);
}

/* The file that a word is added to keeps what it has. */
static void a_word_of_ones_own_stands_beside_bytes(void **state)
{
	(void)state;
	size_t len, n;
	kws_error err = { "" };
	kws_model *m = NULL;
	kws_head head;
	json_t *notes = json_object();
	unsigned char *with,
		*file = craft_model("int8", FEATURES("htk", "affine"),
				    NETWORK("2", "2",
					    "\"embedding\":" EMBEDDING("2", OWN_STEM_INT8) ",",
					    NFFN("layernorm", "true"), "null"),
				    DECISION, 3, &len);
	assert_int_equal(kws_head_create(&head, 5), KWS_OK);
	if (kws_own_add(file, len, "lamp", &head, 0.5f, false, notes, &with, &n, &err) != KWS_OK
	    || kws_model_parse(&m, with, n, &err) != KWS_OK)
		fail_msg("%s", err.text);
	assert_string_equal(kws_model_meta(m, "version"), "3");
	assert_true(kws_model_word_index(m, "lamp") >= 0);
	kws_model_close(m);
	kws_head_free(&head);
	json_decref(notes);
	free(with);
	free(file);
}

int main(void)
{
	const struct CMUnitTest files[] = { cmocka_unit_test(what_is_no_code_is_refused),
					    cmocka_unit_test(
						    a_word_of_ones_own_stands_beside_bytes) };
	int failed = cmocka_run_group_tests_name("files", files, NULL, NULL);
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		const kws_vec *v = kws_vec_named(levels[i]);
		if (!v) {
			printf("level %s: not in this build or processor\n", levels[i]);
			continue;
		}
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate(every_shape_is_the_formula, (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(nothing_saturates, (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(numbers_are_the_nearest, (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(a_row_is_its_own_measure, (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(max_takes_the_greater, (void *)(uintptr_t)v),
			cmocka_unit_test_prestate(every_level_hears_the_same, (void *)(uintptr_t)v),
		};
		printf("level %s, integers %s\n", v->name, v->int8->name);
		failed += cmocka_run_group_tests_name(v->name, tests, NULL, NULL);
	}
	return failed != 0;
}
