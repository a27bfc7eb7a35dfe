#include "audio/source_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool ends_in(const char *name, const char *suffix)
{
	const size_t n = strlen(name), k = strlen(suffix);
	return n >= k && strcasecmp(name + n - k, suffix) == 0;
}

/* Open bytes without a known mark. raw NULL: they MUST be a file that libsndfile knows, or MP3
 * after some other bytes. */
static enum kws_status open_unnamed(kws_source *src, const kws_source_raw *raw, kws_error *err)
{
	const uint64_t start = kws_tape_at(src->tape);
	if (!src->live && kws_header_mpeg_near(src->tape)) {
		src->format = "MP3";
		return kws_decoder_mpeg(&src->decoder, src->tape, err);
	}
	if (raw)
		return kws_decoder_pcm(&src->decoder, src->tape, NULL, raw->rate_hz, raw->channels,
				       raw->enc, err);
	src->format = "";
	enum kws_status status = kws_decoder_sndfile(&src->decoder, src->tape, NULL, err);
	if (status == KWS_ERR_FORMAT && ends_in(src->name, ".mp3")
	    && kws_tape_seek(src->tape, start))
		status = kws_decoder_mpeg(&src->decoder, src->tape, err);
	return status;
}

static enum kws_status refuse(const kws_source *src, const char *what, kws_error *err)
{
	return kws_fail(
		err, KWS_ERR_FORMAT,
		src->live ? "%scannot be heard from a pipe; put `ffmpeg -i - -f wav -' "
			    "before it"
			  : "%scannot be read; `ffmpeg -i FILE out.flac' makes a file that can",
		what);
}

/* Open a file whose header we read ourselves. */
static enum kws_status open_header(kws_source *src, kws_error *err)
{
	kws_tape *t = src->tape;
	kws_header *h = &src->header;
	const uint64_t start = kws_tape_at(t);
	enum kws_status status = kws_header_read(h, t, err);
	if (status == KWS_OK && h->code == KWS_CODE_PCM && h->channels <= KWS_SOURCE_MAX_CHANNELS)
		return kws_decoder_pcm(&src->decoder, t, h, h->rate_hz, h->channels, h->enc, err);
	if (status == KWS_OK && h->code == KWS_CODE_MPEG) {
		if (!src->live)
			kws_tape_end_at(t, kws_header_end(h, t));
		return kws_decoder_mpeg(&src->decoder, t, err);
	}
	char what[32] = "its coding ";
	snprintf(what + strlen(what), sizeof what - strlen(what), "%s%s", h->coding,
		 *h->coding ? " " : "");
	if (src->live)
		return status == KWS_OK ? refuse(src, what, err) : status;
	if (!kws_tape_seek(t, start))
		return kws_fail(err, KWS_ERR_IO, "cannot go back to its header");
	const bool other = status == KWS_OK && h->channels > 0 && h->code == KWS_CODE_OTHER;
	status = kws_decoder_sndfile(&src->decoder, t, status == KWS_OK ? h : NULL, err);
	return status == KWS_ERR_FORMAT && other ? refuse(src, what, err) : status;
}

static enum kws_status open_by_kind(kws_source *src, enum kws_kind kind, const kws_source_raw *raw,
				    kws_error *err)
{
	switch (kind) {
	case KWS_KIND_NONE: return open_unnamed(src, raw, err);
	case KWS_KIND_FLAC: return kws_decoder_flac(&src->decoder, src->tape, err);
	case KWS_KIND_OGG: return kws_decoder_ogg(&src->decoder, src->tape, err);
	case KWS_KIND_MPEG: return kws_decoder_mpeg(&src->decoder, src->tape, err);
	case KWS_KIND_OTHER:
		if (!src->live
		    && kws_decoder_sndfile(&src->decoder, src->tape, NULL, err) == KWS_OK)
			return KWS_OK;
		return refuse(src, "", err);
	case KWS_KIND_NO_SOUND: return kws_fail(err, KWS_ERR_FORMAT, "this is not sound");
	default: return open_header(src, err);
	}
}

enum kws_status kws_source_open_link(kws_source *src, const kws_source_raw *raw, kws_error *err)
{
	kws_error why = { "" };
	kws_tape_end_at(src->tape, KWS_TAPE_ENDLESS);
	const enum kws_kind kind = kws_header_kind(src->tape, &src->format);
	src->header = (kws_header){ .kind = KWS_KIND_NONE };
	const enum kws_status status = open_by_kind(src, kind, raw, &why);
	if (status != KWS_OK)
		return kws_fail(err, status, "%s: %s%s%s", src->name,
				kind == KWS_KIND_NONE ? "" : src->format,
				kind == KWS_KIND_NONE ? "" : ": ", why.text);
	src->link++;
	return KWS_OK;
}

void kws_source_close_link(kws_source *src)
{
	kws_decoder *d = src->decoder;
	const uint64_t first = src->position - d->position;
	if (*d->fault.text && !*src->fault.text) {
		src->fault = d->fault;
		src->fault_at = first + d->fault_at;
	}
	if (!*src->note.text)
		src->note = d->note;
	src->leftover = d->leftover;
	d->close(d);
	src->decoder = NULL;
}

static void fault_here(kws_source *src, const char *what, const char *why)
{
	if (*src->fault.text)
		return;
	src->fault_at = src->position;
	kws_fail(&src->fault, KWS_OK, "%s%s", what, why);
}

/* Whether another stream begins after the link that has just ended. If so, the tape is at its
 * start. */
static bool find_link(kws_source *src, const kws_header *h)
{
	const char *name;
	bool more;
	kws_tape *t = src->tape;
	const uint64_t end = kws_tape_end(t);
	kws_tape_end_at(t, KWS_TAPE_ENDLESS);
	if (h->kind == KWS_KIND_NONE)
		return src->format[0] && strcmp(src->format, "raw PCM") != 0
		       && kws_header_kind(t, &name) != KWS_KIND_NONE;
	/* libsndfile may leave the tape anywhere */
	if (h->code == KWS_CODE_OTHER && !kws_tape_seek(t, end))
		return false;
	const bool next = kws_header_next(h, t, &more);
	if (more)
		fault_here(src, "what follows is not heard: it is a second chunk of sound", "");
	return next;
}

bool kws_source_next_link(kws_source *src)
{
	kws_error err = { "" };
	const kws_header h = src->header;
	kws_source_close_link(src);
	if (!find_link(src, &h))
		return false;
	if (kws_source_open_link(src, NULL, &err) != KWS_OK) {
		fault_here(src, "what follows is not heard: ", err.text + strlen(src->name) + 2);
		return false;
	}
	if (src->decoder->rate_hz != src->rate_hz) {
		kws_fail(&err, KWS_OK, "%u Hz instead of %u", src->decoder->rate_hz, src->rate_hz);
		fault_here(src, "what follows is not heard: it has ", err.text);
		return false;
	}
	if (src->decoder->channels < 1 || src->decoder->channels > KWS_SOURCE_MAX_CHANNELS
	    || src->channel > src->decoder->channels) {
		fault_here(src, "what follows is not heard: it lacks the channel", "");
		return false;
	}
	return true;
}
