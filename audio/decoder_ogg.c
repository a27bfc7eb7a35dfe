/* Ogg: checks the pages and passes on those of one stream of one link, so the codec sees neither
 * damage nor the next link. FLAC is passed on without its pages. */
#include "audio/decoder.h"

#include <ogg/ogg.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 27, PAGE = HEAD + 255 + 255 * 255, FLAC_HEAD = 9 };

typedef struct {
	kws_decoder d;
	kws_decoder *inner;
	kws_tape *pages; /* what inner reads */
	uint32_t serial; /* of the stream that is decoded */
	uint32_t number; /* of the next expected page */
	bool chosen, flac, speex, headers_over, last_seen, over;
	bool many;	/* there is another sound stream */
	bool opus;	/* counts time at 48000 Hz, whatever its rate */
	uint64_t time;	/* time stamp of the last page that was passed on */
	uint64_t fault; /* that time at the first fault */
	unsigned char page[PAGE];
	size_t from, n; /* in page: what is not yet passed on */
} ogg;

static uint32_t little32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void fault(ogg *o, const char *what)
{
	if (!*o->d.fault.text)
		o->fault = o->time;
	kws_decoder_fault(&o->d, 0, "%s", what);
}

/* Length of the whole and undamaged page at the tape's position; 0: there is none. */
static size_t good_page(kws_tape *t, unsigned char **p)
{
	if (kws_tape_peek(t, p, HEAD) < HEAD || memcmp(*p, "OggS", 5) != 0)
		return 0;
	const size_t segments = (*p)[26];
	size_t n = HEAD + segments;
	if (kws_tape_peek(t, p, n) < n)
		return 0;
	for (size_t i = 0; i < segments; i++)
		n += (*p)[HEAD + i];
	if (kws_tape_peek(t, p, n) < n)
		return 0;
	const uint32_t sum = little32(*p + 22);
	ogg_page page = { *p, (long)(HEAD + segments), *p + HEAD + segments,
			  (long)(n - HEAD - segments) };
	ogg_page_checksum_set(&page);
	return little32(*p + 22) == sum ? n : 0;
}

/* Find the next good page. Other bytes are left out and reported. 0: the end. */
static size_t find_page(ogg *o, unsigned char **p)
{
	kws_tape *t = o->d.tape;
	bool lost = false;
	size_t n;
	while ((n = good_page(t, p)) == 0) {
		const uint64_t tag = kws_header_tag(t);
		if (tag && kws_tape_skip(t, tag))
			continue;
		const size_t k = kws_tape_peek(t, p, 4);
		if (k == 0)
			break;
		/* after the last page there may be anything */
		lost |= !o->last_seen || (k == 4 && memcmp(*p, "OggS", 4) == 0);
		kws_tape_skip(t, 1);
	}
	if (lost && n == 0)
		fault(o, "cut off, or damaged to its end");
	else if (lost)
		fault(o, "damaged: some of the sound was left out");
	return n;
}

static bool is_sound(const unsigned char *body, size_t n)
{
	return (n >= 7 && memcmp(body, "\1vorbis", 7) == 0)
	       || (n >= 8 && (memcmp(body, "OpusHead", 8) == 0 || memcmp(body, "Speex   ", 8) == 0))
	       || (n >= FLAC_HEAD + 4
		   && memcmp(body,
			     "\x7f"
			     "FLAC",
			     5)
			      == 0);
}

/* Whether to pass on this page. The link may end with it. */
static bool wanted(ogg *o, const unsigned char *p, size_t n)
{
	const bool first = p[5] & 2;
	const size_t head = HEAD + (size_t)p[26];
	const uint32_t serial = little32(p + 14), number = little32(p + 18);
	if (first && o->headers_over) {
		o->over = true;
		return false;
	}
	o->headers_over |= !first;
	if (first && is_sound(p + head, n - head)) {
		o->many |= o->chosen;
		if (!o->chosen) {
			o->serial = serial;
			o->number = number;
			o->flac = p[head] == 0x7f;
			o->opus = p[head] == 'O';
			o->speex = p[head] == 'S';
			o->chosen = true;
		}
	}
	if (!o->chosen || serial != o->serial)
		return false;
	if (number != o->number)
		fault(o, "damaged: pages are missing");
	o->number = number + 1;
	o->last_seen |= p[5] & 4;
	if (little32(p + 10) != UINT32_MAX)
		o->time = (uint64_t)little32(p + 10) << 32 | little32(p + 6);
	return true;
}

/* Supply the next bytes for the codec. */
static size_t pull(void *ctx, unsigned char *bytes, size_t n)
{
	ogg *o = ctx;
	unsigned char *p;
	while (o->from == o->n) {
		const size_t k = o->over ? 0 : find_page(o, &p);
		if (k == 0)
			return 0;
		const bool first = p[5] & 2, take = wanted(o, p, k);
		if (o->over)
			return 0;
		if (take) {
			memcpy(o->page, p, k);
			o->n = k;
			o->from = o->flac ? HEAD + (size_t)p[26] + (first ? FLAC_HEAD : 0) : 0;
		}
		kws_tape_skip(o->d.tape, k);
	}
	const size_t k = o->n - o->from < n ? o->n - o->from : n;
	memcpy(bytes, o->page + o->from, k);
	o->from += k;
	return k;
}

static size_t read_ogg(kws_decoder *d, float *x, size_t n)
{
	ogg *o = (ogg *)d;
	unsigned char page[4096];
	const size_t k = o->inner->read(o->inner, x, n);
	d->position += k;
	if (k)
		return k;
	while (pull(o, page, sizeof page) > 0) /* what the codec did not read */
		continue;
	d->fault_at = o->opus ? o->fault * d->rate_hz / 48000 : o->fault;
	d->fault_at = d->fault_at < d->position ? d->fault_at : d->position;
	if (*o->inner->fault.text)
		kws_decoder_fault(d, o->inner->fault_at, "%s", o->inner->fault.text);
	if (*o->inner->note.text)
		d->note = o->inner->note;
	else if (!o->last_seen && !*d->fault.text)
		kws_fail(&d->note, KWS_OK,
			 "it lacks its last page: cut off, or still being written");
	if (o->many)
		kws_decoder_fault(d, 0,
				  "several streams with sound at once: only the first was heard");
	return 0;
}

static void close_ogg(kws_decoder *d)
{
	ogg *o = (ogg *)d;
	if (o->inner)
		o->inner->close(o->inner);
	kws_tape_close(o->pages);
	free(o);
}

enum kws_status kws_decoder_ogg(kws_decoder **out, kws_tape *t, kws_error *err)
{
	unsigned char *p;
	enum kws_status status = KWS_ERR_NOMEM;
	ogg *o = calloc(1, sizeof *o);
	*out = NULL;
	if (!o)
		return kws_fail(err, status, "out of memory");
	o->d = (kws_decoder){ .tape = t, .read = read_ogg, .close = close_ogg };
	o->pages = kws_tape_from(pull, o);
	if (!o->pages) {
		status = kws_fail(err, status, "out of memory");
	} else if (kws_tape_peek(o->pages, &p, 1) == 0) {
		status = kws_fail(err, KWS_ERR_FORMAT, "Ogg without sound, or cut off");
	} else {
		status = o->flac ? kws_decoder_flac(&o->inner, o->pages, err)
				 : kws_decoder_sndfile(&o->inner, o->pages, NULL, err);
		if (status == KWS_ERR_FORMAT && o->speex)
			kws_fail(err, status,
				 "Speex cannot be read; `ffmpeg -i FILE out.flac' makes a file "
				 "that can");
	}
	if (status != KWS_OK) {
		close_ogg(&o->d);
		return status;
	}
	o->d.rate_hz = o->inner->rate_hz;
	o->d.channels = o->inner->channels;
	o->d.claim = o->inner->claim;
	*out = &o->d;
	return KWS_OK;
}
