/* golden.c - compare our layers with the original Mega and Fastformer code's tensors: `golden DIR` reads every .safetensors
 * in DIR.
 *
 * A file's metadata names its kind and configuration, its tensors are the original's weights under w.<name>, an input
 * x [time, batch, channel] or [time, channel] and the outputs to reach. Each sequence runs in whole blocks, frame by frame and in random
 * cuts; the three must agree to the last bit. One line a file; exit status 1 if one failed. */
#include "model/ema.h"
#include "model/fastself.h"
#include "model/layer.h"
#include "model/norm.h"

#include <dirent.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PASS, FAIL, SKIP };

typedef struct {
	kws_tensors *ts;
	const char *file;
	char why[320];
	double worst;	/* |difference| over its tolerance */
	double diff;	/* that difference, */
	const char *at; /* in this tensor */
} golden;

/* The network of a file: an EMA or additive attention alone, or layers in a row with an optional norm behind. */
typedef struct {
	size_t dim, ld, n_layers;
	kws_ema ema;
	kws_fastself fast;
	bool has_ema, has_fast, has_norm;
	kws_layer *layers[128];
	kws_norm norm;
} stack;

static double value(const kws_tensor *t, size_t i)
{
	float f;
	double d;
	if (t->dtype == KWS_F64) {
		memcpy(&d, t->data + i * sizeof d, sizeof d);
		return d;
	}
	memcpy(&f, t->data + i * sizeof f, sizeof f);
	return (double)f;
}

static size_t batch_of(const kws_tensor *x)
{
	return x->rank == 3 ? x->shape[1] : 1;
}

static const char *meta(const golden *g, const char *key)
{
	const char *s = kws_tensors_meta(g->ts, key);
	return s ? s : "";
}

/* Compare got (t, batch, dim) with the tensor's first t frames, if the file has it. */
static void compare(golden *g, const char *name, const float *got, size_t t)
{
	const kws_tensor *want = kws_tensors_find(g->ts, name);
	double largest = 0.0;
	if (!want || want->rank < 2 || want->shape[0] < t)
		return;
	const size_t n = t * (want->n / want->shape[0]);
	for (size_t i = 0; i < n; i++)
		largest = fmax(largest, fabs(value(want, i)));
	/* the original's own float32 error grows with the largest value of the tensor */
	const double atol = fmax(5e-6, 7e-7 * largest);
	for (size_t i = 0; i < n; i++) {
		const double w = value(want, i), diff = fabs((double)got[i] - w),
			     tol = atol + 2e-6 * fabs(w);
		if (!(diff / tol <= g->worst)) {
			g->worst = diff / tol;
			g->diff = diff;
			g->at = name;
		}
	}
	if (!g->why[0])
		snprintf(g->why, sizeof g->why, "%s", name);
	else if (strlen(g->why) + strlen(name) + 2 < sizeof g->why)
		strcat(strcat(g->why, " "), name);
}

/* Build the JSON that the model file would hold, from the metadata. */
static json_t *mega_conf(golden *g)
{
	const long chunk = atol(meta(g, "chunk"));
	json_t *o = json_pack("{s:s, s:i, s:i, s:i, s:I, s:s, s:s, s:s, s:b}", "kind", "mega",
			      "zdim", atoi(meta(g, "zdim")), "hdim", atoi(meta(g, "hdim")), "ndim",
			      atoi(meta(g, "ndim")), "chunk", (json_int_t)(chunk > 0 ? chunk : -1),
			      "attention", meta(g, "attention"), "rel_pos_bias",
			      meta(g, "rel_pos_bias"), "norm",
			      *meta(g, "norm") ? meta(g, "norm") : "layernorm", "prenorm",
			      strcmp(meta(g, "prenorm"), "false") != 0);
	if (chunk <= 0) { /* where the metadata does not say: as long as the input */
		const kws_tensor *x = kws_tensors_find(g->ts, "x");
		const long most = atol(meta(g, "max_positions"));
		json_object_set_new(o, "max_positions",
				    json_integer(most > 0 || !x ? most : (json_int_t)x->shape[0]));
	}
	return o;
}

static json_t *nffn_conf(const golden *g)
{
	return json_pack("{s:s, s:i, s:s, s:b}", "kind", "nffn", "ffn", atoi(meta(g, "ffn")),
			 "norm", meta(g, "norm"), "prenorm",
			 strcmp(meta(g, "prenorm"), "false") != 0);
}

static enum kws_status add_layer(golden *g, stack *st, json_t *conf, const char *prefix,
				 kws_error *err)
{
	const enum kws_status s = kws_layer_create(&st->layers[st->n_layers], conf, prefix, st->dim,
						   g->ts, prefix, err);
	json_decref(conf);
	if (!s)
		st->n_layers++;
	return s;
}

/* prefix.mega_layer and, where the feed-forward width is not 0, prefix.nffn */
static enum kws_status add_decoder_layer(golden *g, stack *st, const char *prefix, kws_error *err)
{
	char name[96];
	snprintf(name, sizeof name, "%smega_layer.", prefix);
	const enum kws_status s = add_layer(g, st, mega_conf(g), name, err);
	if (s || atoi(meta(g, "ffn")) <= 0)
		return s;
	snprintf(name, sizeof name, "%snffn.", prefix);
	return add_layer(g, st, nffn_conf(g), name, err);
}

static enum kws_status add_final_norm(golden *g, stack *st, kws_error *err)
{
	size_t kind = 0;
	if (!kws_tensors_find(g->ts, "w.final_norm.norm.weight")
	    && !kws_tensors_find(g->ts, "w.final_norm.norm.scalar"))
		return KWS_OK;
	while (kws_norm_names[kind] && strcmp(kws_norm_names[kind], meta(g, "norm")) != 0)
		kind++;
	if (!kws_norm_names[kind])
		return kws_fail(err, KWS_ERR_VERSION, "norm %s", meta(g, "norm"));
	st->has_norm = true;
	return kws_norm_init(&st->norm, kind, KWS_EPS, st->dim, g->ts, "w.final_norm.norm.", err);
}

static enum kws_status build(golden *g, stack *st, kws_error *err)
{
	const char *kind = meta(g, "kind");
	int n = 0;
	if (strcmp(kind, "MultiHeadEMA") == 0) {
		st->has_ema = true;
		return kws_ema_init(&st->ema, st->dim, (size_t)atol(meta(g, "ndim")), g->ts, "w.",
				    err);
	}
	if (strcmp(kind, "MovingAverageGatedAttention") == 0)
		return add_layer(g, st, mega_conf(g), "w.", err);
	if (strncmp(kind, "MegaDecoderLayer", 16) == 0)
		return add_decoder_layer(g, st, "w.", err);
	if (sscanf(kind, "%d x MegaDecoderLayer", &n) == 1 && n >= 1 && n <= 64) {
		enum kws_status s = KWS_OK;
		for (int i = 0; !s && i < n; i++) {
			char prefix[32];
			snprintf(prefix, sizeof prefix, "w.layers.%d.", i);
			s = add_decoder_layer(g, st, prefix, err);
		}
		return s ? s : add_final_norm(g, st, err);
	}
	return kws_fail(err, KWS_ERR_VERSION, "kind %.64s is not known", kind);
}

static void stack_free(stack *st)
{
	kws_ema_free(&st->ema);
	kws_fastself_free(&st->fast);
	kws_norm_free(&st->norm);
	for (size_t i = 0; i < st->n_layers; i++)
		kws_layer_destroy(st->layers[i]);
}

/* Streams of one sequence through the whole stack. */
typedef struct {
	float *ema, *fast, *scratch, *x, *y; /* x, y (KWS_BLOCK, ld) */
	void *state[128];
} memory;

static void *zeros(size_t bytes)
{
	void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
	if (!p)
		abort();
	return memset(p, 0, (bytes + 127) / 64 * 64);
}

static memory *memory_new(const stack *st)
{
	memory *m = zeros(sizeof *m);
	size_t scratch = st->has_fast ? kws_fastself_scratch(&st->fast) : 1;
	m->ema = zeros(st->has_ema ? kws_ema_state(&st->ema) * sizeof(float) : 1);
	m->fast = zeros(st->has_fast ? kws_fastself_state(&st->fast) * sizeof(float) : 1);
	m->x = zeros(KWS_BLOCK * st->ld * sizeof(float));
	m->y = zeros(KWS_BLOCK * st->ld * sizeof(float));
	for (size_t i = 0; i < st->n_layers; i++) {
		m->state[i] = zeros(st->layers[i]->state_bytes + 1);
		if (st->layers[i]->scratch_floats > scratch)
			scratch = st->layers[i]->scratch_floats;
	}
	m->scratch = zeros(scratch * sizeof(float));
	return m;
}

static void memory_free(const stack *st, memory *m)
{
	for (size_t i = 0; i < st->n_layers; i++)
		free(m->state[i]);
	free(m->ema);
	free(m->fast);
	free(m->scratch);
	free(m->x);
	free(m->y);
	free(m);
}

/* The next rows to run from frame t on: whole blocks, single frames or a random number of them. */
static size_t next_cut(int way, size_t t, size_t t_all, unsigned *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	const size_t n = way == 0 ? KWS_BLOCK : way == 1 ? 1 : 1 + (*seed >> 16) % KWS_BLOCK;
	return n < t_all - t ? n : t_all - t;
}

/* Rows from frame t on of batch item b. */
static void fill(const stack *st, memory *m, const kws_tensor *x, size_t b, size_t t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < st->dim; c++)
			m->x[i * st->ld + c] =
				(float)value(x, ((t + i) * batch_of(x) + b) * st->dim + c);
}

/* What is not causal looks at the whole clip first, cut in the same way. */
static void look(const stack *st, memory *m, int way, const kws_tensor *x, size_t b)
{
	unsigned seed = 7u;
	for (size_t k = 0; k < KWS_FASTSELF_LOOKS; k++) {
		for (size_t t = 0; t < x->shape[0];) {
			const size_t n = next_cut(way, t, x->shape[0], &seed);
			fill(st, m, x, b, t, n);
			kws_fastself_look(&st->fast, k, m->fast, m->scratch, m->x, n);
			t += n;
		}
	}
}

/* Batch item b of x through the first n_layers of the stack (and its norm, if `whole`) into y, cut in one of three ways. */
static void run_item(const stack *st, size_t n_layers, bool whole, int way, const kws_tensor *x,
		     size_t b, float *y)
{
	memory *m = memory_new(st);
	const size_t t_all = x->shape[0], batch = batch_of(x), d = st->dim;
	unsigned seed = 7u;
	if (st->has_fast && !st->fast.causal)
		look(st, m, way, x, b);
	for (size_t t = 0; t < t_all;) {
		const size_t n = next_cut(way, t, t_all, &seed);
		fill(st, m, x, b, t, n);
		if (st->has_ema)
			kws_ema_run(&st->ema, m->ema, m->x, n, m->x);
		if (st->has_fast) {
			const kws_span span = { (unsigned char *)m->fast, n };
			kws_fastself_run(&st->fast, &span, 1, 0, m->scratch, m->x, m->y);
			memcpy(m->x, m->y, n * st->ld * sizeof *m->x);
		}
		for (size_t k = 0; k < n_layers; k++) {
			const kws_span span = { m->state[k], n };
			st->layers[k]->kind->run(st->layers[k], &span, 1, 0, m->scratch, m->x);
		}
		if (whole && st->has_norm)
			kws_norm_run(&st->norm, m->x, st->ld, n, m->x);
		for (size_t i = 0; i < n; i++)
			memcpy(y + ((t + i) * batch + b) * d, m->x + i * st->ld, d * sizeof *y);
		t += n;
	}
	memory_free(st, m);
}

/* All batch items, all three cuts. Returns 0 if the cuts disagree. */
static int run(const stack *st, size_t n_layers, bool whole, const kws_tensor *x, float *y)
{
	float *other = zeros(x->n * sizeof *other);
	int same = 1;
	for (int way = 0; way < 3; way++) {
		for (size_t b = 0; b < batch_of(x); b++)
			run_item(st, n_layers, whole, way, x, b, way ? other : y);
		same = same && (!way || memcmp(y, other, x->n * sizeof *y) == 0);
	}
	free(other);
	return same;
}

/* Additive attention in one of its forms; `decay` holds the forgetting rates of the two pools. */
static enum kws_status build_fast(golden *g, stack *st, bool causal, bool forgets, kws_error *err)
{
	const size_t heads = (size_t)atol(meta(g, "heads"));
	const kws_tensor *decay = kws_tensors_find(g->ts, "decay");
	if (heads < 1 || heads > KWS_MAX_HEADS || st->dim % heads
	    || (forgets && (!decay || decay->n != 2)))
		return kws_fail(err, KWS_ERR_FORMAT, "heads or decay do not fit");
	st->has_fast = true;
	const enum kws_status s =
		kws_fastself_init(&st->fast, st->dim, heads, false, causal, g->ts, "w.", err);
	for (size_t i = 0; !s && forgets && i < 2 * heads; i++)
		st->fast.additive.rate[i] = (float)value(decay, i / heads);
	return s;
}

static int check_fast(golden *g, const kws_tensor *x, kws_error *err)
{
	static const struct {
		const char *name;
		bool causal, forgets;
	} forms[] = {
		{ "y_causal_derived", true, false },
		{ "y_causal_decay_derived", true, true },
		{ "y_original_full", false, false },
	};
	int good = 1;
	float *y = zeros(x->n * sizeof *y);
	for (size_t i = 0; good && i < sizeof forms / sizeof *forms; i++) {
		stack st = { .dim = x->shape[1], .ld = kws_pad(x->shape[1]) };
		good = kws_tensors_find(g->ts, forms[i].name)
		       && !build_fast(g, &st, forms[i].causal, forms[i].forgets, err)
		       && run(&st, 0, true, x, y);
		if (good)
			compare(g, forms[i].name, y, x->shape[0]);
		else if (!err->text[0])
			kws_fail(err, KWS_OK, "%s is missing, or the cut changes it",
				 forms[i].name);
		stack_free(&st);
	}
	free(y);
	if (good)
		kws_fail(err, KWS_OK, "worst error %.2e = %.3f of its tolerance at %s of %s",
			 g->diff, g->worst, g->at, g->why);
	return good && g->worst <= 1.0 ? PASS : FAIL;
}

static int check(golden *g, kws_error *err)
{
	stack st = { 0 };
	int result = FAIL;
	const kws_tensor *x = kws_tensors_find(g->ts, "x");
	if (strcmp(meta(g, "kind"), "FastSelfAttention") == 0) {
		if (x && x->rank == 2 && x->shape[0] >= 1 && x->shape[1] >= 1 && x->shape[1] <= 1024
		    && x->dtype != KWS_I64)
			return check_fast(g, x, err);
		kws_fail(err, KWS_ERR_FORMAT, "x: want [time, channel]");
		return FAIL;
	}
	if (strcmp(meta(g, "bidirectional"), "true") == 0) {
		kws_fail(err, KWS_OK, "%s needs the whole clip: no layer here runs it",
			 meta(g, "kind"));
		return SKIP;
	}
	if (!x || x->rank != 3 || x->shape[2] < 1 || x->shape[2] > 1024 || x->dtype == KWS_I64) {
		kws_fail(err, KWS_ERR_FORMAT, "x: want [time, batch, channel]");
		return FAIL;
	}
	st.dim = x->shape[2];
	st.ld = kws_pad(st.dim);
	if (!build(g, &st, err)) {
		float *y = zeros(x->n * sizeof *y);
		int same;
		if (st.n_layers == 2) {
			run(&st, 1, false, x, y);
			compare(g, "y_mega", y, x->shape[0]);
		}
		same = run(&st, st.n_layers, true, x, y);
		/* a truncated kernel is the parallel form's only: beyond it the recurrence is right to differ */
		const long cut = atol(meta(g, "truncation"));
		compare(g, "y", y,
			cut > 0 && (size_t)cut < x->shape[0] ? (size_t)cut : x->shape[0]);
		compare(g, "y64_steps", y, x->shape[0]);
		result = same && g->why[0] && g->worst <= 1.0 ? PASS : FAIL;
		kws_fail(err, KWS_OK, "worst error %.2e = %.3f of its tolerance at %s of %s%s",
			 g->diff, g->worst, g->at, g->why[0] ? g->why : "no output to compare with",
			 same ? "" : "; the cut changes the output");
		free(y);
	}
	stack_free(&st);
	return result;
}

static int check_file(const char *dir, const char *name)
{
	static const char *const verdict[] = { "ok  ", "FAIL", "skip" };
	char path[4096];
	kws_error err = { "" };
	golden g = { .file = name };
	unsigned char *blob = NULL;
	long len = -1;
	int result = FAIL;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "rb");
	if (f && fseek(f, 0, SEEK_END) == 0 && (len = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0)
		blob = malloc((size_t)len + 1);
	if (!blob || fread(blob, 1, (size_t)len, f) != (size_t)len)
		kws_fail(&err, KWS_ERR_IO, "cannot read the file");
	else if (!kws_tensors_parse(&g.ts, blob, (size_t)len, false, &err))
		result = check(&g, &err);
	if (f)
		fclose(f);
	printf("%s %s: %s\n", verdict[result], name, err.text);
	kws_tensors_free(g.ts);
	free(blob);
	return result;
}

static int is_safetensors(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');
	return dot && strcmp(dot, ".safetensors") == 0;
}

int main(int argc, char **argv)
{
	int count[3] = { 0 };
	struct dirent **list;
	const int n = argc == 2 ? scandir(argv[1], &list, is_safetensors, alphasort) : -1;
	if (n < 0) {
		fprintf(stderr, "usage: golden DIR, a folder with .safetensors files\n");
		return 2;
	}
	for (int i = 0; i < n; i++) {
		count[check_file(argv[1], list[i]->d_name)]++;
		free(list[i]);
	}
	free(list);
	printf("%d passed, %d failed, %d skipped\n", count[PASS], count[FAIL], count[SKIP]);
	return count[FAIL] || !count[PASS];
}
