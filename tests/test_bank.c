/* Banks: what is in the file comes out, and a file that is none is refused by name. */
#include "tests/own.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char HASH[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const char PARTS[] = "[{\"name\":\"a\",\"rows\":2,\"use\":\"fit\"},"
			    "{\"name\":\"b\",\"rows\":1,\"use\":\"judge\"}]";
/* three rows of three values: 7 -7 0, 2 -2 1, -8 4 0 */
static const unsigned char rows[] = { 0x97, 0x00, 0xe2, 0x01, 0x48, 0x00 };
static const signed char noise[] = { 8, -8, 127, -128, 0, 4 };

/* A bank of three rows of three values, and two frames of noise of three, with one entry of its metadata otherwise. NULL: left out. */
static unsigned char *make(const char *key, const char *value, size_t *len)
{
	const char *const meta[][2] = { { "format", "kws-bank" }, { "version", "2" },
					{ "base", HASH },	  { "dim", "3" },
					{ "row_ms", "80" },	  { "parts", PARTS } };
	const size_t shape[] = { 3, 2 }, frames[] = { 2, 3 };
	kws_write *w;
	unsigned char *bytes;
	own_need(kws_write_create(&w, NULL, 0, NULL) == KWS_OK, "bank", NULL);
	for (size_t i = 0; i < sizeof meta / sizeof *meta; i++)
		kws_write_text(w, meta[i][0],
			       key && strcmp(key, meta[i][0]) == 0 ? value : meta[i][1]);
	kws_write_tensor(w, "rows", KWS_I8, 2, shape, rows);
	kws_write_tensor(w, "noise", KWS_I8, 2, frames, noise);
	own_need(kws_write_bytes(w, &bytes, len, NULL) == KWS_OK, "bank", NULL);
	kws_write_destroy(w);
	return bytes;
}

static void what_is_in_it_comes_out(void **state)
{
	size_t len;
	unsigned char *bytes = make(NULL, NULL, &len);
	kws_bank *b;
	kws_error err = { "" };
	float x[6];
	(void)state;
	assert_int_equal(kws_bank_parse(&b, bytes, len, &err), KWS_OK);
	assert_int_equal(kws_bank_n_parts(b), 2);
	assert_string_equal(kws_bank_part_at(b, 1)->name, "b");
	assert_true(kws_bank_part_at(b, 1)->judge && !kws_bank_part_at(b, 0)->judge);
	assert_int_equal(kws_bank_part_at(b, 1)->first, 2);
	assert_true(fabs(kws_bank_fit_hours(b) - 2 * 0.08 / 3600) < 1e-12);
	assert_true(fabs(kws_bank_judge_hours(b) - 0.08 / 3600) < 1e-12);
	kws_bank_rows(b, 1, 2, x);
	assert_true(x[0] == 1.0f && x[1] == -1.0f && x[2] == 0.5f);
	assert_true(x[3] == -4.0f && x[4] == 2.0f && x[5] == 0.0f);
	size_t n, n_mels;
	const signed char *frames = kws_bank_sound(b, KWS_BANK_NOISE, &n, &n_mels);
	assert_int_equal(n, 2);
	assert_int_equal(n_mels, 3);
	assert_memory_equal(frames, noise, sizeof noise);
	kws_bank_sound(b, KWS_BANK_SPEECH, &n, &n_mels);
	assert_int_equal(n, 0);
	assert_string_equal(kws_bank_base(b), HASH);
	kws_bank_close(b);
	free(bytes);
}

static void values_become_the_nearest_four_bits(void **state)
{
	const float x[] = { 0.0f, 1.0f, -1.0f, 0.26f, 100.0f, -100.0f };
	const float mel[] = { 1.0f, -1.0f, 0.07f, 100.0f, -100.0f };
	const signed char want[] = { 8, -8, 1, 127, -127 };
	signed char packed[4], sound[5];
	(void)state;
	assert_int_equal(kws_bank_row_bytes(3), 2);
	kws_bank_pack(x, 2, 3, packed);
	assert_int_equal((unsigned char)packed[0], 0x20);
	assert_int_equal((unsigned char)packed[1], 0x0e);
	assert_int_equal((unsigned char)packed[2], 0x71);
	assert_int_equal((unsigned char)packed[3], 0x09);
	kws_bank_pack_sound(mel, 5, sound);
	assert_memory_equal(sound, want, sizeof want);
}

static void what_is_no_bank_is_refused(void **state)
{
	static const struct {
		const char *key, *value, *says;
		enum kws_status status;
	} bad[] = {
		{ "format", "kws-model", "format: kws-model, want kws-bank", KWS_ERR_FORMAT },
		{ "format", NULL, "format: missing", KWS_ERR_FORMAT },
		{ "version", "1", "version: 1, want 2", KWS_ERR_VERSION },
		{ "dim", "0", "dim: want 1..4096", KWS_ERR_FORMAT },
		{ "dim", "5", "rows: want a tensor [n, 3] of I8", KWS_ERR_FORMAT },
		{ "dim", NULL, "dim: want 1..4096", KWS_ERR_FORMAT },
		{ "base", "12", "base: want 64 hex digits", KWS_ERR_FORMAT },
		{ "row_ms", "0", "row_ms: want 1..1000", KWS_ERR_FORMAT },
		{ "row_ms", NULL, "row_ms: want 1..1000", KWS_ERR_FORMAT },
		{ "parts", "[]", "want a list of 1..4096", KWS_ERR_FORMAT },
		{ "parts", "{", "want a list of 1..4096", KWS_ERR_FORMAT },
		{ "parts", "[{\"name\":\"a\",\"rows\":2,\"use\":\"fit\"}]",
		  "of 2 rows, but there are 3", KWS_ERR_FORMAT },
		{ "parts", "[{\"name\":\"a\",\"rows\":4,\"use\":\"fit\"}]",
		  "want a whole number in 1..3", KWS_ERR_FORMAT },
		{ "parts", "[{\"name\":\"a\",\"rows\":3,\"use\":\"eat\"}]",
		  "use: ", KWS_ERR_VERSION },
		{ "parts", "[{\"rows\":3,\"use\":\"fit\"}]", "name: want at most", KWS_ERR_FORMAT },
		{ "parts", "[{\"name\":\"a\",\"rows\":3,\"use\":\"fit\",\"x\":1}]", "unknown key x",
		  KWS_ERR_FORMAT },
	};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		size_t len;
		unsigned char *bytes = make(bad[i].key, bad[i].value, &len);
		kws_bank *b;
		kws_error err = { "" };
		assert_int_equal(kws_bank_parse(&b, bytes, len, &err), bad[i].status);
		assert_null(b);
		if (!strstr(err.text, bad[i].says))
			fail_msg("%s, want %s", err.text, bad[i].says);
		free(bytes);
	}
}

static void a_file_that_is_cut_off_is_refused(void **state)
{
	size_t len;
	unsigned char *bytes = make(NULL, NULL, &len);
	(void)state;
	for (size_t n = 0; n < len; n++) {
		kws_bank *b;
		unsigned char *part = malloc(n + 1);
		own_need(part, "memory", NULL);
		memcpy(part, bytes, n);
		assert_int_equal(kws_bank_parse(&b, part, n, NULL), KWS_ERR_FORMAT);
		free(part);
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_it_comes_out),
		cmocka_unit_test(values_become_the_nearest_four_bits),
		cmocka_unit_test(what_is_no_bank_is_refused),
		cmocka_unit_test(a_file_that_is_cut_off_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
