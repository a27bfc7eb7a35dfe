#include "audio/header.h"

#include "audio/header_parts.h"

#include <stdio.h>
#include <string.h>

enum { FMT = 64, RIFF_WHOLE = 4 };

static bool pcm(kws_header *h, enum kws_encoding enc)
{
	h->code = KWS_CODE_PCM;
	h->enc = enc;
	return true;
}

/* PCM with integers of this many bytes. */
static bool pcm_whole(kws_header *h, size_t bytes, bool is_big)
{
	static const enum kws_encoding encs[2][5] = {
		{ 0, KWS_ENC_S8, KWS_ENC_S16_LE, KWS_ENC_S24_LE, KWS_ENC_S32_LE },
		{ 0, KWS_ENC_S8, KWS_ENC_S16_BE, KWS_ENC_S24_BE, KWS_ENC_S32_BE },
	};
	return bytes >= 1 && bytes <= 4 && pcm(h, encs[is_big][bytes]);
}

static bool pcm_float(kws_header *h, size_t bytes, bool is_big)
{
	if (bytes == 4)
		return pcm(h, is_big ? KWS_ENC_F32_BE : KWS_ENC_F32_LE);
	return bytes == 8 && pcm(h, is_big ? KWS_ENC_F64_BE : KWS_ENC_F64_LE);
}

/* WAVEFORMATEX. An unknown coding stays KWS_CODE_OTHER. */
static void read_fmt(kws_header *h, const unsigned char *p, size_t n)
{
	static const unsigned char guid_tail[] = { 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80,
						   0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71 };
	const bool is_big = h->kind == KWS_KIND_RIFX;
	uint64_t (*const number)(const unsigned char *, size_t) = is_big ? kws_big : kws_little;
	if (n < 16)
		return;
	unsigned tag = (unsigned)number(p, 2);
	const size_t bits = (size_t)number(p + 14, 2), block = (size_t)number(p + 12, 2);
	h->channels = (unsigned)number(p + 2, 2);
	h->rate_hz = (unsigned)number(p + 4, 4);
	if (tag == 0xfffe && n >= 40 && memcmp(p + 26, guid_tail, sizeof guid_tail) == 0)
		tag = (unsigned)number(p + 24, 2);
	snprintf(h->coding, sizeof h->coding, "0x%04x", tag & 0xffff);
	const size_t bytes = (bits + 7) / 8;
	if (tag == 0x50 || tag == 0x55)
		h->code = KWS_CODE_MPEG;
	if (h->channels == 0 || block != bytes * h->channels)
		return;
	if (tag == 1 && bytes == 1)
		pcm(h, KWS_ENC_U8);
	else if (tag == 1)
		pcm_whole(h, bytes, is_big);
	else if (tag == 3)
		pcm_float(h, bytes, is_big);
	else if (tag == 6 && bytes == 1)
		pcm(h, KWS_ENC_A_LAW);
	else if (tag == 7 && bytes == 1)
		pcm(h, KWS_ENC_MU_LAW);
}

/* The name is four characters. */
static void name_coding(kws_header *h, const char *id)
{
	if (kws_chunk_printable((const unsigned char *)id))
		snprintf(h->coding, sizeof h->coding, "%.4s", id);
}

/* A rate as an 80-bit float, Apple's format of 1985. */
static unsigned extended(const unsigned char *p)
{
	const int e = (int)(kws_big(p, 2) & 0x7fff) - 16383;
	const uint64_t m = kws_big(p + 2, 8);
	return e < 0 || e > 31 ? 0 : (unsigned)(m >> (63 - e));
}

static void read_comm(kws_header *h, const unsigned char *p, size_t n)
{
	static const struct {
		const char *id;
		unsigned char kind; /* 'i' integer, 'f' float, 'u' unsigned, 'a', 'm': companded */
		unsigned char bytes, is_big;
	} table[] = {
		{ "NONE", 'i', 0, 1 }, { "twos", 'i', 0, 1 }, { "sowt", 'i', 0, 0 },
		{ "in24", 'i', 3, 1 }, { "42ni", 'i', 3, 0 }, { "in32", 'i', 4, 1 },
		{ "23ni", 'i', 4, 0 }, { "raw ", 'u', 1, 1 }, { "fl32", 'f', 4, 1 },
		{ "FL32", 'f', 4, 1 }, { "fl64", 'f', 8, 1 }, { "FL64", 'f', 8, 1 },
		{ "alaw", 'a', 1, 1 }, { "ALAW", 'a', 1, 1 }, { "ulaw", 'm', 1, 1 },
		{ "ULAW", 'm', 1, 1 },
	};
	if (n < 18)
		return;
	const char *id = n >= 22 ? (const char *)p + 18 : "NONE";
	const size_t bits = (size_t)kws_big(p + 6, 2);
	name_coding(h, id);
	h->channels = (unsigned)kws_big(p, 2);
	h->rate_hz = extended(p + 8);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		if (memcmp(id, table[i].id, 4) != 0)
			continue;
		const size_t bytes = table[i].bytes ? table[i].bytes : (bits + 7) / 8;
		switch (table[i].kind) {
		case 'i': pcm_whole(h, bytes, table[i].is_big); break;
		case 'f': pcm_float(h, bytes, true); break;
		case 'u': pcm(h, KWS_ENC_U8); break;
		case 'a': pcm(h, KWS_ENC_A_LAW); break;
		default: pcm(h, KWS_ENC_MU_LAW);
		}
	}
}

static void read_desc(kws_header *h, const unsigned char *p, size_t n)
{
	double rate;
	if (n < 32)
		return;
	const uint64_t u = kws_big(p, 8);
	memcpy(&rate, &u, sizeof rate);
	const unsigned flags = (unsigned)kws_big(p + 12, 4);
	const size_t packet = (size_t)kws_big(p + 16, 4), frames = (size_t)kws_big(p + 20, 4),
		     bits = (size_t)kws_big(p + 28, 4);
	h->channels = (unsigned)kws_big(p + 24, 4);
	name_coding(h, (const char *)p + 8);
	h->rate_hz = rate > 0.0 && rate < 1e9 ? (unsigned)rate : 0;
	const size_t bytes = (bits + 7) / 8;
	if (h->channels == 0 || h->channels > 65535 || frames != 1 || packet != bytes * h->channels)
		return;
	if (memcmp(p + 8, "lpcm", 4) == 0 && flags & 1)
		pcm_float(h, bytes, !(flags & 2));
	else if (memcmp(p + 8, "lpcm", 4) == 0)
		pcm_whole(h, bytes, !(flags & 2));
	else if (memcmp(p + 8, "alaw", 4) == 0 && bytes == 1)
		pcm(h, KWS_ENC_A_LAW);
	else if (memcmp(p + 8, "ulaw", 4) == 0 && bytes == 1)
		pcm(h, KWS_ENC_MU_LAW);
}

/* ---- the header ---- */

/* Whether the size is one that writers to a pipe use for an unknown size. */
static bool is_open(uint64_t size)
{
	return size >= 0xffffff00u || (size >= 0x7fff0000u && size <= 0x80000100u);
}

static enum kws_status read_au(kws_header *h, kws_tape *t, kws_error *err)
{
	unsigned char *p;
	const bool is_big = h->kind == KWS_KIND_AU;
	uint64_t (*const number)(const unsigned char *, size_t) = is_big ? kws_big : kws_little;
	const uint64_t start = kws_tape_at(t);
	if (kws_tape_peek(t, &p, 24) < 24)
		return kws_fail(err, KWS_ERR_FORMAT, "the header is cut off");
	const uint64_t first = number(p + 4, 4), code = number(p + 12, 4);
	h->claim = number(p + 8, 4);
	h->size_at = start + 8;
	h->rate_hz = (unsigned)number(p + 16, 4);
	h->channels = (unsigned)number(p + 20, 4);
	if (code >= 2 && code <= 5)
		pcm_whole(h, (size_t)code - 1, is_big);
	else if (code == 6 || code == 7)
		pcm_float(h, code == 6 ? 4 : 8, is_big);
	else if (code == 1 || code == 27)
		pcm(h, code == 1 ? KWS_ENC_MU_LAW : KWS_ENC_A_LAW);
	if (is_open(h->claim))
		h->claim = KWS_HEADER_UNKNOWN;
	if (first < 24 || !kws_tape_skip(t, first))
		return kws_fail(err, KWS_ERR_FORMAT, "the header is cut off");
	h->data = start + first;
	return KWS_OK;
}

/* At the chunk with the sound: find where the sound begins, and its claimed size. */
static bool begin_sound(kws_header *h, kws_tape *t, const kws_chunk *c, uint64_t large)
{
	unsigned char *p;
	uint64_t before = 0;
	h->size_at = c->size_at;
	h->claim = c->size;
	if (h->kind == KWS_KIND_RF64 && c->size >= 0xffffff00u)
		h->claim = large;
	else if (h->kind == KWS_KIND_CAF ? c->size == UINT64_MAX : is_open(c->size))
		h->claim = KWS_HEADER_UNKNOWN;
	if (h->kind == KWS_KIND_CAF)
		before = 4; /* the number of edits */
	if (h->kind == KWS_KIND_AIFF && kws_tape_peek(t, &p, c->head + 4) == c->head + 4)
		before = 8 + kws_big(p + c->head, 4);
	if (h->claim != KWS_HEADER_UNKNOWN)
		h->claim = h->claim > before ? h->claim - before : 0;
	h->data = kws_tape_at(t) + c->head + before;
	return true;
}

static bool go_to(kws_tape *t, uint64_t place)
{
	const uint64_t at = kws_tape_at(t);
	return place >= at ? kws_tape_skip(t, place - at) : kws_tape_seek(t, place);
}

/* Read one chunk before the sound. Sets *known if it contains the format. */
static void read_chunk(kws_header *h, kws_tape *t, const kws_chunk *c, bool *known, uint64_t *large)
{
	unsigned char *p;
	const size_t most = c->size < FMT ? (size_t)c->size : FMT;
	size_t n = kws_tape_peek(t, &p, c->head + most);
	n = n > c->head ? n - c->head : 0;
	p += c->head;
	if (strcmp(c->id, "fmt ") == 0)
		read_fmt(h, p, n);
	else if (strcmp(c->id, "COMM") == 0)
		read_comm(h, p, n);
	else if (strcmp(c->id, "desc") == 0)
		read_desc(h, p, n);
	else if (strcmp(c->id, "ds64") == 0 && n >= 16)
		*large = kws_little(p + 8, 8) > 0 ? kws_little(p + 8, 8) : KWS_HEADER_UNKNOWN;
	*known |= h->channels > 0;
}

enum kws_status kws_header_read(kws_header *h, kws_tape *t, kws_error *err)
{
	const char *name;
	kws_chunk c;
	uint64_t large = KWS_HEADER_UNKNOWN;
	bool known = false, found = false;
	*h = (kws_header){ .kind = kws_header_kind(t, &name), .code = KWS_CODE_OTHER };
	if (h->kind == KWS_KIND_AU || h->kind == KWS_KIND_AU_LE)
		return read_au(h, t, err);
	h->whole_at = kws_tape_at(t) + (h->kind == KWS_KIND_W64 ? 16 : RIFF_WHOLE);
	kws_tape_skip(t, h->kind == KWS_KIND_W64 ? 40 : h->kind == KWS_KIND_CAF ? 8 : 12);
	while (!(known && found) && kws_chunk_look(h->kind, t, &c)) {
		if (strcmp(c.id, "data") == 0 || strcmp(c.id, "SSND") == 0)
			found = begin_sound(h, t, &c, large);
		else
			read_chunk(h, t, &c, &known, &large);
		/* the format may follow the sound */
		if (!(known && found) && !kws_chunk_skip(t, &c))
			break;
	}
	if (!found || !known)
		return kws_fail(err, KWS_ERR_FORMAT,
				"no %s in it: the header is cut off, or has none",
				found ? "format" : "sound");
	if (!go_to(t, h->data))
		return kws_fail(err, KWS_ERR_FORMAT,
				"the format follows the sound, and a pipe cannot go back");
	return KWS_OK;
}
