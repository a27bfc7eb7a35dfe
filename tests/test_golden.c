/* The golden tool itself: it takes what is sound, also where float32 is far off, and no planted error. */
#define _POSIX_C_SOURCE 200809L
#include "find_model.h"
#include "tests/fuzz/craft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char tool[4096];
static char dir[] = "/tmp/kws-golden-XXXXXX";

typedef struct {
	unsigned char *bytes;
	size_t n;
} blob;

static blob read_golden(const char *name)
{
	char path[256];
	blob b = { malloc(1 << 20), 0 };
	snprintf(path, sizeof path, "tests/golden/%s.safetensors", name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	assert_non_null(b.bytes);
	b.n = fread(b.bytes, 1, 1 << 20, f);
	fclose(f);
	return b;
}

/* Does the tool pass this file? */
static bool passes(const blob *b)
{
	char path[256], command[5000];
	snprintf(path, sizeof path, "%s/a.safetensors", dir);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(b->bytes, 1, b->n, f), b->n);
	assert_int_equal(fclose(f), 0);
	snprintf(command, sizeof command, "'%s' %s >/dev/null", tool, dir);
	const int status = system(command);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
	return WEXITSTATUS(status) == 0;
}

/* Where the float32 of the largest size in a tensor stands. */
static unsigned char *largest(const blob *b, const char *name)
{
	const size_t n = craft_length(b->bytes, b->n);
	json_t *header = json_loadb((const char *)b->bytes + 8, n, 0, NULL);
	const json_t *at = json_object_get(json_object_get(header, name), "data_offsets");
	unsigned char *best = NULL;
	float most = -1.0f, x;
	assert_int_equal(json_array_size(at), 2);
	for (json_int_t i = json_integer_value(json_array_get(at, 0));
	     i < json_integer_value(json_array_get(at, 1)); i += (json_int_t)sizeof x) {
		memcpy(&x, b->bytes + 8 + n + i, sizeof x);
		if (fabsf(x) > most) {
			most = fabsf(x);
			best = b->bytes + 8 + n + i;
		}
	}
	json_decref(header);
	return best;
}

/* With the largest value of that tensor as it is, and then times `factor'. */
static void expect(const char *file, const char *tensor, float factor, bool pass)
{
	blob b = read_golden(file);
	float x;
	unsigned char *at = largest(&b, tensor);
	if (!passes(&b))
		fail_msg("%s does not pass", file);
	memcpy(&x, at, sizeof x);
	x *= factor;
	memcpy(at, &x, sizeof x);
	if (passes(&b) != pass)
		fail_msg("%s: %s times %g %s", file, tensor, (double)factor,
			 pass ? "does not pass" : "passes");
	free(b.bytes);
}

static const struct {
	const char *file, *tensor;
} weights[] = {
	{ "original/ema_small", "w.omega" },
	{ "original/ema_small", "w.gamma" },
	{ "original/fast_small", "w.query.weight" },
	{ "original/fast_small", "w.transform.bias" },
	{ "original/mga_softmax_simple_c8", "w.h_proj.weight" },
	{ "original/mga_laplace_rotary_c8", "w.v_proj.weight" },
	{ "original/mga_relu2_simple_cinf", "w.v_proj.weight" },
	{ "original/layer_layernorm_pre_softmax_c25", "w.mega_layer.norm.norm.weight" },
	{ "original/layer_scalenorm_pre_softmax_c25", "w.nffn.norm.norm.scalar" },
	{ "original/layer_batchnorm_pre_laplace_c25", "w.nffn.fc1.weight" },
	{ "ill/stack3_scalenorm_relu2", "w.layers.0.mega_layer.h_proj.weight" },
	{ "ill/stack3_scalenorm_relu2", "w.layers.1.nffn.fc2.weight" },
	{ "ill/stack3_scalenorm_relu2", "w.layers.2.mega_layer.v_proj.weight" },
};

static void a_thousandth_in_one_weight_is_caught(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
		expect(weights[i].file, weights[i].tensor, 1.001f, false);
}

/* What float32 itself does to a number must not matter. */
static void one_ulp_in_one_weight_passes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
		expect(weights[i].file, weights[i].tensor, 1.0f + 0x1p-23f, true);
}

static void what_is_no_number_never_passes(void **state)
{
	static const char *const tensors[] = { "y", "x", "w.mega_layer.h_proj.weight" };
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		expect("original/layer_layernorm_pre_softmax_c25", tensors[i], NAN, false);
		expect("original/layer_layernorm_pre_softmax_c25", tensors[i], INFINITY, false);
	}
}

/* A layer in the middle of a stack is compared with what went into it, and not only the end with the beginning. */
static void an_error_in_the_middle_is_named(void **state)
{
	(void)state;
	expect("ill/stack3_scalenorm_relu2", "layer1_out", 1.001f, false);
}

static int set_up(void **state)
{
	(void)state;
	assert_true(kws_find_beside("golden", tool, sizeof tool));
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	char path[256];
	(void)state;
	snprintf(path, sizeof path, "%s/a.safetensors", dir);
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thousandth_in_one_weight_is_caught),
		cmocka_unit_test(one_ulp_in_one_weight_passes),
		cmocka_unit_test(what_is_no_number_never_passes),
		cmocka_unit_test(an_error_in_the_middle_is_named),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
