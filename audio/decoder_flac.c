#include "audio/decoder.h"

#include <FLAC/stream_decoder.h>
#include <stdlib.h>
#include <string.h>

enum { MARK = 8 /* "fLaC" and the head of the block that MUST follow */ };

typedef struct {
	kws_decoder d;
	FLAC__StreamDecoder *flac;
	float *ready; /* (room,) the last frame, interleaved */
	/* Floats: a block with the most channels and samples that the stream announces. */
	size_t room;
	size_t from, n_ready; /* frames of it not yet returned */
	uint64_t fed;	      /* position on the tape up to which libFLAC was fed */
	uint64_t next;	      /* position where the next frame is expected */
	bool begun, lost;     /* lost: saw bytes that are not a frame, and no frame since */
	bool other;	      /* another stream or file follows */
} flac;

static bool is_mark(const unsigned char *p)
{
	return memcmp(p, "fLaC", 4) == 0 && (p[4] & 0x7f) == 0 && p[5] == 0 && p[6] == 0
	       && p[7] == 34;
}

/* Feed what is there, up to the beginning of the next stream. */
static FLAC__StreamDecoderReadStatus feed(const FLAC__StreamDecoder *decoder, FLAC__byte bytes[],
					  size_t *n, void *ctx)
{
	flac *f = ctx;
	kws_tape *t = f->d.tape;
	unsigned char *p;
	(void)decoder;
	size_t k = kws_tape_peek(t, &p, 1) ? kws_tape_peek(t, &p, MARK) : 0;
	if (f->begun && k == MARK && is_mark(p)) {
		f->other = true;
		k = 0;
	}
	if (k) {
		/* never into a mark, of which only half may be there yet */
		k = kws_tape_some(t, bytes, *n);
		size_t i = f->begun ? 0 : MARK;
		while (i < k && bytes[i] != 'f')
			i++;
		for (; i < k; i++)
			if (bytes[i] == 'f' && kws_tape_seek(t, f->fed + i)) {
				if (kws_tape_peek(t, &p, MARK) == MARK && is_mark(p))
					break;
			}
		k = i < k ? i : k;
		kws_tape_seek(t, f->fed + k);
	}
	f->fed += k;
	*n = k;
	return k ? FLAC__STREAM_DECODER_READ_STATUS_CONTINUE
		 : FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM;
}

/* libFLAC asks for its position in order to say where a frame ends. */
static FLAC__StreamDecoderTellStatus tell(const FLAC__StreamDecoder *decoder, FLAC__uint64 *at,
					  void *ctx)
{
	(void)decoder;
	*at = ((flac *)ctx)->fed;
	return FLAC__STREAM_DECODER_TELL_STATUS_OK;
}

static void describe(const FLAC__StreamDecoder *decoder, const FLAC__StreamMetadata *meta,
		     void *ctx)
{
	flac *f = ctx;
	const FLAC__StreamMetadata_StreamInfo *info = &meta->data.stream_info;
	(void)decoder;
	if (meta->type != FLAC__METADATA_TYPE_STREAMINFO || f->begun)
		return;
	f->d.rate_hz = info->sample_rate;
	f->d.channels = info->channels;
	f->d.claim = info->total_samples;
	f->room = (size_t)FLAC__MAX_BLOCK_SIZE * info->channels;
	f->begun = true;
}

static FLAC__StreamDecoderWriteStatus take(const FLAC__StreamDecoder *decoder,
					   const FLAC__Frame *frame, const FLAC__int32 *const x[],
					   void *ctx)
{
	flac *f = ctx;
	const unsigned channels = frame->header.channels;
	const double full = (double)((int64_t)1 << (frame->header.bits_per_sample - 1));
	const size_t n = frame->header.blocksize;
	(void)decoder;
	if (channels != f->d.channels || n * channels > f->room) {
		kws_decoder_fault(&f->d, f->d.position, "damaged: a frame with %u channels",
				  channels);
		return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
	}
	if (f->lost)
		kws_decoder_fault(&f->d, f->d.position, "damaged: some of the sound was left out");
	f->lost = false;
	for (size_t i = 0; i < n; i++)
		for (unsigned c = 0; c < channels; c++)
			f->ready[i * channels + c] = (float)((double)x[c][i] / full);
	f->from = 0;
	f->n_ready = n;
	return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
}

static void complain(const FLAC__StreamDecoder *decoder, FLAC__StreamDecoderErrorStatus why,
		     void *ctx)
{
	flac *f = ctx;
	(void)decoder;
	(void)why;
	f->lost = true;
}

/* Check what follows the last frame. */
static void settle(flac *f)
{
	unsigned char *p;
	kws_tape *t = f->d.tape;
	if (f->d.claim)
		kws_decoder_settle(&f->d, f->d.claim, f->d.position, "samples");
	if (f->d.position >= f->d.claim && f->d.claim)
		return; /* complete: a tag or padding may follow */
	if (kws_tape_seek(t, f->next) && kws_tape_peek(t, &p, 1) > 0 && !f->other
	    && !kws_header_tag(t))
		kws_decoder_fault(&f->d, f->d.position, "cut off in the middle of a frame");
	kws_tape_seek(t, f->fed);
}

static size_t read_flac(kws_decoder *d, float *x, size_t n)
{
	flac *f = (flac *)d;
	FLAC__uint64 place;
	while (f->n_ready == 0) {
		if (FLAC__stream_decoder_get_state(f->flac) == FLAC__STREAM_DECODER_END_OF_STREAM
		    || !FLAC__stream_decoder_process_single(f->flac)) {
			settle(f);
			return 0;
		}
		if (f->n_ready && FLAC__stream_decoder_get_decode_position(f->flac, &place))
			f->next = place;
	}
	const size_t k = n < f->n_ready ? n : f->n_ready;
	memcpy(x, f->ready + f->from * d->channels, k * d->channels * sizeof *x);
	f->from += k;
	f->n_ready -= k;
	d->position += k;
	return k;
}

static void close_flac(kws_decoder *d)
{
	flac *f = (flac *)d;
	if (f->flac)
		FLAC__stream_decoder_delete(f->flac);
	free(f->ready);
	free(f);
}

enum kws_status kws_decoder_flac(kws_decoder **out, kws_tape *t, kws_error *err)
{
	enum kws_status status = KWS_ERR_NOMEM;
	const char *why = "out of memory";
	flac *f = calloc(1, sizeof *f);
	*out = NULL;
	if (!f)
		return kws_fail(err, KWS_ERR_NOMEM, "%s", why);
	f->d = (kws_decoder){ .tape = t, .read = read_flac, .close = close_flac };
	f->fed = f->next = kws_tape_at(t);
	f->flac = FLAC__stream_decoder_new();
	if (!f->flac
	    || FLAC__stream_decoder_init_stream(f->flac, feed, NULL, tell, NULL, NULL, take,
						describe, complain, f)
		       != FLAC__STREAM_DECODER_INIT_STATUS_OK)
		goto fail;
	status = KWS_ERR_FORMAT;
	why = "FLAC whose header is damaged or cut off";
	if (!FLAC__stream_decoder_process_until_end_of_metadata(f->flac) || !f->begun)
		goto fail;
	f->ready = malloc(f->room * sizeof *f->ready);
	if (!f->ready) {
		status = KWS_ERR_NOMEM;
		why = "out of memory";
		goto fail;
	}
	*out = &f->d;
	return KWS_OK;
fail:
	close_flac(&f->d);
	return kws_fail(err, status, "%s", why);
}
