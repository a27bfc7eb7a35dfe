#include "model/stem.h"

#include "model/json.h"
#include "vec/vec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Stem frames at a time: the images of a deep stem stay in the second-level cache. */
	PORTION = KWS_BLOCK / 2,
	MAX_FLOATS = 4 * 1024 * 1024, /* of an image */
	/* Multiply-adds of a stem frame: a hostile file must not take minutes to settle. */
	MAX_WORK = 100000000
};

/* A list [frames, bands] of whole numbers in 1..hi. */
static enum kws_status read_pair(const json_t *entry, const char *where, const char *key, size_t hi,
				 size_t *frames, size_t *bands, kws_error *err)
{
	const json_t *list = json_object_get(entry, key);
	size_t *const to[] = { frames, bands };
	for (size_t i = 0; i < 2; i++) {
		const json_t *x = json_array_get(list, i);
		const json_int_t n = json_integer_value(x);
		if (json_array_size(list) != 2 || !json_is_integer(x) || n < 1 || (size_t)n > hi)
			return kws_fail(err, KWS_ERR_FORMAT,
					"%s: %s: want [frames, bands], each in 1..%zu", where, key,
					hi);
		*to[i] = (size_t)n;
	}
	return KWS_OK;
}

static enum kws_status read_pool(kws_stem_step *p, const json_t *entry, const char *where,
				 kws_error *err)
{
	static const char *const keys[] = { "kind", "size", NULL };
	enum kws_status s = kws_json_keys(entry, where, keys, NULL, err);
	if (!s)
		s = read_pair(entry, where, "size", KWS_MAX_KERNEL, &p->frames_k, &p->bands_k, err);
	if (s)
		return s;
	p->frames_s = p->frames_k;
	p->bands_s = p->bands_k;
	p->channels_out = p->channels;
	p->kind = KWS_STEM_POOL;
	return KWS_OK;
}

/* [n_out, n_in, frames, bands] -> [n_out, frames, bands, n_in]: the order of pixels in the
 * image. */
static void channels_last(const float *w, size_t n_out, size_t n_in, size_t places, float *to)
{
	for (size_t o = 0; o < n_out; o++)
		for (size_t k = 0; k < places; k++)
			for (size_t i = 0; i < n_in; i++)
				*to++ = w[(o * n_in + i) * places + k];
}

static enum kws_status pack(kws_stem_step *c, size_t i, kws_tensors *ts, const char *before,
			    kws_error *err)
{
	const size_t shape[] = { c->channels_out, c->channels, c->frames_k, c->bands_k };
	const size_t places = c->frames_k * c->bands_k, n_in = places * c->channels;
	char prefix[64];
	float *w = NULL, *bias = NULL, *last = NULL;
	snprintf(prefix, sizeof prefix, "%sstem.%zu.", before, i);
	enum kws_status s = kws_tensors_take(&w, ts, prefix, "weight", 4, shape, err);
	if (!s)
		s = kws_tensors_take(&bias, ts, prefix, "bias", 1, shape, err);
	if (!s)
		last = calloc(c->channels_out * n_in, sizeof *last);
	if (last)
		channels_last(w, c->channels_out, c->channels, places, last);
	if (!s && (!last || kws_linear_init(&c->conv, last, bias, n_in, &c->channels_out, 1)))
		s = kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	free(last);
	free(bias);
	free(w);
	return s;
}

static enum kws_status read_conv(kws_stem_step *c, size_t i, const json_t *entry, const char *where,
				 kws_tensors *ts, const char *before, kws_error *err)
{
	static const char *const keys[] = { "kind",   "channels",   "kernel",
					    "stride", "activation", NULL };
	static const char *const activations[] = { "silu", "leaky_relu", NULL };
	size_t activation;
	enum kws_status s;
	if ((s = kws_json_keys(entry, where, keys, NULL, err))
	    || (s = kws_json_size(entry, where, "channels", 1, KWS_MAX_CHANNELS, &c->channels_out,
				  err))
	    || (s = read_pair(entry, where, "kernel", KWS_MAX_KERNEL, &c->frames_k, &c->bands_k,
			      err))
	    || (s = read_pair(entry, where, "stride", KWS_MAX_KERNEL, &c->frames_s, &c->bands_s,
			      err))
	    || (s = kws_json_choice(entry, where, "activation", activations, &activation, err)))
		return s;
	if (c->bands_k % 2 == 0)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: kernel: want an odd number of bands",
				where);
	c->keep = c->frames_k > c->frames_s ? c->frames_k - c->frames_s : 0;
	c->pad = c->bands_k / 2;
	c->kind = activation ? KWS_STEM_LEAKY_RELU : KWS_STEM_SILU;
	return pack(c, i, ts, before, err);
}

static size_t frame_floats(const kws_stem_step *p)
{
	return (p->bands + 2 * p->pad) * p->channels;
}

static void grow(size_t *most, size_t n)
{
	*most = n > *most ? n : *most;
}

/* Set and check what depends on the whole list. */
static enum kws_status lay_out(kws_stem *s, kws_error *err)
{
	size_t frames = 1, work = 0;
	for (kws_stem_step *p = s->steps + s->n_steps; p-- > s->steps;) {
		p->frames_out = frames;
		work += p->conv.n_in * p->channels_out * p->bands_out * frames;
		frames *= p->frames_s;
		p->state = s->state_floats;
		s->state_floats += p->keep * frame_floats(p);
		s->reach += p->keep;
		grow(&s->image_floats, (p->keep + PORTION * frames) * frame_floats(p));
	}
	s->scratch_floats = 2 * s->image_floats;
	if (work > MAX_WORK)
		return kws_fail(err, KWS_ERR_FORMAT,
				"network: stem: %zu multiply-adds for a frame: more than %d", work,
				MAX_WORK);
	if (s->image_floats > MAX_FLOATS || s->state_floats > MAX_FLOATS)
		return kws_fail(err, KWS_ERR_FORMAT, "network: stem: its images grow past %d MiB",
				(int)(MAX_FLOATS * sizeof(float) >> 20));
	return KWS_OK;
}

/* The product for the pixels of one output frame. Its input begins with the first frame that it
 * sees. */
static kws_product product_of(const kws_stem_step *p)
{
	return (kws_product){ .taps = p->frames_k,
			      .tap = frame_floats(p),
			      .n_in = p->bands_k * p->channels,
			      .step = p->bands_s * p->channels,
			      .n_out = p->channels_out,
			      .ld = p->conv.n_out,
			      .w = p->conv.w,
			      .b = p->conv.bias };
}

void kws_stem_products(const kws_stem *s, void (*fn)(void *ctx, const kws_product *g, size_t rows),
		       void *ctx)
{
	for (const kws_stem_step *p = s->steps; p < s->steps + s->n_steps; p++) {
		const kws_product g = product_of(p);
		for (size_t t = 0; p->kind != KWS_STEM_POOL && t < p->frames_out; t++)
			fn(ctx, &g, p->bands_out);
	}
}

/* Where the step's output goes: pixel (t, b) is at to + t * ld + b * channels_out. */
typedef struct {
	float *to;
	size_t ld;
} image;

static void pool(const kws_stem_step *p, const float *x, size_t frames, image out)
{
	const size_t ld = p->bands * p->channels, c = p->channels;
	const kws_vec *vec = kws_vec_get();
	for (size_t t = 0; t < frames; t++)
		for (size_t b = 0; b < p->bands_out; b++) {
			const size_t at = b * p->bands_s, left = p->bands - at,
				     wide = left < p->bands_s ? left : p->bands_s;
			const float *first = x + t * p->frames_s * ld + at * c;
			float *y = out.to + t * out.ld + b * c;
			memcpy(y, first, c * sizeof *y);
			for (size_t k = 1; k < p->frames_s * wide; k++)
				vec->max(y, y, first + k / wide * ld + k % wide * c, c);
		}
}

static void convolve(const kws_stem_step *p, const float *x, size_t frames, image out)
{
	const kws_product g = product_of(p);
	const kws_vec *vec = kws_vec_get();
	const size_t n = p->bands_out * p->channels_out;
	x += (p->frames_s + p->keep - p->frames_k) * g.tap;
	for (size_t t = 0; t < frames; t++, x += p->frames_s * g.tap, out.to += out.ld)
		vec->product(&g, x, p->bands_out, out.to, p->channels_out);
	out.to -= frames * out.ld;
	(p->kind == KWS_STEM_SILU ? vec->silu : vec->leaky_relu)(out.to, out.ld, frames, n);
}

/* Prepare the image that p will read for n new frames: its past, and zeros at the ends of each
 * frame. Returns where the new frames go. */
static image prepare(const kws_stem_step *p, const float *state, float *x, size_t frames)
{
	const size_t ld = frame_floats(p), end = p->pad * p->channels;
	memcpy(x, state + p->state, p->keep * ld * sizeof *x);
	for (size_t t = p->keep; t < p->keep + frames; t++) {
		memset(x + t * ld, 0, end * sizeof *x);
		memset(x + (t + 1) * ld - end, 0, end * sizeof *x);
	}
	return (image){ x + p->keep * ld + end, ld };
}

/* n <= PORTION */
static void run_portion(const kws_stem *s, float *state, float *scratch, const float *x, size_t n,
			float *y)
{
	float *in = scratch, *next = in + s->image_floats;
	size_t frames = n * s->stride;
	image to = prepare(s->steps, state, in, frames);
	for (size_t t = 0; t < frames; t++)
		memcpy(to.to + t * to.ld, x + t * s->steps->bands, s->steps->bands * sizeof *x);
	for (const kws_stem_step *p = s->steps, *end = p + s->n_steps; p < end; p++) {
		const size_t past = p->keep * frame_floats(p), out = n * p->frames_out;
		to = p + 1 < end ? prepare(p + 1, state, next, out) : (image){ y, s->n_out };
		if (p->kind == KWS_STEM_POOL)
			pool(p, in, out, to);
		else
			convolve(p, in, out, to);
		memcpy(state + p->state, in + frames * frame_floats(p), past * sizeof *state);
		float *const free_now = in;
		in = next;
		next = free_now;
		frames = out;
	}
}

void kws_stem_run(const kws_stem *s, float *state, float *scratch, const float *x, size_t n,
		  float *y)
{
	for (size_t at = 0; at < n; at += PORTION)
		run_portion(s, state, scratch, x + at * s->stride * s->steps->bands,
			    n - at < PORTION ? n - at : PORTION, y + at * s->n_out);
}

/* Process silence until the state holds nothing else. */
static enum kws_status settle(kws_stem *s, const float *quiet, kws_error *err)
{
	const size_t n_mels = s->steps->bands;
	float *scratch = calloc(s->scratch_floats, sizeof *scratch);
	float *x = calloc(s->stride * n_mels + s->n_out, sizeof *x);
	s->start = calloc(s->state_floats + 1, sizeof *s->start);
	const bool ok = scratch && x && s->start;
	for (size_t t = 0; ok && t < s->stride; t++)
		memcpy(x + t * n_mels, quiet, n_mels * sizeof *x);
	for (size_t n = 0; ok && n < s->reach; n++)
		kws_stem_run(s, s->start, scratch, x, 1, x + s->stride * n_mels);
	free(x);
	free(scratch);
	return ok ? KWS_OK : kws_fail(err, KWS_ERR_NOMEM, "out of memory");
}

enum kws_status kws_stem_init(kws_stem *s, const json_t *conf, const float *quiet, size_t n_mels,
			      kws_tensors *ts, const char *before, kws_error *err)
{
	static const char *const kinds[] = { "conv", "pool", NULL };
	const size_t n = json_array_size(conf);
	size_t bands = n_mels, channels = 1;
	*s = (kws_stem){ .stride = 1 };
	if (!json_is_array(conf) || n < 1 || n > KWS_MAX_STEM)
		return kws_fail(err, KWS_ERR_FORMAT,
				"network: %sstem: want a list of 1..%d convolutions and pools",
				before, KWS_MAX_STEM);
	s->steps = calloc(n, sizeof *s->steps);
	if (!s->steps)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	while (s->n_steps < n) {
		const json_t *entry = json_array_get(conf, s->n_steps);
		kws_stem_step *p = &s->steps[s->n_steps];
		char where[64];
		size_t kind;
		snprintf(where, sizeof where, "network: %sstem[%zu]", before, s->n_steps);
		enum kws_status status = kws_json_choice(entry, where, "kind", kinds, &kind, err);
		if (status)
			return status;
		*p = (kws_stem_step){ .bands = bands, .channels = channels };
		s->n_steps++;
		status = kind ? read_pool(p, entry, where, err)
			      : read_conv(p, s->n_steps - 1, entry, where, ts, before, err);
		if (status)
			return status;
		bands = p->bands_out = (bands + p->bands_s - 1) / p->bands_s;
		channels = p->channels_out;
		s->stride *= p->frames_s;
		if (s->stride > KWS_MAX_STEM_STRIDE)
			return kws_fail(err, KWS_ERR_FORMAT, "%s: makes one frame of more than %d",
					where, KWS_MAX_STEM_STRIDE);
	}
	s->n_out = bands * channels;
	const enum kws_status status = lay_out(s, err);
	return status ? status : settle(s, quiet, err);
}

void kws_stem_free(kws_stem *s)
{
	for (size_t i = 0; i < s->n_steps; i++) {
		kws_linear_free(&s->steps[i].conv);
	}
	free(s->steps);
	free(s->start);
	*s = (kws_stem){ 0 };
}
