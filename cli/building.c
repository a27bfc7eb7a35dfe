#include "cli/building.h"

#include "audio/source.h"
#include "dsp/resample.h"
#include "model/blob.h"
#include "model/write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIECE = 8192,
	SOME = 16,			      /* rows at a time */
	MOST_BYTES = KWS_MAX_FILE - (1 << 20) /* of all rows and sounds: a file that can be read */
};

static bool no_memory(void)
{
	kws_out_complain("%s", kws_strerror(KWS_ERR_NOMEM));
	return false;
}

bool kws_building_begin(kws_building *b, kws_embedder *e, unsigned rate_hz)
{
	const size_t n_mels = kws_embedder_n_mels(e), dim = kws_embedder_dim(e);
	*b = (kws_building){ .embedder = e,
			     .rate_hz = rate_hz,
			     .dim = dim,
			     .n_mels = n_mels,
			     .row_bytes = kws_bank_row_bytes(dim),
			     .parts = json_array() };
	b->values =
		calloc(SOME * (dim + kws_embedder_frames_per_row(e) * n_mels), sizeof *b->values);
	return (b->values && b->parts) || no_memory();
}

void kws_building_end(kws_building *b)
{
	json_decref(b->parts);
	free(b->rows);
	for (size_t i = 0; i < KWS_BANK_SOUNDS; i++)
		free(b->sounds[i].frames);
	free(b->values);
}

/* ---- room ---- */

static size_t bytes_of(const kws_building *b)
{
	size_t n = b->n * b->row_bytes;
	for (size_t i = 0; i < KWS_BANK_SOUNDS; i++)
		n += b->sounds[i].n * b->n_mels;
	return n;
}

/* Make room for n + more items of `bytes' each. False: too many, or no memory; reported. */
static bool make_room(const kws_building *b, signed char **at, size_t *room, size_t n, size_t more,
		      size_t bytes)
{
	if (bytes_of(b) + more * bytes > MOST_BYTES) {
		kws_out_complain("the recordings are too long: a bank has %d MB at most",
				 MOST_BYTES / 1000000);
		return false;
	}
	if (n + more <= *room)
		return true;
	signed char *larger = realloc(*at, 2 * (n + more) * bytes);
	if (!larger)
		return no_memory();
	*at = larger;
	*room = 2 * (n + more);
	return true;
}

/* ---- recordings ---- */

/* What becomes of a recording: rows, or frames of a sound. */
typedef bool hearer(kws_building *b, size_t which, const float *pcm, size_t n_rows);

/* Process whole rows of pcm, at the base's rate; they follow the earlier audio of the part. */
static bool hear_rows(kws_building *b, size_t which, const float *pcm, size_t n_rows)
{
	const size_t step = kws_embedder_step(b->embedder);
	(void)which;
	if (!make_room(b, &b->rows, &b->room, b->n, n_rows, b->row_bytes))
		return false;
	for (size_t k; n_rows; n_rows -= k, pcm += k * step, b->n += k) {
		k = n_rows < SOME ? n_rows : SOME;
		kws_embedder_run(b->embedder, pcm, k, b->values);
		kws_bank_pack(b->values, k, b->dim, b->rows + b->n * b->row_bytes);
	}
	return true;
}

static bool hear_sound(kws_building *b, size_t which, const float *pcm, size_t n_rows)
{
	const size_t step = kws_embedder_step(b->embedder);
	const size_t per_row = kws_embedder_frames_per_row(b->embedder);
	if (!make_room(b, &b->sounds[which].frames, &b->sounds[which].room, b->sounds[which].n,
		       n_rows * per_row, b->n_mels))
		return false;
	for (size_t k; n_rows; n_rows -= k, pcm += k * step, b->sounds[which].n += k * per_row) {
		k = n_rows < SOME ? n_rows : SOME;
		kws_embedder_mel(b->embedder, pcm, k, b->values);
		kws_bank_pack_sound(b->values, k * per_row * b->n_mels,
				    b->sounds[which].frames + b->sounds[which].n * b->n_mels);
	}
	return true;
}

/* A recording while it is read: constant memory, however long it is. */
typedef struct {
	kws_source *src;
	kws_resample *rs;
	float in[PIECE];
	float *at_rate; /* what has no row yet */
	size_t n;
	hearer *hear;
	size_t which;
} reading;

/* Process what has been read, except the last part of a row. */
static bool hear_some(kws_building *b, reading *r)
{
	const size_t step = kws_embedder_step(b->embedder), n_rows = r->n / step;
	if (!n_rows)
		return true;
	if (!r->hear(b, r->which, r->at_rate, n_rows))
		return false;
	r->n -= n_rows * step;
	memmove(r->at_rate, r->at_rate + n_rows * step, r->n * sizeof *r->at_rate);
	return true;
}

/* Read to the end. A damaged file is reported, and what is good of it is used. False: do not go
 * on. */
static bool read_all(kws_building *b, reading *r, const char *path)
{
	kws_error err = { "" };
	bool any = false;
	for (size_t got = 1; got;) {
		const enum kws_status status = kws_source_read(r->src, r->in, PIECE, &got, &err);
		for (size_t i = 0; i < got; i++)
			r->in[i] = isfinite(r->in[i]) ? r->in[i] : 0.0f;
		r->n += kws_resample_process(r->rs, r->in, got, r->at_rate + r->n);
		any |= got > 0;
		if (!hear_some(b, r))
			return false;
		if (status) {
			kws_out_complain_of(path, err.text);
			b->failed = true;
			return true;
		}
	}
	r->n += kws_resample_flush(r->rs, r->at_rate + r->n);
	if (!any) {
		kws_out_complain("%s: no sound in it", path);
		b->failed = true;
	}
	return hear_some(b, r);
}

/* Add a recording. False: do not go on. */
static bool add(kws_building *b, const char *path, hearer *hear, size_t which)
{
	reading r = { .hear = hear, .which = which };
	kws_error err = { "" };
	if (kws_source_open_file(&r.src, path, 0, &err) != KWS_OK) {
		kws_out_complain_of(path, err.text);
		b->failed = true;
		return true;
	}
	bool good = kws_resample_create(&r.rs, kws_source_rate(r.src), b->rate_hz) == KWS_OK;
	if (good)
		r.at_rate = calloc(kws_embedder_step(b->embedder) + kws_resample_bound(r.rs, PIECE),
				   sizeof *r.at_rate);
	if (r.at_rate)
		good = read_all(b, &r, path);
	else
		kws_out_complain("%s: %s", path, kws_strerror(KWS_ERR_NOMEM));
	good = good && r.at_rate;
	free(r.at_rate);
	kws_resample_destroy(r.rs);
	kws_source_close(r.src);
	return good;
}

bool kws_building_file(kws_building *b, const char *path)
{
	return add(b, path, hear_rows, 0);
}

bool kws_building_sound(kws_building *b, enum kws_bank_sound which, const char *path)
{
	kws_embedder_reset(b->embedder);
	return add(b, path, hear_sound, which);
}

/* ---- parts, other banks, the file ---- */

void kws_building_part(kws_building *b, const char *name, size_t first, bool judge)
{
	const char *slash = strrchr(name, '/');
	char text[KWS_BANK_NAME];
	snprintf(text, sizeof text, "%.*s", KWS_BANK_NAME - 1,
		 slash && slash[1] ? slash + 1 : name);
	if (b->n == first)
		return;
	json_t *part = json_object();
	kws_out_set(part, "name", kws_out_json_text(text));
	kws_out_set(part, "rows", json_integer((json_int_t)(b->n - first)));
	kws_out_set(part, "use", json_string(judge ? "judge" : "fit"));
	kws_out_append(b->parts, part);
}

static bool copy_part(kws_building *b, const kws_bank *other, const kws_bank_part *part)
{
	const size_t first = b->n;
	float *values = calloc(part->n * b->dim, sizeof *values);
	const bool good = (values || no_memory())
			  && make_room(b, &b->rows, &b->room, b->n, part->n, b->row_bytes);
	if (good) {
		kws_bank_rows(other, part->first, part->n, values);
		kws_bank_pack(values, part->n, b->dim, b->rows + b->n * b->row_bytes);
		b->n += part->n;
		kws_building_part(b, part->name, first, part->judge);
	}
	free(values);
	return good;
}

static bool copy_sound(kws_building *b, const kws_bank *other, size_t which)
{
	size_t n, n_mels;
	const signed char *frames = kws_bank_sound(other, (enum kws_bank_sound)which, &n, &n_mels);
	if (!n || n_mels != b->n_mels)
		return true;
	if (!make_room(b, &b->sounds[which].frames, &b->sounds[which].room, b->sounds[which].n, n,
		       n_mels))
		return false;
	memcpy(b->sounds[which].frames + b->sounds[which].n * n_mels, frames, n * n_mels);
	b->sounds[which].n += n;
	return true;
}

bool kws_building_bank(kws_building *b, const char *path, const char *base)
{
	kws_bank *other;
	kws_error err = { "" };
	if (kws_bank_open(&other, path, &err) != KWS_OK) {
		kws_out_complain("%s", err.text);
		return false;
	}
	bool good = strcmp(kws_bank_base(other), base) == 0;
	if (!good)
		kws_out_complain("%s: made with another base", path);
	for (size_t p = 0; good && p < kws_bank_n_parts(other); p++)
		good = copy_part(b, other, kws_bank_part_at(other, p));
	for (size_t i = 0; good && i < KWS_BANK_SOUNDS; i++)
		good = copy_sound(b, other, i);
	kws_bank_close(other);
	return good;
}

unsigned char *kws_building_bytes(const kws_building *b, const char *base, const char *note,
				  size_t *len)
{
	char ms[24], dim[24];
	kws_write *w;
	kws_error err = { "" };
	unsigned char *bytes = NULL;
	snprintf(ms, sizeof ms, "%zu", kws_embedder_step(b->embedder) * 1000 / b->rate_hz);
	snprintf(dim, sizeof dim, "%zu", b->dim);
	if (kws_write_create(&w, NULL, 0, &err) == KWS_OK) {
		const size_t shape[] = { b->n, b->row_bytes };
		kws_write_text(w, "format", "kws-bank");
		kws_write_text(w, "version", "2");
		kws_write_text(w, "base", base);
		kws_write_text(w, "dim", dim);
		kws_write_text(w, "row_ms", ms);
		kws_write_text(w, "note", note);
		kws_write_json(w, "parts", b->parts);
		kws_write_tensor(w, "rows", KWS_I8, 2, shape, b->rows);
		for (size_t i = 0; i < KWS_BANK_SOUNDS; i++) {
			const size_t shape_of[] = { b->sounds[i].n, b->n_mels };
			if (b->sounds[i].n)
				kws_write_tensor(w, kws_bank_sound_names[i], KWS_I8, 2, shape_of,
						 b->sounds[i].frames);
		}
		kws_write_bytes(w, &bytes, len, &err);
	}
	if (!bytes)
		kws_out_complain("%s", err.text);
	kws_write_destroy(w);
	return bytes;
}
