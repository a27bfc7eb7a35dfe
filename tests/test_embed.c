/* Words of one's own: rows, points and logits against sums in double, whatever the cuts; what
 * the network itself says stays. */
#include "model/network.h"
#include "model/runner.h"
#include "tests/fuzz/craft.h"
#include "tests/fuzz/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { FRAMES = 90, MELS = 6, DIM = 6, EVERY = 3, ROW = 3, WINDOW = 4, RANK = 5, HEADS = 2 };

static const size_t hidden[HEADS] = { 3, 1 };

/* What every layer and every head said of FRAMES network frames. */
typedef struct {
	float logits[FRAMES + 1][4], layer[FRAMES + 1][DIM], rows[FRAMES / EVERY + 1][ROW];
	size_t n_out, n_rows;
} heard;

static unsigned char *file(const char *name, size_t *len)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return craft_model(name, kinds[i].features, kinds[i].network, DECISION,
					   i + 1, len);
	fail_msg("no kind %s", name);
	return NULL;
}

static kws_model *parse(const void *bytes, size_t len)
{
	kws_model *m;
	kws_error err = { "" };
	if (kws_model_parse(&m, bytes, len, &err) != KWS_OK)
		fail_msg("%s", err.text);
	return m;
}

static void sounds(float *frames)
{
	uint64_t state = 7;
	for (size_t i = 0; i < FRAMES * MELS; i++)
		frames[i] = -(float)(craft_random(&state) >> 8) / 1677721.6f;
}

/* A stride of one feature frame; cut: of so many frames at a time at most, 0: at once. */
static void hear(const kws_model *m, unsigned cut, heard *h)
{
	float frames[FRAMES * MELS];
	const size_t n_words = kws_model_n_words(m);
	uint64_t state = cut;
	kws_runner *runner;
	sounds(frames);
	memset(h, 0, sizeof *h);
	assert_int_equal(kws_model_stride(m), 1);
	assert_int_equal(kws_runner_create(&runner, m), KWS_OK);
	for (size_t at = 0, n; at < FRAMES; at += n) {
		float logits[(FRAMES + 1) * 4];
		n = cut ? craft_random(&state) % (cut + 1) : FRAMES;
		n = n < FRAMES - at ? n : FRAMES - at;
		kws_runner_job job = { .runner = runner,
				       .frames = frames + at * MELS,
				       .t = n,
				       .logits = logits,
				       .embedding = h->layer[h->n_out],
				       .rows = h->rows[h->n_rows] };
		kws_runner_run_all(&job, 1);
		for (size_t i = 0; i < job.n_out; i++)
			memcpy(h->logits[h->n_out + i], logits + i * n_words,
			       n_words * sizeof *logits);
		h->n_out += job.n_out;
		h->n_rows += job.n_rows;
	}
	kws_runner_destroy(runner);
	assert_int_equal(h->n_out, FRAMES);
	assert_int_equal(h->n_rows, FRAMES / EVERY);
}

static float *take(kws_tensors *ts, const char *name)
{
	const kws_tensor *t = kws_tensors_find(ts, name);
	assert_non_null(t);
	float *x = calloc(t->n, sizeof *x);
	assert_non_null(x);
	memcpy(x, t->data, t->n * sizeof *x);
	return x;
}

/* y = W x + b, by the tensors NAME.weight and NAME.bias */
static void linear(kws_tensors *ts, const char *name, size_t n_in, size_t n_out, const double *x,
		   double *y)
{
	char full[64];
	snprintf(full, sizeof full, "%s.weight", name);
	float *w = take(ts, full);
	snprintf(full, sizeof full, "%s.bias", name);
	float *b = take(ts, full);
	for (size_t o = 0; o < n_out; o++) {
		y[o] = (double)b[o];
		for (size_t i = 0; i < n_in; i++)
			y[o] += (double)w[o * n_in + i] * x[i];
	}
	free(w);
	free(b);
}

/* The logit of a head at a row, from the rows. */
static double want_logit(kws_tensors *ts, const heard *h, size_t row, size_t head)
{
	double x[WINDOW * ROW] = { 0 }, point[RANK], fc1[4], out[1], sum = 0.0;
	char name[32];
	for (size_t w = 0; w < WINDOW; w++)
		for (size_t i = 0; i < ROW && row + w + 1 >= WINDOW; i++)
			x[w * ROW + i] = (double)h->rows[row + w + 1 - WINDOW][i];
	linear(ts, "embedding.point", (size_t)WINDOW * ROW, RANK, x, point);
	for (size_t i = 0; i < RANK; i++)
		sum += point[i] * point[i];
	for (size_t i = 0; i < RANK; i++)
		point[i] *= sqrt(RANK / sum);
	snprintf(name, sizeof name, "heads.%zu.fc1", head);
	linear(ts, name, RANK, hidden[head], point, fc1);
	for (size_t i = 0; i < hidden[head]; i++)
		fc1[i] = fc1[i] / (1.0 + exp(-fc1[i]));
	snprintf(name, sizeof name, "heads.%zu.fc2", head);
	linear(ts, name, hidden[head], 1, fc1, out);
	return out[0];
}

static void near(double have, double want)
{
	if (!(fabs(have - want) <= 1e-4 + 1e-4 * fabs(want)))
		fail_msg("%g, want %g", have, want);
}

static void logits_are_those_of_the_rows(void **state)
{
	size_t len;
	unsigned char *bytes = file("own_words", &len);
	kws_model *m = parse(bytes, len);
	kws_tensors *ts;
	heard h;
	(void)state;
	assert_int_equal(kws_tensors_parse(&ts, bytes, len, true, NULL), KWS_OK);
	assert_int_equal(kws_model_n_classes(m), 2);
	hear(m, 0, &h);
	for (size_t f = 0; f < FRAMES; f++)
		for (size_t k = 0; k < HEADS; k++) {
			const double have = (double)h.logits[f][2 + k];
			if (f + 1 < EVERY)
				assert_true(have < -20.0); /* nothing heard is not the word */
			else
				near(have, want_logit(ts, &h, (f + 1) / EVERY - 1, k));
		}
	kws_tensors_free(ts);
	kws_model_close(m);
	free(bytes);
}

/* With a pool of one frame the network's head hears what the rows are made of. */
static void rows_are_those_of_the_last_layer(void **state)
{
	size_t len;
	unsigned char *made = file("own_words", &len);
	craft *c = craft_open(made, len, 1);
	char network[1024];
	snprintf(network, sizeof network, "%s",
		 json_string_value(json_object_get(c->meta, "network")));
	char *pool = strstr(network, "\"pool\":5");
	assert_non_null(pool);
	pool[strlen("\"pool\":")] = '1';
	json_object_set_new(c->meta, "network", json_string(network));
	unsigned char *bytes = craft_bytes(c, &len);
	kws_model *m = parse(bytes, len);
	kws_tensors *ts;
	heard h;
	(void)state;
	assert_int_equal(kws_tensors_parse(&ts, bytes, len, true, NULL), KWS_OK);
	hear(m, 0, &h);
	for (size_t row = 0; row < FRAMES / EVERY; row++) {
		double x[EVERY * DIM], want[ROW];
		for (size_t i = 0; i < EVERY * DIM; i++)
			x[i] = (double)h.layer[row * EVERY + i / DIM][i % DIM];
		linear(ts, "embedding.row", (size_t)EVERY * DIM, ROW, x, want);
		for (size_t i = 0; i < ROW; i++)
			near((double)h.rows[row][i], want[i]);
	}
	kws_tensors_free(ts);
	kws_model_close(m);
	free(bytes);
	free(made);
	craft_free(c);
}

static void cuts_change_no_bit(void **state)
{
	size_t len;
	unsigned char *bytes = file("own_words", &len);
	kws_model *m = parse(bytes, len);
	heard whole, pieces;
	(void)state;
	hear(m, 0, &whole);
	for (unsigned cut = 1; cut < 40; cut += 3) {
		hear(m, cut, &pieces);
		assert_memory_equal(&whole, &pieces, sizeof whole);
	}
	kws_model_close(m);
	free(bytes);
}

/* Rows of a model with a stem of its own, two feature frames a network frame, four a row; cut as
 * above. */
static void hear_stem(const kws_model *m, unsigned cut, float rows[FRAMES / 4][ROW])
{
	float frames[FRAMES * MELS], logits[(FRAMES + 1) * 4];
	uint64_t state = cut;
	size_t n_rows = 0;
	kws_runner *runner;
	sounds(frames);
	assert_int_equal(kws_model_stride(m), 2);
	assert_int_equal(kws_runner_create(&runner, m), KWS_OK);
	for (int again = 0; again < 2; again++) { /* a reset is a new stream */
		kws_runner_reset(runner);
		n_rows = 0;
		for (size_t at = 0, n; at < FRAMES; at += n) {
			n = cut ? craft_random(&state) % (cut + 1) : FRAMES;
			n = n < FRAMES - at ? n : FRAMES - at;
			kws_runner_job job = { .runner = runner,
					       .frames = frames + at * MELS,
					       .t = n,
					       .logits = logits,
					       .rows = rows[n_rows] };
			kws_runner_run_all(&job, 1);
			n_rows += job.n_rows;
		}
	}
	kws_runner_destroy(runner);
	assert_int_equal(n_rows, FRAMES / 4);
}

static void its_stem_hears_the_same_however_it_is_cut(void **state)
{
	size_t len;
	unsigned char *bytes = file("embedding", &len);
	kws_model *m = parse(bytes, len);
	float whole[FRAMES / 4][ROW], pieces[FRAMES / 4][ROW];
	(void)state;
	hear_stem(m, 0, whole);
	assert_true(memcmp(whole[3], whole[4], sizeof whole[3]) != 0);
	for (unsigned cut = 1; cut < 40; cut += 3) {
		hear_stem(m, cut, pieces);
		assert_memory_equal(whole, pieces, sizeof whole);
	}
	kws_model_close(m);
	free(bytes);
}

/* The same file without heads and embedding. */
static kws_model *bare(const unsigned char *bytes, size_t len)
{
	kws_error err = { "" };
	kws_model *m = NULL;
	craft *c = craft_open(bytes, len, 1);
	json_t *network =
		json_loads(json_string_value(json_object_get(c->meta, "network")), 0, NULL);
	json_object_del(network, "heads");
	json_object_del(network, "embedding");
	char *text = json_dumps(network, JSON_COMPACT);
	json_object_set_new(c->meta, "network", json_string(text));
	json_object_set_new(c->meta, "words", json_string("[\"yes\",\"no\"]"));
	json_object_set_new(c->meta, "version", json_string("1"));
	if (!craft_complete(c, &err)) /* leaves out what nothing uses */
		fail_msg("%s", err.text);
	size_t n;
	unsigned char *without = craft_bytes(c, &n);
	m = parse(without, n);
	free(without);
	free(text);
	json_decref(network);
	craft_free(c);
	return m;
}

static void what_the_network_says_stays(void **state)
{
	size_t len;
	unsigned char *bytes = file("own_words", &len);
	kws_model *m = parse(bytes, len), *plain = bare(bytes, len);
	float frames[FRAMES * MELS], logits[(FRAMES + 1) * 2];
	kws_runner *runner;
	heard h;
	(void)state;
	hear(m, 0, &h);
	sounds(frames);
	assert_int_equal(kws_runner_create(&runner, plain), KWS_OK);
	assert_int_equal(kws_runner_run(runner, frames, FRAMES, logits), FRAMES);
	for (size_t f = 0; f < FRAMES; f++)
		assert_memory_equal(h.logits[f], logits + 2 * f, 2 * sizeof *logits);
	kws_runner_destroy(runner);
	kws_model_close(plain);
	kws_model_close(m);
	free(bytes);
}

static void refuses_what_cannot_be(void **state)
{
	static const struct {
		const char *network, *version, *says;
	} bad[] = {
		{ "\"heads\":[{\"hidden\":3}],", "2", "there is no embedding" },
		{ "\"embedding\":" EMBEDDING("9", "") ",", "2", "every: want a whole number" },
		{ "\"embedding\":" EMBEDDING("1", ",\"stem\":1") ",", "2", "bands is missing" },
		{ "\"embedding\":" EMBEDDING("3", OWN_STEM) ",", "2",
		  "embedding.stem: a frame of 4 feature frames, want 3, those of a row" },
		{ "\"embedding\":" EMBEDDING("1", "") ",", "1", "unknown key embedding" },
		{ "\"embedding\":" EMBEDDING("1", "") ",\"heads\":[],", "2",
		  "want a list of 1..64 heads" },
		{ "\"embedding\":" EMBEDDING("1", "") ",\"heads\":[{\"hidden\":65}],", "2",
		  "heads[0]: hidden: want a whole number in 1..64" },
		{ "\"embedding\":" EMBEDDING(
			  "1", "") ",\"heads\":[{\"hidden\":1},{\"hidden\":1},{\"hidden\":1}],",
		  "2", "leave fewer than 2 of 4 words" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char network[1024];
		kws_error err = { "" };
		craft *c = craft_new(1);
		snprintf(network, sizeof network, "{%s%s", bad[i].network,
			 &(NETWORK("1", "1", "", NFFN("layernorm", "true"), "null"))[1]);
		json_object_update_new(
			c->meta,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "format", "kws-model",
				  "version", bad[i].version, "name", "x", "words",
				  "[\"yes\",\"no\",\"a\",\"b\"]", "features",
				  FEATURES("htk", "none"), "network", network, "decision",
				  "{\"smooth_ms\":0,\"refractory_ms\":0,\"threshold\":0.5}"));
		assert_false(craft_complete(c, &err));
		if (!strstr(err.text, bad[i].says))
			fail_msg("%s, want %s", err.text, bad[i].says);
		craft_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logits_are_those_of_the_rows),
		cmocka_unit_test(rows_are_those_of_the_last_layer),
		cmocka_unit_test(cuts_change_no_bit),
		cmocka_unit_test(its_stem_hears_the_same_however_it_is_cut),
		cmocka_unit_test(what_the_network_says_stays),
		cmocka_unit_test(refuses_what_cannot_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
