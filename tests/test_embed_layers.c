/* An embedding with layers of its own: its rows are those of the layers run one row at a time, beside
 * any other stream and after a reset; what cannot be is refused. test_embed.c has it in any cut. */
#include "model/blob.h"
#include "spot/bank.h"
#include "spot/own.h"
#include "tests/embed.h"

enum { WIDTH = 5, WIDTH_LD = 16, LAYERS = 2 };

#define EMBEDDED(more) "\"embedding\":" EMBEDDING("3", more) ","
#define LIST(layers)   EMBEDDED(",\"width\":5,\"layers\":[" layers "]")

/* ---- files ---- */

static size_t index_of(const craft *c, const char *name)
{
	for (size_t i = 0; i < c->n_tensors; i++)
		if (strcmp(c->tensors[i].name, name) == 0)
			return i;
	fail_msg("no tensor %s", name);
	return 0;
}

/* A weight becomes bytes, with scales for its outputs. */
static void make_bytes(craft *c, const char *name, const char *scale, const char *shape)
{
	const size_t i = index_of(c, name), last = c->n_tensors - 1;
	craft_tensor t = c->tensors[i];
	memmove(c->tensors + i, c->tensors + i + 1, (last - i) * sizeof t);
	t.int8 = true;
	t.n /= sizeof(float);
	for (size_t k = 0; k < t.n; k++)
		t.bytes[k] = (unsigned char)(k * 37 % 255 - 127);
	c->tensors[last] = t;
	assert_true(craft_add(c, scale, shape, false));
}

/* The kind "own_layers" with a pool of one frame; bytes: some weights of its layers are. */
static unsigned char *file_of(bool bytes, size_t *len)
{
	unsigned char *made = file_without_pool("own_layers", len);
	if (!bytes)
		return made;
	craft *c = craft_open(made, *len, 1);
	make_bytes(c, "embedding.layers.0.h_proj.weight", "embedding.layers.0.h_proj.scale", "[5]");
	make_bytes(c, "embedding.layers.1.fc1.weight", "embedding.layers.1.fc1.scale", "[8]");
	unsigned char *file = craft_bytes(c, len);
	craft_free(c);
	free(made);
	return file;
}

/* ---- rows ---- */

typedef struct {
	kws_layer *layer[LAYERS];
	unsigned char *state[LAYERS];
	float *scratch[LAYERS];
} plain;

static void *aligned_zeros(size_t bytes)
{
	void *p = aligned_alloc(64, (bytes + 64) / 64 * 64);
	assert_non_null(p);
	return memset(p, 0, (bytes + 64) / 64 * 64);
}

/* Each layer from its entry and tensors, with a state and a scratch of its own. */
static void plain_init(plain *p, kws_tensors *ts)
{
	json_t *network = json_loads(kws_tensors_meta(ts, "network"), 0, NULL);
	const json_t *list = json_object_get(json_object_get(network, "embedding"), "layers");
	for (size_t k = 0; k < LAYERS; k++) {
		char prefix[64];
		kws_error err = { "" };
		snprintf(prefix, sizeof prefix, "embedding.layers.%zu.", k);
		if (kws_layer_create(&p->layer[k], json_array_get(list, k), "layer", WIDTH, ts,
				     prefix, &err))
			fail_msg("%s", err.text);
		p->state[k] = aligned_zeros(p->layer[k]->state_bytes);
		p->scratch[k] = aligned_zeros(p->layer[k]->scratch_floats * sizeof(float));
	}
	json_decref(network);
}

static void plain_free(plain *p)
{
	for (size_t k = 0; k < LAYERS; k++) {
		kws_layer_destroy(p->layer[k]);
		free(p->state[k]);
		free(p->scratch[k]);
	}
}

/* One row of the embedding, of what it is made of. */
static void plain_row(plain *p, kws_tensors *ts, const double *in, double *row)
{
	_Alignas(64) float x[WIDTH_LD] = { 0 };
	double wide[WIDTH];
	linear(ts, "embedding.row", (size_t)EVERY * DIM, WIDTH, in, wide);
	for (size_t i = 0; i < WIDTH; i++)
		x[i] = (float)wide[i];
	for (size_t k = 0; k < LAYERS; k++) {
		const kws_span one = { p->state[k], 1 };
		p->layer[k]->kind->run(p->layer[k], &one, 1, 0, p->scratch[k], x);
	}
	for (size_t i = 0; i < WIDTH; i++)
		wide[i] = (double)x[i];
	linear(ts, "embedding.out", WIDTH, ROW, wide, row);
}

static void rows_are_those_of_the_layers_row_by_row(void **state)
{
	(void)state;
	for (int bytes = 0; bytes < 2; bytes++) {
		size_t len;
		unsigned char *file = file_of(bytes, &len);
		kws_model *m = parse(file, len);
		kws_tensors *ts;
		heard h;
		plain p;
		assert_int_equal(kws_tensors_parse(&ts, file, len, true, NULL), KWS_OK);
		plain_init(&p, ts);
		hear(m, 0, &h);
		for (size_t row = 0; row < FRAMES / EVERY; row++) {
			double in[EVERY * DIM], want[ROW];
			for (size_t i = 0; i < EVERY * DIM; i++)
				in[i] = (double)h.layer[row * EVERY + i / DIM][i % DIM];
			plain_row(&p, ts, in, want);
			for (size_t i = 0; i < ROW; i++)
				near((double)h.rows[row][i], want[i]);
		}
		plain_free(&p);
		kws_tensors_free(ts);
		kws_model_close(m);
		free(file);
	}
}

/* FRAMES of a stream to rows (FRAMES / EVERY, ROW), from where it is. */
static void rows_of(kws_runner *runner, float *rows)
{
	float frames[FRAMES * MELS], logits[(FRAMES + 1) * 5];
	sounds(frames);
	kws_runner_job job = {
		.runner = runner, .frames = frames, .t = FRAMES, .logits = logits, .rows = rows
	};
	kws_runner_run_all(&job, 1);
	assert_int_equal(job.n_rows, FRAMES / EVERY);
}

static void a_reset_starts_anew(void **state)
{
	size_t len;
	unsigned char *bytes = file("own_layers", &len);
	kws_model *m = parse(bytes, len);
	kws_runner *runner;
	float rows[3][FRAMES / EVERY][ROW];
	(void)state;
	assert_int_equal(kws_runner_create(&runner, m), KWS_OK);
	rows_of(runner, rows[0][0]);
	rows_of(runner, rows[1][0]);
	kws_runner_reset(runner);
	rows_of(runner, rows[2][0]);
	assert_memory_not_equal(rows[0], rows[1], sizeof rows[0]); /* its layers remember */
	assert_memory_equal(rows[0], rows[2], sizeof rows[0]);
	kws_runner_destroy(runner);
	kws_model_close(m);
	free(bytes);
}

/* Two streams that share a block at every cut, the second shifted against the first. */
static void other_streams_change_no_bit(void **state)
{
	enum { STREAMS = 2, STEP = 7 };
	size_t len;
	unsigned char *bytes = file("own_layers", &len);
	kws_model *m = parse(bytes, len);
	kws_runner_work *work;
	kws_runner *runner[STREAMS];
	float frames[FRAMES * MELS], logits[STREAMS][(FRAMES + 1) * 4];
	float rows[STREAMS][FRAMES / EVERY + 1][ROW];
	size_t n_rows[STREAMS] = { 0 }, at[STREAMS] = { 0 };
	heard alone;
	(void)state;
	hear(m, 0, &alone);
	sounds(frames);
	assert_int_equal(kws_runner_work_create(&work, m), KWS_OK);
	for (size_t i = 0; i < STREAMS; i++)
		assert_int_equal(kws_runner_create_in(&runner[i], work), KWS_OK);
	for (size_t turn = 0; at[0] < FRAMES || at[1] < FRAMES; turn++) {
		kws_runner_job jobs[STREAMS];
		for (size_t i = 0; i < STREAMS; i++) {
			const size_t t = turn ? STEP : 2 * i;
			jobs[i] = (kws_runner_job){ .runner = runner[i],
						    .frames = frames + at[i] * MELS,
						    .t = t < FRAMES - at[i] ? t : FRAMES - at[i],
						    .logits = logits[i],
						    .rows = rows[i][n_rows[i]] };
			at[i] += jobs[i].t;
		}
		kws_runner_run_all(jobs, STREAMS);
		for (size_t i = 0; i < STREAMS; i++)
			n_rows[i] += jobs[i].n_rows;
	}
	for (size_t i = 0; i < STREAMS; i++) {
		assert_int_equal(n_rows[i], FRAMES / EVERY);
		assert_memory_equal(rows[i], alone.rows, FRAMES / EVERY * sizeof alone.rows[0]);
		kws_runner_destroy(runner[i]);
	}
	kws_runner_work_destroy(work);
	kws_model_close(m);
	free(bytes);
}

/* ---- sizes ---- */

static void the_state_grows_by_that_of_the_layers(void **state)
{
	size_t len, size[2], layers = 0;
	static const char *const names[] = { "own_words", "own_layers" };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		unsigned char *bytes = file(names[i], &len);
		kws_model *m = parse(bytes, len);
		const kws_layer_list *l = &kws_model_network(m)->embed.layers;
		kws_runner *runner;
		assert_int_equal(l->n, i ? LAYERS : 0);
		for (size_t k = 0; k < l->n; k++)
			layers += (l->each[k]->state_bytes + 63) / 64 * 64;
		assert_int_equal(kws_runner_create(&runner, m), KWS_OK);
		size[i] = kws_runner_state_bytes(runner);
		kws_runner_destroy(runner);
		kws_model_close(m);
		free(bytes);
	}
	assert_true(layers > 0);
	assert_int_equal(size[1] - size[0], layers);
}

typedef struct {
	size_t n, bytes, work;
} products;

static void count_product(void *ctx, const kws_any_product *g, size_t rows)
{
	products *p = ctx;
	p->n++;
	p->bytes += g->bytes != NULL;
	p->work += rows * (g->floats ? g->floats->n_in : g->bytes->n_in); /* of one output */
}

static void products_are_those_of_a_row(void **state)
{
	enum { HDIM = 8, FFN = 8 };
	(void)state;
	for (int bytes = 0; bytes < 2; bytes++) {
		size_t len;
		unsigned char *file = file_of(bytes, &len);
		kws_model *m = parse(file, len);
		products p = { 0 };
		kws_embed_products(&kws_model_network(m)->embed, KWS_BLOCK, count_product, &p);
		/* row; v, mx, h; fc1, fc2; out; point; the heads' */
		assert_int_equal(p.n, 9);
		assert_int_equal(p.bytes, bytes ? 2 : 0);
		if (!bytes)
			assert_int_equal(p.work, KWS_BLOCK / EVERY
							 * (EVERY * DIM + 2 * WIDTH + HDIM + WIDTH
							    + FFN + WIDTH + WINDOW * ROW + RANK));
		kws_model_close(m);
		free(file);
	}
}

/* ---- what else reads such a file ---- */

/* A word more, as `kws enrol` puts it in: layers, version and the base that a bank belongs to stay. */
static void a_word_of_ones_own_keeps_the_layers(void **state)
{
	size_t len, n;
	unsigned char *bytes = file("own_layers", &len), *with = NULL;
	char hash[2][KWS_HASH];
	kws_error err = { "" };
	kws_head head;
	float rows[2][FRAMES / EVERY][ROW];
	(void)state;
	assert_int_equal(kws_head_create(&head, RANK), KWS_OK);
	if (kws_own_add(bytes, len, "lamp", &head, 0.5f, false, NULL, &with, &n, &err)
	    || kws_bank_hash(bytes, len, hash[0], &err) || kws_bank_hash(with, n, hash[1], &err))
		fail_msg("%s", err.text);
	assert_string_equal(hash[0], hash[1]);
	for (size_t i = 0; i < 2; i++) {
		kws_model *m = i ? parse(with, n) : parse(bytes, len);
		kws_runner *runner;
		assert_string_equal(kws_model_meta(m, "version"), "3");
		assert_int_equal(kws_runner_create(&runner, m), KWS_OK);
		rows_of(runner, rows[i][0]);
		kws_runner_destroy(runner);
		kws_model_close(m);
	}
	assert_memory_equal(rows[0], rows[1], sizeof rows[0]);
	kws_head_free(&head);
	free(with);
	free(bytes);
}

static void a_bank_belongs_to_the_layers(void **state)
{
	static const char *const names[] = { "embedding.layers.0.move.omega",
					     "embedding.layers.1.fc2.bias", "embedding.out.bias" };
	size_t len, n;
	unsigned char *bytes = file("own_layers", &len);
	char base[KWS_HASH], other[KWS_HASH];
	(void)state;
	assert_int_equal(kws_bank_hash(bytes, len, base, NULL), KWS_OK);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		craft *c = craft_open(bytes, len, 1);
		c->tensors[index_of(c, names[i])].bytes[0] ^= 1;
		unsigned char *changed = craft_bytes(c, &n);
		assert_int_equal(kws_bank_hash(changed, n, other, NULL), KWS_OK);
		assert_string_not_equal(base, other);
		free(changed);
		craft_free(c);
	}
	free(bytes);
}

/* ---- refused ---- */

static void refuses_what_cannot_be(void **state)
{
	static const struct {
		const char *embedding, *version, *says;
	} bad[] = {
		{ EMBEDDED(",\"width\":5"), "3", "embedding: width: there are no layers" },
		{ EMBEDDED(",\"layers\":[" NFFN("layernorm", "true") "]"), "3",
		  "embedding: width is missing" },
		{ EMBEDDED(",\"width\":257,\"layers\":[" NFFN("layernorm", "true") "]"), "3",
		  "embedding: width: want a whole number in 1..256" },
		{ LIST(""), "3", "embedding.layers: want a list of 1..16 layers" },
		{ LIST("{\"kind\":\"gru\"}"), "3", "embedding.layers[0]: kind gru is not known" },
		{ LIST(NFFN("layernorm", "true") ",{\"kind\":\"nffn\",\"ffn\":0}"), "3",
		  "embedding.layers[1]: ffn: want a whole number" },
		{ LIST(NFFN("layernorm", "true") ",{\"share\":0}"), "3",
		  "embedding.layers[1]: share: an embedding's layers share no tensors" },
		{ LIST(NFFN("layernorm", "true") "," MEGA(
			  "2", OVER("laplace", "-1,\"max_positions\":9", "simple"), "layernorm",
			  "true")),
		  "3", "embedding.layers[1]: hears clips of 9 rows at most" },
		{ LIST("{\"kind\":\"fastformer\",\"heads\":1,\"ffn\":8,\"forget\":false,"
		       "\"causal\":false,\"max_positions\":9}"),
		  "3", "embedding.layers[0]: hears clips of 9 rows at most" },
		{ LIST(NFFN("layernorm", "true")), "2",
		  "embedding: layers: want version 3, the file is of 2" },
		{ EMBEDDED(",\"width\":5"), "2",
		  "embedding: width: want version 3, the file is of 2" },
		{ LIST(NFFN("layernorm", "true")), "1", "unknown key embedding" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refused(bad[i].embedding, bad[i].version, bad[i].says);
}

static void spoilt(craft *c, const char *says)
{
	size_t len;
	kws_model *m;
	kws_error err = { "" };
	unsigned char *bytes = craft_bytes(c, &len);
	assert_int_equal(kws_model_parse(&m, bytes, len, &err), KWS_ERR_FORMAT);
	if (!strstr(err.text, says))
		fail_msg("%s, want %s", err.text, says);
	free(bytes);
	craft_free(c);
}

static void refuses_tensors_that_are_not_its_own(void **state)
{
	static const char *const missing[] = { "embedding.out.weight", "embedding.out.bias",
					       "embedding.layers.0.move.omega",
					       "embedding.layers.1.fc2.bias" };
	size_t len;
	unsigned char *bytes = file("own_layers", &len);
	char says[64];
	craft *c;
	(void)state;
	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
		c = craft_open(bytes, len, 1);
		craft_drop(c, index_of(c, missing[i]));
		snprintf(says, sizeof says, "%s: missing", missing[i]);
		spoilt(c, says);
	}
	c = craft_open(bytes, len, 1);
	make_bytes(c, "embedding.row.weight", "embedding.row.scale", "[5]");
	spoilt(c, "embedding.row.weight: want float32");
	c = craft_open(bytes, len, 1);
	make_bytes(c, "embedding.out.weight", "embedding.out.scale", "[3]");
	spoilt(c, "embedding.out.weight: want float32");
	c = craft_open(bytes, len, 1);
	assert_true(craft_add(c, "embedding.layers.2.fc1.bias", "[8]", false));
	spoilt(c, "embedding.layers.2.fc1.bias: nothing in the network uses this tensor");
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_those_of_the_layers_row_by_row),
		cmocka_unit_test(a_reset_starts_anew),
		cmocka_unit_test(other_streams_change_no_bit),
		cmocka_unit_test(the_state_grows_by_that_of_the_layers),
		cmocka_unit_test(products_are_those_of_a_row),
		cmocka_unit_test(a_word_of_ones_own_keeps_the_layers),
		cmocka_unit_test(a_bank_belongs_to_the_layers),
		cmocka_unit_test(refuses_what_cannot_be),
		cmocka_unit_test(refuses_tensors_that_are_not_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
