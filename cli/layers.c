#include "cli/layers.h"

#include "cli/base.h"
#include "cli/out.h"
#include "model/network.h"
#include "model/tensors.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 32, WHAT = 256, SHAPE = 32, WIDTH = 80 };

/* A layer, or what belongs together: its tensors are those whose names begin with its own and a
 * dot. */
typedef struct {
	char name[NAME], what[WHAT], shape[SHAPE];
	size_t parameters;
	double work; /* multiplications for one network frame */
} row;

typedef struct {
	const kws_network *w;
	json_t *conf; /* the network as the file has it */
	row *rows;    /* (n,) */
	size_t n, most;
} table;

/* ---- work ---- */

static void add_product(void *ctx, const kws_any_product *p, size_t rows)
{
	double *sum = ctx;
	const size_t n_in =
		p->floats ? p->floats->taps * p->floats->n_in : p->bytes->taps * p->bytes->n_in;
	const size_t n_out = p->floats ? p->floats->n_out : p->bytes->n_out;
	*sum += (double)rows * (double)n_in * (double)n_out;
}

static double work_of(const kws_linear *l)
{
	return (double)l->n_in * (double)l->n_out;
}

static double work_of_layer(const kws_layer *l)
{
	double sum = 0.0;
	for (size_t k = 0; l->products[k]; k++)
		sum += work_of(l->products[k]);
	return sum;
}

/* A stem of which so many frames are made for one network frame. */
static double work_of_step(const kws_stem *s, size_t i, double frames)
{
	double sum = 0.0;
	const kws_stem one = { .n_steps = 1, .steps = s->steps + i };
	kws_stem_products(&one, add_product, &sum);
	return frames * sum;
}

/* ---- rows ---- */

static row *add(table *t, double work, const char *name, ...) __attribute__((format(printf, 3, 4)));
static row *add(table *t, double work, const char *name, ...)
{
	static row lost;
	row *r = t->n < t->most ? &t->rows[t->n++] : &lost;
	va_list more;
	va_start(more, name);
	vsnprintf(r->name, sizeof r->name, name, more);
	va_end(more);
	r->work = work;
	return r;
}

#define WRITE(to, ...) snprintf(to, sizeof(to), __VA_ARGS__)

static void add_stem(table *t, const kws_stem *s, const char *before, double frames)
{
	static const char *const after[] = {
		[KWS_STEM_SILU] = "silu", [KWS_STEM_LEAKY_RELU] = "leaky_relu"
	};
	for (size_t i = 0; i < s->n_steps; i++) {
		const kws_stem_step *p = &s->steps[i];
		row *r = add(t, work_of_step(s, i, frames), "%sstem.%zu", before, i);
		WRITE(r->shape, "%zu x %zu", p->bands_out, p->channels_out);
		const char *bits = p->int8 ? ", int8" : "";
		if (p->kind == KWS_STEM_POOL)
			WRITE(r->what, "pool %zu x %zu", p->frames_k, p->bands_k);
		else if (p->frames_s > 1 || p->bands_s > 1)
			WRITE(r->what, "conv %zu x %zu, stride %zu x %zu, %s%s", p->frames_k,
			      p->bands_k, p->frames_s, p->bands_s, after[p->kind], bits);
		else
			WRITE(r->what, "conv %zu x %zu, %s%s", p->frames_k, p->bands_k,
			      after[p->kind], bits);
	}
}

/* The keys of a layer's entry behind its kind: "mega, hdim 160, ndim 16". */
static void describe(const json_t *conf, char what[WHAT])
{
	const char *key;
	json_t *value;
	snprintf(what, WHAT, "%s", json_string_value(json_object_get(conf, "kind")));
	json_object_foreach((json_t *)(uintptr_t)conf, key, value)
	{
		char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
		const size_t n = strlen(what);
		const char *shown = json_is_string(value) ? json_string_value(value) : text;
		if (strcmp(key, "kind") != 0 && shown)
			snprintf(what + n, WHAT - n, ", %s %s", key, shown);
		free(text);
	}
}

/* Layers whose entries are in conf, with so many steps for one network frame. */
static void add_layers(table *t, const kws_layer_list *l, const json_t *conf, const char *before,
		       size_t dim, double steps)
{
	for (size_t i = 0; i < l->n; i++) {
		row *r = add(t, steps * work_of_layer(l->each[i]), "%slayers.%zu", before, i);
		WRITE(r->shape, "%zu", dim);
		describe(json_array_get(json_object_get(conf, "layers"), i), r->what);
		for (size_t k = 0; k < i; k++)
			if (l->each[k] == l->each[i]) {
				WRITE(r->what, "%slayers.%zu once more", before, k);
				break;
			}
	}
}

/* An embedding makes a row every so many network frames. */
static void add_embedding(table *t)
{
	const kws_embed *e = &t->w->embed;
	const double part = e->every ? 1.0 / (double)e->every : 0.0;
	if (!e->every)
		return;
	add_stem(t, &e->stem, "embedding.", part);
	add_layers(t, &e->layers, json_object_get(t->conf, "embedding"), "embedding.", e->width,
		   part);
	row *r = add(t,
		     part
			     * (work_of(&e->row) + work_of(&e->out)
				+ (e->n_heads ? work_of(&e->point) : 0.0)),
		     "embedding");
	WRITE(r->shape, "%zu", e->rank);
	WRITE(r->what, "of %zu rows of %zu, one every %zu frames", e->window, e->dim, e->every);
	if (!e->n_heads)
		return;
	r = add(t, part * work_of(&e->fc1), "heads");
	WRITE(r->shape, "%zu", e->n_heads);
	WRITE(r->what, "words of one's own");
}

static void fill(table *t, const kws_model *m)
{
	const kws_network *w = t->w;
	char stacked[48] = "";
	row *r = add(t, 0.0, "features");
	WRITE(r->shape, "%zu", w->n_mels);
	WRITE(r->what, "mel bands%s", w->mean || w->scale ? ", normalised" : "");
	add_stem(t, &w->stem, "", (double)w->stride);
	r = add(t, work_of(&w->input), "input");
	if (w->stack > 1)
		WRITE(stacked, ", of %zu frames", w->stack);
	WRITE(r->shape, "%zu", w->dim);
	WRITE(r->what, "dense, every %zu ms%s",
	      1000 * w->step * kws_model_features(m)->hop / kws_model_rate_hz(m), stacked);
	add_layers(t, &w->layers, t->conf, "", w->dim, 1.0);
	if (w->has_final_norm) {
		r = add(t, 0.0, "final_norm");
		WRITE(r->shape, "%zu", w->dim);
		WRITE(r->what, "%s", kws_norm_names[w->final_norm.kind]);
	}
	r = add(t, work_of(&w->fc1) + work_of(&w->fc2), "head");
	WRITE(r->shape, "%zu", kws_network_n_classes(w));
	WRITE(r->what, "mean of %zu frames, dense %zu", w->pool, w->head);
	add_embedding(t);
}

/* ---- parameters ---- */

/* Each tensor belongs to the row with the longest name that its own begins with. */
static void count(table *t, const kws_tensor *tensor)
{
	row *best = NULL;
	for (size_t i = 0; i < t->n; i++) {
		row *r = &t->rows[i];
		const size_t n = strlen(r->name);
		if (strncmp(tensor->name, r->name, n) == 0 && tensor->name[n] == '.'
		    && (!best || n > strlen(best->name)))
			best = r;
	}
	if (!best)
		best = add(t, 0.0, "%.*s", (int)strcspn(tensor->name, "."), tensor->name);
	best->parameters += tensor->n;
}

static void count_all(table *t, const char *path)
{
	kws_blob blob = { 0 };
	kws_tensors *ts = NULL;
	if (!kws_base_read(&blob, path))
		return;
	/* The model was read from it, so it can be parsed. */
	if (kws_tensors_parse(&ts, blob.bytes, blob.len, false, NULL) == KWS_OK)
		for (size_t i = 0; i < kws_tensors_count(ts); i++)
			count(t, kws_tensors_at(ts, i));
	kws_tensors_free(ts);
	kws_blob_close(&blob);
}

/* ---- print ---- */

/* The parts of a description between commas, on as many lines as they need. */
static void print_what(const char *what, int indent, FILE *to)
{
	int at = indent;
	while (*what) {
		const size_t n = strcspn(what, ",") + (what[strcspn(what, ",")] == ',');
		if (at > indent && at + (int)n >= WIDTH) {
			fprintf(to, "\n%*s", indent, "");
			at = indent;
			what += *what == ' ';
			continue;
		}
		for (size_t i = 0; i < n; i++) {
			char letter[2] = { what[i], '\0' };
			kws_out_visible(to, letter);
		}
		at += (int)n;
		what += n;
	}
	putc('\n', to);
}

static void print_number(size_t n, int width, FILE *to)
{
	if (n)
		fprintf(to, " %*zu", width, n);
	else
		fprintf(to, " %*s", width, "");
}

static void print_row(const row *r, int width, double all, FILE *to)
{
	fprintf(to, "  %-*s %9s", width, r->name, r->shape);
	print_number(r->parameters, 10, to);
	if (r->work > 0.0)
		fprintf(to, " %6.1f %%  ", 100.0 * r->work / all);
	else
		fprintf(to, " %8s  ", "");
	print_what(r->what, 2 + width + 1 + 9 + 11 + 9 + 2, to);
}

static void print_all(const table *t, FILE *to)
{
	double all = 0.0;
	size_t parameters = 0, width = strlen("layer");
	for (size_t i = 0; i < t->n; i++) {
		all += t->rows[i].work;
		parameters += t->rows[i].parameters;
		width = strlen(t->rows[i].name) > width ? strlen(t->rows[i].name) : width;
	}
	fprintf(to, "\n  %-*s %9s %10s %8s\n", (int)width, "layer", "shape", "parameters", "work");
	for (size_t i = 0; i < t->n; i++)
		print_row(&t->rows[i], (int)width, all, to);
	fprintf(to, "  %-*s %9s %10zu %8s  %.3g million multiplications\n", (int)width, "all", "",
		parameters, "100 %", all / 1e6);
	fputs("  Shapes are bands x channels, sizes of a conv or pool frames x bands. Work is\n"
	      "  that of the products with weights, for one frame of the layers.\n\n",
	      to);
}

void kws_layers_print(const kws_model *m, const char *path, FILE *to)
{
	enum { OTHERS = 16 }; /* the rows that are no layers */
	const kws_network *w = kws_model_network(m);
	const char *text = kws_model_meta(m, "network");
	table t = { .w = w,
		    .most = w->stem.n_steps + w->embed.stem.n_steps + w->layers.n
			    + w->embed.layers.n + OTHERS };
	t.conf = text ? json_loads(text, 0, NULL) : NULL;
	t.rows = calloc(t.most, sizeof *t.rows);
	if (t.rows) {
		fill(&t, m);
		count_all(&t, path);
		print_all(&t, to);
	} else {
		kws_out_no_memory();
	}
	free(t.rows);
	json_decref(t.conf);
}
