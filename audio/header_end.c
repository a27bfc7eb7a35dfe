#include "audio/header_parts.h"

#include <string.h>

enum { MOST_CHUNKS = 100 /* after the sound */ };

/* Names of chunks that usually follow sound. In a pipe, only these can be told from sound. */
static bool is_usual(const char *id)
{
	static const char usual[] =
		"LIST fmt  id3  ID3  bext cue  smpl inst JUNK junk PAD  FLLR fact PEAK "
		"iXML _PMX cart acid levl afsp AFAn DISP slnt plst note labl axml "
		"chna minf elm1 elmo regn umid strc Fake data list NAME AUTH (c)  "
		"ANNO COMT MARK INST MIDI APPL SAXL CHAN SSND COMM info edct strg "
		"mark chan kuki uuid midi ovvw peak ";
	for (size_t i = 0; usual[i]; i += 5)
		if (memcmp(usual + i, id, 4) == 0)
			return true;
	return false;
}

/* Whether a chain of chunks and tags leads to the end of the file, or to another file. Moves the
 * tape. */
static bool chunks_lead_out(const kws_header *h, kws_tape *t)
{
	const uint64_t end = kws_tape_end(t);
	kws_chunk c;
	for (int n = 0; n < MOST_CHUNKS; n++) {
		const uint64_t at = kws_tape_at(t), tag = kws_header_tag(t);
		if (at == end || kws_header_file_here(t))
			return true;
		if (tag && kws_tape_skip(t, tag))
			continue;
		if (!kws_chunk_look(h->kind, t, &c))
			return false;
		/* the last one may be cut off, or lack its padding byte */
		if (c.size > end - at || !kws_tape_skip(t, c.head + kws_chunk_padded(&c)))
			return is_usual(c.id) || c.head + c.size == end - at;
	}
	return false;
}

/* Whether sound ends at this position, or after the padding that follows it. */
static bool ends_well(const kws_header *h, kws_tape *t, uint64_t at)
{
	const uint64_t end = kws_tape_end(t);
	const unsigned fill = h->kind == KWS_KIND_W64 ? 8 : 2;
	const bool is_au = h->kind == KWS_KIND_AU || h->kind == KWS_KIND_AU_LE;
	if (at == end)
		return true;
	if (is_au)
		return kws_tape_seek(t, at) && kws_header_file_here(t);
	const uint64_t even = at + (fill - (at - h->data) % fill) % fill;
	return (kws_tape_seek(t, even) && chunks_lead_out(h, t))
	       || (even != at && kws_tape_seek(t, at) && chunks_lead_out(h, t));
}

/* Where a chain of usual chunks begins that leads to the end of the file; if there is none, the
 * end. For sound without a known size. */
static uint64_t before_last_chunks(const kws_header *h, kws_tape *t)
{
	enum { FAR = 1 << 16 };
	const uint64_t end = kws_tape_end(t), first = end - h->data > FAR ? end - FAR : h->data;
	unsigned char *p;
	if (h->kind == KWS_KIND_AU || h->kind == KWS_KIND_AU_LE)
		return end;
	for (uint64_t at = first; at + 8 <= end; at++)
		if (kws_tape_seek(t, at) && kws_tape_peek(t, &p, 8) == 8 && kws_chunk_printable(p)
		    && is_usual((const char *)p) && chunks_lead_out(h, t))
			return at;
	return end;
}

uint64_t kws_header_end(const kws_header *h, kws_tape *t)
{
	const bool narrow = h->kind != KWS_KIND_W64 && h->kind != KWS_KIND_CAF;
	const uint64_t end = kws_tape_end(t), back = kws_tape_at(t);
	uint64_t found = KWS_HEADER_UNKNOWN;
	if (h->claim != KWS_HEADER_UNKNOWN && h->claim > end - h->data)
		found = end;
	/* a 32-bit size may have overflowed, any number of times */
	for (uint64_t at = h->data + h->claim;
	     found == KWS_HEADER_UNKNOWN && h->claim != KWS_HEADER_UNKNOWN && at <= end;
	     at += (uint64_t)1 << 32) {
		if (ends_well(h, t, at))
			found = at;
		if (!narrow)
			break;
	}
	if (found == KWS_HEADER_UNKNOWN)
		found = before_last_chunks(h, t);
	kws_tape_seek(t, back);
	return found;
}

bool kws_header_ends_here(const kws_header *h, kws_tape *t)
{
	unsigned char *p;
	const size_t fill = h->kind == KWS_KIND_W64 ? 16 : 4;
	if (kws_tape_peek(t, &p, 8) < 8 || kws_header_file_here(t) || kws_header_tag(t))
		return true;
	const size_t n = kws_tape_peek(t, &p, 12 + fill);
	for (size_t i = 0; i < fill && i + 4 <= n; i++)
		if (is_usual((const char *)p + i) && h->kind != KWS_KIND_AU
		    && h->kind != KWS_KIND_AU_LE)
			return true;
	return false;
}

bool kws_header_next(const kws_header *h, kws_tape *t, bool *more)
{
	unsigned char *p;
	kws_chunk c;
	uint64_t tag;
	*more = false;
	for (int fill = 0; kws_tape_peek(t, &p, 1) > 0;) {
		if (kws_header_file_here(t))
			return true;
		if ((tag = kws_header_tag(t)) > 0) {
			if (!kws_tape_skip(t, tag))
				break;
		} else if (kws_chunk_look(h->kind, t, &c)) {
			*more |= c.size > 0
				 && (memcmp(c.id, "data", 4) == 0 || memcmp(c.id, "SSND", 4) == 0);
			if (!kws_chunk_skip(t, &c))
				break; /* the last one is cut off */
			fill = 0;
		} else if (fill++ == 8 || !kws_tape_skip(t, 1)) {
			break;
		}
	}
	/* read to the end, so that the writer of the pipe can finish */
	while (kws_tape_skip(t, 1))
		continue;
	return false;
}
