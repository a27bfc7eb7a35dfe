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
	if (c->int8)
		return kws_bytes_init(&c->bytes, ts, prefix, shape, err);
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
	static const char *const more[] = { "weights", NULL };
	static const char *const activations[] = { "silu", "leaky_relu", NULL };
	static const char *const weights[] = { "int8", NULL };
	size_t activation, bits;
	enum kws_status s;
	c->int8 = json_object_get(entry, "weights");
	if ((s = kws_json_keys(entry, where, keys, more, err))
	    || (s = kws_json_size(entry, where, "channels", 1, KWS_MAX_CHANNELS, &c->channels_out,
				  err))
	    || (s = read_pair(entry, where, "kernel", KWS_MAX_KERNEL, &c->frames_k, &c->bands_k,
			      err))
	    || (s = read_pair(entry, where, "stride", KWS_MAX_KERNEL, &c->frames_s, &c->bands_s,
			      err))
	    || (s = kws_json_choice(entry, where, "activation", activations, &activation, err))
	    || (c->int8 && (s = kws_json_choice(entry, where, "weights", weights, &bits, err))))
		return s;
	if (c->int8 && !activation)
		return kws_fail(err, KWS_ERR_FORMAT,
				"%s: weights of int8 want the activation leaky_relu", where);
	if (c->bands_k % 2 == 0)
		return kws_fail(err, KWS_ERR_FORMAT, "%s: kernel: want an odd number of bands",
				where);
	c->keep = c->frames_k > c->frames_s ? c->frames_k - c->frames_s : 0;
	c->pad = c->bands_k / 2;
	c->kind = activation ? KWS_STEM_LEAKY_RELU : KWS_STEM_SILU;
	return pack(c, i, ts, before, err);
}

static size_t frame_bytes(const kws_stem_step *p)
{
	return (p->bands + 2 * p->pad) * p->pixel;
}

static void grow(size_t *most, size_t n)
{
	*most = n > *most ? n : *most;
}

/* The images between the steps, from the last to the first. A pool keeps the kind of its image. */
static void choose_images(kws_stem *s)
{
	const kws_bytes *writes = NULL;
	for (kws_stem_step *p = s->steps + s->n_steps; p-- > s->steps; writes = p->reads) {
		p->writes = writes;
		p->reads = p->kind == KWS_STEM_POOL ? writes : p->int8 ? &p->bytes : NULL;
		p->pixel = p->reads ? p->reads->pixel : p->channels * sizeof(float);
	}
}

/* Set and check what depends on the whole list. */
static enum kws_status lay_out(kws_stem *s, kws_error *err)
{
	size_t frames = 1, work = 0, row = 0, state = 0;
	choose_images(s);
	for (kws_stem_step *p = s->steps + s->n_steps; p-- > s->steps;) {
		p->frames_out = frames;
		work += p->frames_k * p->bands_k * p->channels * p->channels_out * p->bands_out
			* frames * (p->kind != KWS_STEM_POOL);
		frames *= p->frames_s;
		p->state = state;
		state += p->keep * frame_bytes(p);
		s->reach += p->keep;
		grow(&s->image_floats,
		     (p->keep + PORTION * frames) * frame_bytes(p) / sizeof(float));
		grow(&row, p->bands_out * p->channels_out);
	}
	s->state_floats = state / sizeof(float);
	s->scratch_floats = 2 * s->image_floats + row;
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
			      .tap = frame_bytes(p) / sizeof(float),
			      .n_in = p->bands_k * p->channels,
			      .step = p->bands_s * p->channels,
			      .n_out = p->channels_out,
			      .ld = p->conv.n_out,
			      .w = p->conv.w,
			      .b = p->conv.bias };
}

static kws_int8_product int8_product_of(const kws_stem_step *p)
{
	const kws_bytes *c = &p->bytes;
	return (kws_int8_product){ .taps = p->frames_k,
				   .tap = (p->bands + 2 * p->pad) * c->channels,
				   .n_in = p->bands_k * c->channels,
				   .step = p->bands_s * c->channels,
				   .n_out = c->n_out,
				   .ld = c->ld,
				   .w = c->w,
				   .start = c->start,
				   .scale = c->scale,
				   .bias = c->bias,
				   .code = p->writes ? kws_bytes_code(p->writes)
						     : (kws_int8_code){ 0 } };
}

void kws_stem_products(const kws_stem *s, kws_product_fn *fn, void *ctx)
{
	for (const kws_stem_step *p = s->steps; p < s->steps + s->n_steps; p++) {
		const kws_product floats = product_of(p);
		const kws_int8_product bytes = int8_product_of(p);
		const kws_any_product g = { p->int8 ? NULL : &floats, p->int8 ? &bytes : NULL };
		for (size_t t = 0; p->kind != KWS_STEM_POOL && t < p->frames_out; t++)
			fn(ctx, &g, p->bands_out);
	}
}

/* Where the step's output goes: frame t is at to + t * ld, bytes; its pixels follow each other. */
typedef struct {
	unsigned char *to;
	size_t ld;
} image;

static void greater(const kws_stem_step *p, void *y, const void *a, const void *b, size_t pixels)
{
	const kws_vec *vec = kws_vec_get();
	if (p->reads)
		vec->int8->max(y, a, b, pixels * p->reads->channels);
	else
		vec->max(y, a, b, pixels * p->channels);
}

/* The frames of each field first, all bands at once, in their image: nobody reads it again. */
static void pool(const kws_stem_step *p, unsigned char *x, size_t frames, image out)
{
	const size_t ld = p->bands * p->pixel;
	for (size_t t = 0; t < frames; t++, x += p->frames_s * ld) {
		for (size_t k = 1; k < p->frames_s; k++)
			greater(p, x, x, x + k * ld, p->bands);
		for (size_t b = 0; b < p->bands_out; b++) {
			const size_t at = b * p->bands_s, left = p->bands - at;
			const unsigned char *first = x + at * p->pixel;
			unsigned char *y = out.to + t * out.ld + b * p->pixel;
			if (left == 1 || p->bands_s == 1)
				memcpy(y, first, p->pixel);
			for (size_t k = 1; k < p->bands_s && k < left; k++)
				greater(p, y, k > 1 ? y : first, first + k * p->pixel, 1);
		}
	}
}

/* Of floats; row has room for a frame of them. */
static void convolve(const kws_stem_step *p, const unsigned char *x, size_t frames, float *row,
		     image out)
{
	const kws_product g = product_of(p);
	const kws_vec *vec = kws_vec_get();
	const size_t n = p->bands_out * p->channels_out;
	for (size_t t = 0; t < frames; t++, x += p->frames_s * frame_bytes(p), out.to += out.ld) {
		float *y = p->writes ? row : (void *)out.to;
		vec->product(&g, (const void *)x, p->bands_out, y, p->channels_out);
		(p->kind == KWS_STEM_SILU ? vec->silu : vec->leaky_relu)(y, n, 1, n);
		if (p->writes)
			vec->int8->encode(out.to, kws_bytes_code(p->writes), y, p->bands_out,
					  p->channels_out);
	}
}

static void convolve_bytes(const kws_stem_step *p, const unsigned char *x, size_t frames, image out)
{
	const kws_int8_product g = int8_product_of(p);
	const size_t ldy = p->writes ? p->writes->channels : p->channels_out;
	for (size_t t = 0; t < frames; t++, x += p->frames_s * frame_bytes(p), out.to += out.ld)
		kws_vec_get()->int8->product(&g, x, p->bands_out, out.to, ldy);
}

/* Prepare the image that p will read for n new frames: its past, and zeros at the ends of each
 * frame. Returns where the new frames go. */
static image prepare(const kws_stem_step *p, const unsigned char *state, unsigned char *x,
		     size_t frames)
{
	const size_t ld = frame_bytes(p), end = p->pad * p->pixel;
	memcpy(x, state + p->state, p->keep * ld);
	for (size_t t = p->keep; t < p->keep + frames && end; t++) {
		unsigned char *first = x + t * ld, *last = first + ld - end;
		if (p->reads) {
			memcpy(first, p->reads->zeros, end);
			memcpy(last, p->reads->zeros, end);
		} else {
			memset(first, 0, end);
			memset(last, 0, end);
		}
	}
	return (image){ x + p->keep * ld + end, ld };
}

/* Features x (frames, bands) into the first step's image. */
static void enter(const kws_stem_step *p, const float *x, size_t frames, image to)
{
	for (size_t t = 0; t < frames; t++, x += p->bands, to.to += to.ld)
		if (p->reads)
			kws_vec_get()->int8->encode(to.to, kws_bytes_code(p->reads), x, p->bands,
						    1);
		else
			memcpy(to.to, x, p->bands * sizeof *x);
}

static void run_step(const kws_stem_step *p, unsigned char *in, size_t frames, float *row, image to)
{
	/* A kernel that is shorter than the stride leaves out the first frames. */
	const unsigned char *first = in + (p->frames_s + p->keep - p->frames_k) * frame_bytes(p);
	if (p->kind == KWS_STEM_POOL)
		pool(p, in, frames, to);
	else if (p->int8)
		convolve_bytes(p, first, frames, to);
	else
		convolve(p, first, frames, row, to);
}

/* n <= PORTION */
static void run_portion(const kws_stem *s, unsigned char *state, float *scratch, const float *x,
			size_t n, float *y)
{
	void *in = scratch, *next = scratch + s->image_floats;
	float *row = scratch + 2 * s->image_floats;
	size_t frames = n * s->stride;
	image to = prepare(s->steps, state, in, frames);
	enter(s->steps, x, frames, to);
	for (const kws_stem_step *p = s->steps, *end = p + s->n_steps; p < end; p++) {
		const size_t past = p->keep * frame_bytes(p), out = n * p->frames_out;
		to = p + 1 < end ? prepare(p + 1, state, next, out)
				 : (image){ (void *)y, s->n_out * sizeof *y };
		run_step(p, in, out, row, to);
		memcpy(state + p->state, (unsigned char *)in + frames * frame_bytes(p), past);
		void *const free_now = in;
		in = next;
		next = free_now;
		frames = out;
	}
}

void kws_stem_run(const kws_stem *s, float *state, float *scratch, const float *x, size_t n,
		  float *y)
{
	for (size_t at = 0; at < n; at += PORTION)
		run_portion(s, (void *)state, scratch, x + at * s->stride * s->steps->bands,
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
		kws_bytes_free(&s->steps[i].bytes);
	}
	free(s->steps);
	free(s->start);
	*s = (kws_stem){ 0 };
}
