/* Words of one's own: rows, points and logits against sums in double, whatever the cuts; what
 * the network itself says stays. */
#include "tests/embed.h"

static const size_t hidden[HEADS] = { 3, 1 };

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
	unsigned char *bytes = file_without_pool("own_words", &len);
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
}

static void cuts_change_no_bit(void **state)
{
	static const char *const names[] = { "own_words", "own_layers" };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t len;
		unsigned char *bytes = file(names[i], &len);
		kws_model *m = parse(bytes, len);
		heard whole, pieces;
		hear(m, 0, &whole);
		for (unsigned cut = 1; cut < 40; cut += 3) {
			hear(m, cut, &pieces);
			assert_memory_equal(&whole, &pieces, sizeof whole);
		}
		kws_model_close(m);
		free(bytes);
	}
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
			n = piece(&state, cut, at);
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

static void cut_with_stem(const char *network)
{
	size_t len;
	unsigned char *bytes =
		craft_model("stem", FEATURES("htk", "affine"), network, DECISION, 1, &len);
	kws_model *m = parse(bytes, len);
	float whole[FRAMES / 4][ROW], pieces[FRAMES / 4][ROW];
	hear_stem(m, 0, whole);
	assert_true(memcmp(whole[3], whole[4], sizeof whole[3]) != 0);
	for (unsigned cut = 1; cut < 40; cut += 3) {
		hear_stem(m, cut, pieces);
		assert_memory_equal(whole, pieces, sizeof whole);
	}
	kws_model_close(m);
	free(bytes);
}

static void its_stem_hears_the_same_however_it_is_cut(void **state)
{
	(void)state;
	cut_with_stem(NETWORK("2", "2", "\"embedding\":" EMBEDDING("2", OWN_STEM) ",",
			      NFFN("layernorm", "true"), "null"));
	cut_with_stem(NETWORK("2", "2", "\"embedding\":" EMBEDDING("2", OWN_STEM OWN_LAYERS) ",",
			      NFFN("layernorm", "true"), "null"));
	cut_with_stem(NETWORK("2", "2",
			      "\"embedding\":" EMBEDDING("2", OWN_STEM_INT8 OWN_LAYERS) ",",
			      NFFN("layernorm", "true"), "null"));
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
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refused(bad[i].network, bad[i].version, bad[i].says);
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
