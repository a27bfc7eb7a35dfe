#include "audio/decoder.h"

#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	uint64_t at;
	size_t n;
	unsigned char bytes[8];
} patch;

typedef struct {
	kws_decoder d;
	SNDFILE *snd;
	uint64_t start;		 /* position on the tape of libsndfile's first byte */
	uint64_t size;		 /* bytes that it may see */
	uint64_t claimed, there; /* bytes of sound by the header and really; equal: unknown */
	patch patches[2];
	bool exact;	    /* the claim is no estimate */
	bool opened, whole; /* whole: a file whose end it may ask for */
} sound;

/* The size of a pipe for libsndfile. */
#define ENDLESS ((sf_count_t)1 << 60)

static sf_count_t size_of(void *ctx)
{
	const sound *s = ctx;
	return s->whole ? (sf_count_t)s->size : ENDLESS;
}

static sf_count_t place_of(void *ctx)
{
	const sound *s = ctx;
	return (sf_count_t)(kws_tape_at(s->d.tape) - s->start);
}

static sf_count_t seek_to(sf_count_t by, int whence, void *ctx)
{
	sound *s = ctx;
	const sf_count_t to = whence == SEEK_SET   ? by
			      : whence == SEEK_CUR ? place_of(s) + by
						   : size_of(s) + by;
	if (to < 0)
		return -1;
	const uint64_t place = s->start + (uint64_t)to, at = kws_tape_at(s->d.tape);
	if (!kws_tape_seek(s->d.tape, place)
	    && !(place > at && place - at <= KWS_TAPE_AHEAD
		 && kws_tape_skip(s->d.tape, place - at)))
		return -1;
	return to;
}

/* The bytes of a header come at once, sound as it arrives. */
static sf_count_t read_bytes(void *out, sf_count_t n, void *ctx)
{
	sound *s = ctx;
	unsigned char *bytes = out;
	const uint64_t at = kws_tape_at(s->d.tape);
	size_t got;
	if (n <= 0)
		return 0;
	got = s->opened ? kws_tape_some(s->d.tape, bytes, (size_t)n)
			: kws_tape_read(s->d.tape, bytes, (size_t)n);
	for (size_t i = 0; i < sizeof s->patches / sizeof *s->patches; i++)
		for (size_t k = 0; k < s->patches[i].n; k++) {
			const uint64_t place = s->patches[i].at + k;
			if (place >= at && place < at + got)
				bytes[place - at] = s->patches[i].bytes[k];
		}
	return (sf_count_t)got;
}

static void set_patch(patch *p, uint64_t at, uint64_t value, size_t n, bool is_big)
{
	p->at = at;
	p->n = n;
	for (size_t i = 0; i < n; i++)
		p->bytes[is_big ? n - 1 - i : i] = (unsigned char)(value >> (8 * i));
}

/* Correct the sizes in the header, so that libsndfile finds the real end. */
static void put_right(sound *s, const kws_header *h)
{
	const uint64_t end = kws_header_end(h, s->d.tape), n = end - h->data;
	const bool is_big = h->kind == KWS_KIND_AIFF || h->kind == KWS_KIND_RIFX
			    || h->kind == KWS_KIND_AU || h->kind == KWS_KIND_CAF;
	const bool wide = h->kind == KWS_KIND_W64 || h->kind == KWS_KIND_CAF;
	const uint64_t before = h->kind == KWS_KIND_AIFF ? 8 : h->kind == KWS_KIND_CAF ? 4 : 0;
	const uint64_t head = h->kind == KWS_KIND_W64 ? 24 : 0;
	if (n == h->claim || h->kind == KWS_KIND_RF64 || (!wide && n > UINT32_MAX - 64))
		return;
	if (h->claim != KWS_HEADER_UNKNOWN) {
		s->claimed = h->claim;
		s->there = n;
	}
	s->size = end - s->start;
	set_patch(&s->patches[0], h->size_at, n + before + head, wide ? 8 : 4, is_big);
	if (h->whole_at)
		set_patch(&s->patches[1], h->whole_at, end - s->start - (wide ? 0 : 8),
			  wide ? 8 : 4, is_big);
	if (h->kind == KWS_KIND_CAF)
		s->patches[1].n = 0;
}

static size_t read_sound(kws_decoder *d, float *x, size_t n)
{
	sound *s = (sound *)d;
	const sf_count_t k = sf_readf_float(s->snd, x, (sf_count_t)n);
	const size_t got = k > 0 ? (size_t)k : 0;
	d->position += got;
	if (sf_error(s->snd) != SF_ERR_NO_ERROR)
		kws_decoder_fault(d, d->position, "%s", sf_strerror(s->snd));
	else if (got == 0 && s->claimed != s->there)
		kws_decoder_settle(d, s->claimed, s->there, "bytes of sound");
	else if (got == 0 && s->exact && d->position < d->claim)
		kws_decoder_fault(d, d->position, "the end, but the file claims to hold more");
	return got;
}

static void close_sound(kws_decoder *d)
{
	sound *s = (sound *)d;
	if (s->snd)
		sf_close(s->snd);
	free(s);
}

enum kws_status kws_decoder_sndfile(kws_decoder **out, kws_tape *t, const kws_header *h,
				    kws_error *err)
{
	SF_VIRTUAL_IO io = { size_of, seek_to, read_bytes, NULL, place_of };
	SF_INFO info = { 0 };
	sound *s = calloc(1, sizeof *s);
	*out = NULL;
	if (!s)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	s->d = (kws_decoder){ .tape = t, .read = read_sound, .close = close_sound };
	s->start = kws_tape_at(t);
	s->whole = kws_tape_size(t) != KWS_TAPE_ENDLESS;
	s->size = s->whole ? kws_tape_end(t) - s->start : 0;
	if (h && s->whole)
		put_right(s, h);
	s->snd = sf_open_virtual(&io, SFM_READ, &info, s);
	if (!s->snd) {
		close_sound(&s->d);
		if (sf_error(NULL) == SF_ERR_UNRECOGNISED_FORMAT)
			return kws_fail(err, KWS_ERR_FORMAT,
					"its format is not known; raw PCM is heard from standard "
					"input, and `ffmpeg -i FILE out.flac' converts the rest");
		return kws_fail(err, KWS_ERR_FORMAT, "%s", sf_strerror(NULL));
	}
	s->opened = true;
	s->d.rate_hz = info.samplerate > 0 ? (unsigned)info.samplerate : 0;
	s->d.channels = info.channels > 0 ? (unsigned)info.channels : 0;
	s->exact = s->whole && (info.format & SF_FORMAT_TYPEMASK) != SF_FORMAT_MPEG;
	s->d.claim = s->whole && info.frames > 0 && info.frames < SF_COUNT_MAX
			     ? (uint64_t)info.frames
			     : 0;
	*out = &s->d;
	return KWS_OK;
}
