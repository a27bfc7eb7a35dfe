#include "audio/decoder.h"

#include <mpg123.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	kws_decoder d;
	mpg123_handle *mh;
	const float *ready; /* decoded, interleaved, not yet returned */
	size_t n_ready;	    /* frames of it */
	uint64_t start;	    /* position on the tape of mpg123's first byte */
	uint64_t next;	    /* position where the next frame is expected */
	bool begun, ended;
	bool new_form; /* the next frames have another rate or number of channels */
} mpeg;

static ssize_t pull(void *ctx, void *bytes, size_t n)
{
	kws_tape *t = ctx;
	return (ssize_t)kws_tape_some(t, bytes, n);
}

static off_t no_seek(void *ctx, off_t at, int whence)
{
	(void)ctx;
	(void)at;
	(void)whence;
	return -1;
}

static uint64_t big32(const unsigned char *p)
{
	return (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
}

/* The number of samples that variable-rate encoders store in the first frame; 0: none. The tape is
 * at that frame. */
static uint64_t claimed(kws_tape *t)
{
	unsigned char *p;
	const size_t n = kws_tape_peek(t, &p, 64);
	const unsigned version = n > 4 ? p[1] >> 3 & 3 : 0;
	uint64_t frames = 0;
	for (size_t i = 4; i + 18 <= n; i++)
		if ((memcmp(p + i, "Xing", 4) == 0 || memcmp(p + i, "Info", 4) == 0)
		    && p[i + 7] & 1)
			frames = big32(p + i + 8);
		else if (memcmp(p + i, "VBRI", 4) == 0)
			frames = big32(p + i + 14);
	return frames * (version == 3 ? 1152 : 576);
}

/* There are n bytes that are not frames where a frame is expected. */
static void between(mpeg *m, uint64_t n)
{
	unsigned char *p;
	kws_tape *t = m->d.tape;
	const uint64_t back = kws_tape_at(t);
	/* the bytes can be read again if they are recent */
	bool tag = false;
	if (kws_tape_seek(t, m->next)) {
		const size_t k = kws_tape_peek(t, &p, 8);
		tag = k == 8
		      && (memcmp(p, "ID3", 3) == 0 || memcmp(p, "TAG", 3) == 0
			  || memcmp(p, "APETAGEX", 8) == 0 || memcmp(p, "LYRICSBE", 8) == 0);
		kws_tape_seek(t, back);
	}
	if (!tag)
		kws_decoder_fault(&m->d, m->d.position,
				  "damaged: %llu bytes are no MPEG frames and were left out",
				  (unsigned long long)n);
}

/* Whether the frame at this position begins a stream of its own. Other bytes can look like a frame
 * with another rate. */
static bool is_stream(kws_tape *t, uint64_t place)
{
	const char *name;
	const uint64_t back = kws_tape_at(t);
	const bool is = kws_tape_seek(t, place) && kws_header_kind(t, &name) == KWS_KIND_MPEG;
	kws_tape_seek(t, back);
	return is;
}

/* Find the next frame of this stream. False: the end, or a stream of another form. */
static bool find_frame(mpeg *m, long *rate, int *channels)
{
	int encoding;
	for (;;) {
		const int found = mpg123_framebyframe_next(m->mh);
		if (found != MPG123_OK && found != MPG123_NEW_FORMAT)
			return false;
		if (mpg123_getformat(m->mh, rate, channels, &encoding) != MPG123_OK)
			return false;
		if (!m->begun || (*rate == (long)m->d.rate_hz && *channels == (int)m->d.channels))
			return true;
		m->new_form = is_stream(m->d.tape, m->start + (uint64_t)mpg123_framepos(m->mh));
		if (m->new_form)
			return false;
	}
}

/* Find and decode the next frame. False: as for find_frame(). */
static bool next_frame(mpeg *m)
{
	unsigned long header;
	unsigned char *body, *audio = NULL;
	size_t n = 0, bytes = 0;
	off_t number;
	long rate;
	int channels;
	if (!find_frame(m, &rate, &channels))
		return false;
	const uint64_t place = m->start + (uint64_t)mpg123_framepos(m->mh);
	if (m->begun && place > m->next)
		between(m, place - m->next);
	if (mpg123_framedata(m->mh, &header, &body, &n) == MPG123_OK)
		m->next = place + 4 + n;
	m->d.rate_hz = (unsigned)rate;
	m->d.channels = (unsigned)channels;
	m->begun = true;
	const int decoded = mpg123_framebyframe_decode(m->mh, &number, &audio, &bytes);
	if (decoded != MPG123_OK && decoded != MPG123_NEW_FORMAT)
		kws_decoder_fault(&m->d, m->d.position, "damaged: %s", mpg123_strerror(m->mh));
	m->ready = (const float *)(void *)audio;
	m->n_ready = audio ? bytes / sizeof(float) / m->d.channels : 0;
	return true;
}

/* Check what follows the last frame. */
static void settle(mpeg *m)
{
	unsigned char *p;
	kws_tape *t = m->d.tape;
	m->ended = true;
	if (m->new_form) {
		/* the next stream begins with this frame */
		kws_tape_seek(t, m->start + (uint64_t)mpg123_framepos(m->mh));
		return;
	}
	if (kws_tape_seek(t, m->next) && kws_tape_peek(t, &p, 4) == 4 && p[0] == 0xff
	    && p[1] >= 0xe0)
		kws_decoder_fault(&m->d, m->d.position, "cut off in the middle of a frame");
	while (kws_tape_skip(t, 1))
		continue;
	/* the padding that the encoder added at both ends is not returned */
	const uint64_t slack = 4 * 1152, claim = m->d.claim, heard = m->d.position;
	if (claim && (heard + slack < claim || heard > claim + slack))
		kws_decoder_settle(&m->d, claim, heard, "samples");
}

static size_t read_mpeg(kws_decoder *d, float *x, size_t n)
{
	mpeg *m = (mpeg *)d;
	while (m->n_ready == 0)
		if (m->ended || !next_frame(m)) {
			if (!m->ended)
				settle(m);
			return 0;
		}
	const size_t k = n < m->n_ready ? n : m->n_ready;
	memcpy(x, m->ready, k * d->channels * sizeof *x);
	m->ready += k * d->channels;
	m->n_ready -= k;
	d->position += k;
	return k;
}

static void close_mpeg(kws_decoder *d)
{
	mpeg *m = (mpeg *)d;
	if (m->mh)
		mpg123_delete(m->mh);
	free(m);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void initialise(void)
{
	mpg123_init();
}

enum kws_status kws_decoder_mpeg(kws_decoder **out, kws_tape *t, kws_error *err)
{
	int why = MPG123_OK;
	mpeg *m = calloc(1, sizeof *m);
	*out = NULL;
	if (!m)
		return kws_fail(err, KWS_ERR_NOMEM, "out of memory");
	m->d = (kws_decoder){ .tape = t, .read = read_mpeg, .close = close_mpeg };
	m->start = kws_tape_at(t);
	m->d.claim = claimed(t);
	pthread_once(&once, initialise);
	m->mh = mpg123_new(NULL, &why);
	if (m->mh) {
		mpg123_param(m->mh, MPG123_REMOVE_FLAGS, MPG123_AUTO_RESAMPLE, 0.0);
		mpg123_param(m->mh, MPG123_ADD_FLAGS, MPG123_FORCE_FLOAT | MPG123_QUIET, 0.0);
		mpg123_param(m->mh, MPG123_RESYNC_LIMIT, -1, 0.0);
		mpg123_replace_reader_handle(m->mh, pull, no_seek, NULL);
		why = mpg123_open_handle(m->mh, t);
	}
	if (why == MPG123_OK && next_frame(m)) {
		*out = &m->d;
		return KWS_OK;
	}
	const enum kws_status status = kws_fail(err, KWS_ERR_FORMAT, "no MPEG audio in it");
	close_mpeg(&m->d);
	return status;
}
