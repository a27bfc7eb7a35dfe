/* Files made out of old ones: what was not touched stays, what was written is there, and all of
 * it is a safetensors file. */
#include "model/write.h"
#include "tests/tiny_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static unsigned char *bytes_of(kws_write *w, size_t *len)
{
	unsigned char *bytes;
	kws_error err = { "" };
	if (kws_write_bytes(w, &bytes, len, &err) != KWS_OK)
		fail_msg("%s", err.text);
	return bytes;
}

static kws_tensors *parse(const void *bytes, size_t len)
{
	kws_tensors *ts;
	kws_error err = { "" };
	if (kws_tensors_parse(&ts, bytes, len, false, &err) != KWS_OK)
		fail_msg("%s", err.text);
	return ts;
}

static void untouched_stays(void **state)
{
	size_t len, n;
	unsigned char *old = tiny_model_bytes(&tiny_default, &len);
	kws_write *w;
	(void)state;
	assert_int_equal(kws_write_create(&w, old, len, NULL), KWS_OK);
	unsigned char *new = bytes_of(w, &n);
	kws_tensors *a = parse(old, len), *b = parse(new, n);
	assert_true(json_equal(kws_tensors_metadata(a), kws_tensors_metadata(b)));
	assert_int_equal(kws_tensors_count(a), kws_tensors_count(b));
	for (size_t i = 0; i < kws_tensors_count(a); i++) {
		const kws_tensor *x = kws_tensors_at(a, i), *y = kws_tensors_at(b, i);
		assert_string_equal(x->name, y->name);
		assert_int_equal(x->rank, y->rank);
		assert_memory_equal(x->shape, y->shape, x->rank * sizeof *x->shape);
		assert_memory_equal(x->data, y->data, x->n * sizeof(float));
	}
	kws_tensors_free(a);
	kws_tensors_free(b);
	kws_write_destroy(w);
	free(old);
	free(new);
}

static void changes_are_there(void **state)
{
	static const float two[] = { 1.5f, -2.0f }, other[] = { 7.0f };
	static const signed char small[] = { -127, 0, 5 };
	const size_t n_two = 2, n_one = 1, n_small = 3;
	size_t len, n;
	unsigned char *old = tiny_model_bytes(&tiny_default, &len);
	kws_write *w;
	(void)state;
	assert_int_equal(kws_write_create(&w, old, len, NULL), KWS_OK);
	kws_write_tensor(w, "new", KWS_F32, 1, &n_one, other);
	kws_write_tensor(w, "new", KWS_F32, 1, &n_two, two); /* in place of that */
	kws_write_tensor(w, "last", KWS_I8, 1, &n_small, small);
	kws_write_tensor(w, "late", KWS_F32, 1, &n_two, two); /* before the bytes */
	kws_write_drop(w, "head.fc2.bias");
	kws_write_drop(w, "nobody");
	kws_write_text(w, "name", "other");
	kws_write_text(w, "licence", NULL);
	unsigned char *new = bytes_of(w, &n);
	kws_tensors *ts = parse(new, n);
	assert_string_equal(kws_tensors_meta(ts, "name"), "other");
	assert_null(kws_tensors_meta(ts, "licence"));
	assert_null(kws_tensors_find(ts, "head.fc2.bias"));
	const kws_tensor *t = kws_tensors_find(ts, "new"), *last = kws_tensors_find(ts, "last");
	assert_non_null(t);
	assert_int_equal(t->n, 2);
	assert_memory_equal(t->data, two, sizeof two);
	assert_non_null(last);
	assert_int_equal(last->dtype, KWS_I8);
	assert_memory_equal(last->data, small, sizeof small);
	kws_tensors_free(ts);
	kws_write_destroy(w);
	free(old);
	free(new);
}

static void begins_with_nothing(void **state)
{
	const float x = 1.0f;
	const size_t one = 1;
	size_t n;
	kws_write *w;
	json_t *value = json_pack("{s:[i, s]}", "a", 1, "\"\xc3\xa9\n");
	(void)state;
	assert_int_equal(kws_write_create(&w, NULL, 0, NULL), KWS_OK);
	kws_write_json(w, "list", value);
	kws_write_tensor(w, "x", KWS_F32, 1, &one, &x);
	unsigned char *new = bytes_of(w, &n);
	kws_tensors *ts = parse(new, n);
	json_t *back = json_loads(kws_tensors_meta(ts, "list"), 0, NULL);
	assert_true(json_equal(back, value));
	json_decref(back);
	json_decref(value);
	kws_tensors_free(ts);
	kws_write_destroy(w);
	free(new);
}

static void refuses_what_is_no_file(void **state)
{
	kws_write *w;
	kws_error err = { "" };
	(void)state;
	assert_int_equal(kws_write_create(&w, "nonsense, really", 16, &err), KWS_ERR_FORMAT);
	assert_null(w);
	assert_non_null(strstr(err.text, "not a safetensors file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untouched_stays),
		cmocka_unit_test(changes_are_there),
		cmocka_unit_test(begins_with_nothing),
		cmocka_unit_test(refuses_what_is_no_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
