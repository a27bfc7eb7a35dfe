#include "audio/decoder.h"

#include <stdlib.h>
#include <string.h>

enum { BYTES = 16384 };

typedef struct {
	kws_decoder d;
	kws_header h; /* kind KWS_KIND_NONE: there is no header */
	enum kws_encoding enc;
	size_t frame;	/* bytes */
	uint64_t heard; /* bytes */
	uint64_t left;	/* bytes up to the claimed end, of a pipe */
	size_t held;	/* bytes of an incomplete frame, at the start of bytes */
	unsigned char bytes[BYTES];
} pcm;

/* At the end of the sound: compare it with the header. */
static void settle(pcm *p)
{
	p->d.leftover = p->held;
	if (p->h.kind == KWS_KIND_NONE || p->h.claim == KWS_HEADER_UNKNOWN)
		return;
	/* an incomplete frame is not sound */
	if (p->heard < p->h.claim || p->heard / p->frame > p->h.claim / p->frame)
		kws_decoder_settle(&p->d, p->h.claim / p->frame, p->heard / p->frame, "samples");
}

/* Bytes that a pipe may read now. At the claimed end: whether more sound follows. */
static size_t most_now(pcm *p, size_t want)
{
	if (p->left == 0 && !kws_header_ends_here(&p->h, p->d.tape))
		p->left = KWS_HEADER_UNKNOWN;
	return p->left < want ? (size_t)p->left : want;
}

static size_t read_pcm(kws_decoder *d, float *x, size_t n)
{
	pcm *p = (pcm *)d;
	size_t frames = BYTES / p->frame;
	frames = n < frames ? n : frames;
	while (p->held < p->frame) {
		const size_t want = most_now(p, frames * p->frame - p->held);
		const size_t k = want ? kws_tape_some(d->tape, p->bytes + p->held, want) : 0;
		if (k == 0) {
			settle(p);
			return 0;
		}
		p->held += k;
		p->heard += k;
		if (p->left != KWS_HEADER_UNKNOWN)
			p->left -= k;
	}
	const size_t got = p->held / p->frame;
	kws_encoding_decode(p->enc, p->bytes, got * d->channels, x);
	d->position += got;
	p->held -= got * p->frame;
	memmove(p->bytes, p->bytes + got * p->frame, p->held);
	return got;
}

static void close_pcm(kws_decoder *d)
{
	free(d);
}

enum kws_status kws_decoder_pcm(kws_decoder **out, kws_tape *t, const kws_header *h,
				unsigned rate_hz, unsigned channels, enum kws_encoding enc,
				kws_error *err)
{
	const size_t frame = channels * kws_encoding_bytes(enc);
	*out = NULL;
	if (frame == 0 || frame > BYTES)
		return kws_fail(err, KWS_ERR_FORMAT, "%u channels", channels);
	pcm *p = calloc(1, sizeof *p);
	if (!p)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	p->d = (kws_decoder){ .tape = t,
			      .rate_hz = rate_hz,
			      .channels = channels,
			      .read = read_pcm,
			      .close = close_pcm };
	p->enc = enc;
	p->frame = frame;
	p->left = KWS_HEADER_UNKNOWN;
	if (h) {
		p->h = *h;
		if (h->claim != KWS_HEADER_UNKNOWN)
			p->d.claim = h->claim / frame;
		if (kws_tape_size(t) == KWS_TAPE_ENDLESS)
			p->left = h->claim;
		else
			kws_tape_end_at(t, kws_header_end(h, t));
	}
	*out = &p->d;
	return KWS_OK;
}
