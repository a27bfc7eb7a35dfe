#include "audio/header_parts.h"

#include <string.h>

static const unsigned char w64_tail[12] = { 0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1,
					    0x00, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a };
/* The first chunk of W64 has another ending than the rest. */
static const unsigned char w64_riff[16] = { 'r',  'i',	'f',  'f',  0x2e, 0x91, 0xcf, 0x11,
					    0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0x00, 0x00 };

bool kws_chunk_printable(const unsigned char *p)
{
	for (int i = 0; i < 4; i++)
		if (p[i] < 0x20 || p[i] > 0x7e)
			return false;
	return true;
}

bool kws_chunk_look(enum kws_kind kind, kws_tape *t, kws_chunk *c)
{
	unsigned char *p;
	const size_t head = kind == KWS_KIND_W64 ? 24 : kind == KWS_KIND_CAF ? 12 : 8;
	if (kws_tape_peek(t, &p, head) < head || !kws_chunk_printable(p))
		return false;
	*c = (kws_chunk){ .head = head, .pad = 2, .size_at = kws_tape_at(t) + 4 };
	memcpy(c->id, p, 4);
	if (kind == KWS_KIND_W64) {
		if (memcmp(p + 4, w64_tail, 12) != 0 && memcmp(p, w64_riff, 16) != 0)
			return false;
		c->size = kws_little(p + 16, 8);
		c->size = c->size > head ? c->size - head : 0;
		c->size_at += 12;
		c->pad = 8;
	} else if (kind == KWS_KIND_CAF) {
		c->size = kws_big(p + 4, 8);
		c->pad = 1;
	} else if (kind == KWS_KIND_RIFX || kind == KWS_KIND_AIFF) {
		c->size = kws_big(p + 4, 4);
	} else {
		c->size = kws_little(p + 4, 4);
	}
	return true;
}

uint64_t kws_chunk_padded(const kws_chunk *c)
{
	return c->size + (c->pad - c->size % c->pad) % c->pad;
}

bool kws_chunk_skip(kws_tape *t, const kws_chunk *c)
{
	return c->size < (uint64_t)1 << 62 && kws_tape_skip(t, c->head + kws_chunk_padded(c));
}
