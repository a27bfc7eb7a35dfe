/* golden.c - compare our layers with the original Mega and Fastformer code's tensors: `golden DIR` reads every .safetensors
 * in DIR.
 *
 * A file's metadata names its kind and configuration, its tensors are the original's weights under w.<name>, an input
 * x [time, batch, channel] or [time, channel] and the outputs to reach. Each sequence runs in whole blocks, frame by frame and in random
 * cuts; the three must agree to the last bit. Of a stack each layer also runs on what the original's layer before it said. Then all
 * runs again on nudged data, which tells the tolerance. One line a file; exit status 1 if one failed. */
#include "tests/golden_judge.h"
#include "tests/golden_stack.h"
#include "tests/read_file.h"

#include <dirent.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PASS, FAIL, SKIP };

enum { NUDGED = 16 };

typedef struct {
	kws_tensors *ts;
	unsigned char *blob;
	golden_verdict verdict;
} golden;

static size_t batch_of(const kws_tensor *x)
{
	return x->rank == 3 ? x->shape[1] : 1;
}

/* Streams of one sequence through the whole stack. */
typedef struct {
	float *ema, *fast, *scratch, *x, *y; /* x, y (KWS_BLOCK, ld) */
	void *state[GOLDEN_LAYERS];
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
				(float)golden_value(x, ((t + i) * batch_of(x) + b) * st->dim + c);
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

/* Batch item b of x through the first n_layers of the stack (and its norm, if `whole`) into y, cut in one of three ways.
 * jolt: 0, or a seed of the roundings that are added behind each layer. */
static void run_item(const stack *st, size_t n_layers, bool whole, int way, unsigned jolt,
		     const kws_tensor *x, size_t b, float *y)
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
			memcpy(m->y, m->x, n * st->ld * sizeof *m->y);
			st->layers[k]->kind->run(st->layers[k], &span, 1, 0, m->scratch, m->x);
			for (size_t i = 0; jolt && i < n; i++)
				golden_jolt(m->x + i * st->ld, m->y + i * st->ld, d, &jolt);
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
			run_item(st, n_layers, whole, way, 0, x, b, way ? other : y);
		same = same && (!way || memcmp(y, other, x->n * sizeof *y) == 0);
	}
	free(other);
	return same;
}

/* The same file with other numbers, nearly: all[0] is the file, the rest are nudged. */
static enum kws_status nudge_all(golden *all, size_t len, kws_error *err)
{
	enum kws_status status = KWS_OK;
	for (unsigned i = 1; !status && i <= NUDGED; i++) {
		all[i].blob = golden_nudged(all[0].blob, len, i);
		status = all[i].blob ? kws_tensors_parse(&all[i].ts, all[i].blob, len, false, err)
				     : kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	}
	return status;
}

/* A part of what the file holds: some layers in a row. */
typedef struct {
	size_t first, n;
	bool whole;	   /* with the norm behind them */
	const char *input; /* the tensor that goes in */
} part;

static stack part_of(const stack *st, const part *p)
{
	stack s = *st;
	s.n_layers = p->n;
	s.has_norm = p->whole && st->has_norm;
	memmove(s.layers, s.layers + p->first, p->n * sizeof *s.layers);
	return s;
}

/* Run that part of each of the stacks (NUDGED + 1,), and compare with the named tensors' frames before `most'. False: the cut
 * changes the output. */
static bool judge(golden *all, const stack *stacks, const part *p, const char *const *names,
		  size_t most)
{
	const kws_tensor *x = kws_tensors_find(all[0].ts, p->input);
	const size_t dim = stacks[0].dim, rows = x->n / dim, row = rows / x->shape[0];
	float *y = zeros(x->n * sizeof *y), *nudged = zeros(x->n * sizeof *nudged);
	double *ulp = zeros(rows * sizeof *ulp);
	stack s = part_of(&stacks[0], p);
	const bool same = run(&s, s.n_layers, true, x, y);
	for (size_t i = 1; i <= NUDGED; i++) {
		const kws_tensor *input = kws_tensors_find(all[i].ts, p->input);
		s = part_of(&stacks[i], p);
		for (size_t b = 0; b < row; b++)
			run_item(&s, s.n_layers, true, 0, (unsigned)i, input, b, nudged);
		golden_widen(ulp, y, nudged, rows, dim);
	}
	for (; *names; names++) {
		const kws_tensor *want = kws_tensors_find(all[0].ts, *names);
		if (want && want->n == x->n && want->dtype != KWS_I64)
			golden_compare(&all[0].verdict, *names, want, y, ulp,
				       (most < x->shape[0] ? most : x->shape[0]) * row, dim);
	}
	free(y);
	free(nudged);
	free(ulp);
	return same;
}

static void stacks_free(stack *stacks)
{
	for (size_t i = 0; i <= NUDGED; i++)
		stack_free(&stacks[i]);
}

static int check_fast(golden *all, const kws_tensor *x, kws_error *err)
{
	static const struct {
		const char *names[2];
		bool causal, forgets;
	} forms[] = {
		{ { "y_causal_derived" }, true, false },
		{ { "y_causal_decay_derived" }, true, true },
		{ { "y_original_full" }, false, false },
	};
	const part everything = { .whole = true, .input = "x" };
	bool good = true;
	for (size_t f = 0; good && f < sizeof forms / sizeof *forms; f++) {
		stack stacks[NUDGED + 1] = { 0 };
		good = kws_tensors_find(all[0].ts, forms[f].names[0]);
		for (size_t i = 0; good && i <= NUDGED; i++) {
			good = !stack_build_fast(&stacks[i], all[i].ts, x->shape[1],
						 forms[f].causal, forms[f].forgets, err);
		}
		good = good && judge(all, stacks, &everything, forms[f].names, SIZE_MAX);
		if (!good && !err->text[0])
			kws_fail(err, KWS_OK, "%s is missing, or the cut changes it",
				 forms[f].names[0]);
		stacks_free(stacks);
	}
	return good ? PASS : FAIL;
}

/* Each layer on the original's own output of the layer before it: there no error of an earlier one is left. */
static bool check_each_layer(golden *all, const stack *stacks)
{
	const size_t width = atoi(golden_meta(all[0].ts, "ffn")) > 0 ? 2 : 1;
	char before[32] = "x", name[32];
	bool same = true;
	for (size_t i = 0; (i + 1) * width <= stacks[0].n_layers; i++) {
		const char *const names[] = { name, NULL };
		const part p = { i * width, width, false, before };
		snprintf(name, sizeof name, "layer%zu_out", i);
		const kws_tensor *t = kws_tensors_find(all[0].ts, name),
				 *x = kws_tensors_find(all[0].ts, "x");
		if (!t || t->rank != 3 || t->n != x->n || t->shape[2] != stacks[0].dim
		    || t->dtype == KWS_I64)
			break;
		same = judge(all, stacks, &p, names, SIZE_MAX) && same;
		memcpy(before, name, sizeof before);
	}
	return same;
}

static int check_stack(golden *all, const kws_tensor *x, kws_error *err)
{
	static const char *const mega[] = { "y_mega", NULL }, *const whole[] = { "y", NULL },
				 *const steps[] = { "y64_steps", NULL };
	stack stacks[NUDGED + 1] = { 0 };
	bool good = true;
	for (size_t i = 0; good && i <= NUDGED; i++) {
		good = !stack_build(&stacks[i], all[i].ts, x->shape[2], err);
	}
	if (good) {
		const part everything = { 0, stacks[0].n_layers, true, "x" },
			   first = { 0, 1, false, "x" };
		/* a truncated kernel is the parallel form's only: beyond it the recurrence is right to differ */
		const long cut = atol(golden_meta(all[0].ts, "truncation"));
		if (stacks[0].n_layers == 2)
			good = judge(all, stacks, &first, mega, SIZE_MAX);
		good = check_each_layer(all, stacks) && good;
		good = judge(all, stacks, &everything, whole, cut > 0 ? (size_t)cut : SIZE_MAX)
		       && good;
		good = judge(all, stacks, &everything, steps, SIZE_MAX) && good;
		if (!good)
			kws_fail(err, KWS_OK, "the cut changes the output");
	}
	stacks_free(stacks);
	return good ? PASS : FAIL;
}

static int check(golden *all, kws_error *err)
{
	const kws_tensor *x = kws_tensors_find(all[0].ts, "x");
	const bool fast = strcmp(golden_meta(all[0].ts, "kind"), "FastSelfAttention") == 0;
	if (strcmp(golden_meta(all[0].ts, "bidirectional"), "true") == 0) {
		kws_fail(err, KWS_OK, "%s needs the whole clip: no layer here runs it",
			 golden_meta(all[0].ts, "kind"));
		return SKIP;
	}
	const size_t rank = fast ? 2 : 3;
	if (!x || x->rank != rank || x->n < 1 || x->shape[rank - 1] > 1024 || x->dtype == KWS_I64) {
		kws_fail(err, KWS_ERR_FORMAT, "x: want [time, %schannel]", fast ? "" : "batch, ");
		return FAIL;
	}
	return fast ? check_fast(all, x, err) : check_stack(all, x, err);
}

/* The file is judged; what says the verdict? */
static int sum_up(const golden_verdict *v, kws_error *err)
{
	if (!v->names[0]) {
		kws_fail(err, KWS_ERR_FORMAT, "no output to compare with");
		return FAIL;
	}
	kws_fail(err, KWS_OK,
		 "worst error %.2e = %.3f of its tolerance at %s, where one ulp does %.2e; of %s",
		 v->diff, v->worst, v->at, v->ulp, v->names);
	return v->worst <= 1.0 ? PASS : FAIL;
}

static int check_file(const char *dir, const char *name)
{
	static const char *const verdict[] = { "ok  ", "FAIL", "skip" };
	char path[4096];
	kws_error err = { "" };
	golden all[NUDGED + 1] = { 0 };
	size_t len;
	int result = FAIL;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	all[0].blob = read_file(path, &len);
	if (!all[0].blob)
		kws_fail(&err, KWS_ERR_IO, "cannot read the file");
	else if (!kws_tensors_parse(&all[0].ts, all[0].blob, len, false, &err)
		 && !nudge_all(all, len, &err))
		result = check(all, &err);
	if (result == PASS)
		result = sum_up(&all[0].verdict, &err);
	printf("%s %s: %s\n", verdict[result], name, err.text);
	for (size_t i = 0; i <= NUDGED; i++) {
		kws_tensors_free(all[i].ts);
		free(all[i].blob);
	}
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
